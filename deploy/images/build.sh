#!/bin/sh
# Builds the image of all roles with docker, podman or buildah, whichever works here: `make images`. Without a registry in reach it makes the
# base image itself (local-base.sh). The image is called ordermesh:<version> and ordermesh:latest.
#   BUILDER=docker|podman|buildah  the one to use      BASE=image  base of the build stage      PLATFORM=linux/arm64
set -e
cd "$(dirname "$0")/../.."
default_base=docker.io/library/node:24-trixie-slim
version=$(sed -n 's/^ *"version": "\(.*\)",$/\1/p' package.json | head -n 1)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say() { echo "images: $*"; }

# A docker client without an engine builds nothing.
works() {
  case $1 in
    docker) docker info >/dev/null 2>&1 ;;
    podman) podman info >/dev/null 2>&1 ;;
    buildah) buildah info >/dev/null 2>&1 ;;
    *) false ;;
  esac
}

debian_root() { [ "$(id -u)" -eq 0 ] && [ -e /etc/debian_version ] && command -v apt-get >/dev/null 2>&1; }

find_builder() {
  if [ -n "$BUILDER" ]; then
    works "$BUILDER" && { echo "$BUILDER"; return; }
    echo "images: BUILDER is '$BUILDER', and \`$BUILDER info\` fails; it takes docker, podman or buildah, one that works here" >&2
    exit 1
  fi
  for name in docker podman buildah; do
    works $name && { echo $name; return; }
  done
}

builder=$(find_builder)
if [ -z "$builder" ] && debian_root; then
  say "no docker engine, podman or buildah works here; installing podman (apt-get install podman buildah runc catatonit)"
  if ! (apt-get update && apt-get install -y --no-install-recommends podman buildah runc catatonit) >"$work/apt.log" 2>&1; then
    tail -n 5 "$work/apt.log" >&2
  fi
  builder=$(find_builder)
fi
if [ -z "$builder" ]; then
  echo "missing: docker with a running engine, podman or buildah" >&2
  echo "    fix: Debian: apt-get install podman buildah runc catatonit; macOS: brew install podman; or start the docker engine" >&2
  exit 1
fi

base=${BASE:-$default_base}
has_base() { $builder inspect "$base" >/dev/null 2>&1 || timeout 120 "$builder" pull "$base" >"$work/pull.log" 2>&1; }
if ! has_base; then
  if [ -n "$BASE" ] || ! debian_root; then
    tail -n 3 "$work/pull.log" >&2
    echo "images: $builder cannot pull $base, the base of the build stage" >&2
    echo "    fix: reach its registry, or give BASE an image with Debian 13, Node 20 or later and npm; as root on Debian this script makes one" >&2
    exit 1
  fi
  say "$builder cannot pull $base; making a base here (debootstrap)"
  base=localhost/ordermesh-build-base:trixie
  $builder inspect "$base" >/dev/null 2>&1 || sh deploy/images/local-base.sh "$builder" "$base"
fi

# npm in the build stage asks the registry that npm here asks, and trusts what this machine trusts.
secrets=
npmrc=$(npm config get userconfig 2>/dev/null || true)
registry=$(npm config get registry 2>/dev/null || true)
{ [ -f "$npmrc" ] && cat "$npmrc"; [ -z "$registry" ] || echo "registry=$registry"; } | grep -v '^cafile' >"$work/npmrc" || true
secrets="--secret id=npmrc,src=$work/npmrc"
authorities=${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}
[ ! -s "$authorities" ] || secrets="$secrets --secret id=ca,src=$authorities"

# Two builds of one commit give files with the same times.
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
title=org.opencontainers.image
set -- --build-arg "BASE=$base" \
  --label "$title.title=ordermesh" --label "$title.version=$version" --label "$title.revision=$revision" \
  --label "$title.licenses=Apache-2.0" --label "$title.description=A store-and-forward event mesh for restaurant orders" \
  ${PLATFORM:+--platform "$PLATFORM"} --tag "ordermesh:$version" --tag ordermesh:latest

say "building ordermesh:$version with $builder on $base"
case $builder in
  docker)
    # shellcheck disable=SC2086
    SOURCE_DATE_EPOCH=$epoch DOCKER_BUILDKIT=1 docker build $secrets "$@" .
    ;;
  *)
    # chroot needs neither a container runtime nor rights over networks, and takes the packages that npm here has fetched already.
    cache=$(npm config get cache 2>/dev/null || true)
    [ ! -d "$cache" ] || set -- "$@" --volume "$cache:/root/.npm"
    # shellcheck disable=SC2086
    $builder build --isolation chroot --timestamp "$epoch" $secrets "$@" -f Dockerfile .
    ;;
esac

size=$($builder inspect --type image --format '{{.Size}}' "ordermesh:$version" 2>/dev/null || echo 0)
say "ordermesh:$version is there, $((size / 1000000)) MB; try: $builder run --rm ordermesh:$version --help"
