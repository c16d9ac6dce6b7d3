"""Fawaterk behind the payment port: opens checkouts, and asks what became of them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, Final
from urllib.parse import quote, urlsplit

import orjson

from application.billing.ports import (
    Capabilities,
    Checkout,
    CheckoutRequest,
    OutcomeUnknown,
    ProviderIdentity,
    ProviderRefused,
    ProviderUnreachable,
    Reading,
    ReadingStatus,
    RefundAnswer,
    RefundRequest,
    TransferReading,
    TransferRequest,
    WebhookNotice,
)
from config.settings import FawaterkSettings
from domain.ledger.reconciliation import ProviderStatement
from domain.shared.clock import Clock
from domain.shared.money import Money
from infrastructure.payment.fawaterk import wire
from infrastructure.payment.fawaterk.orders import order_for, wallet_number
from infrastructure.payment.fawaterk.readings import answered_key, charges, unknown
from infrastructure.payment.fawaterk.webhooks import read_notice
from infrastructure.payment.http import JsonAnswer, ProviderClient, RefusedWithAnswer, refusal_reason

LIVE_HOST: Final = "app.fawaterk.com"
"""The only host that takes real money; staging.fawaterk.com and everything else is a test (contract §1)."""

METHOD_NAMES: Final = {"FAWRY": "fawry", "MEEZA": "meeza", "VODAFONE_CASH": "meeza"}
"""The guide's methods that are paid without a page → `name_en` in the account's list (contract §3.1).

Mobile wallets of every operator are paid through Meeza's.
"""

WALLETS: Final = frozenset({"MEEZA", "VODAFONE_CASH"})

METHODS_KEPT_FOR: Final = timedelta(hours=1)

NOT_FOUND_STATUSES: Final = frozenset({404, 422})


class FawaterkGateway:
    """The PaymentGateway of one Fawaterk merchant account, API v2.

    It has no refund, void or search, and no idempotency: a create call whose answer is lost is an invoice
    that only a webhook or a person can name (contract §2, §3.7).
    """

    name: ClassVar[str] = wire.PROVIDER
    methods: ClassVar[frozenset[str]] = frozenset({"CREDIT_CARD", "DEBIT_CARD", "OTHER", *METHOD_NAMES})

    def __init__(self, account: FawaterkSettings, *, client: ProviderClient, clock: Clock) -> None:
        self._account = account
        self._client = client
        self._clock = clock
        self._offered = _OfferedMethods()

    @property
    def live(self) -> bool:
        """Whether this account takes real money; Fawaterk's answers do not say, its address does."""
        return urlsplit(self._account.base_url).hostname == LIVE_HOST

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(refunds=False, tells_refunds=False, repeats_creation=False)

    def offered(self) -> frozenset[str]:
        """What is paid on the hosted page always; codes and wallets as the account's list has them."""
        return self.methods

    def refund(self, request: RefundRequest) -> RefundAnswer:
        raise ProviderRefused(provider=self.name, reason="refunds are made on the dashboard")

    def transfer(self, request: TransferRequest) -> TransferReading:
        raise ProviderRefused(provider=self.name, reason="nothing is paid out")

    def read_transfer(self, merchant_reference: str, provider_transfer_reference: str) -> TransferReading | None:
        raise ProviderRefused(provider=self.name, reason="nothing is paid out")

    def statement(self, day: date) -> ProviderStatement:
        raise ProviderRefused(provider=self.name, reason="it states nothing")

    def create_checkout(self, request: CheckoutRequest) -> Checkout:
        """Open a hosted page, or a code or wallet request that is paid without one."""
        if request.method not in self.methods:
            raise ProviderRefused(provider=self.name, reason=f"{request.method} is not served")
        if request.method in METHOD_NAMES:
            return self._direct_checkout(request)
        return self._hosted_checkout(request)

    def read(self, identity: ProviderIdentity) -> Reading:
        """What became of an invoice, by `paid` and the paying rows alone (contract §3.4).

        Never FAILED: a declined card may be tried again on the same page, and a cash code outlives its
        date. A refusal that is not "no such invoice" (a revoked key, say) tells nothing: OutcomeUnknown.
        """
        provider_reference, provider_key = identity.reference, identity.key
        if not provider_reference.strip("."):
            raise unknown("there is no reference to ask for")
        path = f"getInvoiceData/{quote(provider_reference, safe='')}"
        try:
            invoice = self._data(self._call("getInvoiceData", "GET", path))
        except RefusedWithAnswer as refusal:
            if _is_no_such_invoice(refusal.answer):
                return self._reading(ReadingStatus.NOT_FOUND, provider_reference, provider_key)
            raise unknown(str(refusal.facts["reason"])) from refusal
        except ProviderRefused as refusal:
            raise unknown(str(refusal.facts["reason"])) from refusal
        key = answered_key(invoice, provider_reference, provider_key)
        paid = wire.read_flag(invoice.get("paid"))
        if paid is None:
            raise unknown("the answer does not say whether it is paid")
        return self._reading(
            ReadingStatus.PAID if paid else ReadingStatus.OPEN,
            provider_reference,
            key,
            paid=charges(invoice) if paid else (),
            merchant_reference=wire.read_merchant_reference(invoice.get("pay_load")),
        )

    def parse_webhook(self, body: bytes, headers: Mapping[str, str]) -> WebhookNotice:
        """Verify a webhook of any kind, in either content type."""
        return read_notice(body, headers, secret=self._account.webhook_secret)

    def _reading(
        self,
        status: ReadingStatus,
        provider_reference: str,
        provider_key: str,
        *,
        paid: tuple[Money, ...] = (),
        merchant_reference: str = "",
    ) -> Reading:
        return Reading(
            status=status,
            provider_reference=provider_reference,
            provider_key=provider_key,
            paid=paid,
            live=self.live,
            merchant_reference=merchant_reference,
        )

    def _hosted_checkout(self, request: CheckoutRequest) -> Checkout:
        opened = self._data(self._call("createInvoiceLink", "POST", "createInvoiceLink", order_for(request)))
        url = self._page(opened.get("url"))
        if url is None:
            raise unknown("the answer has no page to send the customer to")
        return Checkout(
            provider_reference=_identity(opened, "invoiceId"),
            provider_key=_identity(opened, "invoiceKey"),
            url=url,
            reference_number=None,
            qr_code=None,
            expires_at=request.expires_at,
        )

    def _direct_checkout(self, request: CheckoutRequest) -> Checkout:
        order = order_for(request)
        if request.method in WALLETS:
            order["mobileWalletNumber"] = wallet_number(request)
        order["payment_method_id"] = self._method_id(request.method)
        opened = self._data(self._call("invoiceInitPay", "POST", "invoiceInitPay", order))
        means = opened.get("payment_data")
        means = means if isinstance(means, Mapping) else {}
        checkout = Checkout(
            provider_reference=_identity(opened, "invoice_id"),
            provider_key=_identity(opened, "invoice_key"),
            url=self._page(means.get("redirectTo")),
            reference_number=wire.read_identifier(means.get("fawryCode") or means.get("meezaReference")) or None,
            qr_code=_text(means.get("meezaQrCode")) or None,
            expires_at=wire.read_time(means.get("expireDate")) or request.expires_at,
        )
        if not (checkout.url or checkout.reference_number or checkout.qr_code):
            raise unknown("the answer has nothing to pay with")
        return checkout

    def _method_id(self, method: str) -> int:
        """The account's own number of a method. Raises ProviderRefused where the account does not offer it."""
        try:
            offered = self._offered.at(self._clock.now()) or self._ask_offered()
        except OutcomeUnknown as trouble:
            # Asking for the list changes nothing, so it is still certain that nothing was created.
            raise ProviderUnreachable(provider=self.name, reason="no list of methods") from trouble
        number = offered.get(METHOD_NAMES[method])
        if number is None:
            raise ProviderRefused(provider=self.name, reason=f"the account does not offer {method}")
        return number

    def _ask_offered(self) -> Mapping[str, int]:
        answer = self._call("getPaymentmethods", "GET", "getPaymentmethods")
        listed = answer.document.get("data")
        offered = dict(filter(None, map(_listed_method, listed if isinstance(listed, list) else [])))
        self._offered.keep(offered, at=self._clock.now())
        return offered

    def _call(self, operation: str, verb: str, path: str, order: dict[str, Any] | None = None) -> JsonAnswer:
        """Ask and require success. Raises ProviderRefused where a 200 says otherwise (contract §2)."""
        answer = self._client.call(
            operation,
            verb,
            f"{self._account.base_url}/{path}",
            headers={
                "Authorization": f"Bearer {self._account.api_key}",
                # On GET too: Fawaterk answers 400 without it (contract §2).
                "Content-Type": "application/json",
                "Accept": "application/json",
            },
            body=None if order is None else orjson.dumps(order),
        )
        if answer.document.get("status") == "success":
            return answer
        if answer.document.get("status") == "error":
            raise ProviderRefused(provider=self.name, reason=refusal_reason(answer.document))
        raise unknown("the answer has no status")

    def _data(self, answer: JsonAnswer) -> Mapping[str, object]:
        inner = answer.document.get("data")
        if not isinstance(inner, dict):
            raise unknown("the answer has no data")
        return inner

    def _page(self, url: object) -> str | None:
        """An address that a customer can be sent to: https, or http where Fawaterk itself is on loopback."""
        schemes = ("https://", f"{urlsplit(self._account.base_url).scheme}://")
        return url if isinstance(url, str) and url.startswith(schemes) else None


class _OfferedMethods:
    """The account's method list, kept for an hour: it is to be cached (contract §2)."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._kept: tuple[datetime, Mapping[str, int]] | None = None

    def at(self, now: datetime) -> Mapping[str, int] | None:
        with self._guard:
            if self._kept is None or now - self._kept[0] >= METHODS_KEPT_FOR:
                return None
            return self._kept[1]

    def keep(self, offered: Mapping[str, int], *, at: datetime) -> None:
        with self._guard:
            self._kept = (at, offered)


def _listed_method(row: object) -> tuple[str, int] | None:
    """Name and number of one row of the list; rows that cannot be read are left out, unknown ones kept."""
    if not isinstance(row, Mapping):
        return None
    number = wire.read_identifier(row.get("paymentId"))
    name = _text(row.get("name_en")).strip().casefold()
    return (name, int(number)) if name and number.isascii() and number.isdigit() else None


def _identity(opened: Mapping[str, object], member: str) -> str:
    identifier = wire.read_identifier(opened.get(member))
    if not identifier:
        raise unknown(f"the answer has no {member}")
    return identifier


def _is_no_such_invoice(answer: JsonAnswer) -> bool:
    """By Fawaterk's own envelope: a 404 without it comes from a wrong address, not from a missing invoice."""
    return answer.status in NOT_FOUND_STATUSES and answer.document.get("status") == "error"


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
