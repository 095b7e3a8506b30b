# SPDX-License-Identifier: MIT
"""Writes a log as a sensor does, with numbered records, and rotates it as sites do.

usage: generator.py PATH FORMAT COUNT RATE ROTATE_S STYLE SEED
  FORMAT    eve, zeek-tsv, zeek-json
  ROTATE_S  mean seconds between rotations, 0: never
  STYLE     rename   conn.log -> conn.<number>.log, a new file appears with its first record
            numbered conn.log -> conn.log.1 -> conn.log.2 ..., keeps 400
            gzip     rename, and every older part is compressed some time later
            restart  the same file is truncated and begun anew (Zeek after a crash), but only
                     when the file PATH.read says that its content is read
"""
import gzip
import os
import random
import sys
import threading
import time

HEADER = (
    "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n"
    "#open\t2026-01-01-00-00-00\n"
    "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration"
    "\torig_bytes\tresp_bytes\tconn_state\tmissed_bytes\thistory\torig_pkts\torig_ip_bytes"
    "\tresp_pkts\tresp_ip_bytes\n"
    "#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval\tcount\tcount\tstring"
    "\tcount\tstring\tcount\tcount\tcount\tcount\n")


def record(form: str, n: int) -> str:
    """Record number n; its id in the flows file is n."""
    seconds = 1767225600 + n // 1000
    host, port = f"10.0.{n % 7}.{n % 251 + 1}", 1024 + n % 60000
    if form == "eve":
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{n % 1000:03}000+0000"
        return (
            f'{{"timestamp":"{at}","flow_id":{n},"event_type":"flow","src_ip":"{host}",'
            f'"src_port":{port},"dest_ip":"198.51.100.{n % 13}","dest_port":443,"proto":"TCP",'
            f'"app_proto":"tls","flow":{{"pkts_toserver":10,"pkts_toclient":12,'
            f'"bytes_toserver":{1400 + n % 977},"bytes_toclient":{9000 + n % 1999},'
            f'"start":"{at}","end":"{at}","age":0,"state":"closed","reason":"timeout",'
            f'"alerted":false}}}}\n')
    if form == "zeek-json":
        return (
            f'{{"ts":{seconds}.{n % 1000:03},"uid":"{n}","id.orig_h":"{host}",'
            f'"id.orig_p":{port},"id.resp_h":"198.51.100.{n % 13}","id.resp_p":443,"proto":"tcp",'
            f'"service":"ssl","duration":1.5,"orig_bytes":500,"resp_bytes":{9000 + n % 1999},'
            f'"conn_state":"SF","history":"ShADadFf","orig_pkts":10,"orig_ip_bytes":1020,'
            f'"resp_pkts":12,"resp_ip_bytes":{9700 + n % 1999}}}\n')
    return (f"{seconds}.{n % 1000:03}000\t{n}\t{host}\t{port}\t198.51.100.{n % 13}\t443\ttcp\tssl"
            f"\t1.5\t500\t{9000 + n % 1999}\tSF\t0\tShADadFf\t10\t1020\t12\t{9700 + n % 1999}\n")


class Log:
    """The file being written."""

    def __init__(self, path: str, form: str, style: str, dice: random.Random):
        self.path, self.form, self.style, self.dice = path, form, style, dice
        self.fd, self.parts, self.threads = -1, 0, []
        self.stem, self.end = os.path.splitext(path)

    def write(self, text: str) -> None:
        if self.fd < 0:
            self.fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            if self.form == "zeek-tsv":
                half = HEADER.index("#fields")
                os.write(self.fd, HEADER[:half].encode())
                os.write(self.fd, HEADER[half:].encode())
        data = text.encode()
        cut = self.dice.randrange(len(data) + 1)  # anywhere, as a full buffer does
        for part in (data[:cut], data[cut:]):
            if part:
                os.write(self.fd, part)

    def rotate(self) -> None:
        if self.fd < 0:
            return
        if self.form == "zeek-tsv" and self.style != "restart":
            os.write(self.fd, b"#close\t2026-01-01-00-00-01\n")
        if self.style == "restart":
            wanted = os.fstat(self.fd).st_size
            while self.read_so_far() < wanted:
                time.sleep(0.005)
        os.close(self.fd)
        self.fd = -1
        self.parts += 1
        if self.style == "restart":
            os.close(os.open(self.path, os.O_WRONLY | os.O_TRUNC))
        elif self.style == "numbered":
            for i in range(min(self.parts, 400), 1, -1):
                os.rename(f"{self.path}.{i - 1}", f"{self.path}.{i}")
            os.rename(self.path, f"{self.path}.1")
        else:
            part = f"{self.stem}.2026-{self.parts:06}{self.end}"
            os.rename(self.path, part)
            if self.style == "gzip":
                worker = threading.Thread(target=self.compress, args=(part, self.dice.random()))
                worker.start()
                self.threads.append(worker)

    def read_so_far(self) -> int:
        try:
            with open(self.path + ".read", encoding="ascii") as f:
                return int(f.read() or 0)
        except (FileNotFoundError, ValueError):
            return 0

    def compress(self, part: str, luck: float) -> None:
        """As gzip(1): the plain file stays until the other one is complete."""
        time.sleep(luck * 0.3)
        times = os.stat(part)
        with open(part, "rb") as plain, open(part + ".gz", "wb") as to:
            with gzip.GzipFile("", "wb", 1, to) as packed:
                packed.write(plain.read())
        if luck < 0.7:  # the rest loses its time, as `gzip < old > new` does
            os.utime(part + ".gz", ns=(times.st_atime_ns, times.st_mtime_ns))
        os.unlink(part)


def main() -> None:
    path, form, count, rate, rotate_s, style, seed = sys.argv[1:]
    dice = random.Random(int(seed))
    log = Log(path, form, style, dice)
    n, begun = 0, time.monotonic()
    next_rotation = float(rotate_s) or float("inf")
    while n < int(count):
        now = time.monotonic() - begun
        if now >= next_rotation:
            log.rotate()
            next_rotation = time.monotonic() - begun + float(rotate_s) * dice.uniform(0.3, 1.7)
        due = min(int(count), int(now * float(rate)) + 1, n + 5000)
        if due > n:
            log.write("".join(record(form, i) for i in range(n, due)))
            n = due
        else:
            time.sleep(0.002)
    for thread in log.threads:
        thread.join()


if __name__ == "__main__":
    main()
