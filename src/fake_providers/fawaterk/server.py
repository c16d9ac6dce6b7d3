"""The provider itself: a server on loopback, and what a test or a demonstration tells it to do."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

from fake_providers import refuse_in_production
from fake_providers.fawaterk.application import application
from fake_providers.fawaterk.books import FIRST_HUGE_ID, FIRST_ID, Books
from fake_providers.fawaterk.deliveries import Deliveries, is_form, letter_of
from fake_providers.fawaterk.notices import notice_of, refund_notice
from fake_providers.fawaterk.orders import record_of
from fake_providers.fawaterk.refunds import RefundDesk
from fake_providers.fawaterk.values import Json, now_in_cairo

METHODS: tuple[dict[str, object], ...] = (
    {"paymentId": 2, "name_en": "Visa-Mastercard", "name_ar": "فيزا -ماستر كارد", "redirect": "true"},
    {"paymentId": 3, "name_en": "Fawry", "name_ar": "فورى", "redirect": "false"},
    {"paymentId": 4, "name_en": "Meeza", "name_ar": "ميزة", "redirect": "false"},
    {"paymentId": 12, "name_en": "Aman", "name_ar": "أمان", "redirect": "false"},
    {"paymentId": 14, "name_en": "Masary", "name_ar": "مصاري", "redirect": "false"},
    {"paymentId": 15, "name_en": "Basata", "name_ar": "بساطة", "redirect": "false"},
    {"paymentId": 91, "name_en": "Moon Dust Credit", "name_ar": "غبار القمر", "redirect": "false"},
)
HANG_SECONDS = 30.0


class FawaterkServer:
    """The provider: its API, its payer's page, and what a test tells it to do.

    `faults` by path are used up one per call: `timeout_before` and `timeout_after` (hang without, or with
    the effect), `cut_before`, `cut_after`, `error_500`, `error_500_after`, `cache_unavailable`, `html`,
    `half_json`, `refuse`, `refuse_fields`, `status_error`, `unauthorized`, `redirect`, `huge`, `slow`.

    Invoices of v2 are named by their id, transactions of v3 by their intent key.
    """

    def __init__(
        self,
        books: Path,
        *,
        port: int = 0,
        api_key: str = "demo-vendor-key-0001",
        client_id: str = "demo-client-0001",
        client_secret: str = "demo-client-secret-0001",  # noqa: S107 - a fake's
        methods: tuple[dict[str, object], ...] = METHODS,
        huge_ids: bool = False,
        newer_shape: bool = False,
        automatic_webhooks: bool = True,
        token_seconds: int = 31_536_000,
        sar_code: str = "SR",
    ) -> None:
        refuse_in_production()
        self.books = Books(books)
        self.deliveries = Deliveries(self.books)
        self.refunds = RefundDesk(self.books)
        self.api_key = api_key
        self.client_id = client_id
        self.client_secret = client_secret
        self.methods = methods
        self.huge_ids = huge_ids
        self.newer_shape = newer_shape
        self.automatic_webhooks = automatic_webhooks
        self.token_seconds = token_seconds
        self.sar_code = sar_code
        self.orders: list[bytes] = []
        """The bodies of create calls as received, newest last; those of refunds too."""
        self._faults: dict[str, deque[str]] = {}
        self._guard = threading.Lock()
        self._answers = 0
        self.stopping = threading.Event()
        self._server = make_server("127.0.0.1", port, application(self), threaded=True, request_handler=_QuietHandler)
        self._server.daemon_threads = True  # type: ignore[attr-defined]
        self._thread: threading.Thread | None = None

    # Running

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def base_url(self) -> str:
        """Of API v2."""
        return f"{self.address}/api/v2"

    @property
    def base_url_v3(self) -> str:
        return f"{self.address}/api/v3"

    def start(self) -> FawaterkServer:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        self.stopping.set()
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

    def script_webhooks(self, fate: str, times: int = 1) -> None:
        """The next automatic webhooks are `lost`, sent `twice`, or `held` until `release_webhooks`."""
        self.deliveries.script(fate, times)

    def release_webhooks(self, *, newest_first: bool = False) -> list[int]:
        """Send what was held: late, and in the other order if asked."""
        return self.deliveries.release(newest_first=newest_first)

    def calls(self, path: str) -> int:
        return self.books.calls().get(path, 0)

    def pay(self, invoice_id: str, times: int = 1, amount: str | None = None) -> Json:
        """The customer pays, in full or another amount; sends the webhook where one is configured."""
        record = self.books.change(invoice_id, lambda it: _book_charges(it, times, amount))
        self._tell_automatically("paid", record)
        return record

    def pay_code(self, code: str, amount: str | None = None) -> Json:
        """The customer pays at a counter, by the code alone. Raises KeyError."""
        return self.pay(self.books.by_code(code)["reference"], amount=amount)

    def fail(self, invoice_id: str) -> Json:
        """The customer's card is declined; the invoice can still be paid."""
        record = self.books.change(invoice_id, _book_decline)
        self._tell_automatically("failed", record)
        return record

    def expire(self, invoice_id: str) -> Json:
        """The due date passes; like the real one, the invoice can still be paid late."""
        record = self.books.change(invoice_id, lambda it: it.update(status_text="expired"))
        self._tell_automatically("expired", record)
        return record

    def forget(self, invoice_id: str) -> Json:
        """An intent of v3 leaves the provider's cache: from now on it is not found."""
        return self.books.change(invoice_id, lambda it: it.update(is_forgotten=True))

    def revoke_tokens(self) -> None:
        """Every token that was given out is refused from now on."""
        self.books.forget_tokens()

    def refund_on_dashboard(self, invoice_id: str, amount: str, reason: str = "asked for by telephone") -> Json:
        """Staff give money back without us."""
        return self.refunds.asked(self.books.invoice(invoice_id), amount, reason)

    def approve_refund(self, refund: int) -> Json:
        """The provider's people agree; sends the webhook."""
        return self._decide(refund, "approved")

    def refuse_refund(self, refund: int) -> Json:
        """The provider's people do not agree; nobody is told."""
        return self._decide(refund, "refused")

    def _decide(self, number: int, status: str) -> Json:
        refund = self.refunds.decided(number, status)
        record = self.books.invoice(refund["reference"])
        if status == "approved" and self.automatic_webhooks and record["webhook_url"]:
            body = refund_notice(refund, record, self.api_key)
            self.deliveries.dispatch(letter_of("refund", record["reference"], record["webhook_url"], body, form=False))
        return refund

    def webhook(self, kind: str, invoice_id: str, *, tamper: Mapping[str, object] | None = None) -> dict[str, object]:
        """A signed webhook body; `tamper` changes members after signing, None removes one."""
        body = notice_of(kind, self.books.invoice(invoice_id), self.api_key)
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
        body = self.webhook(kind, invoice_id, tamper=tamper)
        return self.deliveries.post(letter_of(kind, invoice_id, url, body, form=form), times)

    def _tell_automatically(self, kind: str, record: Json) -> None:
        url = record["webhook_url"]
        if self.automatic_webhooks and url:
            body = self.webhook(kind, record["reference"])
            self.deliveries.dispatch(letter_of(kind, record["reference"], url, body, form=is_form(kind, url)))

    # What the API does

    def next_fault(self, path: str) -> str:
        with self._guard:
            scripted = self._faults.get(path)
            return scripted.popleft() if scripted else ""

    def hang(self) -> None:
        self.stopping.wait(HANG_SECONDS)

    def create(self, order: Json, method: dict[str, object] | None, generation: str = "v2") -> Json:
        record = record_of(order, method, generation=generation, sar_code=self.sar_code)
        number = self.books.add(record, FIRST_HUGE_ID if self.huge_ids else FIRST_ID)
        return self.books.invoice(record["invoice_key"] if generation == "v3" else number)

    def written_id(self, invoice_id: str) -> int | str:
        return invoice_id if self.huge_ids else int(invoice_id)

    def writes_text(self) -> bool:
        """Whether this answer has its numbers as strings: every other one does."""
        with self._guard:
            self._answers += 1
            return self._answers % 2 == 0


def _book_charges(record: Json, times: int, amount: str | None) -> None:
    for _ in range(times):
        record["transactions"].append(_row(record, "success", paying=1, amount=amount))
    record.update(paid=1, paid_at=now_in_cairo(), status_text="paid", is_real=True)


def _book_decline(record: Json) -> None:
    record["transactions"].append(_row(record, "failed", paying=0, amount=None))
    record["is_real"] = True


def _row(record: Json, status: str, *, paying: int, amount: str | None) -> Json:
    return {
        "status": status,
        "paying": paying,
        "amount": amount or record["total"],
        "currency": record["currency"],
        "reference": f"{record['code']}{len(record['transactions'])}",
        "date": now_in_cairo(),
    }


class _QuietHandler(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - the name is werkzeug's
        """A test's output is its own."""
