#!/bin/sh
# Write .env: .env.example with a generated value for every secret that it leaves empty.
set -eu
cd "$(dirname "$0")/.."
if [ -e .env ]; then
  echo ".env is there already; delete it to generate new secrets (the databases keep the old ones)." >&2
  exit 1
fi
umask 077
while IFS= read -r line; do
  case $line in
    \#*) printf '%s\n' "$line" ;;
    *=) printf '%s%s\n' "$line" "$(head -c 64 /dev/urandom | base64 | tr -d '\n=' | tr '+/' '-_' | cut -c 1-43)=" ;;
    *) printf '%s\n' "$line" ;;
  esac
done < .env.example > .env
echo ".env is written; only you can read it."
