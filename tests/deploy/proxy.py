"""The web server behind nginx as deploy/nginx has it; only ports, names of files and the certificate are ours."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from infrastructure.embedded.processes import die_with_parent, stop_process
from programs import web_command
from tests.deploy.conftest import ROOT
from tests.machine import free_port

NAME = "api.example.com"
START_SECONDS = 120.0
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
"""The program; none where it is not installed."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Proxy:
    """nginx, as a client and as an operator see it."""

    port: int
    certificate: Path
    access_log: Path

    def connect(self) -> ssl.SSLSocket:
        """A connection whose handshake is done, and on which nothing was said yet."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        return context.wrap_socket(socket.create_connection(("127.0.0.1", self.port), timeout=30), server_hostname=NAME)

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """One request on a connection of its own. Header names are written with `_`."""
        connection = http.client.HTTPConnection(NAME)
        connection.sock = self.connect()
        with contextlib.closing(connection):
            sent = {"Content-Type": "application/json", **{n.replace("_", "-"): v for n, v in headers.items()}}
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())


@dataclass(frozen=True, slots=True)
class Site:
    """The proxy, and the web server behind it."""

    proxy: Proxy
    app_port: int
    web: subprocess.Popen[bytes]

    def asked_of_the_app(self) -> int:
        """Connections that the web server holds at this moment."""
        members = [psutil.Process(self.web.pid), *psutil.Process(self.web.pid).children(recursive=True)]
        return sum(
            bool(link.raddr) and link.status == psutil.CONN_ESTABLISHED and link.laddr.port == self.app_port
            for member in members
            for link in member.net_connections("tcp")
        )


@contextlib.contextmanager
def running_site(environment: dict[str, str], folder: Path) -> Iterator[Site]:
    """gunicorn with one process of 20 connections, and nginx before it."""
    app_port = free_port()
    web_environment = environment | {
        "PORT": str(app_port),
        "TRUSTED_PROXIES": "1",
        "WEB_CONCURRENCY": "1",
        # Fewer than the half-sent requests of the tests: what nginx let through would fill them.
        "GUNICORN_CMD_ARGS": "--worker-connections 20",
    }
    with (
        running_process(web_command(), web_environment, folder / "web.log") as web,
        running_proxy(folder, app_port) as proxy,
    ):
        wait_until(lambda: proxy.ask("GET", "/health/ready").status == 200, folder / "web.log")
        yield Site(proxy, app_port, web)


@contextlib.contextmanager
def running_proxy(folder: Path, app_port: int) -> Iterator[Proxy]:
    """nginx alone, before whatever listens on the port."""
    port, certificate = free_port(), _make_certificate(folder)
    assert NGINX is not None
    command = [NGINX, "-c", str(_configure(folder / "nginx", port, app_port, certificate)), "-g", "daemon off;"]
    proxy = Proxy(port, certificate, folder / "access.log")
    with running_process(command, dict(os.environ), folder / "nginx.log", signal.SIGQUIT):
        wait_until(lambda: bool(proxy.connect().close() is None), folder / "nginx.log")
        yield proxy


def _configure(folder: Path, port: int, app_port: int, certificate: Path) -> Path:
    """A copy of what is shipped. Each thing that has to differ must be there to be replaced."""
    shutil.copytree(ROOT / "deploy/nginx", folder)
    for file, shipped, ours in (
        ("nginx.conf", "pid /run/nginx.pid;", f"pid {folder}/nginx.pid;"),
        ("nginx.conf", "/var/log/nginx/error.log", "/dev/stderr"),
        ("nginx.conf", "/var/log/nginx/access.log", str(folder.parent / "access.log")),
        ("nginx.conf", "/etc/altayar/tls/fullchain.pem", str(certificate)),
        ("nginx.conf", "/etc/altayar/tls/privkey.pem", str(certificate)),
        ("nginx.conf", "listen 80;", f"listen 127.0.0.1:{free_port()};"),
        ("nginx.conf", "    listen [::]:80;\n", ""),
        ("nginx.conf", "listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("nginx.conf", "listen [::]:443 ssl default_server;\n", "\n"),
        ("nginx.conf", "listen [::]:443 ssl http2;\n", "\n"),
        ("upstream.conf", "127.0.0.1:8000", f"127.0.0.1:{app_port}"),
    ):
        text = (folder / file).read_text("utf-8")
        assert shipped in text, shipped
        (folder / file).write_text(text.replace(shipped, ours), "utf-8")
    return folder / "nginx.conf"


def _make_certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "certificate.pem"
    path.write_bytes(plain + made.public_bytes(serialization.Encoding.PEM))
    return path


@contextlib.contextmanager
def running_process(
    command: list[str], environment: dict[str, str], log: Path, stop: signal.Signals = signal.SIGTERM
) -> Iterator[subprocess.Popen[bytes]]:
    """A process for a block, in the project's folder; asked to stop at the end."""
    with log.open("wb") as written:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdout=written,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent(signal.SIGTERM),
        )
    try:
        yield process
    finally:
        stop_process(process, [(stop, 10.0), (signal.SIGTERM, 10.0)])


def wait_until(holds: Callable[[], bool], log: Path) -> None:
    """Until something holds that cannot even be asked at first; `log` says why where it never does."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        with contextlib.suppress(OSError):
            if holds():
                return
        assert time.monotonic() < deadline, log.read_text("utf-8", "replace")
        time.sleep(0.2)
