"""How a payment's amount is split: what the customer takes from balances of their own, and what the method pays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from domain.billing.payments import PaymentMethod
from domain.billing.tenders import Part, TenderKind, rest_after
from domain.ledger.points import PointsTerms
from domain.shared.errors import InvalidValue
from domain.shared.money import Money, total

Split = list[tuple[Part, str]]
"""The parts of an amount, each with its method; they sum to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedPart:
    """A part as the customer asks for it: an amount, or as many points as pay something of what is due."""

    kind: TenderKind
    amount: Money | None = None
    points: int | None = None


def split_amount(amount: Money, wanted: Sequence[WantedPart], method: PaymentMethod, *, terms: PointsTerms) -> Split:
    """The wanted parts with what each is worth, then what is left for the method.

    Points pay no more than what is left after the other parts, wherever they stand. Raises InvalidValue.
    """
    if method is PaymentMethod.AGENT_CREDIT:
        return _all_by_agent(amount, wanted)
    parts = _parts(amount, wanted, terms)
    rest = rest_after(parts, amount)
    is_own = method is PaymentMethod.WALLET
    if rest.is_zero and not is_own:
        raise InvalidValue(
            "the parts pay all of it; the method is WALLET then", pointer="/method", code="method_not_offered"
        )
    split = [(part, part.kind.value) for part in parts]
    if rest.is_positive:
        kind = TenderKind.WALLET if is_own else TenderKind.GATEWAY
        split.append((Part(kind=kind, amount=rest), method.value))
    _refuse_repeated(part.kind for part, _ in split)
    return split


def _all_by_agent(amount: Money, wanted: Sequence[WantedPart]) -> Split:
    """An agent's credit is never mixed: the other balances would be the customer's."""
    if wanted:
        raise InvalidValue("an agent pays all of it", pointer="/tenders", code="method_not_offered")
    return [(Part(kind=TenderKind.AGENT_CREDIT, amount=amount), TenderKind.AGENT_CREDIT.value)]


def _refuse_repeated(kinds: Iterable[TenderKind]) -> None:
    """The wallet is both a part and the method: what of it is which nobody could say."""
    seen = list(kinds)
    if len(set(seen)) != len(seen):
        raise InvalidValue("each balance once", pointer="/tenders", code="duplicate")


def _parts(amount: Money, wanted: Sequence[WantedPart], terms: PointsTerms) -> tuple[Part, ...]:
    numbered = list(enumerate(wanted))
    in_money = {at: _in_money(part, at) for at, part in numbered if part.kind is not TenderKind.POINTS}
    left = amount - total(
        (part.amount for part in in_money.values() if part.amount.currency == amount.currency), amount.currency.code
    )
    in_points = {at: _in_points(part, at, left, terms) for at, part in numbered if part.kind is TenderKind.POINTS}
    return tuple((in_money | in_points)[at] for at, _ in numbered)


def _in_money(wanted: WantedPart, position: int) -> Part:
    if wanted.amount is None:
        raise InvalidValue("how much", pointer=f"/tenders/{position}/amount", code="required")
    if wanted.points is not None:
        raise InvalidValue("only POINTS are counted", pointer=f"/tenders/{position}/points", code="unknown_field")
    return Part(kind=wanted.kind, amount=wanted.amount)


def _in_points(wanted: WantedPart, position: int, left: Money, terms: PointsTerms) -> Part:
    if wanted.amount is not None:
        raise InvalidValue("POINTS are counted", pointer=f"/tenders/{position}/amount", code="unknown_field")
    tender = terms.tender(wanted.points or 0, left)
    if not tender.worth.is_positive:
        raise InvalidValue(
            "so many that they pay something", pointer=f"/tenders/{position}/points", code="out_of_range"
        )
    return Part(kind=wanted.kind, amount=tender.worth, points=tender.points)
