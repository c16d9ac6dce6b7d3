"""Putting packages on sale and taking them off: every state, every verb, and vendors who need staff to agree."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalogue.package_details import PackageDetails, is_reviewed
from domain.catalogue.package_events import PackageApproved, PackagePublished, PackageRejected, PackageSubmitted
from domain.catalogue.packages import NEXT, Approval, NothingToReview, Package, PackageStatus, UnderReview
from domain.shared.errors import Conflict, IllegalTransition, NotAllowed, OwnRequest
from infrastructure.clock import new_id
from tests.builders import NOON, a_package

LATER = NOON + timedelta(hours=1)
VENDOR, STAFF = new_id(), new_id()
S, A = PackageStatus, Approval

VERBS: dict[str, tuple[S, Callable[[Package], None]]] = {
    "publish": (S.ACTIVE, lambda package: package.publish(at=LATER)),
    "deactivate": (S.INACTIVE, lambda package: package.deactivate(by=STAFF, at=LATER)),
    "archive": (S.ARCHIVED, lambda package: package.archive(at=LATER)),
}


def a_vendors(status: S = S.DRAFT, approval: A = A.NOT_ASKED, **changes: Any) -> Package:
    decided = {"approval_decided_by_user_id": STAFF, "approval_decided_at": NOON}
    return a_package(
        status=status,
        vendor_id=VENDOR,
        approval=approval,
        **(decided if approval in (A.APPROVED, A.REJECTED) else {}),
        **changes,
    )


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("status", S)
def test_every_verb_in_every_state_does_what_the_table_says(status: S, verb: str) -> None:
    package = a_package(status=status)
    wanted, act = VERBS[verb]
    if wanted in NEXT[status]:
        act(package)
        assert (package.status, package.updated_at) == (wanted, LATER)
        assert [event.package_id for event in package.pull_events()] == [package.id]  # type: ignore[attr-defined]
    else:
        with pytest.raises(IllegalTransition):
            act(package)
        assert (package.status, package.pull_events()) == (status, [])


class TestAsking:
    @pytest.mark.parametrize("status", [S.DRAFT, S.INACTIVE])
    @pytest.mark.parametrize("approval", [A.NOT_ASKED, A.NOT_NEEDED, A.REJECTED])
    def test_a_vendor_asks_and_nothing_is_sold_yet(self, status: S, approval: A) -> None:
        package = a_vendors(status, approval)
        package.ask_for_sale(at=LATER)
        assert (package.status, package.approval, package.review_requested_at) == (status, A.PENDING, LATER)
        assert package.approval_reason is None
        assert package.pull_events() == [PackageSubmitted(at=LATER, package_id=package.id, is_on_sale=False)]

    def test_twice_is_once(self) -> None:
        package = a_vendors(approval=A.PENDING)
        with pytest.raises(UnderReview):
            package.ask_for_sale(at=LATER)

    def test_what_was_approved_comes_back_by_itself(self) -> None:
        package = a_vendors(S.ACTIVE, A.APPROVED)
        package.deactivate(by=VENDOR, at=NOON)
        package.ask_for_sale(at=LATER)
        assert (package.status, package.approval) == (S.ACTIVE, A.APPROVED)

    def test_what_staff_took_off_sale_does_not(self) -> None:
        package = a_vendors(S.ACTIVE, A.APPROVED)
        package.deactivate(by=STAFF, at=NOON)
        package.ask_for_sale(at=LATER)
        assert (package.status, package.approval) == (S.INACTIVE, A.PENDING)

    def test_whoever_takes_it_off_sale_asks_for_nothing_any_more(self) -> None:
        for end in (lambda one: one.deactivate(by=VENDOR, at=LATER), lambda one: one.archive(at=LATER)):
            package = a_vendors(S.ACTIVE, A.PENDING)
            end(package)
            assert package.approval is A.NOT_ASKED


class TestDeciding:
    @pytest.mark.parametrize("status", [S.DRAFT, S.INACTIVE, S.ACTIVE])
    def test_approval_puts_it_on_sale_or_leaves_it_there(self, status: S) -> None:
        package = a_vendors(status, A.PENDING)
        package.approve(by=STAFF, at=LATER)
        assert (package.status, package.approval, package.approval_decided_by_user_id) == (S.ACTIVE, A.APPROVED, STAFF)
        kinds = [type(event) for event in package.pull_events()]
        assert kinds == ([PackageApproved] if status is S.ACTIVE else [PackagePublished, PackageApproved])

    @pytest.mark.parametrize(
        ("status", "after"), [(S.DRAFT, S.DRAFT), (S.INACTIVE, S.INACTIVE), (S.ACTIVE, S.INACTIVE)]
    )
    def test_rejection_takes_it_off_sale(self, status: S, after: S) -> None:
        package = a_vendors(status, A.PENDING)
        package.reject(reason="blurred", by=STAFF, at=LATER)
        assert (package.status, package.approval, package.approval_reason) == (after, A.REJECTED, "blurred")
        assert package.pull_events() == [PackageRejected(at=LATER, package_id=package.id)]

    @pytest.mark.parametrize("approval", [A.NOT_ASKED, A.NOT_NEEDED, A.APPROVED, A.REJECTED])
    def test_nothing_is_decided_that_nobody_asked_for(self, approval: A) -> None:
        package = a_vendors(S.INACTIVE, approval)
        with pytest.raises(NothingToReview):
            package.approve(by=STAFF, at=LATER)
        with pytest.raises(NothingToReview):
            package.reject(reason="no", by=STAFF, at=LATER)

    def test_nobody_decides_about_their_own(self) -> None:
        package = a_vendors(approval=A.PENDING)
        for decide in (
            lambda: package.approve(by=VENDOR, at=LATER),
            lambda: package.reject(reason="no", by=VENDOR, at=LATER),
            lambda: package.publish_for_vendor(by=VENDOR, at=LATER),
        ):
            with pytest.raises(OwnRequest):
                decide()
        assert (package.status, package.approval) == (S.DRAFT, A.PENDING)

    def test_staff_who_publish_a_vendors_package_approve_it(self) -> None:
        package = a_vendors()
        package.publish_for_vendor(by=STAFF, at=LATER)
        assert (package.status, package.approval) == (S.ACTIVE, A.APPROVED)


class TestChangesOfVendors:
    def test_what_is_on_sale_stays_and_is_listed_once(self) -> None:
        package = a_vendors(S.ACTIVE, A.APPROVED)
        package.look_again(at=LATER)
        package.look_again(at=LATER + timedelta(hours=1))
        assert (package.status, package.approval, package.review_requested_at) == (S.ACTIVE, A.PENDING, LATER)
        assert package.pull_events() == [PackageSubmitted(at=LATER, package_id=package.id, is_on_sale=True)]

    @pytest.mark.parametrize(
        ("before", "after"),
        [(A.APPROVED, A.NOT_ASKED), (A.PENDING, A.PENDING), (A.REJECTED, A.REJECTED), (A.NOT_ASKED, A.NOT_ASKED)],
    )
    def test_what_is_not_on_sale_needs_to_be_asked_for(self, before: A, after: A) -> None:
        package = a_vendors(S.INACTIVE, before)
        package.look_again(at=LATER)
        assert package.approval is after

    def test_what_customers_read_pay_and_travel_by_is_reviewed(self) -> None:
        reviewed = {name for name in PackageDetails.__annotations__ if is_reviewed({name})}
        assert reviewed >= {"name_ar", "description_en", "base_price", "discounted_price", "availability_start"}
        assert reviewed.isdisjoint({"display_order", "is_featured", "is_customizable"})


ACTS: list[Callable[[Package, UUID], None]] = [
    lambda package, _: package.ask_for_sale(at=LATER),
    lambda package, _: package.look_again(at=LATER),
    lambda package, who: package.approve(by=who, at=LATER),
    lambda package, who: package.reject(reason="no", by=who, at=LATER),
    lambda package, who: package.publish_for_vendor(by=who, at=LATER),
    lambda package, who: package.deactivate(by=who, at=LATER),
    lambda package, _: package.archive(at=LATER),
]


@given(st.lists(st.tuples(st.sampled_from(ACTS), st.sampled_from([VENDOR, STAFF])), max_size=12))
def test_a_vendors_package_is_never_on_sale_without_somebody_elses_word(
    acts: list[tuple[Callable[[Package, UUID], None], UUID]],
) -> None:
    package, agreed = a_vendors(), False
    for act, who in acts:
        before = package.approval
        try:
            act(package, who)
        except (Conflict, NotAllowed):
            continue
        agreed = agreed or (package.approval is A.APPROVED and before is not A.APPROVED and who == STAFF)
        assert package.status is not S.ACTIVE or agreed
        assert package.approval_decided_by_user_id != VENDOR
        assert (package.approval is A.REJECTED) == (package.approval_reason is not None)
        assert not (package.approval is A.REJECTED and package.status is S.ACTIVE)
        assert (package.approval in (A.APPROVED, A.REJECTED)) == (package.approval_decided_at is not None)
