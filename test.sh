#!/usr/bin/env bash
# Builds Dragoman and runs every test project. Installs what it lacks, and says so. Ends with a line that counts results.
# ./test.sh --soak is the same with larger counts, and adds a line to docs/reliability.md.
set -u
cd "$(dirname "$0")"

passed=0 failed=0 skipped=0
finish() {
  local line="$passed passed, $failed failed"
  [ "$skipped" -gt 0 ] && line="$line, $skipped skipped"
  [ -n "$soak" ] && record "$line"
  echo "$line"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
  exit
}

# Writes down what a soak came to.
record() {
  echo "| $began | $commit | $counts | from 0x$DRAGOMAN_FIRST_SEED | $((SECONDS / 60)) min $((SECONDS % 60)) s | $1${broken:+; failed:$broken} |" >>docs/reliability.md
}

# Two tiers, one code: only the counts differ.
soak="" limit=1200 broken=""
export DRAGOMAN_SEEDS=500 DRAGOMAN_KILLS=5 DRAGOMAN_FUZZ_SECONDS=8 DRAGOMAN_MESSAGES=200000 DRAGOMAN_QUEUES=500
if [ "${1:-}" = --soak ]; then
  soak=yes limit=2700
  export DRAGOMAN_SEEDS=10000 DRAGOMAN_KILLS=50 DRAGOMAN_FUZZ_SECONDS=45 DRAGOMAN_MESSAGES=10000000 DRAGOMAN_QUEUES=10000 DRAGOMAN_TEXT_BYTES=2000000000
  began=$(date -u '+%Y-%m-%d %H:%M') commit=$(git rev-parse --short=12 HEAD)
  git diff --quiet HEAD || commit="$commit and changes"
  # Each commit's soak has seeds of its own, and the same again if it is repeated.
  DRAGOMAN_FIRST_SEED=$(git rev-parse HEAD | cut -c1-16 | tr a-f A-F)
  export DRAGOMAN_FIRST_SEED
  echo "A soak of $commit; simulator seeds from 0x$DRAGOMAN_FIRST_SEED"
fi
counts="seeds: $DRAGOMAN_SEEDS, kills: $DRAGOMAN_KILLS, fuzz: $DRAGOMAN_FUZZ_SECONDS s a decoder, messages: $DRAGOMAN_MESSAGES, queues: $DRAGOMAN_QUEUES"
echo "Counts: $counts"

if ! eng/install-clients.sh; then
  failed=1
  finish
fi

echo "Building"
if ! dotnet build -c Release --nologo -v quiet Dragoman.slnx </dev/null; then
  echo "The build failed."
  failed=1
  finish
fi

reports=artifacts/test-results
rm -rf "$reports" && mkdir -p "$reports"
for project in tests/*/*.csproj; do
  name=$(basename "$project" .csproj)
  [ "$name" = Dragoman.TestKit ] && continue # what the tests share
  log=$(mktemp)
  echo "== $name"
  start=$SECONDS
  timeout --kill-after=10 "$limit" dotnet "tests/$name/bin/Release/net10.0/$name.dll" -noColor -result-xml "$reports/$name.xml" </dev/null >"$log" 2>&1
  code=$?
  summary=$(grep -oE 'Total: [0-9]+, Errors: [0-9]+, Failed: [0-9]+, Skipped: [0-9]+' "$log" | tail -1)
  if [ -z "$summary" ]; then
    tail -40 "$log"
    echo "$name ended with $code and counted no tests."
    failed=$((failed + 1)) broken="$broken $name"
  else
    read -r total errors bad skip < <(echo "$summary" | grep -oE '[0-9]+' | tr '\n' ' ')
    bad=$((bad + errors))
    [ "$code" -ne 0 ] && [ "$bad" -eq 0 ] && bad=1
    [ "$bad" -gt 0 ] && broken="$broken $name"
    [ "$bad" -gt 0 ] && grep -A15 -E '\[FAIL\]' "$log" | cut -c1-400 | head -120
    if [ "$total" -eq 0 ]; then echo "$name ran no test."; bad=1; total=1; fi
    passed=$((passed + total - bad - skip)) failed=$((failed + bad)) skipped=$((skipped + skip))
    echo "   $summary, $((SECONDS - start)) s"
  fi
  rm -f "$log"
done

echo "== Conformance"
if dotnet eng/Dragoman.Conformance/bin/Release/net10.0/Dragoman.Conformance.dll . "$reports" artifacts/conformance.md </dev/null; then
  passed=$((passed + 1))
else
  failed=$((failed + 1)) broken="$broken conformance"
fi
finish
