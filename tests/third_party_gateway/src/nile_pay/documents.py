"""Nile Pay's documents as altayar's values: amounts are decimal strings, read exactly or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from application.billing.ports import (
    DisputeReading,
    DisputeState,
    OutcomeUnknown,
    Reading,
    ReadingStatus,
    RefundReading,
    RefundState,
    TransferReading,
    TransferState,
)
from domain.ledger.reconciliation import LineKind, ProviderStatement, StatementLine
from domain.shared.errors import InvalidValue
from domain.shared.money import Money

PROVIDER: Final = "NILE_PAY"
Document = Mapping[str, Any]

_CHECKOUTS: Final = {"open": ReadingStatus.OPEN, "paid": ReadingStatus.PAID, "expired": ReadingStatus.FAILED}
_REFUNDS: Final = {"waiting": RefundState.PENDING, "done": RefundState.SUCCEEDED, "refused": RefundState.FAILED}
_DISPUTES: Final = {"open": DisputeState.OPEN, "won": DisputeState.WON, "lost": DisputeState.LOST}
_TRANSFERS: Final = {"sent": TransferState.SUCCEEDED, "refused": TransferState.FAILED}
_LINES: Final = {"charge": LineKind.PAYMENT, "refund": LineKind.REFUND, "transfer": LineKind.PAYOUT}


class NotUnderstood(OutcomeUnknown):
    """An answer that is not what Nile Pay's documentation says: nothing follows from it."""

    def __init__(self, why: str) -> None:
        super().__init__(provider=PROVIDER, reason=why)


def text(document: Document, name: str) -> str:
    """A member that has to be text, perhaps empty. Raises NotUnderstood."""
    value = document.get(name)
    if not isinstance(value, str):
        raise NotUnderstood(f"{name} is no text")
    return value


def listed(document: Document, name: str) -> Sequence[Document]:
    """A member that has to be a list of objects. Raises NotUnderstood."""
    value = document.get(name)
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise NotUnderstood(f"{name} is no list of objects")
    return value


def money(document: Document) -> Money:
    """`amount` and `currency`. Raises NotUnderstood."""
    try:
        return Money.parse(text(document, "amount"), text(document, "currency"))
    except InvalidValue as error:
        raise NotUnderstood("no amount") from error


def reading(document: Document) -> Reading:
    """A checkout with everything that became of it."""
    charges = listed(document, "charges")
    return Reading(
        status=_meaning(_CHECKOUTS, document),
        provider_reference=text(document, "id"),
        provider_key="",
        paid=tuple(money(charge) for charge in charges),
        live=document.get("live") is True,
        merchant_reference=text(document, "reference"),
        charge_reference=text(charges[0], "id") if charges else "",
        refunds=tuple(refund(one) for one in listed(document, "refunds")),
        disputes=tuple(dispute(one) for one in listed(document, "disputes")),
    )


def refund(document: Document) -> RefundReading:
    return RefundReading(
        provider_refund_reference=text(document, "id"),
        merchant_reference=text(document, "reference"),
        amount=money(document),
        state=_meaning(_REFUNDS, document),
        reason=text(document, "note"),
    )


def dispute(document: Document) -> DisputeReading:
    return DisputeReading(text(document, "id"), money(document), _meaning(_DISPUTES, document))


def transfer(document: Document) -> TransferReading:
    return TransferReading(
        text(document, "id"), text(document, "reference"), money(document), _meaning(_TRANSFERS, document)
    )


def statement(document: Document, day: date) -> ProviderStatement:
    """The lines of one day; Nile Pay states no balances."""
    lines = tuple(
        StatementLine(
            provider_reference=text(line, "checkout"),
            kind=_meaning(_LINES, line, name="kind"),
            amount=money(line),
            booked_on=day,
        )
        for line in listed(document, "lines")
    )
    return ProviderStatement(provider=PROVIDER, lines=lines, balances={})


def _meaning(words: Mapping[str, Any], document: Document, *, name: str = "status") -> Any:
    """A word of theirs as one of ours. Raises NotUnderstood: a new word is no reason to guess."""
    word = text(document, name)
    if word not in words:
        raise NotUnderstood(f"{name} is {word[:40]!r}")
    return words[word]
