#!/usr/bin/env bash
# Builds a base image from Debian's packages, for where no registry answers.
#
#   bash base.sh SUITE FILE       bash base.sh bookworm base.tar && docker import base.tar
#
# It holds python3 with venv, git and certificates, and nothing of this machine. Needs root and
# debootstrap. bookworm has Python 3.11, trixie 3.13.
set -euo pipefail

SUITE=${1:?usage: base.sh SUITE FILE}
FILE=${2:?usage: base.sh SUITE FILE}
PACKAGES=python3,python3-venv,git,ca-certificates

say() { echo "base: $*" >&2; }
give_up() { say "$*"; exit 1; }

# The host's own mirror is the one that is known to be reachable from here.
mirror() {
    if ! grep -qs '^ID=debian$' /etc/os-release; then return 0; fi
    cat /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list /etc/apt/sources.list 2>/dev/null |
        awk '$1 == "URIs:" { for (i = 2; i <= NF; i++) print $i }
             $1 == "deb" { for (i = 2; i <= NF; i++) if ($i ~ /:\/\//) { print $i; break } }' |
        grep -E '/debian/?$' | head -1 || true
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

bootstrap() {
    local output
    # shellcheck disable=SC2046 # no mirror is no argument
    if ! output=$(debootstrap --variant=minbase --include="$PACKAGES" "$SUITE" "$1" $(mirror) 2>&1); then
        tail -5 "$1/debootstrap/debootstrap.log" >&2 2>/dev/null || true
        give_up "debootstrap failed: $(tail -3 <<<"$output" | tr '\n' ' ')"
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
    say "building an image from Debian $SUITE (about a minute)"
    bootstrap "$root"
    epoch=$(released "$root")
    strip "$root"
    # Times later than the release are those of this build; earlier ones hold Python's caches valid.
    tar --create --sort=name --numeric-owner --clamp-mtime --mtime="@$epoch" --one-file-system \
        --exclude='./dev/*' --exclude='./proc/*' --exclude='./sys/*' --file "$FILE" --directory "$root" .
    say "it has $(chroot "$root" python3 --version)"
}

main
