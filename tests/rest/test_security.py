# SPDX-License-Identifier: MIT
"""Who may ask: tokens, TLS, local addresses, Unix sockets, pages in browsers."""

from __future__ import annotations

import http.client
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import unittest
from pathlib import Path

from harness import Case, Eddyd, wait_for

TOKEN = "0123456789abcdef-secret"
OPEN = ("/healthz", "/readyz", "/v2/health/live", "/v2/health/ready")


def make_certificate(folder: Path, name: str) -> tuple[Path, Path]:
    cert, key = folder / f"{name}.crt", folder / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", str(key), "-out", str(cert), "-days", "2", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)  # fmt: skip
    return cert, key


def resolves(name: str) -> bool:
    try:
        return bool(socket.getaddrinfo(name, None))
    except OSError:
        return False


class Local(Case):
    def test_others_reach_it_only_with_a_token(self) -> None:
        token = self.token_file(TOKEN)
        for where in ("0.0.0.0:0", "192.0.2.1:9477", "[::]:9477", "[2001:db8::1]:9477", "[::ffff:192.0.2.1]:9477"):
            for arguments in (["-t"], []):
                done = self.eddyd(eddyd__http=where).run(*arguments)
                self.assertEqual(done.returncode, 1, where)
                self.assertIn("so rest.token_file is needed", done.stderr)
            self.assertEqual(self.eddyd(eddyd__http=where, rest__token_file=token).run("-t").returncode, 0)
        local = ["127.0.0.1:9477", "127.8.8.8:9477", "[::1]:9477", "off", f"unix_stream:{self.folder}/http.sock"]
        if resolves("localhost"):  # not everywhere: some containers have no /etc/hosts
            local.append("localhost:9477")
        for where in local:
            done = self.eddyd(eddyd__http=where).run("-t")
            self.assertEqual(done.returncode, 0, done.stderr)

    def token_file(self, text: str, mode: int = 0o600) -> Path:
        path = self.folder / "token"
        path.write_text(text)
        path.chmod(mode)
        return path

    def test_clear_text_beyond_this_machine_is_told(self) -> None:
        eddyd = self.eddyd(rest__token_file=self.token_file(TOKEN))
        eddyd.settings["eddyd.http"] = f"0.0.0.0:{eddyd.port}"
        eddyd.start()
        self.assertIn("in clear: set rest.tls_cert", eddyd.said())
        eddyd.stop()

    def test_a_unix_socket_serves_and_goes_with_it(self) -> None:
        path = self.folder / "http.sock"
        eddyd = self.eddyd(eddyd__http=f"unix_stream:{path}").start()
        self.expect(eddyd.get("/v2"), 200)
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o660)
        eddyd.stop()
        self.assertFalse(path.exists())

    def test_pages_in_browsers_are_refused_without_a_token(self) -> None:
        eddyd = self.eddyd().start()
        self.expect(eddyd.score(b"{}\n", Origin="http://evil.example"), 403, "browsers")
        self.expect(eddyd.post("/v1/models/x/load", Origin="null"), 403)
        self.expect(eddyd.get("/metrics", Origin="http://grafana.example"), 200)
        eddyd.stop()


class Token(Case):
    def start(self, text: str = TOKEN + "\n", mode: int = 0o600, **settings: object) -> Eddyd:
        self.path = self.folder / "token"
        self.path.write_text(text)
        self.path.chmod(mode)
        return self.eddyd(rest__token_file=self.path, **settings).start()

    def test_all_but_health_needs_it(self) -> None:
        eddyd = self.start()
        for path in OPEN:
            self.expect(eddyd.get(path), 200)
        for path in ("/metrics", "/openapi.yaml", "/v1/models", "/v2", "/v2/models/x", "/nowhere"):
            answer = self.expect(eddyd.get(path), 401, "Bearer")
            self.assertTrue(answer.headers["WWW-Authenticate"].startswith("Bearer"))
        self.expect(eddyd.score(b"{}\n"), 401)
        wrong = (TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "", "x" * 5000, TOKEN[:-1] + "u")
        for token in wrong:
            self.expect(eddyd.get("/v2", Authorization=f"Bearer {token}"), 401)
        self.expect(eddyd.get("/v2", Authorization=f"Basic {TOKEN}"), 401)
        self.expect(eddyd.get("/v2", Authorization=TOKEN), 401)
        eddyd.token = TOKEN
        for path in ("/metrics", "/openapi.yaml", "/v1/models", "/v2"):
            self.expect(eddyd.get(path), 200)
        self.expect(eddyd.get("/nowhere"), 404)
        self.expect(eddyd.score(b"", Origin="http://known.example"), 200)  # who has the token may be a page
        eddyd.stop()

    def test_a_reload_reads_it_again(self) -> None:
        eddyd = self.start()
        assert eddyd.process is not None
        new = "another-token-0123456789"
        self.path.write_text(new)
        eddyd.process.send_signal(signal.SIGHUP)
        wait_for(lambda: eddyd.get("/v2", Authorization=f"Bearer {new}").status == 200, 10, "the new token counts")
        self.expect(eddyd.get("/v2", Authorization=f"Bearer {TOKEN}"), 401)
        self.path.write_text("short")
        eddyd.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "not taken over" in eddyd.said(), 10, "the reload fails")
        self.expect(eddyd.get("/v2", Authorization=f"Bearer {new}"), 200)
        eddyd.stop()

    def test_bad_files_are_refused(self) -> None:
        path = self.folder / "token"
        for text, words in (("", "0"), ("short", "16 to 512"), ("x" * 513, "513"), (f"{TOKEN}\n{TOKEN}\n", "one line"),
                            ("0123456789 abcdefgh", "no blanks")):  # fmt: skip
            path.write_text(text)
            for arguments in (["-t"], []):
                done = self.eddyd(rest__token_file=path).run(*arguments)
                self.assertEqual(done.returncode, 1)
                self.assertIn("rest.token_file", done.stderr)
                self.assertIn(words, done.stderr)
        path.unlink()
        self.assertIn("No such file", self.eddyd(rest__token_file=path).run("-t").stderr)

    def test_a_file_that_others_can_read_is_told(self) -> None:
        eddyd = self.start(mode=0o644)
        self.assertIn("chmod 600", eddyd.said())
        eddyd.stop()


@unittest.skipUnless(shutil.which("openssl"), "openssl makes the certificate")
class Tls(Case):
    def test_https_is_served_to_who_checks_the_certificate(self) -> None:
        cert, key = make_certificate(self.folder, "one")
        eddyd = self.eddyd(rest__tls_cert=cert, rest__tls_key=key)
        eddyd.tls = ssl.create_default_context(cafile=str(cert))
        eddyd.start()
        self.expect(eddyd.get("/v2"), 200)
        self.assertEqual(self.expect(eddyd.score(b"{}\n" * 1000), 200).json()["read"], 1000)
        eddyd.tls = ssl.create_default_context()
        with self.assertRaises(ssl.SSLCertVerificationError):
            eddyd.get("/v2")
        old = ssl.create_default_context(cafile=str(cert))
        old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        eddyd.tls = old
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            eddyd.get("/v2")
        eddyd.tls = None
        with self.assertRaises((http.client.HTTPException, ConnectionError)):
            eddyd.get("/v2")
        eddyd.tls = ssl.create_default_context(cafile=str(cert))
        self.expect(eddyd.get("/healthz"), 200)
        eddyd.stop()

    def test_a_bad_pair_is_refused(self) -> None:
        cert, key = make_certificate(self.folder, "one")
        _, other = make_certificate(self.folder, "two")
        for c, k, words in ((cert, other, "a pair?"), (key, cert, "a pair?"), (cert, "", "one needs the other"),
                            (cert, self.folder / "none", "No such file")):  # fmt: skip
            done = self.eddyd(rest__tls_cert=c, rest__tls_key=k).run()
            self.assertEqual(done.returncode, 1)
            self.assertIn(words, done.stderr)
