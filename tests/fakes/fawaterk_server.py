"""Fawaterk's API v2 on loopback, with books of its own, scripted faults, and signed webhooks.

Runs inside a test (`with FawaterkServer(books) as fawaterk`) or as a process of its own:

    python tests/fakes/fawaterk_server.py --port 9010 --books books.sqlite --api-key KEY

The books are a SQLite file: a restarted server still knows its invoices, and how often it was called.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import re
import socket
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import orjson
import requests
from flask import Flask, Response, redirect, request
from markupsafe import escape
from werkzeug.serving import WSGIRequestHandler, make_server

CAIRO = ZoneInfo("Africa/Cairo")
FIRST_ID = 2_304_130_044
"""Above a signed 32-bit integer, as in production."""
FIRST_HUGE_ID = 9_007_199_254_740_993
"""Above the whole numbers that a double holds; sent as strings."""
CURRENCIES = {"USD": 2, "EGP": 2, "SR": 2, "AED": 2, "KWD": 3, "QAR": 2, "BHD": 3}
EGP_RATE = Decimal("53.333")
"""What a unit of any foreign currency is converted at in `total`."""
METHODS: tuple[dict[str, object], ...] = (
    {"paymentId": 2, "name_en": "Visa-Mastercard", "name_ar": "فيزا -ماستر كارد", "redirect": "true"},
    {"paymentId": 3, "name_en": "Fawry", "name_ar": "فورى", "redirect": "false"},
    {"paymentId": 4, "name_en": "Meeza", "name_ar": "ميزة", "redirect": "false"},
    {"paymentId": 91, "name_en": "Moon Dust Credit", "name_ar": "غبار القمر", "redirect": "false"},
)
NAME = re.compile(r"[\w@\-.]{1,100}")
TELEPHONE = re.compile(r"01\d{9}")
HANG_SECONDS = 30.0

Json = dict[str, Any]


class Refusal(Exception):
    """An error answer in Fawaterk's envelope; `message` is a sentence, or sentences by field."""

    def __init__(self, status: int, message: str | dict[str, list[str]]) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass
class Books:
    """Invoices, counted calls and sent webhooks, in a file; every method is one locked transaction."""

    path: Path
    guard: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self.connection = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
        self.connection.executescript(
            """
            CREATE TABLE IF NOT EXISTS invoices (id INTEGER PRIMARY KEY, invoice TEXT NOT NULL);
            CREATE TABLE IF NOT EXISTS calls (path TEXT PRIMARY KEY, count INTEGER NOT NULL);
            CREATE TABLE IF NOT EXISTS webhooks (url TEXT, kind TEXT, invoice_id TEXT, status INTEGER);
            """
        )

    def close(self) -> None:
        with self.guard:
            self.connection.close()

    def count(self, path: str) -> None:
        with self.guard:
            self.connection.execute(
                "INSERT INTO calls VALUES (?, 1) ON CONFLICT (path) DO UPDATE SET count = count + 1", (path,)
            )

    def calls(self) -> dict[str, int]:
        with self.guard:
            return dict(self.connection.execute("SELECT path, count FROM calls").fetchall())

    def add(self, invoice: Json, first_id: int) -> str:
        with self.guard:
            (last,) = self.connection.execute("SELECT max(id) FROM invoices").fetchone()
            number = max(first_id, (last or 0) + 1)
            invoice["invoice_id"] = str(number)
            self.connection.execute("INSERT INTO invoices VALUES (?, ?)", (number, json.dumps(invoice)))
            return str(number)

    def invoice(self, invoice_id: str) -> Json:
        """Raises KeyError for an unknown id."""
        number = int(invoice_id) if invoice_id.isascii() and invoice_id.isdigit() else -1
        with self.guard:
            row = self.connection.execute("SELECT invoice FROM invoices WHERE id = ?", (number,)).fetchone()
        if row is None:
            raise KeyError(invoice_id)
        found: Json = json.loads(row[0])
        return found

    def change(self, invoice_id: str, change: Callable[[Json], None]) -> Json:
        with self.guard:
            invoice = self.invoice(invoice_id)
            change(invoice)
            self.connection.execute(
                "UPDATE invoices SET invoice = ? WHERE id = ?", (json.dumps(invoice), int(invoice_id))
            )
            return invoice

    def all(self) -> list[Json]:
        with self.guard:
            rows = self.connection.execute("SELECT invoice FROM invoices ORDER BY id").fetchall()
        return [json.loads(row[0]) for row in rows]

    def sent(self, url: str, kind: str, invoice_id: str, status: int) -> None:
        with self.guard:
            self.connection.execute("INSERT INTO webhooks VALUES (?, ?, ?, ?)", (url, kind, invoice_id, status))

    def webhooks(self) -> list[Json]:
        names = ("url", "kind", "invoice_id", "status")
        with self.guard:
            rows = self.connection.execute("SELECT url, kind, invoice_id, status FROM webhooks").fetchall()
        return [dict(zip(names, row, strict=True)) for row in rows]


def exact(number: Decimal | str) -> orjson.Fragment:
    """A decimal as a JSON number, digit for digit."""
    return orjson.Fragment(str(number))


def sign(text: str, key: str) -> str:
    """A hash as Fawaterk makes it: HMAC-SHA256, lower-case hex."""
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


class FawaterkServer:
    """The provider: its API, its payer's page, and what a test tells it to do.

    `faults` by path are used up one per call: `timeout_before` and `timeout_after` (hang without, or with
    the effect), `cut_before`, `cut_after`, `error_500`, `error_500_after`, `html`, `half_json`, `refuse`,
    `status_error`, `redirect`, `huge`, `slow`.
    """

    def __init__(
        self,
        books: Path,
        *,
        port: int = 0,
        api_key: str = "demo-vendor-key-0001",
        methods: tuple[dict[str, object], ...] = METHODS,
        huge_ids: bool = False,
        automatic_webhooks: bool = True,
    ) -> None:
        self.books = Books(books)
        self.api_key = api_key
        self.methods = methods
        self.huge_ids = huge_ids
        self.automatic_webhooks = automatic_webhooks
        self.orders: list[bytes] = []
        """The bodies of create calls as received, newest last."""
        self._faults: dict[str, deque[str]] = {}
        self._guard = threading.Lock()
        self._reads = 0
        self._stopping = threading.Event()
        self._server = make_server("127.0.0.1", port, _application(self), threaded=True, request_handler=_QuietHandler)
        self._server.daemon_threads = True  # type: ignore[attr-defined]
        self._thread: threading.Thread | None = None

    # Running

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def base_url(self) -> str:
        return f"{self.address}/api/v2"

    def start(self) -> FawaterkServer:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self.books.close()

    def serve(self) -> None:
        self._server.serve_forever()

    def __enter__(self) -> FawaterkServer:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # What a test says

    def script(self, path: str, fault: str, times: int = 1) -> None:
        """The next calls of a path, such as "createInvoiceLink", end in this fault."""
        with self._guard:
            self._faults.setdefault(path, deque()).extend([fault] * times)

    def calls(self, path: str) -> int:
        return self.books.calls().get(path, 0)

    def pay(self, invoice_id: str, times: int = 1, amount: str | None = None) -> Json:
        """The customer pays, in full or another amount; sends the webhook where one is configured."""
        invoice = self.books.change(invoice_id, lambda it: _book_charges(it, times, amount))
        self._tell_automatically("paid", invoice)
        return invoice

    def fail(self, invoice_id: str) -> Json:
        """The customer's card is declined; the invoice can still be paid."""
        invoice = self.books.change(invoice_id, _book_decline)
        self._tell_automatically("failed", invoice)
        return invoice

    def expire(self, invoice_id: str) -> Json:
        """The due date passes; like the real one, the invoice can still be paid late."""

        def mark(invoice: Json) -> None:
            invoice["status_text"] = "expired"

        invoice = self.books.change(invoice_id, mark)
        self._tell_automatically("expired", invoice)
        return invoice

    def webhook(self, kind: str, invoice_id: str, *, tamper: Mapping[str, object] | None = None) -> dict[str, object]:
        """A signed webhook body; `tamper` changes members after signing, None removes one."""
        body = _notice(kind, self.books.invoice(invoice_id), self.api_key)
        body.update(tamper or {})
        return {name: value for name, value in body.items() if value is not None or name not in (tamper or {})}

    def send_webhook(
        self,
        kind: str,
        invoice_id: str,
        url: str,
        *,
        form: bool = False,
        times: int = 1,
        tamper: Mapping[str, object] | None = None,
    ) -> list[int]:
        """Post a webhook, several times if asked; answers the receiver's statuses, 0 for no answer."""
        content, content_type = encode(self.webhook(kind, invoice_id, tamper=tamper), form=form)
        statuses = [_post(url, content, content_type) for _ in range(times)]
        for status in statuses:
            self.books.sent(url, kind, invoice_id, status)
        return statuses

    def _tell_automatically(self, kind: str, invoice: Json) -> None:
        url = invoice["webhook_url"]
        if self.automatic_webhooks and url:
            # Cancelled and expired notices are JSON everywhere, the others by the address (contract §5.1).
            form = kind in ("paid", "failed") and "_json" not in url
            self.send_webhook(kind, invoice["invoice_id"], url, form=form)

    # What the API does

    def next_fault(self, path: str) -> str:
        with self._guard:
            scripted = self._faults.get(path)
            return scripted.popleft() if scripted else ""

    def hang(self) -> None:
        self._stopping.wait(HANG_SECONDS)

    def create(self, order: Json, method: dict[str, object] | None) -> Json:
        _check_order(order, method)
        invoice: Json = {
            "invoice_key": hashlib.sha256(f"{len(self.books.all())}{self.address}".encode()).hexdigest()[:15],
            "paid": 0,
            "paid_at": None,
            "total": str(Decimal(str(order["cartTotal"]))),
            "currency": order["currency"],
            "customer": order["customer"],
            "pay_load": order.get("payLoad"),
            "due_date": order.get("due_date"),
            "payment_method": method["name_en"] if method else "Visa-Mastercard",
            "status_text": "unpaid",
            "transactions": [],
            "code": "",
            **_addresses(order.get("redirectionUrls") or {}),
        }
        invoice_id = self.books.add(invoice, FIRST_HUGE_ID if self.huge_ids else FIRST_ID)
        return self.books.change(invoice_id, lambda it: it.update(code=f"7{invoice_id[-8:]}"))

    def written_id(self, invoice_id: str) -> int | str:
        return invoice_id if self.huge_ids else int(invoice_id)

    def reading(self, invoice: Json) -> Json:
        """As getInvoiceData answers: numbers on one call, numeric strings on the next."""
        with self._guard:
            self._reads += 1
            as_text = self._reads % 2 == 0
        foreign = invoice["currency"] != "EGP"
        total = Decimal(invoice["total"]) * (EGP_RATE if foreign else 1)
        pay_load = invoice["pay_load"]
        return {
            "invoice_id": invoice["invoice_id"] if as_text else self.written_id(invoice["invoice_id"]),
            "invoice_key": invoice["invoice_key"],
            "paid": str(invoice["paid"]) if as_text else invoice["paid"],
            "paid_at": invoice["paid_at"],
            "total": str(total) if as_text else exact(total),
            "currency": "EGP",
            "due_date": invoice["due_date"],
            "status_text": invoice["status_text"],
            "payment_method": invoice["payment_method"],
            "pay_load": json.dumps(pay_load) if as_text and pay_load is not None else pay_load,
            "invoice_transactions": [_row(it, as_text=as_text) for it in invoice["transactions"]],
        }


def _row(transaction: Json, *, as_text: bool) -> Json:
    """A row in either of the two spellings that were seen."""
    amount, unit, paying = transaction["amount"], transaction["currency"], transaction["paying"]
    if as_text:
        return {
            "status": transaction["status"],
            "paidWithIt": str(paying),
            "amount": amount,
            "currency": unit,
        }
    return {
        "status": transaction["status"],
        "paidWithIt": paying,
        "transactionAmount": exact(amount),
        "transactionCurrency": unit,
    }


def _book_charges(invoice: Json, times: int, amount: str | None) -> None:
    charge = {
        "status": "success",
        "paying": 1,
        "amount": amount or invoice["total"],
        "currency": invoice["currency"],
    }
    invoice["transactions"] += [charge] * times
    invoice.update(paid=1, paid_at=f"{datetime.now(CAIRO):%Y-%m-%d %H:%M:%S}", status_text="paid")


def _book_decline(invoice: Json) -> None:
    declined = {
        "status": "failed",
        "paying": 0,
        "amount": invoice["total"],
        "currency": invoice["currency"],
    }
    invoice["transactions"].append(declined)


def _addresses(urls: Json) -> Json:
    return {
        "webhook_url": urls.get("webhookUrl", ""),
        "success_url": urls.get("successUrl", ""),
        "fail_url": urls.get("failUrl", ""),
    }


def _check_order(order: Json, method: dict[str, object] | None) -> None:
    """What a create call is refused for (contract §2, §3.2)."""
    customer = order.get("customer") or {}
    for name in ("first_name", "last_name"):
        if not NAME.fullmatch(str(customer.get(name) or "")):
            raise Refusal(422, {f"customer.{name}": [f"The customer.{name} format is invalid."]})
    telephone = customer.get("phone")
    if telephone is not None and not TELEPHONE.fullmatch(str(telephone)):
        raise Refusal(422, {"customer.phone": ["The customer.phone format is invalid."]})
    if ".." in str(customer.get("email", "")):
        raise Refusal(422, {"customer.email": ["The customer.email must be a valid email address."]})
    if order.get("currency") not in CURRENCIES:
        raise Refusal(422, {"currency": ["The selected currency is invalid."]})
    if method is not None and method["name_en"] == "Meeza" and not order.get("mobileWalletNumber"):
        raise Refusal(422, "The mobile wallet number is required.")
    for url in (order.get("redirectionUrls") or {}).values():
        _check_address(str(url))
    _check_total(order)


def _check_address(url: str) -> None:
    # The real one refuses plain http; loopback is let through, where tests and the demo listen.
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname != "127.0.0.1":
        raise Refusal(422, {"redirectionUrls": ["The redirection url format is invalid."]})


def _check_total(order: Json) -> None:
    items = order.get("cartItems") or []
    try:
        summed = sum(Decimal(str(it["price"])) * Decimal(str(it["quantity"])) for it in items)
        total = Decimal(str(order["cartTotal"]))
    except (KeyError, InvalidOperation):
        raise Refusal(422, {"cartItems": ["The cart items field is required."]}) from None
    if not items or summed != total or total <= 0:
        raise Refusal(422, {"cartTotal": ["Your cart total doesn't match the items total."]})


# Webhooks


def _notice(kind: str, invoice: Json, key: str) -> dict[str, object]:
    """A body as §5.3 shows it, signed as §5.2 says."""
    builders = {
        "paid": _paid_notice,
        "pending": _paid_notice,
        "failed": _failed_notice,
        "expired": _code_notice,
        "cancelled": _code_notice,
        "refund": _refund_notice,
    }
    return builders[kind](kind, invoice, key)


def _paid_notice(kind: str, invoice: Json, key: str) -> dict[str, object]:
    customer = invoice["customer"]
    return {
        "hashKey": _invoice_hash(invoice, key),
        "invoice_key": invoice["invoice_key"],
        "invoice_id": int(invoice["invoice_id"]),
        "payment_method": invoice["payment_method"],
        "invoice_status": kind,
        "pay_load": json.dumps(invoice["pay_load"]),
        "referenceNumber": invoice["code"],
        "paidAmount": exact(invoice["total"]),
        "paidCurrency": invoice["currency"],
        "customerData": {
            "customer_unique_id": None,
            "customer_first_name": customer["first_name"],
            "customer_last_name": customer["last_name"],
            "customer_email": customer.get("email"),
            "customer_phone": customer.get("phone"),
        },
        "cardDiscountAmount": 0,
        "discountBankCode": None,
        "paymentToken": None,
    }


def _failed_notice(kind: str, invoice: Json, key: str) -> dict[str, object]:
    return {
        "hashKey": _invoice_hash(invoice, key),
        "invoice_key": invoice["invoice_key"],
        "invoice_id": int(invoice["invoice_id"]),
        "payment_method": invoice["payment_method"],
        "pay_load": json.dumps(invoice["pay_load"]),
        "amount": exact(invoice["total"]),
        "paidCurrency": invoice["currency"],
        "errorMessage": "Declined",
        "response": {"gatewayCode": "DECLINED", "gatewayMessage": "Do not honour"},
        "referenceNumber": invoice["code"],
    }


def _code_notice(kind: str, invoice: Json, key: str) -> dict[str, object]:
    method = invoice["payment_method"]
    return {
        "hashKey": sign(f"referenceId={invoice['code']}&PaymentMethod={method}", key),
        "referenceId": invoice["code"],
        "status": "EXPIRED" if kind == "expired" else "CANCELED",
        "paymentMethod": method,
        "pay_load": json.dumps(invoice["pay_load"]),
    }


def _refund_notice(kind: str, invoice: Json, key: str) -> dict[str, object]:
    signed = f"transactionId={invoice['code']}&amount={invoice['total']}&currency={invoice['currency']}"
    return {
        "hashKey": sign(signed, key),
        "transactionId": int(invoice["code"]),
        "amount": exact(invoice["total"]),
        "currency": invoice["currency"],
        "status": 1,
        "reason": "requested by customer",
        "approvedAt": f"{datetime.now(CAIRO):%Y-%m-%d %H:%M:%S}",
    }


def _invoice_hash(invoice: Json, key: str) -> str:
    return sign(
        f"InvoiceId={invoice['invoice_id']}&InvoiceKey={invoice['invoice_key']}"
        f"&PaymentMethod={invoice['payment_method']}",
        key,
    )


def encode(body: Mapping[str, object], *, form: bool) -> tuple[bytes, str]:
    """A body in one of the two content types; in a form everything is a string, objects are nested names."""
    if not form:
        return orjson.dumps(body), "application/json"
    fields: dict[str, str] = {}
    for name, value in json.loads(orjson.dumps(body), parse_float=str, parse_int=str).items():
        if isinstance(value, dict):
            fields |= {f"{name}[{inner}]": "" if it is None else str(it) for inner, it in value.items()}
        else:
            fields[name] = "" if value is None else str(value)
    prepared = requests.Request("POST", "http://127.0.0.1", data=fields).prepare()
    return str(prepared.body).encode(), "application/x-www-form-urlencoded"


def _post(url: str, content: bytes, content_type: str) -> int:
    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(
                url,
                data=content,
                headers={"Content-Type": content_type},
                timeout=10,
                allow_redirects=False,
            )
            return answer.status_code
    except requests.RequestException:
        return 0


# The web application


class _QuietHandler(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - the name is werkzeug's
        """A test's output is its own."""


def _application(server: FawaterkServer) -> Flask:
    app = Flask("fake_fawaterk")
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    _add_api(app, server)
    _add_page(app, server)
    _add_control(app, server)

    @app.get("/elsewhere")
    def elsewhere() -> Response:
        """Where the fault `redirect` points; a client that follows would take this for success."""
        server.books.count("elsewhere")
        return _json({"status": "success", "data": {"url": server.address, "invoiceKey": "k", "invoiceId": 1}})

    @app.errorhandler(404)
    def no_such_route(error: Exception) -> Response:
        # Without Fawaterk's envelope: what its framework answers for an address that it does not have.
        return _json({"message": f"The route {request.path} could not be found."}, 404)

    @app.errorhandler(Refusal)
    def refused(refusal: Refusal) -> Response:
        return _json({"status": "error", "message": refusal.message}, refusal.status)

    return app


def _json(document: object, status: int = 200) -> Response:
    return Response(orjson.dumps(document), status, content_type="application/json")


def _add_api(app: Flask, server: FawaterkServer) -> None:
    @app.get("/api/v2/getPaymentmethods")
    def methods() -> Response:
        listed = [dict(method, logo="https://app.fawaterk.com/logo.png") for method in server.methods]
        return _served(
            server,
            "getPaymentmethods",
            lambda: {
                "status": "success",
                "vendorSettingsData": {"custome_iframe_title": None},
                "data": listed,
            },
        )

    @app.post("/api/v2/createInvoiceLink")
    def create_link() -> Response:
        def effect() -> Json:
            invoice = server.create(_order(server), None)
            data = {
                "url": f"{server.address}/lk/{invoice['invoice_id']}",
                "invoiceKey": invoice["invoice_key"],
                "invoiceId": server.written_id(invoice["invoice_id"]),
            }
            return {"status": "success", "data": data}

        return _served(server, "createInvoiceLink", effect)

    @app.post("/api/v2/invoiceInitPay")
    def init_pay() -> Response:
        def effect() -> Json:
            order = _order(server)
            method = next(
                (it for it in server.methods if str(it["paymentId"]) == str(order.get("payment_method_id"))),
                None,
            )
            if method is None:
                raise Refusal(422, "you are not allow to use this payment method")
            invoice = server.create(order, method)
            data = {
                "invoice_id": server.written_id(invoice["invoice_id"]),
                "invoice_key": invoice["invoice_key"],
                "payment_data": _payment_data(server, invoice),
            }
            return {"status": "success", "data": data}

        return _served(server, "invoiceInitPay", effect)

    @app.get("/api/v2/getInvoiceData/<invoice_id>")
    def invoice_data(invoice_id: str) -> Response:
        def effect() -> Json:
            try:
                invoice = server.books.invoice(invoice_id)
            except KeyError:
                raise Refusal(422, "The selected invoice id is invalid.") from None
            return {"status": "success", "data": server.reading(invoice)}

        return _served(server, "getInvoiceData", effect)


def _order(server: FawaterkServer) -> Json:
    body = request.get_data()
    server.orders.append(body)
    try:
        order = json.loads(body, parse_float=Decimal)
    except ValueError:
        raise Refusal(422, "The given data was invalid.") from None
    if not isinstance(order, dict):
        raise Refusal(422, "The given data was invalid.")
    return order


def _payment_data(server: FawaterkServer, invoice: Json) -> Json:
    """What the customer pays with, by method (contract §3.3)."""
    if invoice["payment_method"] == "Fawry":
        expires = datetime.now(CAIRO) + timedelta(days=2)
        return {"fawryCode": invoice["code"], "expireDate": f"{expires:%Y-%m-%d %H:%M:%S}"}
    if invoice["payment_method"] == "Meeza":
        return {"meezaReference": int(invoice["code"]), "meezaQrCode": f"00020101021226{invoice['code']}"}
    return {"redirectTo": f"{server.address}/lk/{invoice['invoice_id']}"}


def _served(server: FawaterkServer, path: str, effect: Callable[[], Json]) -> Response:
    """Count, check the headers, and answer, or end in the scripted fault."""
    server.books.count(path)
    fault = server.next_fault(path)
    if fault in ("timeout_before", "cut_before", "error_500", "refuse", "status_error", "html", "redirect"):
        return _broken(server, fault)
    _check_headers(server)
    answer = effect()
    return _broken(server, fault, orjson.dumps(answer)) if fault else _json(answer)


def _check_headers(server: FawaterkServer) -> None:
    if "content-type" not in request.headers:
        raise Refusal(400, {"content-type": ["The content-type field is required."]})
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer" or not token:
        raise Refusal(400, {"token": ["Token Is Missing"]})
    if not hmac.compare_digest(token.encode(), server.api_key.encode()):
        raise Refusal(400, {"token": ["Invalid Token or inactive vendor."]})


def _broken(server: FawaterkServer, fault: str, answer: bytes = b"") -> Response:
    if fault.startswith("timeout"):
        server.hang()
    if fault.startswith(("timeout", "cut")):
        request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        return Response(status=200)
    if fault == "slow":
        return Response(_dripping(server, answer), 200, content_type="application/json")
    return {
        "error_500": _json({"status": "error", "message": "Server Error"}, 500),
        "error_500_after": _json({"status": "error", "message": "Server Error"}, 500),
        "html": Response("<html><h1>Be right back.</h1></html>", 200, content_type="text/html"),
        "half_json": Response(answer[: len(answer) // 2], 200, content_type="application/json"),
        "huge": Response(answer + b" " * 2_000_000, 200, content_type="application/json"),
        "redirect": Response(status=302, headers={"Location": f"{server.address}/elsewhere"}),
        "refuse": _json({"status": "error", "message": "you are not allow to use this payment method"}, 422),
        "status_error": _json({"status": "error", "message": "Payment method not active"}, 200),
    }[fault]


def _dripping(server: FawaterkServer, answer: bytes) -> Any:
    """One byte at a time: never late for a timeout that counts per read."""
    for byte in answer:
        if server._stopping.wait(0.05):
            return
        yield bytes([byte])


def _add_page(app: Flask, server: FawaterkServer) -> None:
    @app.get("/lk/<invoice_id>")
    def page(invoice_id: str) -> Response:
        try:
            invoice = server.books.invoice(invoice_id)
        except KeyError:
            return Response("no such invoice", 404, content_type="text/plain")
        return Response(_page(invoice), content_type="text/html; charset=utf-8")

    @app.post("/lk/<invoice_id>")
    def submit(invoice_id: str) -> Any:
        declined = request.form.get("outcome") == "declined"
        try:
            invoice = server.fail(invoice_id) if declined else server.pay(invoice_id)
        except KeyError:
            return Response("no such invoice", 404)
        url = invoice["fail_url" if declined else "success_url"]
        if not url:
            return Response("done", content_type="text/plain")
        return redirect(f"{url}{'&' if '?' in url else '?'}invoice_id={invoice_id}", 303)


def _page(invoice: Json) -> str:
    """A page that works without scripts or styles."""
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><title>Pay</title>"
        f"<h1>{escape(invoice['currency'])} {escape(invoice['total'])}</h1>"
        f"<p>Invoice {escape(invoice['invoice_id'])}: {escape(invoice['status_text'])}</p>"
        "<form method=post><button name=outcome value=paid>Pay</button> "
        "<button name=outcome value=declined>Decline</button></form></html>"
    )


def _add_control(app: Flask, server: FawaterkServer) -> None:
    """What a test in another process says, as JSON; the counterparts of the methods above."""

    @app.get("/_control/books")
    def books() -> Response:
        return _json(server.books.all())

    @app.get("/_control/calls")
    def calls() -> Response:
        return _json(server.books.calls())

    @app.get("/_control/webhooks")
    def webhooks() -> Response:
        return _json(server.books.webhooks())

    @app.post("/_control/<act>")
    def control(act: str) -> Response:
        told: Json = request.get_json(force=True, silent=True) or {}
        acts: dict[str, Callable[..., object]] = {
            "pay": server.pay,
            "fail": server.fail,
            "expire": server.expire,
            "script": server.script,
            "send_webhook": server.send_webhook,
            "settings": lambda **changes: _change_settings(server, **changes),
        }
        if act not in acts:
            raise Refusal(404, f"there is no {act}; there are {', '.join(acts)}")
        try:
            return _json({"result": acts[act](**told)})
        except (TypeError, KeyError) as trouble:
            raise Refusal(400, f"{type(trouble).__name__}: {trouble}") from trouble


def _change_settings(server: FawaterkServer, *, automatic_webhooks: bool) -> None:
    server.automatic_webhooks = automatic_webhooks


def main() -> None:
    parser = argparse.ArgumentParser(description="Fawaterk's API v2 on loopback, for tests and the demo.")
    parser.add_argument("--port", type=int, default=9010)
    parser.add_argument("--books", type=Path, required=True, help="the SQLite file of invoices and calls")
    parser.add_argument("--api-key", default="demo-vendor-key-0001")
    parser.add_argument("--huge-ids", action="store_true", help="ids above 2^53, sent as strings")
    parser.add_argument("--no-webhooks", action="store_true", help="send webhooks only when told to")
    told = parser.parse_args()
    server = FawaterkServer(
        told.books,
        port=told.port,
        api_key=told.api_key,
        huge_ids=told.huge_ids,
        automatic_webhooks=not told.no_webhooks,
    )
    print(f"listening on {server.address}", flush=True)  # noqa: T201
    server.serve()


if __name__ == "__main__":
    main()
