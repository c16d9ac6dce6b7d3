"""Money in suspense leaves it once; attempts are asked about ever more rarely, and at last no more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.billing.chasing import ASKED_ABOUT_CHARGES, ASKED_ABOUT_REFUNDS, SHORTEST_PAUSE, Chase
from domain.billing.payments import (
    EXPIRED_AFTER,
    NOT_FOUND_IS_FINAL_AFTER,
    AttemptStatus,
    PaymentAttempt,
    SuspenseReason,
)
from domain.billing.suspense import Decision, Resolution, SuspenseItem, SuspenseStatus, WriteOffTooLarge
from domain.shared.errors import IllegalTransition
from tests.builders import egp

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
DECISION = Decision(by=uuid4(), reason="a test", at=NOW)


def an_item(reason: SuspenseReason = SuspenseReason.TWICE) -> SuspenseItem:
    return SuspenseItem(
        receipt_id=uuid4(),
        payment_id=uuid4(),
        provider="SCRIPTED",
        amount=egp("10.00"),
        reason=reason,
        opened_at=NOW,
    )


def an_attempt(status: AttemptStatus, **fields: Any) -> PaymentAttempt:
    return PaymentAttempt(
        **{
            "id": uuid4(), "payment_id": uuid4(), "provider": "SCRIPTED", "status": status,
            "merchant_reference": "pa_1", "locale": "en", "receipts_count": 0, "created_at": NOW,
            "updated_at": NOW, **fields,
        }
    )  # fmt: skip


def test_an_item_is_resolved_once() -> None:
    item = an_item()
    item.resolve(Resolution.WALLET, DECISION, journal_id=uuid4())

    with pytest.raises(IllegalTransition):
        item.resolve(Resolution.APPLIED, DECISION, journal_id=uuid4())
    with pytest.raises(IllegalTransition):
        item.refund(DECISION, refund_id=uuid4())

    assert [event.name for event in item.pull_events()] == ["billing.suspense_resolved"]


def test_what_is_on_its_way_back_is_nobodys_to_give_away_until_that_fails() -> None:
    item = an_item()
    item.refund(DECISION, refund_id=uuid4())
    with pytest.raises(IllegalTransition):
        item.resolve(Resolution.WALLET, DECISION, journal_id=uuid4())

    item.reopen()

    assert (item.status, item.refund_id, item.decided_at) == (SuspenseStatus.OPEN, None, None)
    item.refund(DECISION, refund_id=uuid4())
    item.refunded(journal_id=uuid4(), at=NOW)
    assert (item.status, item.resolution) == (SuspenseStatus.RESOLVED, Resolution.REFUNDED)


def test_nothing_is_refunded_that_was_not_asked_back() -> None:
    with pytest.raises(IllegalTransition):
        an_item().refunded(journal_id=uuid4(), at=NOW)


@pytest.mark.parametrize("limit", [None, egp("9.99")])
def test_real_money_above_the_limit_is_not_written_off(limit: Any) -> None:
    with pytest.raises(WriteOffTooLarge):
        an_item().ensure_written_off(limit)

    an_item().ensure_written_off(egp("10.00"))
    an_item(SuspenseReason.MODE).ensure_written_off(limit)


@given(
    st.sampled_from([AttemptStatus.CREATED, AttemptStatus.OPEN, AttemptStatus.UNKNOWN]),
    st.integers(0, 10_000),
    st.integers(-100_000, 1_000_000),
    st.integers(0, 1000),
)
def test_open_attempts_are_always_asked_about_again_within_twelve_hours(
    status: AttemptStatus, reads: int, seconds_past_end: int, draw: int
) -> None:
    chase = Chase(
        status=status,
        created_at=NOW - timedelta(days=30),
        ends_at=NOW - timedelta(seconds=seconds_past_end),
        reads=reads,
        tells_refunds=True,
    )

    at = chase.next_at(now=NOW, draw=lambda longest: longest * draw / 1000)

    assert at is not None
    assert SHORTEST_PAUSE <= at - NOW <= timedelta(hours=12) + SHORTEST_PAUSE


def test_pauses_grow() -> None:
    def pause(reads: int) -> timedelta:
        chase = Chase(status=AttemptStatus.OPEN, created_at=NOW, ends_at=None, reads=reads, tells_refunds=False)
        at = chase.next_at(now=NOW, draw=lambda longest: longest)
        assert at is not None
        return at - NOW

    pauses = [pause(reads) for reads in range(10)]

    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (timedelta(minutes=2), timedelta(minutes=61))


@pytest.mark.parametrize(("tells_refunds", "until"), [(True, ASKED_ABOUT_REFUNDS), (False, ASKED_ABOUT_CHARGES)])
def test_paid_attempts_are_asked_about_for_some_days(tells_refunds: bool, until: timedelta) -> None:
    def next_at(age: timedelta) -> datetime | None:
        chase = Chase(
            status=AttemptStatus.PAID, created_at=NOW - age, ends_at=None, reads=1, tells_refunds=tells_refunds
        )
        return chase.next_at(now=NOW, draw=lambda longest: longest / 2)

    assert next_at(timedelta()) == NOW + timedelta(days=1)
    assert next_at(until) is not None
    assert next_at(until + timedelta(seconds=1)) is None


def test_a_checkout_that_stays_unpaid_long_past_its_end_expires() -> None:
    attempt = an_attempt(AttemptStatus.OPEN, expires_at=NOW)

    attempt.still_open(at=NOW + EXPIRED_AFTER - timedelta(seconds=1))
    assert attempt.status is AttemptStatus.OPEN
    attempt.still_open(at=NOW + EXPIRED_AFTER)
    assert attempt.status is AttemptStatus.EXPIRED
    attempt.received(at=NOW + EXPIRED_AFTER)
    assert attempt.status is AttemptStatus.PAID


def test_what_the_provider_does_not_know_has_failed_only_when_it_is_not_merely_late() -> None:
    attempt = an_attempt(AttemptStatus.UNKNOWN)

    attempt.missing(at=NOW + NOT_FOUND_IS_FINAL_AFTER - timedelta(seconds=1))
    assert attempt.status is AttemptStatus.UNKNOWN
    attempt.missing(at=NOW + NOT_FOUND_IS_FINAL_AFTER)
    assert (attempt.status, attempt.error_code) == (AttemptStatus.FAILED, "not_found_at_provider")


@pytest.mark.parametrize("status", [AttemptStatus.PAID, AttemptStatus.FAILED, AttemptStatus.EXPIRED])
def test_what_is_over_is_neither_missing_nor_open_again(status: AttemptStatus) -> None:
    attempt = an_attempt(status, expires_at=NOW)

    attempt.missing(at=NOW + timedelta(days=30))
    attempt.still_open(at=NOW + timedelta(days=30))

    assert attempt.status is status


@pytest.mark.parametrize("status", [AttemptStatus.OPEN, AttemptStatus.PAID, AttemptStatus.FAILED])
def test_only_what_is_unknown_is_given_up(status: AttemptStatus) -> None:
    with pytest.raises(IllegalTransition):
        an_attempt(status).abandon(at=NOW)
