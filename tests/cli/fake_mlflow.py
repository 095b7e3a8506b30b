# SPDX-License-Identifier: MIT
"""A web server that answers as MLflow 3.17 did when asked (recorded 2026-11-23), and lies as a test wants it to."""

from __future__ import annotations

import hashlib
import http.server
import json
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

ROOT = "1/models/m-21cab3e00c954f73a308ed6a26dc7790/artifacts"
API = "/api/2.0/mlflow"
FILES = "/api/2.0/mlflow-artifacts/artifacts"
Lie = Callable[[http.server.BaseHTTPRequestHandler], None]


class Handler(http.server.BaseHTTPRequestHandler):
    server: FakeMlflow

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on standard error."""

    def answer(self, body: bytes, status: int = 200, kind: str = "application/json", **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", headers.pop("length", str(len(body))))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def tell(self, value: object, status: int = 200) -> None:
        self.answer(json.dumps(value).encode(), status)

    def do_GET(self) -> None:
        fake, (path, _, query) = self.server, self.path.partition("?")
        fake.asked.append(self.path)
        fake.credentials.append(self.headers.get("Authorization"))
        lie = next((lie for start, lie in fake.lies.items() if self.path.startswith(start)), None)
        if lie is not None:
            lie(self)
        elif path in (f"{API}/registered-models/alias", f"{API}/model-versions/get"):
            self.tell({"model_version": {"name": "office", "version": fake.version, "status": "READY",
                                         "source": "models:/m-21cab3e00c954f73a308ed6a26dc7790",
                                         "tags": [{"key": k, "value": v} for k, v in fake.tags.items()]}})
        elif path == f"{API}/model-versions/get-download-uri":
            self.tell({"artifact_uri": fake.place})
        elif path == FILES:
            named = [n for n in fake.names if query.endswith("%2Fartifacts%2Fartifacts")]
            self.tell({"files": [{"path": n, "is_dir": False, "file_size": 1} for n in named]} if named else {})
        elif path == f"{FILES}/{ROOT}/artifacts/office.eddy":
            self.answer(fake.body, kind="application/octet-stream")
        else:
            self.tell({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": f"nothing at {path}"}, 404)


class FakeMlflow(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, certificate: Path | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)
            self.url = f"https://localhost:{self.server_address[1]}"
        self.version, self.place, self.names = "1", f"mlflow-artifacts:/{ROOT}", ["office.eddy"]
        self.body, self.tags = b"", {}
        self.lies: dict[str, Lie] = {}
        self.asked: list[str] = []
        self.credentials: list[str | None] = []
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    def has(self, body: bytes, version: str = "1") -> str:
        """What the alias names from now on. Returns its SHA-256, which it is tagged with."""
        self.body, self.version = body, version
        self.tags = {"eddy.sha256": hashlib.sha256(body).hexdigest()}
        return self.tags["eddy.sha256"]

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is what some tests want."""

    def stop(self) -> None:
        self.shutdown()
        self.thread.join()
        self.server_close()
