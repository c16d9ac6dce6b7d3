"""How an amount is split, before any database: whatever is wanted, the parts sum to it, or it is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.billing.splits import WantedPart, split_amount
from domain.billing.payments import PaymentMethod
from domain.billing.tenders import OWN_KINDS, TenderKind
from domain.ledger.points import PointsTerms
from domain.shared.errors import InvalidValue
from domain.shared.money import Money

K = TenderKind
CARD, WALLET = PaymentMethod.CREDIT_CARD, PaymentMethod.WALLET

UNITS = st.sampled_from(["EGP", "KWD", "JPY"])
WANTED = st.lists(
    st.tuples(st.sampled_from(sorted(OWN_KINDS)), st.integers(1, 2_000)), max_size=3, unique_by=lambda it: it[0]
)
TERMS = st.builds(PointsTerms, points_per_money_unit=st.integers(1, 5_000))


def wanted(kind: TenderKind, number: int, unit: str = "EGP") -> WantedPart:
    if kind is K.POINTS:
        return WantedPart(kind=kind, points=number)
    return WantedPart(kind=kind, amount=Money.of(number, unit))


@given(st.integers(1, 3_000), UNITS, WANTED, st.sampled_from([CARD, WALLET]), TERMS)
def test_parts_sum_to_the_amount_or_are_refused(
    minor: int, unit: str, asked: list[tuple[TenderKind, int]], method: PaymentMethod, terms: PointsTerms
) -> None:
    amount = Money.of(minor, unit)
    try:
        split = split_amount(amount, [wanted(kind, number, unit) for kind, number in asked], method, terms=terms)
    except InvalidValue:
        return

    assert sum(part.amount.minor for part, _ in split) == minor
    assert all(part.amount.is_positive for part, _ in split)
    assert len({part.kind for part, _ in split}) == len(split)
    assert (method is CARD) == any(part.kind is K.GATEWAY for part, _ in split)
    numbers = dict(asked)
    for part, _ in split:
        if part.kind is K.POINTS:
            assert part.points is not None
            # No more than were offered, no fewer than pay it, and none that pays nothing.
            assert part.points <= numbers[K.POINTS]
            assert terms.value_of(part.points, amount.currency) >= part.amount
            assert terms.value_of(part.points - 1, amount.currency) < part.amount
        elif part.kind in numbers:
            assert part.amount.minor == numbers[part.kind]


@given(st.permutations([(K.WALLET, 300), (K.VOUCHER_CREDIT, 200), (K.POINTS, 10_000)]))
def test_points_pay_what_the_others_leave_in_whatever_order_they_are_named(asked: list[tuple[TenderKind, int]]) -> None:
    split = split_amount(Money.of(1_000, "EGP"), [wanted(*each) for each in asked], WALLET, terms=PointsTerms())

    assert {part.kind: part.amount.minor for part, _ in split} == {
        K.WALLET: 300, K.VOUCHER_CREDIT: 200, K.POINTS: 500,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("part", "pointer"),
    [
        (WantedPart(kind=K.GATEWAY, amount=Money.of(1, "EGP")), "/tenders/0/type"),
        (WantedPart(kind=K.WALLET, amount=Money.of(1, "USD")), "/tenders/0/amount"),
        (WantedPart(kind=K.WALLET, amount=Money.of(-1, "EGP")), "/tenders/0/amount"),
        (WantedPart(kind=K.WALLET), "/tenders/0/amount"),
        (WantedPart(kind=K.WALLET, amount=Money.of(1, "EGP"), points=1), "/tenders/0/points"),
        (WantedPart(kind=K.POINTS), "/tenders/0/points"),
        (WantedPart(kind=K.POINTS, points=-1), "/tenders/0/points"),
        (WantedPart(kind=K.POINTS, points=1, amount=Money.of(1, "EGP")), "/tenders/0/amount"),
    ],
)
def test_a_part_that_makes_no_sense_is_named(part: WantedPart, pointer: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        split_amount(Money.of(1_000, "EGP"), [part], CARD, terms=PointsTerms())

    assert [fault.pointer for fault in refused.value.faults] == [pointer]
