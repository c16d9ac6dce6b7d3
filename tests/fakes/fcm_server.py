"""FCM HTTP v1 and Google's token endpoint over real HTTP: keeps what it was sent, answers what a test scripted.

Error documents are as firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode and the API's own answers have them.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

PROJECT = "altayar-fake"
ACCOUNT = "push@altayar-fake.iam.gserviceaccount.test"
_FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
_BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"


def error(status: int, rpc: str, code: str | None = None, field_named: str | None = None) -> tuple[int, Any]:
    """An answer of FCM's: `code` is its own, `field_named` what a bad request is about."""
    details: list[dict[str, Any]] = [{"@type": _FCM_ERROR, "errorCode": code}] if code else []
    if field_named:
        details.append({"@type": _BAD_REQUEST, "fieldViolations": [{"field": field_named, "description": "bad"}]})
    return status, {"error": {"code": status, "message": "Not so", "status": rpc, "details": details}}


UNREGISTERED = error(404, "NOT_FOUND", "UNREGISTERED")
INVALID_TOKEN = error(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "message.token")
OUTAGE = error(503, "UNAVAILABLE", "UNAVAILABLE")


@lru_cache(1)
def private_key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class FakeFcm:
    """`answers` are taken first to last; then every push to a token of `gone` is refused, all others accepted."""

    url: str = ""
    answers: list[tuple[int, Any]] = field(default_factory=list)
    sign_in_answers: list[tuple[int, Any]] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    delay: threading.Event = field(default_factory=threading.Event)
    waits: bool = False
    sign_ins: list[dict[str, Any]] = field(default_factory=list)
    pushes: list[dict[str, Any]] = field(default_factory=list)

    @property
    def credentials(self) -> dict[str, str]:
        """The service account's file."""
        pem = private_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return {
            "type": "service_account",
            "project_id": PROJECT,
            "private_key_id": "key-1",
            "private_key": pem,
            "client_email": ACCOUNT,
            "token_uri": f"{self.url}/token",
        }

    @property
    def environ(self) -> dict[str, str]:
        return {"FCM_CREDENTIALS": json.dumps(self.credentials), "FCM_BASE_URL": self.url}

    def sign_in(self, form: dict[str, str]) -> tuple[int, Any]:
        """Google's checks: its signature, for whom it is, and for how long."""
        claims = jwt.decode(
            form["assertion"], private_key().public_key(), algorithms=["RS256"], audience=f"{self.url}/token",
            options={"verify_exp": False, "verify_iat": False},
        )  # fmt: skip
        self.sign_ins.append(
            {**claims, "grant_type": form["grant_type"], **jwt.get_unverified_header(form["assertion"])}
        )
        if self.sign_in_answers:
            return self.sign_in_answers.pop(0)
        return 200, {"access_token": f"token-{len(self.sign_ins)}", "expires_in": 3599, "token_type": "Bearer"}

    def push(self, path: str, authorization: str, message: dict[str, Any]) -> tuple[int, Any]:
        self.pushes.append({"path": path, "authorization": authorization, **message})
        if self.answers:
            return self.answers.pop(0)
        if message["token"] in self.gone:
            return UNREGISTERED
        return 200, {"name": f"projects/{PROJECT}/messages/{len(self.pushes)}"}


@contextlib.contextmanager
def fcm_server() -> Iterator[FakeFcm]:
    """A server on a free port of the loopback, until the block ends."""
    fake = FakeFcm()

    class Google(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            if fake.waits:
                fake.delay.wait(10)
            if self.path == "/token":
                form = {name: value for name, (value,) in parse_qs(body, strict_parsing=True).items()}
                self._answer(*fake.sign_in(form))
            else:
                self._answer(*fake.push(self.path, self.headers["Authorization"], json.loads(body)["message"]))

        def _answer(self, status: int, document: Any) -> None:
            content = document if isinstance(document, bytes) else json.dumps(document).encode()
            with contextlib.suppress(OSError):
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Nothing: tests read `pushes`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Google)
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
