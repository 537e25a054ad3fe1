#!/bin/sh
# Makes the secrets of compose.yaml, once: sh deploy/compose/make-secrets.sh
set -e
cd "$(dirname "$0")"
if [ -e secrets/admin-token ]; then
  echo "secrets/ is there already; remove it for new secrets (the database keeps its password)" >&2
  exit 1
fi
random() { od -An -N 24 -tx1 /dev/urandom | tr -d ' \n'; }
# Only this user enters the folder. The files are mounted one by one, and the user of the containers reads them.
mkdir -m 0700 secrets
password=$(random)
printf '%s' "$(random)" >secrets/admin-token
printf '%s' "$password" >secrets/database-password
printf 'postgres://ordermesh:%s@postgres:5432/ordermesh' "$password" >secrets/database-url
chmod 0644 secrets/*
