"""Signed webhooks, sent by a thread of their own, and what is scripted to go wrong with them."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable

import requests

from fake_providers.stripe.books import Books
from fake_providers.stripe.refusals import Json

DELIVERY_FAULTS = ("duplicate", "lost", "late", "reordered")
"""Sent twice; never sent; held until `release`; sent after the one that comes next."""

TRIES = 3
PAUSE_SECONDS = 0.05


def encode(event: Json) -> bytes:
    """The body as it is signed and sent: these very bytes, in Stripe's own spacing."""
    return json.dumps(event, indent=2).encode()


def sign(body: bytes, secrets: Iterable[str], *, at: int) -> str:
    """`t=…,v1=…` with a signature for each secret (contract §3), and the `v0` that test mode adds."""
    signed = [hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={at}", *(f"v1={one}" for one in signed), f"v0={hashlib.sha256(body).hexdigest()}"])


class Sender:
    """Sends what the books have to send, in order but for the faults, each until it is answered 2xx, thrice at most."""

    def __init__(self, books: Books, *, url: str, secrets: tuple[str, ...], now: Callable[[], int]) -> None:
        self.url = url
        self.secrets = secrets
        self._books = books
        self._now = now
        self._faults: deque[str] = deque()
        self._held: list[Json] = []
        self._after_next: list[Json] = []
        self._guard = threading.Condition()
        self._busy = False
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name="fake-stripe-webhooks", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with self._guard:
            self._stopping = True
            self._guard.notify_all()
        if self._thread.is_alive():
            self._thread.join(10)

    def script(self, fault: str, times: int = 1) -> None:
        """The next events meet with this."""
        if fault not in DELIVERY_FAULTS:
            raise KeyError(fault)
        with self._guard:
            self._faults.extend([fault] * times)

    def wake(self) -> None:
        with self._guard:
            self._guard.notify_all()

    def settle(self, seconds: float = 10.0) -> None:
        """Wait until everything is sent that is not held. Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        with self._guard:
            self._guard.notify_all()
        while time.monotonic() < deadline:
            with self._guard:
                if not self._busy and not self._books.has_outgoing():
                    return
            time.sleep(0.01)
        raise TimeoutError("webhooks are still being sent")

    def release(self) -> int:
        """Send what was late, and what waits for a next one that did not come; how many."""
        with self._guard:
            released, self._held, self._after_next = [*self._held, *self._after_next], [], []
        for event in released:
            self.send(event)
        return len(released)

    def send(self, event: Json) -> int:
        """Post one event, signed now; the receiver's last status, 0 for no answer."""
        status = 0
        for attempt in range(TRIES):
            body, at = encode(event), self._now()
            status = _post(self.url, body, sign(body, self.secrets, at=at))
            self._books.delivered(event, str(status))
            if 200 <= status < 300:
                break
            time.sleep(PAUSE_SECONDS * 2**attempt)
        return status

    def _work(self) -> None:
        while True:
            with self._guard:
                event_id = None if self._stopping else self._books.take_outgoing()
                self._busy = event_id is not None
                if event_id is None:
                    if self._stopping:
                        return
                    self._guard.wait(0.5)
                    continue
            self._handle(self._books.get("event", event_id))

    def _handle(self, event: Json) -> None:
        with self._guard:
            fault = self._faults.popleft() if self._faults else ""
            waiting, self._after_next = self._after_next, []
            if fault == "late":
                self._held.append(event)
            if fault == "reordered":
                self._after_next.append(event)
        if not self.url or fault == "lost":
            self._books.delivered(event, "lost" if self.url else "nowhere")
        elif fault not in ("late", "reordered"):
            for _ in range(2 if fault == "duplicate" else 1):
                self.send(event)
        for earlier in waiting:
            self.send(earlier)


def _post(url: str, body: bytes, signature: str) -> int:
    headers = {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": signature}
    try:
        with requests.Session() as session:
            session.trust_env = False
            return session.post(url, data=body, headers=headers, timeout=10, allow_redirects=False).status_code
    except requests.RequestException:
        return 0
