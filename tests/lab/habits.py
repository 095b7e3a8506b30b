# SPDX-License-Identifier: MIT
"""habits.py - what the lab's people and machines do all day, attack or not.

Each habit is a function that runs in a thread of its own for one host and ends with the lab's time.
Some look like an attack on purpose; README.md has the list.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from lab import CLIENTS, SITES, SMALL_SITES, Lab, hexadecimal, think

Habit = Callable[..., None]

# What a person never opens, so that an attack's target is this host's by the attack alone.
NEVER_BROWSES = {"c20": "shop"}
NO_INTRANET = "c21"  # the scan visits it
FAST_EDGE, FILE_CHECK = "fastedge.example", "filecheck.example"
BACKUP_EVERY_S = 150.0
READING_EVERY_S = 20.0


def favourites(lab: Lab, host: str) -> tuple[list[str], list[str]]:
    """(the sites this person likes, all small sites)."""
    rng = lab.rng(host, "favourites")
    large = [site for site in SITES if site != NEVER_BROWSES.get(host)]
    return rng.sample(large, 3) + rng.sample(SMALL_SITES, 4), SMALL_SITES


def edge_names(lab: Lab, rng: random.Random) -> list[str]:
    """Names of a content network: most are known ones, some are made for this page alone."""
    known = [hexadecimal(lab.rng("edge", str(i)), 14) for i in range(120)]
    names = rng.choices(
        known, weights=[1 / (i + 1) for i in range(len(known))], k=rng.randint(1, 3)
    )
    if rng.random() < 0.4:
        names.append(hexadecimal(rng, 14))
    return [f"d{name}.{FAST_EDGE}" for name in dict.fromkeys(names)]


def open_page(lab: Lab, host: str, rng: random.Random, site: str, base: str) -> None:
    """A page with its pictures; about a third have parts on a content network."""
    links = [base + f"p{rng.randrange(60)}" for _ in range(rng.randint(1, 4))]
    if rng.random() < 0.15:
        lab.run(host, "wget -q -O /dev/null --no-check-certificate " + " ".join(links))
        return
    version = "-6" if site == "docs" and rng.random() < 0.6 else "-4"
    parallel = "-Z" if rng.random() < 0.4 else ""
    pictures = " ".join(f"{link} -o /dev/null" for link in links)
    lab.curl(host, f"{version} {parallel} {base} {pictures}")
    if rng.random() < 0.33:
        parts = [f"https://{name}/p{rng.randrange(60)}" for name in edge_names(lab, rng)]
        lab.curl(host, " ".join([parts[0], *(f"{part} -o /dev/null" for part in parts[1:])]))


def browse(lab: Lab, host: str) -> None:
    """Read pages, a pause, a few links, then a longer pause."""
    rng = lab.rng(host, "browse")
    liked, others = favourites(lab, host)
    while lab.sleep(think(rng, 16)):
        site = rng.choice(liked if rng.random() < 0.85 else others)
        base = f"{rng.choice(['http', 'https', 'https'])}://{site}.example.com/"
        for _ in range(rng.randint(1, 3)):
            open_page(lab, host, rng, site, base)
            if not lab.sleep(think(rng, 3)):
                return


def use_intranet(lab: Lab, host: str) -> None:
    if host == NO_INTRANET:
        return
    rng = lab.rng(host, "intranet")
    while lab.sleep(think(rng, 25)):
        lab.curl(host, f"http://intranet.office.test/p{rng.randrange(60)}")


def use_tools(lab: Lab, host: str) -> None:
    """The wiki and the build server: for some people only."""
    rng = lab.rng(host, "tools")
    while lab.sleep(think(rng, 30)):
        page = rng.choice(["http://wiki.office.test", "http://build.office.test:8080"])
        lab.curl(host, f"{page}/p{rng.randrange(60)}")


def look_up(lab: Lab, host: str) -> None:
    """Names that other programs ask for; about one in nine does not exist."""
    rng = lab.rng(host, "dig")
    while lab.sleep(think(rng, 30)):
        kind = rng.choice(["A", "A", "AAAA", "MX", "TXT"])
        small, gone = rng.choice(SMALL_SITES), f"gone{rng.randrange(50)}"
        name = rng.choice([*SITES, *SITES, small, gone])
        lab.run(host, f"dig +tries=2 +time=2 {kind} {name}.example.com")


def check_files(lab: Lab, host: str) -> None:
    """A virus scanner asks about files by DNS, their hashes as names: a tunnel's benign twin."""
    rng = lab.rng(host, "files")
    while lab.sleep(think(rng, 45)):
        for _ in range(rng.randint(2, 6)):
            kind = rng.choice(["A", "A", "TXT"])
            lab.run(host, f"dig +tries=2 +time=2 {kind} {hexadecimal(rng, 32)}.{FILE_CHECK}")
            lab.sleep(rng.uniform(0.05, 0.4))


def resolve_mail(lab: Lab, host: str) -> None:
    """A mail server that resolves by itself: it asks each domain's own name server, many in all."""
    rng = lab.rng(host, "mail")
    while lab.sleep(think(rng, 2.5)):
        site = rng.choice(SMALL_SITES)
        kind = rng.choice(["A", "MX", "TXT"])
        lab.run(
            host, f"dig +norecurse +tries=1 +time=2 @203.0.113.{site[1:]} {kind} {site}.example.com"
        )


def work_over_ssh(lab: Lab, host: str, *servers: str) -> None:
    """Sessions with a key: commands with pauses between them, and small copies."""
    rng = lab.rng(host, "ssh", *servers)
    commands = ["ls -la /usr/bin", "df -h", "uptime", "cat notes.txt", "ps ax", "uname -a", "id"]
    while lab.sleep(think(rng, 40)):
        server = rng.choice(servers)
        if rng.random() < 0.3:
            copy = f"scp {lab.ssh_options()} ana@{server}:notes.txt {lab.work}/copy-{host}"
            lab.run(host, copy, limit_s=20)
            continue
        steps = range(rng.randint(2, 7))
        script = "; ".join(f"{rng.choice(commands)}; sleep {think(rng, 2):.2f}" for _ in steps)
        lab.ssh(host, server, script)


def watch_log(lab: Lab, host: str) -> None:
    """A session left open to watch a log: a line now and then for one to three minutes."""
    rng = lab.rng(host, "watch")
    while lab.sleep(think(rng, 30)):
        lines = range(rng.randint(8, 20))
        script = "; ".join(f"date; sleep {rng.uniform(3, 14):.2f}" for _ in lines)
        lab.ssh(host, "build.office.test", script, limit_s=240)


def report_to_monitor(lab: Lab, host: str) -> None:
    """An agent on every client, every 15 s to one internal server: regular, prevalent, harmless."""
    rng = lab.rng(host, "monitor")
    lab.sleep(rng.uniform(0, 15))
    body = "cpu=" + "7" * 300
    while lab.sleep(15 + rng.uniform(-0.4, 0.4)):
        lab.curl(host, f"-d {body} http://10.20.1.90:8080/push")


def poll_clients(lab: Lab, host: str) -> None:
    """The monitoring server asks every client's agent, every 45 s: one host that touches many."""
    rng = lab.rng(host, "poll")
    while lab.sleep(45 + rng.uniform(-0.5, 0.5)):
        for client in CLIENTS:
            lab.curl(host, f"-m 2 http://10.20.0.{client[1:]}:9100/push")


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


def back_up_outside(lab: Lab, host: str) -> None:
    """A copy of 8 MB to a backup service on the Internet, as every "night" before."""
    rng = lab.rng(host, "vault")
    archive, moment = lab.work / f"vault-{host}", lab.start + 25
    while lab.sleep_until(moment):
        archive.write_bytes(rng.randbytes(rng.randrange(7_500_000, 8_500_000)))
        put = f"-T {archive} https://backup.safevault.example/put/{rng.randrange(9999)}"
        lab.curl(host, f"--limit-rate 2M {put}")
        moment += BACKUP_EVERY_S


def mqtt(lab: Lab) -> str:
    return f"-h mqtt.cloudhome.example -p 8883 --cafile {lab.work}/tls.crt"


def send_readings(lab: Lab, host: str) -> None:
    """A thermostat tells its maker's cloud, and no other host does: regular, rare, benign."""
    rng = lab.rng(host, "readings")
    while lab.sleep(READING_EVERY_S + rng.uniform(-0.6, 0.6)):
        text = f"-t home/temperature -m {rng.uniform(18, 23):.2f}"
        lab.run(host, f"mosquitto_pub {mqtt(lab)} -i reading {text}", limit_s=10)


def wait_for_orders(lab: Lab, host: str) -> None:
    """The thermostat's other connection: open all day, a keepalive every 15 s."""
    while lab.sleep(2):
        lab.run(host, f"mosquitto_sub {mqtt(lab)} -i orders -k 15 -t home/orders", limit_s=10**6)


def ping_sites(lab: Lab, host: str) -> None:
    """The monitoring server and one curious person ask whether the sites are up."""
    rng = lab.rng(host, "ping")
    while lab.sleep(think(rng, 20)):
        lab.run(host, f"ping -q -c 3 -i 0.4 {rng.choice(SITES)}.example.com")


def everybody() -> list[tuple[Habit, tuple[str, ...]]]:
    """Who has which habit."""
    common = (browse, use_intranet, look_up, report_to_monitor, check_updates, hit_closed_doors)
    habits: list[tuple[Habit, tuple[str, ...]]] = []
    habits += [(habit, (host,)) for host in CLIENTS for habit in common]
    shell, files, wiki, build = (
        f"{name}.office.test" for name in ("shell", "files", "wiki", "build")
    )
    habits += [(work_over_ssh, (host, shell)) for host in ("c13", "c16", "c19")]
    habits += [(work_over_ssh, ("c11", shell, files, wiki, build, "intranet.office.test"))]
    habits += [(work_over_ssh, ("homework", "10.20.1.23")), (work_over_ssh, ("c12", files))]
    habits += [(use_tools, (host,)) for host in ("c11", "c13", "c17", "c19")]
    habits += [(check_files, (host,)) for host in ("c13", "c17", "c19")]
    habits += [(listen_to_music, (host,)) for host in ("c14", "c20")]
    habits += [(share_photos, (host,)) for host in ("c12", "c18", "c22")]
    habits += [(ping_sites, ("c16",)), (ping_sites, ("monitor",)), (poll_clients, ("monitor",))]
    habits += [(back_up, ("c17",)), (back_up_outside, ("c13",)), (watch_log, ("c11",))]
    habits += [(send_readings, ("thermostat",)), (wait_for_orders, ("thermostat",))]
    return [*habits, (resolve_mail, ("mail",))]
