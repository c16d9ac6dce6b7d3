"""Memberships: bought, active for a year from the day they are paid, forward only (Q3)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.membership.memberships import (
    NEXT,
    TERM,
    MembershipActivated,
    MembershipExpired,
    MembershipPlan,
    MembershipSubscription,
    PlanNotForSale,
    SubscriptionStatus,
)
from domain.shared.errors import IllegalTransition
from domain.shared.money import Money
from infrastructure.clock import new_id
from tests.builders import NOON, TODAY, egp


def a_plan(price: Money) -> MembershipPlan:
    return MembershipPlan(new_id(), "GOLD", "ذهبي", "Gold", 3, price, 500, 150, "#ffd700")


def a_subscription(status: SubscriptionStatus = SubscriptionStatus.PENDING_PAYMENT) -> MembershipSubscription:
    subscription = MembershipSubscription.request(
        subscription_id=new_id(),
        membership_number="MB-2026-000001",
        user_id=new_id(),
        plan=a_plan(egp("1000.00")),
        at=NOON,
    )
    subscription.status = status
    return subscription


@pytest.mark.parametrize("state", SubscriptionStatus)
def test_only_what_waits_for_money_becomes_active(state: SubscriptionStatus) -> None:
    subscription = a_subscription(state)

    if SubscriptionStatus.ACTIVE in NEXT[state]:
        subscription.activate(on=TODAY, at=NOON)
        assert subscription.status is SubscriptionStatus.ACTIVE
        assert subscription.pull_events() == [
            MembershipActivated(at=NOON, subscription_id=subscription.id, user_id=subscription.user_id)
        ]
        return
    with pytest.raises(IllegalTransition):
        subscription.activate(on=TODAY, at=NOON)
    assert (subscription.status, subscription.start_date) == (state, None)


def test_a_year_begins_on_the_day_of_payment() -> None:
    subscription = a_subscription()

    subscription.activate(on=TODAY, at=NOON)

    assert (subscription.start_date, subscription.expiry_date) == (date(2026, 11, 23), date(2027, 11, 23))


def test_it_ends_when_its_last_day_is_over() -> None:
    subscription = a_subscription()
    subscription.activate(on=TODAY, at=NOON)
    subscription.pull_events()
    last = TODAY + TERM

    assert [subscription.expire(on=day, at=NOON) for day in (TODAY, last, last + timedelta(days=1))] == [
        False, False, True,
    ]  # fmt: skip
    assert subscription.status is SubscriptionStatus.EXPIRED
    assert subscription.pull_events() == [
        MembershipExpired(at=NOON, subscription_id=subscription.id, user_id=subscription.user_id)
    ]
    assert not subscription.expire(on=last + TERM, at=NOON)


@given(st.lists(st.booleans(), max_size=12))
def test_it_lasts_as_many_years_as_are_paid_whatever_is_refunded_and_comes_back(steps: list[bool]) -> None:
    subscription = a_subscription()
    subscription.activate(on=TODAY, at=NOON)
    subscription.renew(on=TODAY, at=NOON)
    paid, most = 2, 2
    for is_refunded in steps:
        if is_refunded and paid:
            paid -= 1
            subscription.lose_year(is_only=paid == 0, on=TODAY, at=NOON)
        elif not is_refunded and paid < most:
            subscription.regain_year(is_only=paid == 0, has_another=False, on=TODAY, at=NOON)
            paid += 1

        assert subscription.status is (SubscriptionStatus.ACTIVE if paid else SubscriptionStatus.CANCELLED)
        assert subscription.expiry_date == TODAY + TERM * max(paid, 1)


def test_what_is_free_is_not_sold() -> None:
    with pytest.raises(PlanNotForSale):
        MembershipSubscription.request(
            subscription_id=new_id(),
            membership_number="MB-2026-000001",
            user_id=new_id(),
            plan=a_plan(egp("0.00")),
            at=NOON,
        )
