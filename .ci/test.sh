#!/bin/sh
# All checks, then the tests: all of them, or those that the options for Vitest choose. Each step runs whatever the others said, so that
# one run tells everything that is wrong.
report=.cache/test-report.json
node=node_modules/.bin/node
failed=

check() {
  name=$1
  shift
  echo "== $name"
  "$@" || failed="$failed $name"
}

[ $# -gt 0 ] || sh .ci/check-test-tools.sh
mkdir -p "$(dirname "$report")" && rm -f "$report"
check lint node_modules/.bin/biome check
check types "$node" node_modules/typescript/bin/tsc -p .
check page-types "$node" node_modules/typescript/bin/tsc -p display/page
check flame-types "$node" node_modules/typescript/bin/tsc -p telemetry/flame/page
check imports "$node" .ci/dependency-cruiser.mjs --config .dependency-cruiser.cjs -T err-long .
if [ $# -gt 0 ]; then
  check tests "$node" .ci/run-tests.mjs "$@"
else
  # The tests of a release take longer than a change may: npm run test:release.
  check tests "$node" .ci/run-tests.mjs --project='!release'
fi
[ $# -gt 0 ] || check summary "$node" .ci/test-summary.mjs "$report"

[ -z "$failed" ] && exit 0
echo "failed:$failed" >&2
exit 1
