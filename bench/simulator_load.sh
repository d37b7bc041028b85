#!/bin/sh
# How many requests a second sqlbak-simulator serves on one core: wrk (Debian's) on one core asks, the simulator on another
# answers. What counts is the simulator's own CPU time a request, so that a busy machine changes the figures little.
#
#   bench/simulator_load.sh build/release/bin/sqlbak-simulator
set -eu
program=$1
url_file=$(mktemp)
trap 'kill "$pid" 2>/dev/null || true; rm -f "$url_file"' EXIT
taskset -c 0 "$program" --for 2m --size typical --evolve off --speed 0 >"$url_file" &
pid=$!
while [ ! -s "$url_file" ]; do
  kill -0 "$pid"
  sleep 0.1
done
url=$(cat "$url_file")
cpu_ms() { awk -v hz="$(getconf CLK_TCK)" '{ print ($14 + $15) * 1000 / hz }' "/proc/$pid/stat"; }

for path in 'jobruns/10005' 'jobs/101/settings' 'servers' 'jobruns?job_id=101&page_size=100'; do
  before=$(cpu_ms)
  requests=$(taskset -c 1 wrk -t1 -c16 -d5s -H 'X-SqlBak-Token: token-account-0001' "$url/$path" |
    awk '/requests in/ { print $1 }')
  after=$(cpu_ms)
  awk -v path="$path" -v n="$requests" -v ms="$((after - before))" \
    'BEGIN { printf "%-34s %4.0f us of CPU a request: %6.0f requests/s on a core\n", path, ms * 1000 / n, n * 1000 / ms }'
done
