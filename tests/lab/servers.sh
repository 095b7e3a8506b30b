# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # set by run: prefix, seed, work
# servers.sh - the lab's servers: nginx, dnsmasq and sshd, each in its host's namespace.
#
# Sourced by run, after network.sh. Uses $work and $seed.

sites="news shop docs cdn updates small intranet monitor callhome dropbox"

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
    openssl req -x509 -newkey rsa:2048 -nodes -days 3 -subj /CN=example.com \
        -addext 'subjectAltName=DNS:*.example.com,DNS:*.office.test' \
        -keyout "$work/tls.key" -out "$work/tls.crt" 2>"$work/log/openssl"
}

start_site() { # start_site NAME
    local name=$1 dir=$work/nginx-$1
    mkdir -p "$dir/put"
    chown -R www-data "$dir"
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
    ssl_certificate $work/tls.crt;
    ssl_certificate_key $work/tls.key;
    server {
        listen 80; listen [::]:80; listen 443 ssl; listen [::]:443 ssl; listen 8080;
        root $work/www;
        location /push { return 204; }
        location /put/ { root $dir; dav_methods PUT; }
    }
}
NGINX
    start_in_host "$name" nginx -c "$dir/nginx.conf" -e "$dir/error.log"
}

# resolver knows every name; dns is the office's own server and asks it.
start_dns() {
    local names=() i
    for i in {101..130}; do
        names+=("--address=/s$i.example.com/203.0.113.$i")
    done
    start_in_host resolver dnsmasq --no-daemon --no-resolv --no-hosts --user=root --conf-file=/dev/null \
        --pid-file= --local-ttl=30 --local=/example.com/ "${names[@]}" \
        --address=/news.example.com/198.51.100.10 --address=/shop.example.com/203.0.113.20 \
        --address=/docs.example.com/192.0.2.30 --address=/docs.example.com/2001:db8:30::30 \
        --address=/cdn.example.com/198.51.100.40 --address=/updates.example.com/203.0.113.80 \
        --mx-host=example.com,news.example.com,10 --txt-record=example.com,v=spf1 \
        >"$work/log/resolver" 2>&1
    start_in_host dns dnsmasq --no-daemon --no-resolv --no-hosts --user=root --conf-file=/dev/null \
        --pid-file= --server=198.51.100.53 --local=/office.test/ --local-ttl=60 \
        --address=/intranet.office.test/10.20.1.80 --address=/monitor.office.test/10.20.1.90 \
        --address=/files.office.test/10.20.1.22 --address=/shell.office.test/10.20.1.23 \
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
    start_dns
    for name in files shell; do
        start_sshd "$name"
    done
    disown -a # the shell need not report their end: remove_network ends them
}
