#!/bin/sh
# Asks the registry for known vulnerabilities of what runs in production. A registry that does not answer is no vulnerability: that is said, and does not fail.
report=$(npm audit --omit=dev --audit-level=high --json 2>/dev/null)
status=$?
case $report in
  *'"auditReportVersion"'*) ;;
  *)
    echo "audit: the registry did not answer; nothing was checked" >&2
    exit 0
    ;;
esac
[ "$status" -eq 0 ] && echo "audit: no known vulnerability of severity high or critical" && exit 0
npm audit --omit=dev --audit-level=high
exit 1
