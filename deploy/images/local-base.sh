#!/bin/sh
# Makes a base for the build stage where no registry of images is in reach: Debian 13 from its package mirror, Node and npm from npm's
# registry. Called by build.sh as root on Debian: sh deploy/images/local-base.sh BUILDER NAME
set -e
builder=$1
name=$2
cd "$(dirname "$0")/../.."
suite=trixie
node=$(sed -n 's/^ *"node": "\(.*\)",$/\1/p' package.json)
npm=11.6.2
case $(uname -m) in
  x86_64) arch=x64 ;;
  aarch64) arch=arm64 ;;
  *) echo "images: no Node package for $(uname -m); give BASE an image with Node and npm" >&2; exit 1 ;;
esac

if ! command -v debootstrap >/dev/null 2>&1; then
  echo "images: installing debootstrap"
  (apt-get update && apt-get install -y --no-install-recommends debootstrap) >/dev/null 2>&1 || {
    echo "missing: debootstrap, which makes the base image" >&2
    echo "    fix: apt-get install debootstrap; or give BASE an image with Debian 13, Node 20 or later and npm" >&2
    exit 1
  }
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The mirror that apt here uses: it is in reach.
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null |
  sed -n -e 's/^URIs: *\([^ ]*\/debian\)\/* *$/\1/p' -e 's/^deb  *\(\[[^]]*\] *\)\{0,1\}\([^ ]*\/debian\)\/*  *.*/\2/p' | head -n 1)
echo "images: debootstrap of Debian $suite"
debootstrap --variant=minbase "$suite" "$work/root" "${mirror:-http://deb.debian.org/debian}" >"$work/log" 2>&1 || {
  tail -n 5 "$work/log" >&2
  exit 1
}
echo "images: Node $node and npm $npm for the build stage"
npm install --prefix "$work/npm" --ignore-scripts --no-audit --no-fund --no-save --prefer-offline --loglevel=error \
  "node-linux-$arch@$node" "npm@$npm"
local=$work/root/usr/local
cp "$work/npm/node_modules/node-linux-$arch/bin/node" "$local/bin/node"
mkdir -p "$local/lib/node_modules"
cp -R "$work/npm/node_modules/npm" "$local/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$local/bin/npm"
rm -rf "$work/root/var/cache/apt/archives" "$work/root/var/lib/apt/lists"

case $builder in
  buildah)
    container=$(buildah from scratch)
    buildah add --quiet "$container" "$work/root" / >/dev/null
    buildah commit --quiet "$container" "$name" >/dev/null
    buildah rm "$container" >/dev/null
    ;;
  *) tar -C "$work/root" -c . | "$builder" import - "$name" >/dev/null ;;
esac
