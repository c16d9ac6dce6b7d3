"""What an answer of getInvoiceData proves: whose invoice it is, and which charges paid it."""

from __future__ import annotations

from collections.abc import Mapping

from application.billing.ports import OutcomeUnknown
from domain.shared.money import Money
from infrastructure.payment.fawaterk import wire


def unknown(reason: str) -> OutcomeUnknown:
    """The error for an answer that proves nothing."""
    return OutcomeUnknown(provider=wire.PROVIDER, reason=reason)


def answered_key(invoice: Mapping[str, object], reference: str, known_key: str) -> str:
    """The invoice's key; another invoice's answer settles nothing. Raises OutcomeUnknown.

    The key is not known yet (empty) where the answer to our create call was lost: then `pay_load` says
    whose invoice it is. Some accounts answer `intent_key` for `invoice_key` (contract §3.4).
    """
    key = wire.read_identifier(invoice.get("invoice_key") or invoice.get("intent_key"))
    told_reference = wire.read_identifier(invoice.get("invoice_id"))
    if not key or known_key not in ("", key) or told_reference not in ("", reference):
        raise unknown("the answer is about another invoice")
    return key


def charges(invoice: Mapping[str, object]) -> tuple[Money, ...]:
    """What was paid, row by row: the total on top may be converted to EGP (contract §3.4)."""
    rows = invoice.get("invoice_transactions")
    paying = [
        row
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, Mapping) and wire.read_flag(row.get("paidWithIt"))
    ]
    try:
        paid = tuple(map(_charge, paying))
    except wire.Inexpressible as trouble:
        raise unknown(f"a paid amount is {trouble}") from trouble
    if not paid or not all(charge.is_positive for charge in paid):
        raise unknown("paid, and no row says how much")
    return paid


def _charge(row: Mapping[str, object]) -> Money:
    return wire.read_amount(_first(row, "transactionAmount", "amount"), _first(row, "transactionCurrency", "currency"))


def _first(row: Mapping[str, object], *names: str) -> object:
    """The first of these members that is told: rows are spelled in two ways (contract §3.4)."""
    return next((row[name] for name in names if row.get(name) is not None), None)
