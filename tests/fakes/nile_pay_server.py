"""Nile Pay, an invented provider over real HTTP, with books of its own: it plays the example of a third party."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from application.billing.ports import Checkout
from domain.shared.clock import business_date
from domain.shared.money import Money, total

API_KEY = "a key of the invented account, long enough"
WEBHOOK_SECRET = "a secret that signs the invented webhooks"
PAYEE = "np_acct_77"

Document = dict[str, Any]
Answer = tuple[int, Document]
NOT_FOUND: Answer = (404, {"message": "there is no such thing"})


@dataclass
class Books:
    """What the provider knows, by its own references; one request at a time."""

    checkouts: dict[str, Document] = field(default_factory=dict)
    transfers: dict[str, Document] = field(default_factory=dict)
    guard: threading.RLock = field(default_factory=threading.RLock)
    last: int = 0

    def next_id(self, kind: str) -> str:
        self.last += 1
        return f"np_{kind}_{self.last:06d}"

    def open(self, asked: Document) -> Answer:
        known = next((one for one in self.checkouts.values() if one["reference"] == asked["reference"]), None)
        if known is not None:
            return (200, known) if _sum(known) == _sum(asked) else (409, {"message": "the reference is in use"})
        made = {
            "id": self.next_id("co"),
            "status": "open",
            "live": False,
            "charges": [],
            "refunds": [],
            "disputes": [],
            **{name: asked[name] for name in ("reference", "amount", "currency", "webhook_url")},
        }
        made["url"] = f"https://pay.nile.example/{made['id']}"
        self.checkouts[made["id"]] = made
        return 201, made

    def by_charge(self, charge_id: str) -> Answer:
        for checkout in self.checkouts.values():
            if any(charge["id"] == charge_id for charge in checkout["charges"]):
                return 200, checkout
        return NOT_FOUND

    def refund(self, asked: Document) -> Answer:
        checkout = self.checkouts.get(asked["checkout"])
        if checkout is None:
            return NOT_FOUND
        known = next((one for one in checkout["refunds"] if one["reference"] == asked["reference"]), None)
        if known is not None:
            return (200, known) if _sum(known) == _sum(asked) else (409, {"message": "the reference is in use"})
        going = [_sum(one) for one in checkout["refunds"] if one["status"] != "refused"]
        if total([*going, _sum(asked)], "EGP").minor > total(map(_sum, checkout["charges"]), "EGP").minor:
            return 422, {"message": "more than was charged"}
        made = {"id": self.next_id("re"), "status": "waiting", **asked}
        checkout["refunds"].append(made)
        return 201, made

    def transfer(self, asked: Document) -> Answer:
        if asked["account"] != PAYEE:
            return NOT_FOUND
        made = {"id": self.next_id("tr"), "status": "sent", **asked}
        known = self.transfers.setdefault(asked["reference"], made)
        return (200, known) if _sum(known) == _sum(asked) else (409, {"message": "the reference is in use"})

    def statement(self, day: str) -> Answer:
        lines = [
            {"kind": "charge", "checkout": checkout["id"], **charge}
            for checkout in self.checkouts.values()
            for charge in checkout["charges"]
            if charge["day"] == day
        ]
        return 200, {"lines": lines}


class NilePayServer:
    """The provider's API on a free port of the loopback, until the block ends."""

    def __init__(self) -> None:
        self.books = Books()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_for(self.books))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class NilePayStaff:
    """Customers, banks and staff of the provider, who do as a test says; the abilities of a gateway's bench."""

    def __init__(self, server: NilePayServer) -> None:
        self.books = server.books

    def pay(self, checkout: Checkout, times: int = 1) -> None:
        paid = self._of(checkout)
        for _ in range(times):
            charge = {name: paid[name] for name in ("amount", "currency")}
            today = business_date(datetime.now(UTC)).isoformat()
            paid["charges"].append({"id": self.books.next_id("ch"), "day": today, **charge})
        paid["status"] = "paid"

    def webhook(self, checkout: Checkout) -> tuple[bytes, Mapping[str, str]]:
        return self._signed(checkout, "checkout.paid", str(len(self._of(checkout)["charges"])))

    def forged_webhook(self, checkout: Checkout) -> tuple[bytes, Mapping[str, str]]:
        return self._signed(checkout, "checkout.paid", "1", secret="a guess that is as long as the real one")

    def refund_webhook(self, checkout: Checkout) -> tuple[bytes, Mapping[str, str]]:
        return self._signed(checkout, "refund.changed", str(self._of(checkout)["refunds"][-1]["id"]))

    def approve_refunds(self, checkout: Checkout) -> None:
        self._decide(checkout, "done")

    def refuse_refunds(self, checkout: Checkout) -> None:
        self._decide(checkout, "refused")

    def dispute(self, checkout: Checkout) -> None:
        disputed = self._of(checkout)
        amounts = {name: disputed[name] for name in ("amount", "currency")}
        disputed["disputes"].append({"id": self.books.next_id("dp"), "status": "open", **amounts})

    def lose_dispute(self, checkout: Checkout) -> None:
        self._of(checkout)["disputes"][-1]["status"] = "lost"

    def payee(self) -> str:
        return PAYEE

    def sent_to(self, payee: str) -> Money:
        return total((_sum(one) for one in self.books.transfers.values() if one["account"] == payee), "EGP")

    def _of(self, checkout: Checkout) -> Document:
        return self.books.checkouts[checkout.provider_reference]

    def _decide(self, checkout: Checkout, status: str) -> None:
        for refund in self._of(checkout)["refunds"]:
            if refund["status"] == "waiting":
                refund["status"] = status

    def _signed(
        self, checkout: Checkout, event: str, about: str, *, secret: str = WEBHOOK_SECRET
    ) -> tuple[bytes, Mapping[str, str]]:
        told = self._of(checkout)
        body = json.dumps(
            {
                "id": f"{told['id']}:{event}:{about}",
                "type": event,
                "checkout": told["id"],
                "reference": told["reference"],
            }
        ).encode()
        seconds = str(int(time.time()))
        made = hmac.new(secret.encode(), seconds.encode() + b"." + body, hashlib.sha256).hexdigest()
        return body, {"Nile-Signature": f"t={seconds},v1={made}", "Content-Type": "application/json"}


def _sum(document: Document) -> Money:
    return Money.parse(document["amount"], document["currency"])


def _found(books: Mapping[str, Document], reference: str) -> Answer:
    return (200, books[reference]) if reference in books else NOT_FOUND


def _answer(books: Books, method: str, path: str, asked: Document) -> Answer:
    _, _, kind, *rest = path.split("/")
    posts = {"checkouts": books.open, "refunds": books.refund, "transfers": books.transfer}
    if method == "POST" and not rest:
        return posts[kind](asked)
    gets = {
        "checkouts": lambda reference: _found(books.checkouts, reference),
        "charges": books.by_charge,
        "transfers": lambda reference: _found(books.transfers, reference),
        "statements": books.statement,
    }
    return gets[kind](rest[0])


def _handler_for(books: Books) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._serve({})

        def do_POST(self) -> None:
            self._serve(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _serve(self, asked: Document) -> None:
            if self.headers["Authorization"] != f"Bearer {API_KEY}":
                status, document = 401, {"message": "who is asking?"}
            else:
                with books.guard:
                    status, document = _answer(books, self.command, self.path, asked)
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Quiet: tests read the books."""

    return Handler
