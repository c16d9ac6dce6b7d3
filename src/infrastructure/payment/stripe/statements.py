"""What Stripe booked on a day, as lines that the books are compared with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from domain.ledger.reconciliation import Balances, LineKind, ProviderStatement, StatementLine
from domain.shared.clock import start_of_business_day
from domain.shared.money import EXPONENTS, Money
from infrastructure.payment.stripe import wire
from infrastructure.payment.stripe.api import StripeApi
from infrastructure.payment.stripe.wire import Document

LONGEST_SESSION: Final = timedelta(hours=25)
"""A session lives for 24 hours; who pays by a delayed method may complete one later still."""

KINDS: Final = {
    "charge": LineKind.PAYMENT,
    "payment": LineKind.PAYMENT,
    "refund": LineKind.REFUND,
    "payment_refund": LineKind.REFUND,
    "refund_failure": LineKind.REFUND,
    "payment_failure_refund": LineKind.REFUND,
    "payment_reversal": LineKind.REFUND,
    "stripe_fee": LineKind.FEE,
    "stripe_fx_fee": LineKind.FEE,
    "tax_fee": LineKind.FEE,
    "payout": LineKind.PAYOUT,
    "payout_cancel": LineKind.PAYOUT,
    "payout_failure": LineKind.PAYOUT,
}
"""By the entry's `type`; transfers, disputes, top-ups and reserves are OTHER."""

IN_CUSTOMERS_MONEY: Final = frozenset({LineKind.PAYMENT, LineKind.REFUND})


@dataclass(frozen=True, slots=True)
class _Day:
    """The entries of one day, and which session each PaymentIntent of them belongs to."""

    day: date
    api: StripeApi
    sessions: dict[str, str]

    def lines(self, entry: Document) -> Iterator[StatementLine]:
        """An entry's gross amount under what it is about, and its fee under the entry's own id.

        Charges and refunds are told in the customer's money, as our receipts are. Where the balance is in other
        money, a pair of OTHER lines tells the exchange, so that the lines of each currency still add up.
        """
        kind = KINDS.get(wire.read_text(entry.get("type")), LineKind.OTHER)
        booked = wire.read_amount(entry.get("amount"), entry.get("currency"))
        source = entry.get("source")
        source = source if isinstance(source, dict) else {}
        told = _in_customers_money(booked, source) if kind in IN_CUSTOMERS_MONEY else booked
        entry_id = wire.required_id(entry)
        yield self._line(self._reference(kind, source) or wire.read_id(entry.get("source")) or entry_id, kind, told)
        if told.currency != booked.currency:
            yield self._line(entry_id, LineKind.OTHER, -told)
            yield self._line(entry_id, LineKind.OTHER, booked)
        fee = wire.read_amount(entry.get("fee"), entry.get("currency"))
        if not fee.is_zero:
            yield self._line(entry_id, LineKind.FEE, -fee)

    def _line(self, reference: str, kind: LineKind, amount: Money) -> StatementLine:
        return StatementLine(provider_reference=reference, kind=kind, amount=amount, booked_on=self.day)

    def _reference(self, kind: LineKind, source: Document) -> str:
        """For a charge what its reading calls itself: the session, or the PaymentIntent that no session made."""
        intent = wire.read_id(source.get("payment_intent"))
        if kind is not LineKind.PAYMENT or not intent:
            return ""
        if intent not in self.sessions:
            found = self.api.sessions_of(intent)
            self.sessions[intent] = wire.required_id(found[0]) if found else intent
        return self.sessions[intent]


def statement_of(day: date, *, api: StripeApi) -> ProviderStatement:
    """All entries of a calendar day in Cairo, by when Stripe made them.

    The sessions opened since a day before are listed at once, rather than asked for charge by charge. Every
    currency that the account holds is stated, also where nothing moved: else what only we know is not missed.
    """
    since, until = start_of_business_day(day), start_of_business_day(day + timedelta(days=1))
    entries = api.booked(since, until)
    opened = api.sessions_opened(since - LONGEST_SESSION, until) if entries else []
    sessions = {wire.read_id(one.get("payment_intent")): wire.required_id(one) for one in opened}
    whole_day = _Day(day, api, {intent: session for intent, session in sessions.items() if intent})
    lines = tuple(line for entry in reversed(entries) for line in whole_day.lines(entry))
    balances = {(code, day): Balances() for code in sorted(_held(api.balance()))}
    return ProviderStatement(provider=wire.PROVIDER, lines=lines, balances=balances)


def _in_customers_money(booked: Money, source: Document) -> Money:
    """A charge's or refund's own amount, signed as the entry is; the entry's where the source tells none."""
    if not source.get("currency"):
        return booked
    own = wire.read_amount(source.get("amount"), source.get("currency"))
    return booked if own.currency == booked.currency else own if booked.is_positive else -own


def _held(balance: Document) -> set[str]:
    """The currencies of the account that the company uses."""
    rows = [row for part in ("available", "pending") for row in balance.get(part) or [] if isinstance(row, Mapping)]
    return {wire.read_text(row.get("currency")).upper() for row in rows} & EXPONENTS.keys()
