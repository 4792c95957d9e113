#!/usr/bin/env bash
# Builds a base image from the packages of Debian or Ubuntu, for where no registry answers.
#
#   bash base.sh SUITE FILE       bash base.sh bookworm base.tar && docker import base.tar
#
# It holds python3 with venv, git and certificates, and nothing of this machine. Needs root and
# debootstrap. Each suite has one Python: focal 3.8, bullseye 3.9, jammy 3.10, bookworm 3.11,
# noble 3.12, trixie 3.13, forky 3.14.
set -euo pipefail

SUITE=${1:?usage: base.sh SUITE FILE}
FILE=${2:?usage: base.sh SUITE FILE}
PACKAGES=python3,python3-venv,git,ca-certificates
UBUNTU_KEYS=${UBUNTU_KEYS:-/usr/share/keyrings/ubuntu-archive-keyring.gpg}

case $SUITE in
    focal | jammy | noble | resolute) FAMILY=ubuntu ;;
    *) FAMILY=debian ;;
esac

say() { echo "base: $*" >&2; }
give_up() { say "$*"; exit 1; }

# The host's own mirror is the one that is known to be reachable from here. Of another family,
# debootstrap knows where its packages are.
mirror() {
    if ! grep -qs "^ID=$1\$" /etc/os-release; then return 0; fi
    cat /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list /etc/apt/sources.list 2>/dev/null |
        awk '$1 == "URIs:" { for (i = 2; i <= NF; i++) print $i }
             $1 == "deb" { for (i = 2; i <= NF; i++) if ($i ~ /:\/\//) { print $i; break } }' |
        grep -E "/$1/?\$" | head -1 || true
}

# apt may know a proxy that the environment does not.
proxy() {
    local found
    for scheme in http https; do
        found=$(apt-config dump --format '%v%n' "Acquire::$scheme::Proxy" 2>/dev/null | head -1 || true)
        if [ -n "$found" ] && [ "$found" != DIRECT ]; then
            printf -v "${scheme}_proxy" '%s' "$found"
            export "${scheme}_proxy"
        fi
    done
}

# Ubuntu's keys are in Debian's packages since trixie: apt checks them against Debian's own, so that
# nothing is taken on trust.
ubuntu_keys() {
    if [ -r "$UBUNTU_KEYS" ]; then echo "$UBUNTU_KEYS"; return; fi
    local keys=$1/keys own debian output
    debian=$(mirror debian)
    [ -n "$debian" ] || give_up "Ubuntu's keys are missing: apt-get install ubuntu-keyring"
    mkdir -p "$keys/lists/partial" "$keys/cache/archives/partial"
    own=/usr/share/keyrings/debian-archive-keyring.gpg
    echo "deb [signed-by=$own] $debian trixie main" >"$keys/sources.list"
    set -- -o "Dir::Etc::SourceList=$keys/sources.list" -o Dir::Etc::SourceParts=- \
        -o "Dir::State::Lists=$keys/lists" -o "Dir::Cache=$keys/cache" -o APT::Sandbox::User=root
    if ! output=$(cd "$keys" && apt-get "$@" update 2>&1 && apt-get "$@" download ubuntu-keyring 2>&1 &&
        dpkg-deb -x "$keys"/ubuntu-keyring_*.deb "$keys/open" 2>&1); then
        give_up "Ubuntu's keys cannot be had from Debian's packages: $(tail -2 <<<"$output" | tr '\n' ' ')"
    fi
    echo "$keys/open$UBUNTU_KEYS"
}

# debootstrap has a script for each suite that it knows; those of a family are the same.
bootstrap() {
    local output keys more=() script=sid
    if [ $FAMILY = ubuntu ]; then
        keys=$(ubuntu_keys "$2")
        more=(--components=main,universe --keyring="$keys") # python3-venv is in universe
        script=gutsy
    fi
    if ! output=$(debootstrap --variant=minbase --include="$PACKAGES" "${more[@]}" \
        "$SUITE" "$1" "$(mirror $FAMILY)" $script 2>&1); then
        tail -5 "$1/debootstrap/debootstrap.log" >&2 2>/dev/null || true
        give_up "debootstrap failed: $(tail -3 <<<"$output" | tr '\n' ' ')"
    fi
}

# A release of Ubuntu stays as it was on its day; its bugs are mended in another suite.
update() {
    local sources=$1/etc/apt/sources.list output
    sed -n "s/ $SUITE / $SUITE-updates /p" "$sources" >>"$sources.new"
    cat "$sources.new" >>"$sources"
    rm "$sources.new"
    if ! output=$(chroot "$1" sh -c 'export DEBIAN_FRONTEND=noninteractive
        apt-get update && apt-get -y --no-install-recommends dist-upgrade' 2>&1); then
        give_up "the updates of $SUITE cannot be had: $(tail -3 <<<"$output" | tr '\n' ' ')"
    fi
}

# What is not released yet has lists with a date of expiry, and mirrors lag behind it. The signature
# holds all the same.
unreleased() {
    local lists
    lists=$(cat "$1"/var/lib/apt/lists/*Release 2>/dev/null || true)
    if grep -q '^Valid-Until: ' <<<"$lists" && [ $FAMILY = debian ]; then
        echo 'Acquire::Check-Valid-Until "false";' >"$1/etc/apt/apt.conf.d/80micro-bench-unreleased"
    fi
}

# What differs from machine to machine and from day to day.
strip() {
    rm -rf "$1"/var/cache/apt/* "$1"/var/cache/debconf/*-old "$1"/var/cache/ldconfig/* \
        "$1"/var/lib/apt/lists/* "$1"/var/lib/dpkg/*-old "$1"/tmp/* "$1"/var/tmp/* \
        "$1"/usr/share/man/* "$1"/usr/share/info/* "$1"/usr/share/locale/* "$1"/usr/share/lintian \
        "$1"/usr/share/doc-base "$1"/debootstrap
    find "$1/var/log" -type f -delete
    find "$1/usr/share/doc" -type f ! -name copyright -delete
    find "$1/usr/share/doc" -type l -delete
    find "$1/usr/share/doc" -type d -empty -delete
    rm -f "$1/etc/hostname" "$1/etc/resolv.conf" "$1/var/lib/dbus/machine-id"
    : >"$1/etc/machine-id"
}

released() {
    local date
    date=$(sed -n 's/^Date: //p' "$1"/var/lib/apt/lists/*Release 2>/dev/null | sort | tail -1)
    date -ud "${date:-1970-01-01}" +%s
}

# debootstrap leaves these mounted when it fails.
clean_up() {
    umount -q "$1/root/proc" "$1/root/sys" 2>/dev/null || true
    rm -rf --one-file-system "$1"
}

main() {
    [ "$(id -u)" = 0 ] || give_up "debootstrap needs root"
    command -v debootstrap >/dev/null || give_up "debootstrap is missing: apt-get install debootstrap"
    local work root epoch
    work=$(mktemp -d "${TMPDIR:-/var/tmp}/micro-bench-base.XXXXXX")
    # shellcheck disable=SC2064 # the folder of now
    trap "umount '$work/root/proc' '$work/root/sys' 2>/dev/null || true; rm -rf --one-file-system '$work'" EXIT
    root=$work/root
    proxy
    say "building an image from ${FAMILY^} $SUITE (about a minute)"
    bootstrap "$root" "$work"
    [ $FAMILY = debian ] || update "$root"
    unreleased "$root"
    epoch=$(released "$root")
    strip "$root"
    # Times later than the release are those of this build; earlier ones hold Python's caches valid.
    tar --create --sort=name --numeric-owner --clamp-mtime --mtime="@$epoch" --one-file-system \
        --exclude='./dev/*' --exclude='./proc/*' --exclude='./sys/*' --file "$FILE" --directory "$root" .
    say "it has $(chroot "$root" python3 --version)"
}

main
