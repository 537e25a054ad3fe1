#!/bin/sh
# Installs the packages of the lock file; options are npm's. No package's own script runs: stack/install/post-install.mjs does what they are needed
# for. --no-save keeps npm from rewriting the lock file; what the cache has is not asked for again.
set -e
echo 'installing packages'
npm install --no-save --ignore-scripts --no-audit --no-fund --prefer-offline --loglevel=error "$@"
node stack/install/post-install.mjs
