"""Fawaterk's API v3 behind the payment port: opens transactions, reads, refunds and states them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import ClassVar, Final

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
from infrastructure.payment.fawaterk.access import OAuthAccess, is_live
from infrastructure.payment.fawaterk.gateway import NOT_FOUND_STATUSES, FawaterkGateway
from infrastructure.payment.fawaterk.methods import DIRECT, HOSTED, WALLETS, AccountMethods
from infrastructure.payment.fawaterk.orders import transaction_order, wallet_number
from infrastructure.payment.fawaterk.readings import unknown
from infrastructure.payment.fawaterk.refunds import TRANSACTION, FawaterkRefunds, Refundable
from infrastructure.payment.fawaterk.statements import TransactionStatements
from infrastructure.payment.fawaterk.webhooks import read_notice
from infrastructure.payment.http import JsonAnswer, ProviderClient, RefusedWithAnswer

Members = Mapping[str, object]

_SECONDS: Final = re.compile(r"[1-9][0-9]{0,8}")


class FawaterkV3Gateway:
    """The PaymentGateway of one Fawaterk merchant account, API v3.

    A transaction is known by its intent key, which has no second half. Invoices that API v2 opened for the
    same account are known by theirs, and are still read and refunded: codes outlive a change of versions.
    """

    name: ClassVar[str] = wire.PROVIDER
    methods: ClassVar[frozenset[str]] = HOSTED | DIRECT.keys()

    def __init__(self, account: FawaterkSettings, *, client: ProviderClient, clock: Clock) -> None:
        self._account = account
        self._clock = clock
        self._access = OAuthAccess(account, client, clock)
        self._methods = AccountMethods(self._ask_methods, clock)
        self._refunds = FawaterkRefunds(self._access, TRANSACTION)
        self._statements = TransactionStatements(self._access, self._found)
        self._invoices = FawaterkGateway(account, client=client, clock=clock, oauth=self._access)

    @property
    def live(self) -> bool:
        return is_live(self._account)

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(refunds=True, tells_refunds=True, repeats_creation=False, states=True)

    def offered(self) -> frozenset[str]:
        """The hosted page's methods, and those of the account's list. Raises ProviderUnreachable."""
        return self._methods.offered()

    def create_checkout(self, request: CheckoutRequest) -> Checkout:
        """Open a hosted page, or a code or wallet request that is paid without one."""
        if request.method not in self.methods:
            raise ProviderRefused(provider=self.name, reason=f"{request.method} is not served")
        order = transaction_order(request, sar_code=self._account.sar_code)
        if request.method in WALLETS:
            order["mobileWalletNumber"] = wallet_number(request)
        if request.method in DIRECT:
            order["payment_method_id"] = self._methods.number_of(request.method)
        answer = self._access.call("createTransaction", "POST", "createTransaction", order)
        # Direct answers were seen flat, without `data` (contract §4).
        opened = _data(answer) or answer.document
        reference, base_url = checkouts.identity(opened, "intent_key"), self._account.base_url
        if request.method in HOSTED:
            until = self._end_of_page(opened)
            return checkouts.hosted(opened, request, reference=reference, key="", base_url=base_url, until=until)
        means = opened.get("payment_data")
        told = {**opened, **means} if isinstance(means, Mapping) else opened
        return checkouts.direct(told, request, reference=reference, key="", base_url=base_url)

    def read(self, identity: ProviderIdentity) -> Reading:
        """What became of a transaction, by `paid` and the successful rows of its history (contract §4).

        Never FAILED: a declined card may be tried again. A transaction is read by its intent key alone: one that
        is named by its number only is refused. Where the answer tells nothing, OutcomeUnknown.
        """
        if identity.key:
            return self._invoices.read(identity)
        if not identity.reference:
            raise ProviderRefused(provider=self.name, reason="a transaction is read by its intent key alone")
        transaction = self._found(identity.reference)
        if transaction is None:
            return Reading(ReadingStatus.NOT_FOUND, identity.reference, "", paid=(), live=self.live)
        charge_reference = readings.charge_reference(transaction)
        if identity.charge and charge_reference not in ("", identity.charge):
            raise unknown("the answer is about another transaction")
        paid = readings.transaction_charges(transaction) if readings.is_paid(transaction) else ()
        return Reading(
            status=ReadingStatus.PAID if paid else ReadingStatus.OPEN,
            provider_reference=identity.reference,
            provider_key="",
            paid=tuple(charge.amount for charge in paid),
            live=self.live,
            merchant_reference=wire.read_merchant_reference(wire.first_told(transaction, "pay_load", "payLoad")),
            charge_reference=charge_reference,
            refunds=self._refunds_of(charge_reference, paid),
        )

    def parse_webhook(self, body: bytes, headers: Mapping[str, str]) -> WebhookNotice:
        """Verify a webhook of any kind and of either version, in either content type."""
        return read_notice(body, headers, secrets=self._account.webhook_secrets, references_are_keys=True)

    def refund(self, request: RefundRequest) -> RefundAnswer:
        """Ask for a refund of a transaction, which people at Fawaterk decide later."""
        if request.identity.key:
            return self._invoices.refund(request)
        return self._refunds.ask(request, self._refundable(request))

    def transfer(self, request: TransferRequest) -> TransferReading:
        raise ProviderRefused(provider=self.name, reason="nothing is paid out")

    def read_transfer(self, merchant_reference: str, provider_transfer_reference: str) -> TransferReading | None:
        raise ProviderRefused(provider=self.name, reason="nothing is paid out")

    def statement(self, day: date) -> ProviderStatement:
        """The charges of a day; refunds are not in it, since nobody says on which day they were paid."""
        return self._statements.of(day)

    def _end_of_page(self, opened: Members) -> datetime | None:
        """From `expires_in`: pages live two hours, after which a link that is shown again would be dead."""
        seconds = wire.read_identifier(opened.get("expires_in"))
        return self._clock.now() + timedelta(seconds=int(seconds)) if _SECONDS.fullmatch(seconds) else None

    def _refunds_of(self, charge_reference: str, paid: tuple[readings.Paid, ...]) -> tuple[RefundReading, ...]:
        if not paid or not charge_reference:
            return ()
        return self._refunds.of(Refundable(charge_reference, paid[0].amount.currency, since=paid[0].at))

    def _refundable(self, request: RefundRequest) -> Refundable:
        """The transaction's number, and when it was paid. Raises ProviderUnreachable: nothing was asked for."""
        identity = request.identity
        try:
            transaction = self._found(identity.reference)
            if transaction is None:
                raise ProviderRefused(provider=self.name, reason="there is no such transaction")
            since = readings.paid_since(readings.transaction_charges, transaction)
        except OutcomeUnknown as trouble:
            raise ProviderUnreachable(provider=self.name, reason="the transaction cannot be read") from trouble
        number = readings.charge_reference(transaction)
        if not number:
            raise ProviderRefused(provider=self.name, reason="nothing was charged")
        if identity.charge not in ("", number):
            raise ProviderUnreachable(provider=self.name, reason="the answer is about another charge")
        return Refundable(number, request.charged.currency, since=since)

    def _found(self, intent_key: str) -> Members | None:
        """None where Fawaterk says in a sentence that it is not found or over; sentences by field are our fault."""
        if not intent_key:
            raise unknown("there is no reference to ask for")
        try:
            answer = self._access.call("getTransactionData", "POST", "getTransactionData", {"intent_key": intent_key})
        except RefusedWithAnswer as refusal:
            if _is_not_found(refusal.answer):
                return None
            raise unknown(str(refusal.facts["reason"])) from refusal
        except ProviderRefused as refusal:
            raise unknown(str(refusal.facts["reason"])) from refusal
        transaction = _data(answer)
        if answer.document.get("status") != "success" or transaction is None:
            raise unknown("the answer has no data")
        if wire.read_identifier(transaction.get("intent_key")) != intent_key:
            raise unknown("the answer is about another transaction")
        return transaction

    def _ask_methods(self) -> JsonAnswer:
        return self._access.call("getTrPaymentmethods", "GET", "getTrPaymentmethods")


def _data(answer: JsonAnswer) -> Members | None:
    inner = answer.document.get("data")
    return inner if isinstance(inner, Mapping) else None


def _is_not_found(answer: JsonAnswer) -> bool:
    is_told = isinstance(answer.document.get("message"), str) and answer.document.get("status") == "error"
    return answer.status in NOT_FOUND_STATUSES and is_told
