#!/bin/bash
# SPDX-License-Identifier: MIT
# install.sh - get the real programs that tests/hosts runs eddy in and beside, from Debian.
#
#   tests/hosts/install.sh
#
# Needs root and Debian 12; exit status 77 where that is not so. No service is started. Does nothing
# when everything is there already.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
[ "$(id -u)" = 0 ] || { echo "skipped: only root can install programs"; exit 77; }
command -v apt-get >/dev/null || { echo "skipped: no apt-get, so this is no Debian"; exit 77; }

work=$(mktemp -d)
mkdir "$work/log"
# shellcheck source=../lab/install.sh
. "$here/../lab/install.sh"
trap 'allow_services; rm -rf "$work"' EXIT

# collectd's own plugins are linked to libraries that its package only suggests: write_http, write_prometheus.
# shellcheck disable=SC2034 # install_programs reads both
programs="suricata collectd collectdctl prometheus prometheus-alertmanager prometheus-node-exporter rsyslogd
    tcpreplay valgrind ip tcpdump mmdebstrap"
# A package without a program is missing as long as its file is.
[ -e /usr/include/collectd/core/daemon/plugin.h ] || programs="$programs collectd-dev"
# shellcheck disable=SC2034
packages="collectd-core collectd-utils libcurl3-gnutls libmicrohttpd12 libprotobuf-c1 libyajl2 prometheus
    prometheus-alertmanager prometheus-node-exporter rsyslog tcpreplay valgrind iproute2 tcpdump procps ca-certificates
    mmdebstrap collectd-dev git"
install_programs
