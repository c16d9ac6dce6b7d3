"""Receipts by hand before any database: four eyes above the limit, every state with every verb; numbers to quote."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.billing.manual import (
    NEXT,
    OLDEST,
    ManualMoneyConfirmed,
    ManualReceipt,
    ManualReceiptStatus,
    as_reference,
    is_reference_number,
    reference_number,
)
from domain.shared.clock import business_date
from domain.shared.errors import IllegalTransition, InvalidValue, OwnRequest
from domain.shared.money import Money
from infrastructure.clock import new_id
from tests.builders import NOON

LATER = NOON + timedelta(hours=1)
TODAY = business_date(NOON)
PAYER, MAKER, CHECKER = new_id(), new_id(), new_id()
S = ManualReceiptStatus
VERBS: dict[ManualReceiptStatus, Callable[[ManualReceipt], None]] = {
    S.APPROVED: lambda receipt: receipt.approve(position=0, by=CHECKER, at=LATER),
    S.REJECTED: lambda receipt: receipt.reject(by=CHECKER, at=LATER),
}


def a_receipt(
    amount: int = 500, *, limit: int | None = 100, by: UUID = MAKER, on: date = TODAY, status: S = S.PENDING
) -> ManualReceipt:
    receipt = ManualReceipt.propose(
        receipt_id=new_id(),
        checkout_id=new_id(),
        payment_id=new_id(),
        payer_id=PAYER,
        reference="FT 2026/0042",
        received_on=on,
        amount=Money.of(amount, "EGP"),
        limit=None if limit is None else Money.of(limit, "EGP"),
        by=by,
        idempotency_key="a key",
        at=NOON,
    )
    if status is not S.PENDING:
        VERBS[status](receipt)
    return receipt


@pytest.mark.parametrize("status", S)
@pytest.mark.parametrize("verb", VERBS)
def test_every_state_takes_its_steps_and_no_other(status: ManualReceiptStatus, verb: ManualReceiptStatus) -> None:
    receipt = a_receipt(status=status)

    if verb in NEXT[status]:
        VERBS[verb](receipt)
        assert (receipt.status, receipt.decided_by, receipt.decided_at) == (verb, CHECKER, LATER)
        return
    with pytest.raises(IllegalTransition):
        VERBS[verb](receipt)
    assert receipt.status is status


@pytest.mark.parametrize(("amount", "limit", "needs"), [(100, 100, False), (101, 100, True), (1, None, True)])
def test_above_the_limit_and_where_there_is_none_two_people_are_needed(
    amount: int, limit: int | None, needs: bool
) -> None:
    receipt = a_receipt(amount, limit=limit)

    assert receipt.needs_approval is needs
    if needs:
        with pytest.raises(ValueError, match="second person"):
            receipt.accept(position=0, at=NOON)
    else:
        receipt.accept(position=0, at=NOON)
        assert [type(event) for event in receipt.pull_events()] == [ManualMoneyConfirmed]


def test_nobody_confirms_their_own_payment() -> None:
    with pytest.raises(OwnRequest):
        a_receipt(by=PAYER)


@pytest.mark.parametrize("by", [MAKER, PAYER])
def test_neither_the_maker_nor_the_payer_decides(by: UUID) -> None:
    receipt = a_receipt()

    with pytest.raises(OwnRequest):
        receipt.approve(position=0, by=by, at=LATER)
    with pytest.raises(OwnRequest):
        receipt.reject(by=by, at=LATER)
    assert receipt.status is S.PENDING


@pytest.mark.parametrize("on", [TODAY + timedelta(days=1), TODAY - OLDEST - timedelta(days=1)])
def test_money_came_neither_tomorrow_nor_long_ago(on: date) -> None:
    with pytest.raises(InvalidValue):
        a_receipt(on=on)
    a_receipt(on=TODAY - OLDEST)


@pytest.mark.parametrize("amount", [0, -1])
def test_no_money_is_no_receipt(amount: int) -> None:
    with pytest.raises(InvalidValue):
        a_receipt(amount)


def test_references_are_compared_without_blanks_and_small_letters() -> None:
    assert as_reference(" ft 2026/0042 ") == as_reference("FT2026/0042") == "FT2026/0042"


@given(st.integers(1, 10**8 - 1))
def test_every_serial_has_a_number_that_is_one(serial: int) -> None:
    assert is_reference_number(reference_number(serial))


@given(st.integers(1, 10**8 - 1), st.integers(1, 10**8 - 1))
def test_no_two_serials_meet(one: int, other: int) -> None:
    assert (one == other) == (reference_number(one) == reference_number(other))


@given(st.integers(1, 10**8 - 1), st.integers(0, 8), st.integers(1, 9))
def test_a_wrong_digit_is_noticed(serial: int, place: int, by: int) -> None:
    digits = list(reference_number(serial))
    digits[place] = str((int(digits[place]) + by) % 10)
    assert not is_reference_number("".join(digits))


@given(st.integers(1, 10**8 - 1), st.integers(0, 7))
def test_swapped_neighbours_are_noticed(serial: int, place: int) -> None:
    digits = list(reference_number(serial))
    if digits[place] != digits[place + 1]:
        digits[place], digits[place + 1] = digits[place + 1], digits[place]
        assert not is_reference_number("".join(digits))


@pytest.mark.parametrize("text", ["", "12345678", "1234567890", "abcdefghi", "١٢٣٤٥٦٧٨٩"])
def test_what_is_no_number_is_none(text: str) -> None:
    assert not is_reference_number(text)
