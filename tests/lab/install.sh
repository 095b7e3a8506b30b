# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # set by run: work
# install.sh - get programs from Debian, without starting any service on this machine.
#
# Sourced by run, and by tests/hosts/install.sh, which wants others: $programs and the $packages they
# are in. Does nothing when everything is there already.

programs="nginx dnsmasq sshd ssh nmap hydra hping3 ab mosquitto mosquitto_pub tcpdump dig curl wget ping
    ethtool openssl ip sysctl python3 suricata"
packages="nginx-light dnsmasq-base openssh-server openssh-client nmap hydra hping3 apache2-utils
    mosquitto mosquitto-clients tcpdump bind9-dnsutils curl wget iputils-ping ethtool openssl iproute2 procps python3 ca-certificates"

missing_programs() {
    local program
    for program in $programs; do
        command -v "$program" >/dev/null || echo "$program"
    done
}

# Debian's packages start their servers when installed, unless this file says no.
forbid_services() {
    [ ! -e /usr/sbin/policy-rc.d ] || return 0
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod +x /usr/sbin/policy-rc.d
    made_policy=yes
}

allow_services() {
    [ "${made_policy:-no}" = no ] || rm -f /usr/sbin/policy-rc.d
    made_policy=no
}

# Suricata 7 is in bookworm-backports. The archive's address comes from apt's own configuration, and
# the extra source is only in a private copy of it, so the machine's configuration stays as it is.
install_suricata() {
    local codename sources site
    codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
    sources=$work/apt
    mkdir -p "$sources"
    cp /etc/apt/sources.list "$sources/main.list" 2>/dev/null || true # newer machines have none
    cp /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources "$sources/" 2>/dev/null || true
    # shellcheck disable=SC2016 # apt fills that in
    site=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $codename" |
        head -n 1)
    [ -n "$site" ] || { echo "apt knows no archive for $codename" >&2; return 1; }
    echo "deb $site $codename-backports main" >"$sources/backports.list"
    local apt=(-o "Dir::Etc::sourcelist=/dev/null" -o "Dir::Etc::sourceparts=$sources")
    apt_run "${apt[@]}" update
    apt_run "${apt[@]}" install -y --no-install-recommends -t "$codename-backports" suricata
}

apt_run() {
    local fixed=(-qq -o DPkg::Lock::Timeout=120) # others may be installing as well
    if ! DEBIAN_FRONTEND=noninteractive apt-get "${fixed[@]}" "$@" >"$work/log/apt" 2>&1; then
        tail -n 5 "$work/log/apt" >&2
        return 1
    fi
}

install_programs() {
    local missing
    missing=$(missing_programs)
    [ -n "$missing" ] || return 0
    echo "installing from Debian: ${missing//$'\n'/ }"
    forbid_services
    apt_run update
    # shellcheck disable=SC2086 # a list of words
    apt_run install -y --no-install-recommends $packages
    case $missing in
    *suricata*) install_suricata ;;
    esac
    allow_services
}
