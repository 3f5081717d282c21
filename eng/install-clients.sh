#!/usr/bin/env bash
# Installs the clients that the tests drive Dragoman with, where they are missing, and says so. Fails if one cannot be had.
set -u
cd "$(dirname "$0")/.." || exit 1

debian=(
  kcat python3-kafka python3-confluent-kafka python3-lz4 python3-snappy python3-zstandard # Kafka
  amqp-tools celery python3-pika # AMQP 0-9-1
  redis-tools python3-redis # Redis
  awscli python3-boto3 python3-pycurl # SQS and SNS
  rabbitmq-server # what links are tried against
  python3-prometheus-client # metrics
)
node=tests/Dragoman.Clients.Tests/scripts/node

sudo=""
[ "$(id -u)" -eq 0 ] || sudo=sudo

fail() {
  echo "$1"
  exit 1
}

# The list of packages is also the real text that the tests send around.
listed() { [ "$(apt-cache dumpavail 2>/dev/null | head -c 12000000 | wc -c)" -eq 12000000 ]; }

command -v node >/dev/null && command -v npm >/dev/null || debian+=(nodejs npm)
missing=()
for package in "${debian[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ] || ! listed; then
  echo "Updating Debian's list of packages"
  $sudo apt-get update -qq </dev/null >/dev/null || fail "Could not update Debian's list of packages."
  listed || fail "Debian's list of packages is shorter than the tests need."
fi
if [ ${#missing[@]} -gt 0 ]; then
  echo "Installing from Debian: ${missing[*]}"
  # A server among them is for the tests to start: the machine's own service stays off.
  policy=/usr/sbin/policy-rc.d
  [ -e "$policy" ] || { printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" >/dev/null && $sudo chmod +x "$policy" && ours=yes; }
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" </dev/null >/dev/null
  installed=$?
  [ "${ours:-}" = yes ] && $sudo rm -f "$policy"
  [ "$installed" -eq 0 ] || fail "Could not install ${missing[*]}."
fi

# What is installed is what the lock file says, or it is installed anew.
if ! cmp -s "$node/package-lock.json" "$node/node_modules/.installed-lock.json"; then
  echo "Installing from npm: $(node -p "Object.entries(require('./$node/package.json').dependencies).map(([name, version]) => name + '@' + version).join(' ')")"
  (cd "$node" && npm ci --ignore-scripts --no-progress --loglevel=error </dev/null >/dev/null) || fail "Could not install what $node/package-lock.json names."
  cp "$node/package-lock.json" "$node/node_modules/.installed-lock.json"
fi
