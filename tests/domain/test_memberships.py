"""Memberships: bought, active for a year from the day they are paid, forward only (Q3)."""

from __future__ import annotations

from datetime import date

import pytest

from domain.membership.memberships import (
    NEXT,
    MembershipActivated,
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


def test_what_is_free_is_not_sold() -> None:
    with pytest.raises(PlanNotForSale):
        MembershipSubscription.request(
            subscription_id=new_id(),
            membership_number="MB-2026-000001",
            user_id=new_id(),
            plan=a_plan(egp("0.00")),
            at=NOON,
        )
