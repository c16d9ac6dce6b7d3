"""Fawaterk's API v2 behind the payment port: opens invoices, and asks what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar, Final
from urllib.parse import quote

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
    RefundReading,
    RefundRequest,
    TransferReading,
    TransferRequest,
    WebhookNotice,
)
from config.settings import FawaterkSettings
from domain.ledger.reconciliation import ProviderStatement
from domain.shared.clock import Clock
from infrastructure.payment.fawaterk import checkouts, readings, wire
from infrastructure.payment.fawaterk.access import OAuthAccess, VendorAccess, is_live
from infrastructure.payment.fawaterk.methods import DIRECT, HOSTED, WALLETS, AccountMethods
from infrastructure.payment.fawaterk.orders import invoice_order, wallet_number
from infrastructure.payment.fawaterk.readings import unknown
from infrastructure.payment.fawaterk.refunds import INVOICE, FawaterkRefunds, Refundable
from infrastructure.payment.fawaterk.webhooks import read_notice
from infrastructure.payment.http import JsonAnswer, ProviderClient, RefusedWithAnswer

NOT_FOUND_STATUSES: Final = frozenset({404, 422})


class FawaterkGateway:
    """The PaymentGateway of one Fawaterk merchant account, API v2.

    It has no void or search, and no idempotency: a create call whose answer is lost is an invoice that only
    a webhook or a person can name (contract §2, §3.7). Refunds are a matter of API v3 alone, so they need
    its credentials.
    """

    name: ClassVar[str] = wire.PROVIDER
    methods: ClassVar[frozenset[str]] = HOSTED | DIRECT.keys()

    def __init__(
        self, account: FawaterkSettings, *, client: ProviderClient, clock: Clock, oauth: OAuthAccess | None = None
    ) -> None:
        """`oauth` is the account's way to API v3 where somebody has one already."""
        self._account = account
        self._access = VendorAccess(account, client)
        self._methods = AccountMethods(self._ask_methods, clock)
        if oauth is None and account.client_id:
            oauth = OAuthAccess(account, client, clock)
        self._refunds = FawaterkRefunds(oauth, INVOICE) if oauth is not None else None

    @property
    def live(self) -> bool:
        return is_live(self._account)

    @property
    def capabilities(self) -> Capabilities:
        refunds = self._refunds is not None
        return Capabilities(refunds=refunds, tells_refunds=refunds, repeats_creation=False)

    def offered(self) -> frozenset[str]:
        """The hosted page's methods, and those of the account's list. Raises ProviderUnreachable."""
        return self._methods.offered()

    def create_checkout(self, request: CheckoutRequest) -> Checkout:
        """Open a hosted page, or a code or wallet request that is paid without one."""
        if request.method not in self.methods:
            raise ProviderRefused(provider=self.name, reason=f"{request.method} is not served")
        order = invoice_order(request, sar_code=self._account.sar_code)
        if request.method in DIRECT:
            return self._direct_checkout(request, order)
        opened = self._data(self._access.call("createInvoiceLink", "POST", "createInvoiceLink", order))
        return checkouts.hosted(
            opened,
            request,
            reference=checkouts.identity(opened, "invoiceId"),
            key=checkouts.identity(opened, "invoiceKey"),
            base_url=self._account.base_url,
        )

    def read(self, identity: ProviderIdentity) -> Reading:
        """What became of an invoice, by `paid` and the paying rows alone (contract §3.4).

        Never FAILED: a declined card may be tried again on the same page, and a cash code outlives its
        date. A refusal that is not "no such invoice" (a revoked key, say) tells nothing: OutcomeUnknown.
        An invoice is read by its id alone: a charge's number names none, and is refused.
        """
        if not identity.reference:
            raise ProviderRefused(provider=self.name, reason="an invoice is read by its id alone")
        invoice = self._invoice(identity)
        if invoice is None:
            return Reading(ReadingStatus.NOT_FOUND, identity.reference, identity.key, paid=(), live=self.live)
        key = readings.answered_key(invoice, identity.reference, identity.key)
        paid = readings.invoice_charges(invoice) if readings.is_paid(invoice) else ()
        return Reading(
            status=ReadingStatus.PAID if paid else ReadingStatus.OPEN,
            provider_reference=identity.reference,
            provider_key=key,
            paid=tuple(charge.amount for charge in paid),
            live=self.live,
            merchant_reference=wire.read_merchant_reference(invoice.get("pay_load")),
            charge_reference=readings.charge_reference(invoice),
            refunds=self._refunds_of(identity.reference, paid),
        )

    def parse_webhook(self, body: bytes, headers: Mapping[str, str]) -> WebhookNotice:
        """Verify a webhook of any kind, in either content type."""
        return read_notice(body, headers, secrets=self._account.webhook_secrets, references_are_keys=False)

    def refund(self, request: RefundRequest) -> RefundAnswer:
        """Ask for a refund by API v3, which takes invoices too (contract §4); decided by people there."""
        if self._refunds is None:
            raise ProviderRefused(provider=self.name, reason="refunds are made on the dashboard")
        reference = request.identity.reference
        try:
            since = readings.paid_since(readings.invoice_charges, self._invoice(request.identity) or {})
        except OutcomeUnknown as trouble:
            raise ProviderUnreachable(provider=self.name, reason="the invoice cannot be read") from trouble
        return self._refunds.ask(request, Refundable(reference, request.charged.currency, since=since))

    def transfer(self, request: TransferRequest) -> TransferReading:
        raise ProviderRefused(provider=self.name, reason="nothing is paid out")

    def read_transfer(self, merchant_reference: str, provider_transfer_reference: str) -> TransferReading | None:
        raise ProviderRefused(provider=self.name, reason="nothing is paid out")

    def statement(self, day: date) -> ProviderStatement:
        raise ProviderRefused(provider=self.name, reason="it states nothing")

    def _direct_checkout(self, request: CheckoutRequest, order: dict[str, Any]) -> Checkout:
        if request.method in WALLETS:
            order["mobileWalletNumber"] = wallet_number(request)
        order["payment_method_id"] = self._methods.number_of(request.method)
        opened = self._data(self._access.call("invoiceInitPay", "POST", "invoiceInitPay", order))
        means = opened.get("payment_data")
        return checkouts.direct(
            means if isinstance(means, Mapping) else {},
            request,
            reference=checkouts.identity(opened, "invoice_id"),
            key=checkouts.identity(opened, "invoice_key"),
            base_url=self._account.base_url,
        )

    def _refunds_of(self, number: str, paid: tuple[readings.Paid, ...]) -> tuple[RefundReading, ...]:
        if self._refunds is None or not paid:
            return ()
        return self._refunds.of(Refundable(number, paid[0].amount.currency, since=paid[0].at))

    def _invoice(self, identity: ProviderIdentity) -> Mapping[str, object] | None:
        """None where Fawaterk knows no such invoice. Raises OutcomeUnknown or ProviderUnreachable."""
        if not identity.reference.strip("."):
            raise unknown("there is no reference to ask for")
        path = f"getInvoiceData/{quote(identity.reference, safe='')}"
        try:
            return self._data(self._access.call("getInvoiceData", "GET", path))
        except RefusedWithAnswer as refusal:
            if _is_no_such_invoice(refusal.answer):
                return None
            raise unknown(str(refusal.facts["reason"])) from refusal
        except ProviderRefused as refusal:
            raise unknown(str(refusal.facts["reason"])) from refusal

    def _ask_methods(self) -> JsonAnswer:
        return self._access.call("getPaymentmethods", "GET", "getPaymentmethods")

    def _data(self, answer: JsonAnswer) -> Mapping[str, object]:
        inner = answer.document.get("data")
        if not isinstance(inner, dict):
            raise unknown("the answer has no data")
        return inner


def _is_no_such_invoice(answer: JsonAnswer) -> bool:
    """By Fawaterk's own envelope: a 404 without it comes from a wrong address, not from a missing invoice."""
    return answer.status in NOT_FOUND_STATUSES and answer.document.get("status") == "error"
