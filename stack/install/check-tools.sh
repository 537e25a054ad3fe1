#!/bin/sh
# Names every tool that is missing or too old, with the fix, before anything is installed. A tool whose server is configured
# elsewhere is not needed.
missing=0

complain() {
  echo "missing: $1" >&2
  echo "    fix: $2" >&2
  missing=1
}

# The first number of a version, or of the part after 1. for Java 8 and older.
node_major() { node --version 2>/dev/null | sed -n 's/^v\([0-9]*\).*/\1/p'; }
java_major() { "$1" -version 2>&1 | sed -n 's/.*version "\(1\.\)\{0,1\}\([0-9]*\).*/\2/p' | head -n 1; }
at_least() { [ -n "$1" ] && [ "$1" -ge "$2" ]; }

at_least "$(node_major)" 20 ||
  complain "Node.js 20 or later (found: $(node --version 2>/dev/null || echo none))" \
    "install it from https://nodejs.org or your package manager (Debian: apt-get install nodejs npm)"
command -v npm >/dev/null 2>&1 || complain "npm" "it comes with Node.js; Debian: apt-get install npm"

java=${JAVA_HOME:+$JAVA_HOME/bin/java}
java=${java:-java}
if [ -z "$KAFKA_BROKERS" ]; then
  command -v mvn >/dev/null 2>&1 ||
    complain "Maven, which fetches Kafka" "Debian: apt-get install maven; macOS: brew install maven; or set KAFKA_BROKERS to a Kafka of yours"
fi
if [ -z "$KAFKA_BROKERS" ] || [ -z "$PUBSUB_EMULATOR_HOST" ]; then
  at_least "$(java_major "$java")" 17 ||
    complain "JDK 17 or later (found: $(java_major "$java" | grep . || echo none))" \
      "Debian: apt-get install openjdk-17-jdk-headless; macOS: brew install openjdk; or set JAVA_HOME to one"
fi

if [ -z "$BIGQUERY_EMULATOR_HOST" ]; then
  found=
  for python in python3 python3.14 python3.13 python3.12 python3.11 python3.10; do
    if "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' >/dev/null 2>&1; then
      found=$python
      break
    fi
  done
  [ -n "$found" ] ||
    complain "Python 3.10 or later with venv, for the BigQuery emulator" \
      "Debian: apt-get install python3 python3-venv; macOS: brew install python; or set BIGQUERY_EMULATOR_HOST to a server of yours"
fi

exit "$missing"
