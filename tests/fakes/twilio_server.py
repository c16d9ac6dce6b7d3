"""Twilio's Messages resource over real HTTP: keeps what it was sent, answers what a test scripted."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from config.settings import TwilioSettings

SID = "AC" + "0123456789abcdef" * 2
TOKEN = "a token of the fake account"
SENDER = "+12025550123"
REFUSED = {"code": 21211, "message": "Invalid 'To' Phone Number: +20100XXXX", "status": 400}


@dataclass
class FakeTwilio:
    """`answers` are taken first to last; when none is left, every message is accepted."""

    url: str = ""
    answers: list[tuple[int, Any]] = field(default_factory=list)
    delay: threading.Event = field(default_factory=threading.Event)
    waits: bool = False
    requests: list[dict[str, Any]] = field(default_factory=list)

    @property
    def account(self) -> TwilioSettings:
        return TwilioSettings(self.url, SID, TOKEN, SENDER)


@contextlib.contextmanager
def twilio_server() -> Iterator[FakeTwilio]:
    """A server on a free port of the loopback, until the block ends."""
    fake = FakeTwilio()

    class Messages(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: value for name, (value,) in parse_qs(body, strict_parsing=True).items()}
            fake.requests.append({"path": self.path, "authorization": self.headers["Authorization"], **form})
            if fake.waits:
                fake.delay.wait(10)
            accepted = (201, {"sid": f"SM{len(fake.requests):032x}", "status": "queued", "error_code": None})
            status, document = fake.answers.pop(0) if fake.answers else accepted
            content = document if isinstance(document, bytes) else json.dumps(document).encode()
            with contextlib.suppress(OSError):
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                if 300 <= status < 400:
                    self.send_header("Location", f"{fake.url}/elsewhere")
                self.end_headers()
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Nothing: tests read `requests`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Messages)
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield fake
    finally:
        fake.delay.set()
        server.shutdown()
        thread.join()
        server.server_close()
