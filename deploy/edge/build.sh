#!/bin/sh
# Builds the Debian package of the edge agent: `make edge-package`. It has its own Node and needs nothing but glibc.
#   OUT=directory  where the package goes; build/ by default
set -e
cd "$(dirname "$0")/../.."
out=${OUT:-build}
version=$(sed -n 's/^ *"version": "\(.*\)",$/\1/p' package.json | head -n 1)
command -v dpkg-deb >/dev/null 2>&1 || {
  echo "missing: dpkg-deb, which builds the package" >&2
  echo "    fix: Debian: it is there; Fedora: dnf install dpkg; macOS: brew install dpkg" >&2
  exit 1
}
case $(uname -m) in
  x86_64) arch=amd64 node_arch=x64 glibc=2.36 ;;
  aarch64) arch=arm64 node_arch=arm64 glibc=2.38 ;;
  *) echo "edge-package: no Node package for $(uname -m)" >&2; exit 1 ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/tree
lib=$tree/usr/lib/ordermesh
mkdir -p "$lib/bin" "$tree/usr/bin" "$tree/lib/systemd/system" "$tree/etc/ordermesh" "$tree/DEBIAN"

echo "edge-package: packages of the lock file"
# The rooms that the image has, from the list of .dockerignore.
sed -n 's/^!//p' .dockerignore | tar -cf - -T - | tar -xf - -C "$lib"
(
  cd "$lib"
  npm ci --omit=dev --ignore-scripts --no-audit --no-fund --prefer-offline --loglevel=error
  node stack/install/post-install.mjs
  cp "node_modules/node-linux-$node_arch/bin/node" bin/node
  bin/node deploy/edge/finish.mjs
  rm -rf deploy .npmrc
)
cat >"$tree/usr/bin/ordermesh" <<'LAUNCHER'
#!/bin/sh
exec /usr/lib/ordermesh/bin/node /usr/lib/ordermesh/cli/main.ts "$@"
LAUNCHER
chmod 0755 "$tree/usr/bin/ordermesh"
install -m 0644 deploy/edge/ordermesh-edge.service "$tree/lib/systemd/system/ordermesh-edge.service"
install -m 0640 deploy/edge/edge.env "$tree/etc/ordermesh/edge.env"
sed -e "s/@VERSION@/$version/" -e "s/@ARCH@/$arch/" -e "s/@GLIBC@/$glibc/" deploy/edge/debian/control >"$tree/DEBIAN/control"
install -m 0644 deploy/edge/debian/conffiles "$tree/DEBIAN/conffiles"
install -m 0755 deploy/edge/debian/postinst deploy/edge/debian/prerm "$tree/DEBIAN/"

mkdir -p "$out"
file=$out/ordermesh-edge_${version}_$arch.deb
dpkg-deb --root-owner-group -Zxz -z1 --build "$tree" "$file" >/dev/null
echo "edge-package: $file, $(($(wc -c <"$file") / 1000000)) MB"
