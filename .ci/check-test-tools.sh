#!/bin/sh
# Some tests need programs that are not packages of npm: the browser tests Chromium, one of slow clients slowhttptest, one of a line that
# loses packets ip and nft, one of several hosts ip, those of the image podman and debootstrap. Elsewhere they are skipped without
# them; continuous integration may not skip, so there they are installed where that is possible; where it is not, the summary of the run
# names what was skipped.
[ "$CI" = true ] || exit 0

# Helm takes minutes to build: in the background, at a lower priority than the tests, which wait for it last.
mkdir -p .cache
nohup nice -n 5 sh .ci/deploy-tools.sh >.cache/deploy-tools.log 2>&1 </dev/null &

there() { for name in "$@"; do command -v "$name" >/dev/null 2>&1 && return; done; return 1; }

wanted=
there chromium chromium-browser google-chrome || wanted="$wanted chromium"
there slowhttptest || wanted="$wanted slowhttptest"
there ip || wanted="$wanted iproute2"
there nft || wanted="$wanted nftables"
there podman || wanted="$wanted podman"
there buildah || wanted="$wanted buildah"
there runc || wanted="$wanted runc"
there catatonit || wanted="$wanted catatonit"
there debootstrap || wanted="$wanted debootstrap"
[ -n "$wanted" ] || exit 0

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "installing for the tests:$wanted"
  # shellcheck disable=SC2086
  if (apt-get update && apt-get install -y --no-install-recommends $wanted) >/dev/null 2>&1; then exit 0; fi
fi
echo "missing for the tests:$wanted; what needs them is skipped, and with CI=true that is a failure" >&2
echo "    fix: install it (Debian: apt-get install$wanted; instead of chromium also google-chrome)" >&2
