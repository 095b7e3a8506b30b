# SPDX-License-Identifier: MIT
"""A Debian newer than this one, in a directory: for programs that this one does not have yet."""
import atexit
import os
import pathlib
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request

from harness import Failed, Skipped, need

MOUNTS = """
root=$1; shift
for path; do shift; [ "$path" != -- ] || break; mkdir -p "$root$path"; mount --rbind "$path" "$root$path"; done
exec chroot "$root" "$@"
"""


def archive() -> str:
    """Where this machine's apt gets its packages from."""
    release = dict(line.split("=", 1) for line in pathlib.Path("/etc/os-release").read_text().splitlines() if "=" in line)
    done = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages",
                           f"Codename: {release.get('VERSION_CODENAME', '')}"], capture_output=True, text=True, check=False)
    if done.returncode != 0 or not done.stdout.strip():
        raise Skipped("apt knows no archive of this Debian")
    return done.stdout.split()[0].rstrip("/")


class Chroot:
    """Made once, kept until the tests end."""

    made: dict[str, "Chroot"] = {}

    def __init__(self, suite: str, packages: str):
        site = archive()
        try:
            urllib.request.urlopen(f"{site}/dists/{suite}/InRelease", timeout=20).close()
        except (urllib.error.URLError, OSError) as why:
            raise Skipped(f"Debian {suite} is not reachable: {why}") from None
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="eddy-chroot-"))
        atexit.register(shutil.rmtree, self.path, ignore_errors=True)
        # A mirror may lag behind: what is too old to be trusted on a server is good enough to be tested with.
        done = subprocess.run([need("mmdebstrap"), "--quiet", "--variant=minbase", f"--include={packages}",
                               '--aptopt=Acquire::Check-Valid-Until "false"', suite, str(self.path / "root"),
                               f"deb {site} {suite} main"], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failed(f"mmdebstrap {suite}: {done.stderr[-1000:]}")

    @classmethod
    def of(cls, suite: str, packages: str) -> "Chroot":
        if os.geteuid() != 0:
            raise Skipped("only root can make a chroot")
        if suite not in cls.made:
            cls.made[suite] = cls(suite, packages)
        return cls.made[suite]

    def words(self, places: list[pathlib.Path]) -> list[str]:
        """Put before a command, runs it in there; it sees these directories under their own names. The mounts are
        its own and end with it."""
        shared = ["/proc", "/dev", *(str(place) for place in places)]
        return ["unshare", "--mount", "--propagation", "private", "sh", "-euc", MOUNTS, "sh", str(self.path / "root"),
                *shared, "--"]
