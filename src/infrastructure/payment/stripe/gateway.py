"""Stripe behind the payment port."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Final
from urllib.parse import urlsplit

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
from config.settings import StripeSettings
from domain.ledger.reconciliation import ProviderStatement
from domain.shared.clock import Clock
from domain.shared.money import Money
from infrastructure.payment.stripe import readings, wire
from infrastructure.payment.stripe.api import NoSuchObject, StripeApi
from infrastructure.payment.stripe.statements import statement_of
from infrastructure.payment.stripe.webhooks import read_notice
from infrastructure.payment.stripe.wire import MERCHANT_REFERENCE, Document, refused, unknown

if TYPE_CHECKING:
    from stripe.params import RefundCreateParams, TransferCreateParams
    from stripe.params.checkout import SessionCreateParams

SHORTEST_LIFE: Final = timedelta(minutes=35)
LONGEST_LIFE: Final = timedelta(hours=24) - timedelta(minutes=5)
"""A session lives from 30 minutes to 24 hours (contract §2.1), here counted from when the attempt was stored.

Five minutes are left for the request's way, a repetition, and clocks that differ.
"""

CARDS: Final = frozenset({"CREDIT_CARD", "DEBIT_CARD"})


class StripeGateway:
    """The PaymentGateway of one Stripe account.

    An attempt is a Checkout Session, and its charge the session's PaymentIntent. PaymentIntents that an app's own
    client makes are read and heard of too; none is made here.
    """

    name: ClassVar[str] = wire.PROVIDER
    methods: ClassVar[frozenset[str]] = CARDS | {"OTHER"}

    def __init__(self, account: StripeSettings, *, api: StripeApi, clock: Clock) -> None:
        self._account = account
        self._api = api
        self._clock = clock

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(refunds=True, tells_refunds=True, repeats_creation=True, pays_out=True, states=True)

    def offered(self) -> frozenset[str]:
        """All: which cards and methods the page shows is set on Stripe's dashboard, and a page has one always."""
        return self.methods

    def create_checkout(self, request: CheckoutRequest) -> Checkout:
        """Open a hosted page; the same request opens the same one (contract §1)."""
        if request.method not in self.methods:
            raise refused(f"{request.method} is not served")
        session = self._api.open_session(_session_for(request), key=f"checkout:{request.merchant_reference}")
        return Checkout(
            provider_reference=wire.required_id(session),
            provider_key="",
            url=self._page(session.get("url")),
            reference_number=None,
            qr_code=None,
            expires_at=wire.read_time(session.get("expires_at")),
        )

    def read(self, identity: ProviderIdentity) -> Reading:
        """What became of an attempt, with every refund and dispute of its charge."""
        try:
            standing = self._standing(identity)
            if not standing.paid:
                return standing.reading((), ())
            refunds = map(readings.refund_of, self._api.refunds_of(standing.intent))
            disputes = map(readings.dispute_of, self._api.disputes_of(standing.intent))
            return standing.reading(tuple(refunds), tuple(disputes))
        except NoSuchObject:
            return self._not_found(identity)
        except ProviderRefused as refusal:
            raise unknown(str(refusal.facts["reason"])) from refusal

    def parse_webhook(self, body: bytes, headers: Mapping[str, str]) -> WebhookNotice:
        """Verify a webhook, and say which payment it speaks of."""
        return read_notice(body, headers, secrets=self._account.webhook_secrets, at=self._clock.now())

    def refund(self, request: RefundRequest) -> RefundAnswer:
        """Give back a part, once for each reference.

        Stripe forgets idempotency keys after a day or so, but not its refunds: they are looked through first.
        """
        amount = wire.written_amount(request.amount)
        with _nothing_sent_yet():
            intent = self._intent_of(request.identity)
            made = _of_ours(self._api.refunds_of(intent), request.merchant_reference)
        if made is None:
            made = self._api.make_refund(
                _refund_for(request, intent, amount), key=f"refund:{request.merchant_reference}"
            )
        reading = readings.refund_of(made)
        _refuse_another_amount(reading.amount, request.amount)
        return RefundAnswer(reading.provider_refund_reference, reading.state, reading.reason)

    def transfer(self, request: TransferRequest) -> TransferReading:
        """Send money to a connected account, once for each reference (contract §2.5)."""
        if not (request.destination.startswith("acct_") and wire.is_id(request.destination)):
            raise refused("a transfer goes to a connected account (acct_…)")
        amount = wire.written_to_send_on(request.amount)
        with _nothing_sent_yet():
            made = _of_ours(self._api.transfers_of(request.merchant_reference), request.merchant_reference)
        if made is None:
            made = self._api.make_transfer(_transfer_for(request, amount), key=f"transfer:{request.merchant_reference}")
        _refuse_another_amount(wire.read_amount(made.get("amount"), made.get("currency")), request.amount)
        if wire.read_id(made.get("destination")) != request.destination:
            raise refused("the merchant reference was used before, for another account")
        return readings.transfer_of(made)

    def read_transfer(self, merchant_reference: str, provider_transfer_reference: str) -> TransferReading | None:
        try:
            if wire.is_id(provider_transfer_reference):
                return readings.transfer_of(self._api.transfer(provider_transfer_reference))
            found = _of_ours(self._api.transfers_of(merchant_reference), merchant_reference)
        except NoSuchObject:
            return None
        except ProviderRefused as refusal:
            raise unknown(str(refusal.facts["reason"])) from refusal
        return None if found is None else readings.transfer_of(found)

    def statement(self, day: date) -> ProviderStatement:
        """The balance's entries of a day in Cairo."""
        return statement_of(day, api=self._api)

    def _standing(self, identity: ProviderIdentity) -> readings.Standing:
        asked = identity.reference or identity.charge
        if not wire.is_id(asked):
            raise unknown("there is no reference to ask for")
        if not asked.startswith("pi_"):
            return readings.of_session(self._api.session(asked))
        sessions = self._api.sessions_of(asked)
        return readings.of_session(sessions[0]) if sessions else readings.of_intent(self._api.payment_intent(asked))

    def _intent_of(self, identity: ProviderIdentity) -> str:
        """The charge that a refund is a part of. Raises ProviderRefused where there is none."""
        if wire.is_id(identity.charge):
            return identity.charge
        if not wire.is_id(identity.reference):
            raise refused("there is no charge to give back")
        intent = wire.read_id(self._api.session(identity.reference).get("payment_intent"))
        if not intent:
            raise refused("nothing was charged")
        return intent

    def _not_found(self, identity: ProviderIdentity) -> Reading:
        return Reading(
            status=ReadingStatus.NOT_FOUND,
            provider_reference=identity.reference,
            provider_key="",
            paid=(),
            live=self._account.is_live,
        )

    def _page(self, url: object) -> str:
        """An address that a customer can be sent to: https, or http where Stripe itself is on loopback."""
        schemes = ("https://", f"{urlsplit(self._account.api_base).scheme}://")
        if not isinstance(url, str) or not url.startswith(schemes):
            raise unknown("the answer has no page to send the customer to")
        return url


@contextlib.contextmanager
def _nothing_sent_yet() -> Iterator[None]:
    """Looking moves nothing: where its answer is lost, it is still certain that nothing was asked for."""
    try:
        yield
    except OutcomeUnknown as trouble:
        raise ProviderUnreachable(provider=wire.PROVIDER, reason="not looked through") from trouble


def _session_for(request: CheckoutRequest) -> SessionCreateParams:
    """The same bytes for the same request: nothing of the payer, no time of now (contract §1)."""
    named = {MERCHANT_REFERENCE: request.merchant_reference}
    params: SessionCreateParams = {
        "mode": "payment",
        "client_reference_id": request.merchant_reference,
        "metadata": named,
        # Stripe does not copy a session's metadata to its PaymentIntent.
        "payment_intent_data": {"metadata": named},
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": wire.written_currency(request.amount),
                    "unit_amount": wire.written_amount(request.amount),
                    "product_data": {"name": wire.written_title(request.description)},
                },
            }
        ],
        "success_url": request.success_url,
        "cancel_url": request.cancel_url,
        "expires_at": int(_end(request).timestamp()),
        # The hosted page has no Arabic yet; it then takes what the customer's browser prefers.
        "locale": "en" if request.locale.lower().startswith("en") else "auto",
    }
    if request.method in CARDS:
        params["allowed_payment_method_types"] = ["card"]
    return params


def _end(request: CheckoutRequest) -> datetime:
    """When the page closes: as asked, within Stripe's bounds; the same at every repetition."""
    opened = request.created_at
    return min(max(request.expires_at, opened + SHORTEST_LIFE), opened + LONGEST_LIFE)


def _refund_for(request: RefundRequest, intent: str, amount: int) -> RefundCreateParams:
    return {
        "payment_intent": intent,
        "amount": amount,
        "reason": "requested_by_customer",
        "metadata": {MERCHANT_REFERENCE: request.merchant_reference, "reason": wire.written_title(request.reason)},
    }


def _transfer_for(request: TransferRequest, amount: int) -> TransferCreateParams:
    return {
        "amount": amount,
        "currency": wire.written_currency(request.amount),
        "destination": request.destination,
        "description": wire.written_title(request.description),
        "transfer_group": request.merchant_reference,
        "metadata": {MERCHANT_REFERENCE: request.merchant_reference},
    }


def _of_ours(made: list[Document], merchant_reference: str) -> Document | None:
    """What carries our reference already; the oldest, should there be two."""
    return next((one for one in reversed(made) if wire.read_reference(one) == merchant_reference), None)


def _refuse_another_amount(made: Money, wanted: Money) -> None:
    if made != wanted:
        raise refused(f"the merchant reference was used before, for {made}")
