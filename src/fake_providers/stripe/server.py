"""The server: its API, its payer's page, its webhooks, and what it is told to do wrong."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from werkzeug.serving import WSGIRequestHandler, make_server

from fake_providers.stripe.afterwards import Afterwards
from fake_providers.stripe.books import Books
from fake_providers.stripe.provider import Provider
from fake_providers.stripe.refusals import Json, Refusal
from fake_providers.stripe.sending import Sender
from fake_providers.stripe.web import application

TEST_KEY: Final = "sk_test_demo0000000000000001"
WEBHOOK_SECRET: Final = "whsec_demo000000000000000000000000001"  # noqa: S105 - of a provider that takes no money
HANG_SECONDS: Final = 30.0

FAULTS: Final = (
    "timeout_before", "timeout_after", "cut_before", "cut_after", "error_500", "error_500_after", "html", "half_json",
    "strange", "deep", "redirect", "rate_limited", "slow",
)  # fmt: skip
"""`…_before` without the effect, `…_after` with it; the others with it, but for `error_500`, `html` and
`rate_limited`. `strange` and `deep` are JSON that is no object of Stripe's."""


class StripeServer:
    """Runs inside a test (`with StripeServer(books) as stripe`) or as a process (`python -m fake_providers.stripe`).

    The key's mode is the account's: `sk_live_…` makes objects with `livemode` true. Faults by operation, such as
    `refunds/create` or `*`, are used up one per call.
    """

    def __init__(
        self,
        books: Path,
        *,
        port: int = 0,
        api_key: str = TEST_KEY,
        webhook_url: str = "",
        webhook_secrets: tuple[str, ...] = (WEBHOOK_SECRET,),
    ) -> None:
        self.api_key = api_key
        self.books = Books(books)
        self.ahead_seconds = 0
        """How far this server's clock is ahead of the machine's."""
        self.slow_seconds = 0.5
        live = "_live_" in api_key
        self.provider = Provider(self.books, live=live, now=self.now, address=lambda: self.address)
        self.afterwards = Afterwards(self.provider)
        self.webhooks = Sender(self.books, url=webhook_url, secrets=webhook_secrets, now=self.now)
        self.bodies: list[tuple[str, str]] = []
        """Operation and body of every POST, newest last."""
        self._faults: dict[str, deque[str]] = {}
        self._guard = threading.Lock()
        self._stopping = threading.Event()
        self._server = make_server("127.0.0.1", port, application(self), threaded=True, request_handler=_QuietHandler)
        self._server.daemon_threads = True  # type: ignore[attr-defined]
        self._thread: threading.Thread | None = None

    # Running

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.port}"

    def start(self) -> StripeServer:
        self.webhooks.start()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def serve(self) -> None:
        self.webhooks.start()
        self._server.serve_forever()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self.webhooks.stop()
        self.books.close()

    def __enter__(self) -> StripeServer:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # What a test says; everything else is said to `provider`, `afterwards` and `webhooks`

    def now(self) -> int:
        return int(time.time()) + self.ahead_seconds

    def script(self, operation: str, fault: str, times: int = 1) -> None:
        """The next calls of an operation end in this fault. Raises KeyError for one that is not known."""
        if fault not in FAULTS:
            raise KeyError(fault)
        with self._guard:
            self._faults.setdefault(operation, deque()).extend([fault] * times)

    def calls(self, operation: str) -> int:
        return self.books.calls().get(operation, 0)

    def act(self, act: str, told: Mapping[str, Any]) -> Any:
        """An act by its name, as the control route gets it. Raises KeyError, TypeError or Refusal."""
        acts: dict[str, Callable[..., Any]] = {
            "pay": self.provider.pay,
            "decline": self.provider.decline,
            "expire": self.provider.expire,
            "settle_delayed": self.provider.settle_delayed,
            "refund": self.afterwards.refund_on_dashboard,
            "finish_refund": self.afterwards.finish_refund,
            "dispute": self.afterwards.dispute,
            "close_dispute": self.afterwards.close_dispute,
            "reverse_transfer": self.afterwards.reverse_transfer,
            "pay_out": self.afterwards.pay_out,
            "script": self.script,
            "script_delivery": self.webhooks.script,
            "release": self.webhooks.release,
            "settle": self.webhooks.settle,
            "resend": lambda event_id: self.webhooks.send(self.books.get("event", event_id)),
            "settings": self._set,
        }
        done = acts[act](**told)
        self.webhooks.wake()
        return done

    def _set(self, **settings: Any) -> None:
        """`ahead_seconds`, `slow_seconds`, `refunds_begin`, `webhook_url`."""
        places = {"refunds_begin": self.provider, "ahead_seconds": self, "slow_seconds": self}
        for name, value in settings.items():
            if name == "webhook_url":
                self.webhooks.url = value
            else:
                setattr(places[name], name, value)

    # What the API asks

    def next_fault(self, operation: str) -> str:
        with self._guard:
            scripted = self._faults.get(operation) or self._faults.get("*")
            return scripted.popleft() if scripted else ""

    def hang(self) -> None:
        self._stopping.wait(HANG_SECONDS)

    def once(self, key: str, request: str, effect: Callable[[], Json], *, slow: bool) -> tuple[int, Json]:
        """Run an effect, or answer what it answered before. Raises Refusal.

        The key is in flight from the moment that it is seen; a refusal is remembered unless nothing began to run.
        """
        known = self.books.reserve(key, request)
        if known is not None:
            return self._remembered(key, request, known)
        try:
            if slow:
                self._stopping.wait(self.slow_seconds)
            with self.books.effect():
                body = effect()
                self.books.keep(key, 200, body)
        except Refusal as refusal:
            if refusal.saved:
                self.books.keep(key, refusal.status, refusal.body)
            else:
                self.books.forget(key)
            raise
        return 200, body

    def _remembered(self, key: str, request: str, known: tuple[str, int | None, Json | None]) -> tuple[int, Json]:
        before, status, body = known
        if before != request:
            raise Refusal(
                f"Keys for idempotent requests can only be used with the same parameters they were first used with "
                f"('{key}').",
                kind="idempotency_error",
                saved=False,
            )
        if status is None or body is None:
            raise Refusal(
                f"There is currently another in-progress request using this Idempotent Key ('{key}').",
                status=409,
                kind="idempotency_error",
                code="idempotency_key_in_use",
                saved=False,
            )
        return status, body


class _QuietHandler(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - the name is werkzeug's
        """Nothing: a test's output is its own, and a key stands in no log."""
