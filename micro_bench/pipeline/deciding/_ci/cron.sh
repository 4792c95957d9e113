#!/bin/sh
# Written by `micro-bench ci cron`. As a line of a crontab, at 2:17 every night:
#   17 2 * * * /srv/bench/micro-bench-nightly.sh >> /var/log/micro-bench.log 2>&1
# Exit codes: 0 fine, 21 regression confirmed, 22 suspected, 23 nothing measurable or void, 24 out of budget.
set -u
cd "$(dirname "$0")" || exit 1
exec flock --nonblock .nightly.lock micro-bench nightly @PLAN@ --webhook-env MICRO_BENCH_WEBHOOK
