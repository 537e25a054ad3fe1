#!/bin/sh
# The browser tests need Chromium. Continuous integration may not skip them, so there it is installed where that is possible.
for name in chromium chromium-browser google-chrome; do
  command -v "$name" >/dev/null 2>&1 && exit 0
done
[ "$CI" = true ] || exit 0
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo 'installing Chromium for the browser tests'
  if (apt-get update && apt-get install -y --no-install-recommends chromium) >/dev/null 2>&1; then exit 0; fi
fi
echo 'missing: Chromium, for the browser tests' >&2
echo '    fix: install chromium or google-chrome (Debian: apt-get install chromium)' >&2
exit 1
