#!/usr/bin/env bash
# What some tests use beside Python and an engine: bubblewrap, a browser for the HTML report,
# and a registry to push images to.
#
# As root on Debian and its like, what is missing is installed from the distribution's packages;
# NO_ENGINE_INSTALL=1 refuses that. Without them those tests are skipped (in CI they fail).
set -euo pipefail

missing=()
command -v bwrap >/dev/null || missing+=(bubblewrap)
command -v chromium >/dev/null || missing+=(chromium)
command -v chromedriver >/dev/null || missing+=(chromium-driver)
command -v docker-registry >/dev/null || missing+=(docker-registry)
if [ ${#missing[@]} = 0 ]; then exit 0; fi

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null || [ -n "${NO_ENGINE_INSTALL:-}" ]; then
    echo "tests: without ${missing[*]} some tests are skipped" >&2
    exit 0
fi
echo "tests: installing ${missing[*]} with apt-get (NO_ENGINE_INSTALL=1 refuses)" >&2
export DEBIAN_FRONTEND=noninteractive
if ! output=$( { apt-get update && apt-get install -y --no-install-recommends "${missing[@]}"; } 2>&1); then
    echo "tests: $(grep -E '^(E|W|Err):?' <<<"$output" | tail -3 | tr '\n' ' ')" >&2
fi
