# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # set by run: prefix, seed, work, lab
# servers.sh - the lab's servers: nginx, dnsmasq, sshd, mosquitto and covert.py, each in its host's namespace.
#
# Sourced by run, after network.sh. Uses $work, $seed and $lab.

sites="news shop docs cdn updates small intranet monitor wiki build callhome dropbox vault game"
ssh_servers="files shell intranet wiki build mail"
tunnel_domain=status-relay.example # as in attacks.py

# Pages of about 1 kB to 400 kB whose sizes are spread as on the web (log-normal), in a fixed order.
write_pages() {
    python3 - "$seed" "$work/www" <<'PYTHON'
import pathlib
import random
import sys

rng = random.Random(int(sys.argv[1]))
root = pathlib.Path(sys.argv[2])
for i in range(60):
    size = min(400_000, max(900, int(rng.lognormvariate(9.6, 1.3))))
    (root / f"p{i}").write_bytes(rng.randbytes(size))
(root / "index.html").write_bytes(b"<p>" + rng.randbytes(9000).hex().encode())
(root / "stream").write_bytes(rng.randbytes(3_000_000))
(root / "update").write_bytes(rng.randbytes(450_000))
PYTHON
}

write_certificate() {
    local name names=DNS:example.com
    for name in example.com office.test fastedge.example safevault.example cloudhome.example; do
        names+=",DNS:*.$name"
    done
    openssl req -x509 -newkey rsa:2048 -nodes -days 3 -subj /CN=example.com \
        -addext "subjectAltName=$names" -keyout "$work/tls.key" -out "$work/tls.crt" 2>"$work/log/openssl"
}

start_nginx() { # start_nginx NAME <SERVER_BLOCK
    local name=$1 dir=$work/nginx-$1
    mkdir -p "$dir/put"
    chown -R www-data "$dir"
    cat - >"$dir/server.conf"
    cat >"$dir/nginx.conf" <<NGINX
daemon off;
user www-data;
worker_processes 1;
pid $dir/pid;
error_log $dir/error.log;
events { worker_connections 256; }
http {
    access_log off;
    keepalive_timeout 15;
    client_max_body_size 200m;
    client_body_temp_path $dir/body;
    proxy_temp_path $dir/t1; fastcgi_temp_path $dir/t2; uwsgi_temp_path $dir/t3; scgi_temp_path $dir/t4;
    default_type text/html;
    include $dir/server.conf;
}
NGINX
    start_in_host "$name" nginx -c "$dir/nginx.conf" -e "$dir/error.log"
}

start_site() { # start_site NAME
    start_nginx "$1" <<NGINX
server {
    listen 80; listen [::]:80; listen 443 ssl; listen [::]:443 ssl; listen 8080;
    ssl_certificate $work/tls.crt;
    ssl_certificate_key $work/tls.key;
    root $work/www;
    location /push { return 204; }
    location /put/ { root $work/nginx-$1; dav_methods PUT; }
}
NGINX
}

# What the monitoring server asks on each client: about 2 kB of numbers.
start_agent() { # start_agent NAME
    start_nginx "$1" <<NGINX
server {
    listen 9100;
    location / { return 200 '$(printf 'cpu_seconds_total %d\n' {1..80})'; }
}
NGINX
}

# The cloud of the thermostat's maker: MQTT over TLS.
start_broker() {
    printf '%s\n' 'listener 8883' 'allow_anonymous true' 'user root' "certfile $work/tls.crt" \
        "keyfile $work/tls.key" 'log_type error' >"$work/mosquitto.conf"
    start_in_host cloud mosquitto -c "$work/mosquitto.conf" >"$work/log/mosquitto" 2>&1
}

# resolver knows every name, and who to ask about the tunnel's; dns is the office's own server and asks
# it. small's domains each have a name server of their own, on their own address.
start_dns() {
    local fixed=(--no-daemon --no-resolv --no-hosts --user=root --conf-file=/dev/null --pid-file=)
    local names=() i
    for i in {101..130}; do
        names+=("--address=/s$i.example.com/203.0.113.$i")
    done
    start_in_host resolver dnsmasq "${fixed[@]}" --local-ttl=300 "${names[@]}" \
        --local=/example.com/fastedge.example/filecheck.example/safevault.example/cloudhome.example/ \
        --address=/news.example.com/198.51.100.10 --address=/shop.example.com/203.0.113.20 \
        --address=/docs.example.com/192.0.2.30 --address=/docs.example.com/2001:db8:30::30 \
        --address=/cdn.example.com/198.51.100.40 --address=/updates.example.com/203.0.113.80 \
        --address=/fastedge.example/198.51.100.40 --address=/filecheck.example/127.0.0.2 \
        --address=/backup.safevault.example/192.0.2.80 \
        --address=/mqtt.cloudhome.example/198.51.100.90 --server="/$tunnel_domain/203.0.113.99" \
        --mx-host=example.com,news.example.com,10 --txt-record=example.com,v=spf1 \
        >"$work/log/resolver" 2>&1
    start_in_host small dnsmasq "${fixed[@]}" --local-ttl=120 --local=/example.com/ "${names[@]}" \
        >"$work/log/small" 2>&1
    start_in_host dns dnsmasq "${fixed[@]}" --server=198.51.100.53 --local=/office.test/ --local-ttl=60 \
        --address=/intranet.office.test/10.20.1.80 --address=/monitor.office.test/10.20.1.90 \
        --address=/files.office.test/10.20.1.22 --address=/shell.office.test/10.20.1.23 \
        --address=/wiki.office.test/10.20.1.41 --address=/build.office.test/10.20.1.42 \
        >"$work/log/dns" 2>&1
}

# One user with a key (the office) and one with a long random password (nobody knows it).
start_sshd() { # start_sshd NAME
    local name=$1 etc=/etc/netns/$prefix-$1 dir=$work/sshd-$1 password
    mkdir -p "$dir/home"
    password=$(openssl passwd -6 "$(openssl rand -hex 20)")
    printf '%s\n' 'root:x:0:0::/root:/bin/sh' 'sshd:x:105:65534::/run/sshd:/usr/sbin/nologin' \
        'nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin' \
        "ana:x:2001:2001::$dir/home:/bin/bash" "backup:x:2002:2001::$dir/home:/bin/bash" >"$etc/passwd"
    printf '%s\n' 'root:x:0:' 'nogroup:x:65534:' 'office:x:2001:' >"$etc/group"
    printf '%s\n' 'root:*:19000::::::' 'sshd:*:19000::::::' 'nobody:*:19000::::::' \
        'ana:*:19000::::::' "backup:$password:19000::::::" >"$etc/shadow"
    chmod 600 "$etc/shadow"
    head -c 40000 /dev/urandom | base64 >"$dir/home/notes.txt"
    chown -R 2001:2001 "$dir/home"
    cp "$work/user.key.pub" "$dir/keys"
    cat >"$dir/sshd_config" <<SSHD
Port 22
HostKey $work/host.key
PidFile none
UsePAM no
StrictModes no
AuthorizedKeysFile $dir/keys
PasswordAuthentication yes
MaxAuthTries 3
Subsystem sftp internal-sftp
UseDNS no
SSHD
    start_in_host "$name" /usr/sbin/sshd -D -f "$dir/sshd_config" -E "$dir/log"
}

start_servers() {
    mkdir -p "$work/www" /run/sshd
    write_pages
    write_certificate
    ssh-keygen -q -t ed25519 -N '' -f "$work/host.key"
    ssh-keygen -q -t ed25519 -N '' -f "$work/user.key"
    local name
    for name in $sites; do
        start_site "$name"
    done
    for name in c{11..22}; do
        start_agent "$name"
    done
    start_dns
    for name in $ssh_servers; do
        start_sshd "$name"
    done
    start_broker
    start_in_host relay python3 "$lab/covert.py" tunnel-server "$tunnel_domain" >"$work/log/relay" 2>&1
    start_in_host operator python3 "$lab/covert.py" shell-server >"$work/log/operator" 2>&1
    disown -a # the shell need not report their end: remove_network ends them
}
