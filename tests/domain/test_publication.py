"""Putting things on sale and taking them off: every state, every verb, and vendors who need staff to agree."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalogue.item_events import ItemApproved, ItemPublished, ItemRejected, ItemSubmitted
from domain.catalogue.items import ItemKind
from domain.catalogue.publication import NEXT, Approval, CatalogueItem, ItemStatus, NothingToReview, UnderReview
from domain.shared.errors import Conflict, IllegalTransition, NotAllowed, OwnRequest
from infrastructure.clock import new_id
from tests.builders import NOON, a_package, an_activity

LATER = NOON + timedelta(hours=1)
VENDOR, STAFF = new_id(), new_id()
S, A = ItemStatus, Approval
MADE: dict[ItemKind, Callable[..., CatalogueItem]] = {ItemKind.PACKAGE: a_package, ItemKind.ACTIVITY: an_activity}

pytestmark = pytest.mark.parametrize("kind", ItemKind)

VERBS: dict[str, tuple[S, Callable[[CatalogueItem], None]]] = {
    "publish": (S.ACTIVE, lambda held: held.publish(at=LATER)),
    "deactivate": (S.INACTIVE, lambda held: held.deactivate(by=STAFF, at=LATER)),
    "archive": (S.ARCHIVED, lambda held: held.archive(at=LATER)),
}


def a_vendors(kind: ItemKind, status: S = S.DRAFT, approval: A = A.NOT_ASKED, **changes: Any) -> CatalogueItem:
    decided = {"approval_decided_by_user_id": STAFF, "approval_decided_at": NOON}
    return MADE[kind](
        status=status,
        vendor_id=VENDOR,
        approval=approval,
        **(decided if approval in (A.APPROVED, A.REJECTED) else {}),
        **changes,
    )


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("status", S)
def test_every_verb_in_every_state_does_what_the_table_says(kind: ItemKind, status: S, verb: str) -> None:
    held = MADE[kind](status=status)
    wanted, act = VERBS[verb]
    if wanted in NEXT[status]:
        act(held)
        assert (held.status, held.updated_at) == (wanted, LATER)
        assert [event.item_id for event in held.pull_events()] == [held.id]  # type: ignore[attr-defined]
    else:
        with pytest.raises(IllegalTransition):
            act(held)
        assert (held.status, held.pull_events()) == (status, [])


class TestAsking:
    @pytest.mark.parametrize("status", [S.DRAFT, S.INACTIVE])
    @pytest.mark.parametrize("approval", [A.NOT_ASKED, A.NOT_NEEDED, A.REJECTED])
    def test_a_vendor_asks_and_nothing_is_sold_yet(self, kind: ItemKind, status: S, approval: A) -> None:
        held = a_vendors(kind, status, approval)
        held.ask_for_sale(at=LATER)
        assert (held.status, held.approval, held.review_requested_at) == (status, A.PENDING, LATER)
        assert held.approval_reason is None
        assert held.pull_events() == [ItemSubmitted(at=LATER, item_kind=held.KIND, item_id=held.id, is_on_sale=False)]

    def test_twice_is_once(self, kind: ItemKind) -> None:
        held = a_vendors(kind, approval=A.PENDING)
        with pytest.raises(UnderReview):
            held.ask_for_sale(at=LATER)

    def test_what_was_approved_comes_back_by_itself(self, kind: ItemKind) -> None:
        held = a_vendors(kind, S.ACTIVE, A.APPROVED)
        held.deactivate(by=VENDOR, at=NOON)
        held.ask_for_sale(at=LATER)
        assert (held.status, held.approval) == (S.ACTIVE, A.APPROVED)

    def test_what_staff_took_off_sale_does_not(self, kind: ItemKind) -> None:
        held = a_vendors(kind, S.ACTIVE, A.APPROVED)
        held.deactivate(by=STAFF, at=NOON)
        held.ask_for_sale(at=LATER)
        assert (held.status, held.approval) == (S.INACTIVE, A.PENDING)

    def test_whoever_takes_it_off_sale_asks_for_nothing_any_more(self, kind: ItemKind) -> None:
        for end in (lambda one: one.deactivate(by=VENDOR, at=LATER), lambda one: one.archive(at=LATER)):
            held = a_vendors(kind, S.ACTIVE, A.PENDING)
            end(held)
            assert held.approval is A.NOT_ASKED


class TestDeciding:
    @pytest.mark.parametrize("status", [S.DRAFT, S.INACTIVE, S.ACTIVE])
    def test_approval_puts_it_on_sale_or_leaves_it_there(self, kind: ItemKind, status: S) -> None:
        held = a_vendors(kind, status, A.PENDING)
        held.approve(by=STAFF, at=LATER)
        assert (held.status, held.approval, held.approval_decided_by_user_id) == (S.ACTIVE, A.APPROVED, STAFF)
        kinds = [type(event) for event in held.pull_events()]
        assert kinds == ([ItemApproved] if status is S.ACTIVE else [ItemPublished, ItemApproved])

    @pytest.mark.parametrize(
        ("status", "after"), [(S.DRAFT, S.DRAFT), (S.INACTIVE, S.INACTIVE), (S.ACTIVE, S.INACTIVE)]
    )
    def test_rejection_takes_it_off_sale(self, kind: ItemKind, status: S, after: S) -> None:
        held = a_vendors(kind, status, A.PENDING)
        held.reject(reason="blurred", by=STAFF, at=LATER)
        assert (held.status, held.approval, held.approval_reason) == (after, A.REJECTED, "blurred")
        assert held.pull_events() == [ItemRejected(at=LATER, item_kind=held.KIND, item_id=held.id)]

    @pytest.mark.parametrize("approval", [A.NOT_ASKED, A.NOT_NEEDED, A.APPROVED, A.REJECTED])
    def test_nothing_is_decided_that_nobody_asked_for(self, kind: ItemKind, approval: A) -> None:
        held = a_vendors(kind, S.INACTIVE, approval)
        with pytest.raises(NothingToReview):
            held.approve(by=STAFF, at=LATER)
        with pytest.raises(NothingToReview):
            held.reject(reason="no", by=STAFF, at=LATER)

    def test_nobody_decides_about_their_own(self, kind: ItemKind) -> None:
        held = a_vendors(kind, approval=A.PENDING)
        for decide in (
            lambda: held.approve(by=VENDOR, at=LATER),
            lambda: held.reject(reason="no", by=VENDOR, at=LATER),
            lambda: held.publish_for_vendor(by=VENDOR, at=LATER),
        ):
            with pytest.raises(OwnRequest):
                decide()
        assert (held.status, held.approval) == (S.DRAFT, A.PENDING)

    def test_staff_who_publish_a_vendors_package_approve_it(self, kind: ItemKind) -> None:
        held = a_vendors(kind)
        held.publish_for_vendor(by=STAFF, at=LATER)
        assert (held.status, held.approval) == (S.ACTIVE, A.APPROVED)


class TestChangesOfVendors:
    def test_what_is_on_sale_stays_and_is_listed_once(self, kind: ItemKind) -> None:
        held = a_vendors(kind, S.ACTIVE, A.APPROVED)
        held.look_again(at=LATER)
        held.look_again(at=LATER + timedelta(hours=1))
        assert (held.status, held.approval, held.review_requested_at) == (S.ACTIVE, A.PENDING, LATER)
        assert held.pull_events() == [ItemSubmitted(at=LATER, item_kind=held.KIND, item_id=held.id, is_on_sale=True)]

    @pytest.mark.parametrize(
        ("before", "after"),
        [(A.APPROVED, A.NOT_ASKED), (A.PENDING, A.PENDING), (A.REJECTED, A.REJECTED), (A.NOT_ASKED, A.NOT_ASKED)],
    )
    def test_what_is_not_on_sale_needs_to_be_asked_for(self, kind: ItemKind, before: A, after: A) -> None:
        held = a_vendors(kind, S.INACTIVE, before)
        held.look_again(at=LATER)
        assert held.approval is after

    def test_what_customers_read_pay_and_travel_by_is_reviewed(self, kind: ItemKind) -> None:
        held, prices = a_vendors(kind), {ItemKind.PACKAGE: {"base_price", "discounted_price"}}
        alike = {"name_ar", "description_en", "availability_start", *prices.get(kind, {"price", "location"})}
        assert alike <= held.REVIEWED <= held.details().keys()
        assert held.REVIEWED.isdisjoint({"display_order", "is_featured", "is_customizable"})


ACTS: list[Callable[[CatalogueItem, UUID], None]] = [
    lambda held, _: held.ask_for_sale(at=LATER),
    lambda held, _: held.look_again(at=LATER),
    lambda held, who: held.approve(by=who, at=LATER),
    lambda held, who: held.reject(reason="no", by=who, at=LATER),
    lambda held, who: held.publish_for_vendor(by=who, at=LATER),
    lambda held, who: held.deactivate(by=who, at=LATER),
    lambda held, _: held.archive(at=LATER),
]


@given(acts=st.lists(st.tuples(st.sampled_from(ACTS), st.sampled_from([VENDOR, STAFF])), max_size=12))
def test_a_vendors_is_never_on_sale_without_somebody_elses_word(
    kind: ItemKind,
    acts: list[tuple[Callable[[CatalogueItem, UUID], None], UUID]],
) -> None:
    held, agreed = a_vendors(kind), False
    for act, who in acts:
        before = held.approval
        try:
            act(held, who)
        except (Conflict, NotAllowed):
            continue
        agreed = agreed or (held.approval is A.APPROVED and before is not A.APPROVED and who == STAFF)
        assert held.status is not S.ACTIVE or agreed
        assert held.approval_decided_by_user_id != VENDOR
        assert (held.approval is A.REJECTED) == (held.approval_reason is not None)
        assert not (held.approval is A.REJECTED and held.status is S.ACTIVE)
        assert (held.approval in (A.APPROVED, A.REJECTED)) == (held.approval_decided_at is not None)
