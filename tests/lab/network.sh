# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # set by run: prefix, work
# network.sh - the lab's network: one namespace per host, one router between three segments.
#
# Sourced by run. Uses $prefix (unique per run) and $work. Every link lives inside the namespaces;
# the machine's own network is not touched.

# name, segment, addresses (the first one is the main one). people.py and servers.sh use these names.
hosts="
    dns       srv  10.20.1.53
    files     srv  10.20.1.22
    shell     srv  10.20.1.23
    mail      srv  10.20.1.25
    wiki      srv  10.20.1.41
    build     srv  10.20.1.42
    intranet  srv  10.20.1.80
    monitor   srv  10.20.1.90
    resolver  net  198.51.100.53
    news      net  198.51.100.10
    shop      net  203.0.113.20
    docs      net  192.0.2.30 2001:db8:30::30
    cdn       net  198.51.100.40
    updates   net  203.0.113.80
    homework  net  192.0.2.15
    small     net  $(printf '203.0.113.%d ' {101..130})
    callhome  net  203.0.113.66
    guesser   net  198.51.100.77
    dropbox   net  192.0.2.99
    vault     net  192.0.2.80
    cloud     net  198.51.100.90
    relay     net  203.0.113.99
    operator  net  203.0.113.67
    game      net  203.0.113.150
    thermostat lan 10.20.0.31
    $(for i in {11..22}; do echo "c$i lan 10.20.0.$i fd00:20::$i"; done)
"

in_host() { # in_host NAME COMMAND...
    local name=$1
    shift
    ip netns exec "$prefix-$name" "$@"
}

start_in_host() { # start_in_host NAME COMMAND...: in the background; $! is the program's own id
    local name=$1
    shift
    ip netns exec "$prefix-$name" "$@" &
}

add_router() {
    ip netns add "$prefix-router"
    local ip=(ip -n "$prefix-router") segment
    "${ip[@]}" link set lo up
    for segment in lan srv net; do
        "${ip[@]}" link add "br-$segment" type bridge
        "${ip[@]}" link set "br-$segment" up
    done
    # The servers' segment has one route per server and a black hole for the rest, so that packets to
    # absent addresses vanish as behind a firewall. On "net" they get an ICMP "host unreachable".
    "${ip[@]}" addr add 10.20.0.1/24 dev br-lan
    "${ip[@]}" addr add 10.20.1.1/32 dev br-srv
    "${ip[@]}" route add blackhole 10.20.1.0/24
    "${ip[@]}" addr add 198.51.100.1/24 dev br-net
    "${ip[@]}" addr add 203.0.113.1/24 dev br-net
    "${ip[@]}" addr add 192.0.2.1/24 dev br-net
    "${ip[@]}" addr add fd00:20::1/64 dev br-lan nodad
    "${ip[@]}" addr add 2001:db8:30::1/64 dev br-net nodad
    in_host router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
}

add_host() { # add_host NAME SEGMENT ADDRESS...
    local name=$1 segment=$2 address gateway
    shift 2
    ip netns add "$prefix-$name"
    ip -n "$prefix-router" link add "v-$name" type veth peer name eth0 netns "$prefix-$name"
    ip -n "$prefix-router" link set "v-$name" master "br-$segment" up
    ip -n "$prefix-$name" link set lo up
    ip -n "$prefix-$name" link set eth0 up
    # Real packet sizes and real checksums in the capture: nothing is left to a network card.
    in_host "$name" ethtool -K eth0 tx off tso off gso off gro off >"$work/log/ethtool" 2>&1
    in_host router ethtool -K "v-$name" tx off tso off gso off gro off >"$work/log/ethtool" 2>&1
    for address in "$@"; do
        case $address in
        *:*) ip -n "$prefix-$name" addr add "$address/64" dev eth0 nodad ;;
        *) ip -n "$prefix-$name" addr add "$address/24" dev eth0 ;;
        esac
        gateway=${address%[.:]*}
        case $address in
        *:*) ip -n "$prefix-$name" route replace default via "${gateway%:}::1" ;;
        *) ip -n "$prefix-$name" route replace default via "$gateway.1" ;;
        esac
    done
    if [ "$segment" = srv ]; then
        ip -n "$prefix-router" route add "$1/32" dev br-srv
    fi
    write_host_etc "$name" "$segment"
}

# `ip netns exec` shows these files to the host's programs in place of the machine's own.
write_host_etc() { # write_host_etc NAME SEGMENT
    local etc=/etc/netns/$prefix-$1 resolver=10.20.1.53
    mkdir -p "$etc"
    [ "$2" != net ] || resolver=198.51.100.53
    printf 'nameserver %s\noptions timeout:2 attempts:2\n' "$resolver" >"$etc/resolv.conf"
    printf 'passwd: files\ngroup: files\nshadow: files\nhosts: dns\n' >"$etc/nsswitch.conf"
}

add_network() {
    add_router
    local name segment addresses
    while read -r name segment addresses; do
        [ -n "$name" ] || continue
        # shellcheck disable=SC2086 # the addresses are several words
        add_host "$name" "$segment" $addresses
    done <<<"$hosts"
}

# Only what runs inside this run's own namespaces, by process id.
signal_all_hosts() { # signal_all_hosts SIGNAL
    local path pid
    for path in /run/netns/"$prefix"-*; do
        [ -e "$path" ] || continue
        for pid in $(ip netns pids "${path##*/}"); do
            kill -"$1" "$pid" 2>/dev/null || true # it may have ended by itself
        done
    done
}

remove_network() {
    local path name
    signal_all_hosts TERM # lets nginx collect its own workers
    sleep 1
    signal_all_hosts KILL
    for path in /run/netns/"$prefix"-*; do
        [ -e "$path" ] || continue
        name=${path##*/}
        ip netns del "$name"
        rm -rf "/etc/netns/$name"
    done
    rmdir /etc/netns 2>/dev/null || true # other namespaces may have files there
}
