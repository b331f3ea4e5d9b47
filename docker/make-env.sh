#!/bin/sh
# Write .env: .env.example with a generated value for every secret that it leaves empty.
set -eu
cd "$(dirname "$0")/.."
if [ -e .env ]; then
  echo ".env is there already. Deleting it makes new secrets, but the databases keep their old passwords." >&2
  exit 1
fi
umask 077
random() { head -c "$1" /dev/urandom | base64 -w 0 | tr '+/' '-_'; }
while IFS= read -r line; do
  case $line in
    \#*) value= ;;
    *_FERNET_KEY=) value=$(random 32) ;;
    *_ADMIN_PASSWORD=) value=$(random 12) ;;
    *=) value=$(random 48) ;;
    *) value= ;;
  esac
  printf '%s\n' "$line$value"
done < .env.example > .env.unfinished
mv .env.unfinished .env
echo ".env is written; only you can read it."
