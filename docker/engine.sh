#!/usr/bin/env bash
# Makes sure that a container engine answers.
#
#   bash engine.sh        0: an engine answers.  1: none does, and the last line says why.
#
# Where an engine answers already, nothing is touched. Otherwise, as root on Debian and its like,
# Docker is installed from the distribution's packages and started. NO_ENGINE_INSTALL=1 refuses that.
set -euo pipefail

LOG=${MICRO_BENCH_ENGINE_LOG:-/var/log/micro-bench-dockerd.log}
LOCK=${MICRO_BENCH_ENGINE_LOCK:-/var/lock/micro-bench-engine.lock}
WAIT=${MICRO_BENCH_ENGINE_WAIT:-60}

say() { echo "engine: $*" >&2; }
give_up() { say "$*"; exit 1; }

answers() {
    if [ -n "${DOCKER_HOST:-}" ] && [[ $DOCKER_HOST != unix://* ]]; then
        timeout 20 docker version >/dev/null 2>&1
        return
    fi
    local socket runtime=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}
    local sockets=(/var/run/docker.sock "$runtime/docker.sock" "$runtime/podman/podman.sock"
        /run/podman/podman.sock)
    if [ -n "${DOCKER_HOST:-}" ]; then sockets=("${DOCKER_HOST#unix://}"); fi
    for socket in "${sockets[@]}"; do
        if [ -S "$socket" ] && ping_socket "$socket"; then return 0; fi
    done
    return 1
}

ping_socket() {
    timeout 20 python3 - "$1" 2>/dev/null <<'PY'
import socket, sys
with socket.socket(socket.AF_UNIX) as wire:
    wire.settimeout(15)
    wire.connect(sys.argv[1])
    wire.sendall(b"GET /_ping HTTP/1.0\r\nHost: engine\r\n\r\n")
    reply = b""
    while more := wire.recv(4096):
        reply += more
sys.exit(0 if b" 200 " in reply.split(b"\r\n")[0] else 1)
PY
}

install() {
    if [ -n "${NO_ENGINE_INSTALL:-}" ]; then
        give_up "none answers, and NO_ENGINE_INSTALL forbids to install one"
    fi
    if [ "$(id -u)" != 0 ]; then
        give_up "none answers; start Docker or Podman (only root could install one)"
    fi
    if ! command -v apt-get >/dev/null; then
        give_up "none answers; install and start Docker or Podman"
    fi
    say "none answers: installing docker.io and debootstrap with apt-get (NO_ENGINE_INSTALL=1 refuses)"
    export DEBIAN_FRONTEND=noninteractive
    local packages=(docker.io debootstrap debian-archive-keyring iptables ca-certificates)
    quietly apt-get update
    if apt-cache show docker-cli >/dev/null 2>&1; then packages+=(docker-cli); fi
    quietly apt-get install -y --no-install-recommends "${packages[@]}"
}

quietly() {
    local output
    if ! output=$("$@" 2>&1); then
        give_up "\`$*\` failed: $(grep -E '^(E|W|Err):?' <<<"$output" | tail -3 | tr '\n' ' ')"
    fi
}

start() {
    if [ -d /run/systemd/system ] && timeout 60 systemctl start docker >>"$LOG" 2>&1; then
        wait_for "" && return 0
    fi
    launch && return 0
    # Without netfilter there is no bridge; sandboxes without a network need none.
    if grep -qiE 'iptables|netfilter|nat chain|bridge' "$LOG"; then
        say "no packet filter here: starting without container networks"
        launch --iptables=false --ip6tables=false --bridge=none && return 0
    fi
    give_up "dockerd does not start: $(why)"
}

launch() {
    : >"$LOG"
    setsid dockerd "$@" >>"$LOG" 2>&1 </dev/null &
    wait_for $!
}

wait_for() {
    local pid=$1 second
    for ((second = 0; second < WAIT; second++)); do
        if answers; then return 0; fi
        if [ -n "$pid" ] && ! kill -0 "$pid" 2>/dev/null; then return 1; fi
        sleep 1
    done
    if [ -n "$pid" ]; then kill "$pid" 2>/dev/null || true; fi
    return 1
}

why() {
    local reason
    reason=$(grep -E 'level=(fatal|error)|failed to start|permission denied' "$LOG" | tail -1 || true)
    echo "${reason:-$(tail -1 "$LOG")} (log: $LOG)"
}

main() {
    if answers; then return 0; fi
    if [ -n "${DOCKER_HOST:-}" ]; then give_up "nothing answers at DOCKER_HOST=$DOCKER_HOST"; fi
    if ! command -v dockerd >/dev/null; then install; fi
    if [ "$(id -u)" != 0 ]; then give_up "none answers; start Docker or Podman"; fi
    exec 9>"$LOCK"
    flock 9
    if ! answers; then start 9>&-; fi
    say "$(docker version --format 'Docker {{.Server.Version}} is running' 2>/dev/null || echo running)"
}

main
