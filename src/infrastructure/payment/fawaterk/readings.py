"""What Fawaterk's answers prove: whose charge it is, what was paid, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from application.billing.ports import OutcomeUnknown
from domain.shared.money import Money
from infrastructure.payment.fawaterk import wire

SUCCESSFUL: Final = frozenset({"success", "successful", "succeeded", "paid", "captured", "approved", "completed", "1"})
"""`status` of a row of `transaction_history` that took money; a list of words, since nobody documents them."""

_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)

Members = Mapping[str, object]


def unknown(reason: str) -> OutcomeUnknown:
    """The error for an answer that proves nothing."""
    return OutcomeUnknown(provider=wire.PROVIDER, reason=reason)


@dataclass(frozen=True, slots=True)
class Paid:
    """One successful charge, and when; None where it is not told."""

    amount: Money
    at: datetime | None


def answered_key(invoice: Members, reference: str, known_key: str) -> str:
    """The invoice's key; another invoice's answer settles nothing. Raises OutcomeUnknown.

    The key is not known yet (empty) where the answer to our create call was lost: then `pay_load` says
    whose invoice it is. Some accounts answer `intent_key` for `invoice_key` (contract §3.4).
    """
    key = wire.read_identifier(invoice.get("invoice_key") or invoice.get("intent_key"))
    told_reference = wire.read_identifier(invoice.get("invoice_id"))
    if not key or known_key not in ("", key) or told_reference not in ("", reference):
        raise unknown("the answer is about another invoice")
    return key


def is_paid(data: Members) -> bool:
    """By `paid` alone: the only flag to trust (contract §3.4). Raises OutcomeUnknown where it is not told."""
    paid = wire.read_flag(data.get("paid"))
    if paid is None:
        raise unknown("the answer does not say whether it is paid")
    return paid


def charge_reference(data: Members) -> str:
    """`transaction_id`, which is 0 until there is a charge (contract §4); empty then."""
    reference = wire.read_identifier(data.get("transaction_id"))
    return reference if reference.strip("0") else ""


def invoice_charges(invoice: Members) -> tuple[Paid, ...]:
    """What paid an invoice, row by row: the total on top may be converted to EGP (contract §3.4)."""
    at = wire.read_time(invoice.get("paid_at"))
    rows = [row for row in _rows(invoice, "invoice_transactions") if wire.read_flag(row.get("paidWithIt"))]
    return _proved([Paid(_invoice_amount(row), at) for row in rows])


def transaction_charges(transaction: Members) -> tuple[Paid, ...]:
    """What paid a transaction, by its history: the total on top is in EGP whatever was charged (contract §4).

    In the order of time: a charge keeps its place in the list when another one follows.
    """
    told_at = wire.read_time(transaction.get("paid_at"))
    rows = [row for row in _rows(transaction, "transaction_history") if _is_successful(row)]
    paid = [Paid(_amount(row, ("amount",), ("currency",)), wire.read_time(row.get("date")) or told_at) for row in rows]
    return _proved(sorted(paid, key=lambda charge: charge.at or _LONG_AGO))


def paid_since(charges: Callable[[Members], tuple[Paid, ...]], data: Members) -> datetime | None:
    """When the first charge was made; None where there is none yet, or nobody says. Raises OutcomeUnknown."""
    if not wire.read_flag(data.get("paid")):
        return None
    return charges(data)[0].at


def _proved(paid: list[Paid]) -> tuple[Paid, ...]:
    if not paid or not all(charge.amount.is_positive for charge in paid):
        raise unknown("paid, and no row says how much")
    return tuple(paid)


def _invoice_amount(row: Members) -> Money:
    return _amount(row, ("transactionAmount", "amount"), ("transactionCurrency", "currency"))


def _amount(row: Members, amounts: tuple[str, ...], currencies: tuple[str, ...]) -> Money:
    """Rows are spelled in two ways (contract §3.4)."""
    try:
        return wire.read_amount(wire.first_told(row, *amounts), wire.first_told(row, *currencies))
    except wire.Inexpressible as trouble:
        raise unknown(f"a paid amount is {trouble}") from trouble


def _is_successful(row: Members) -> bool:
    return str(row.get("status")).strip().casefold() in SUCCESSFUL


def _rows(data: Members, name: str) -> list[Members]:
    rows = data.get(name)
    return [row for row in (rows if isinstance(rows, list) else []) if isinstance(row, Mapping)]
