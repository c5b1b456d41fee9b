#!/bin/sh
# Start a container engine for tests on a machine that has none and that reaches no image registry:
# Debian's dockerd without bridge or firewall rules, with a base image of Debian packages.
#
#   tools/engine.sh up DIRECTORY     start it (root, Debian); prints `export DOCKER_HOST=…`
#   tools/engine.sh down DIRECTORY   stop it
set -eu
action=${1:?up or down}
place=${2:?a directory for its data}
socket=$place/docker.sock
base=python:3.11-slim-bookworm

# Its mounts remain after it ends, and prevent the removal of its directory.
release() {
    umount "$place"/exec/netns/* "$place"/data/*/*/merged 2>/dev/null || true
}

stop() {
    [ -s "$place/pid" ] || return 0
    pid=$(cat "$place/pid")
    kill "$pid" 2>/dev/null || return 0
    for _ in $(seq 100); do
        kill -0 "$pid" 2>/dev/null || { release; return 0; }
        sleep 0.2
    done
    echo "dockerd ($pid) did not stop" >&2
    return 1
}

answers() { [ -S "$socket" ] && DOCKER_HOST=unix://$socket docker version >/dev/null 2>&1; }

start() {
    mkdir -p "$place"
    grep -q " cgroup2\? " /proc/mounts || cgroupfs-mount
    setsid dockerd --host "unix://$socket" --pidfile "$place/pid" \
        --data-root "$place/data" --exec-root "$place/exec" \
        --bridge none --iptables=false --ip6tables=false >>"$place/log" 2>&1 </dev/null &
    for _ in $(seq 150); do answers && return 0; sleep 0.2; done
    return 1
}

# An image with the packages of python:3.11-slim-bookworm, from the mirrors that this machine uses. It
# trusts the certificates of this machine, so that pip works behind a proxy that inspects TLS.
make_base() {
    root=$(mktemp -d)
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Codename: bookworm' | head -n 1)
    packages=ca-certificates,netbase,python3.11-venv,python3-distutils,tzdata,usr-is-merged
    mmdebstrap --quiet --variant=minbase --format=directory --include=$packages \
        --dpkgopt=path-exclude='/usr/share/doc/*' --dpkgopt=path-exclude='/usr/share/man/*' \
        --dpkgopt=path-exclude='/usr/share/locale/*' \
        --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr bookworm "$root" "$mirror" >"$place/base.log" 2>&1
    chroot "$root" python3.11 -m venv /usr/local
    cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
    printf '[global]\ncert = /etc/ssl/certs/ca-certificates.crt\n' >"$root/etc/pip.conf"
    rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/*
    tar -C "$root" --numeric-owner --one-file-system -c . |
        docker import --change 'ENV PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8' \
            --change 'CMD ["python3"]' --message 'tools/engine.sh' - $base >/dev/null
    rm -rf "$root"
}

case $action in
up)
    answers || start || start || { tail -n 5 "$place/log" >&2; exit 1; }
    export DOCKER_HOST="unix://$socket"
    docker image inspect $base >/dev/null 2>&1 || make_base
    echo "export DOCKER_HOST=$DOCKER_HOST"
    ;;
down) stop ;;
*) echo "up or down, not $action" >&2; exit 2 ;;
esac
