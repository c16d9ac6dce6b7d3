"""Vendors and agents before any database: every state with every verb, who decides, what cools off, and rates (Q3)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.partners.documents import DocumentKind, DocumentVerified, PartnerDocument
from domain.partners.events import (
    BankAccountChanged,
    PartnerApplied,
    PartnerApproved,
    PartnerSuspended,
    PayoutMethodChanged,
)
from domain.partners.partners import (
    NEXT,
    BankAccountMissing,
    Partner,
    PartnerStatus,
    PartnerSuspendedNow,
    PayoutMethod,
    StripeAccountMissing,
)
from domain.partners.rates import PartnerRate
from domain.shared.errors import IllegalTransition, InvalidValue, OwnRequest
from domain.shared.payees import PayeeType
from domain.shared.percentage import Percentage
from infrastructure.clock import new_id
from tests.builders import NOON

LATER = NOON + timedelta(hours=1)
COOLING = timedelta(hours=72)
OWNER, STAFF = new_id(), new_id()
S, M = PartnerStatus, PayoutMethod


def approve(partner: Partner, by: Any = STAFF) -> None:
    partner.approve(by=by, has_bank_account=True, at=LATER)


def suspend(partner: Partner, by: Any = STAFF) -> None:
    partner.suspend(reason="complaints", by=by, at=LATER)


def reinstate(partner: Partner, by: Any = STAFF) -> None:
    partner.reinstate(by=by, at=LATER)


def refuse(partner: Partner, by: Any = STAFF) -> None:
    partner.refuse(reason="the licence is missing", by=by, at=LATER)


VERBS: dict[Callable[..., None], tuple[PartnerStatus, PartnerStatus]] = {
    approve: (S.PENDING_APPROVAL, S.ACTIVE),
    refuse: (S.PENDING_APPROVAL, S.PENDING_APPROVAL),
    suspend: (S.ACTIVE, S.SUSPENDED),
    reinstate: (S.SUSPENDED, S.ACTIVE),
}
WAYS = {S.PENDING_APPROVAL: (), S.ACTIVE: (approve,), S.SUSPENDED: (approve, suspend)}


def a_partner(status: PartnerStatus = S.PENDING_APPROVAL, method: PayoutMethod = M.BANK_TRANSFER) -> Partner:
    """A partner in a state that its own verbs lead to."""
    partner = Partner.apply(
        partner_id=new_id(),
        user_id=OWNER,
        payee_type=PayeeType.VENDOR,
        payout_method=method,
        company_name="Nile Voyages",
        at=NOON,
    )
    for step in WAYS[status]:
        step(partner)
    return partner


class TestStates:
    @pytest.mark.parametrize("status", S)
    @pytest.mark.parametrize("verb", VERBS)
    def test_every_state_takes_its_steps_and_no_other(self, status: S, verb: Callable[..., None]) -> None:
        partner, (begins, ends) = a_partner(status), VERBS[verb]
        if status is begins:
            verb(partner)
            assert partner.status is ends
        else:
            with pytest.raises(IllegalTransition):
                verb(partner)
            assert partner.status is status

    @pytest.mark.parametrize("verb", VERBS)
    def test_nobody_decides_about_themselves(self, verb: Callable[..., None]) -> None:
        begins, _ = VERBS[verb]
        partner = a_partner(begins)
        with pytest.raises(OwnRequest):
            verb(partner, OWNER)
        assert partner.status is begins

    @given(steps=st.lists(st.sampled_from(list(VERBS)), max_size=12))
    def test_whatever_is_tried_it_is_active_only_once_approved_and_suspended_only_with_a_reason(
        self, steps: list[Callable[..., None]]
    ) -> None:
        partner = a_partner()
        for step in steps:
            before = partner.status
            try:
                step(partner)
            except IllegalTransition:
                assert partner.status is before
            assert partner.status is before or partner.status in NEXT[before]
            assert (partner.status is S.PENDING_APPROVAL) == (partner.approved_at is None)
            assert (partner.status is S.SUSPENDED) == (partner.suspension_reason is not None)
            assert partner.refusal_reason is None or partner.status is S.PENDING_APPROVAL

    def test_what_happened_is_told(self) -> None:
        told = [type(event) for event in a_partner(S.SUSPENDED).pull_events()]
        assert told == [PartnerApplied, PartnerApproved, PartnerSuspended]

    def test_a_refused_one_waits_again_once_something_was_changed(self) -> None:
        partner = a_partner()
        refuse(partner)
        partner.pull_events()

        partner.change_company(license_number="TR-2041", at=LATER)

        assert (partner.refusal_reason, partner.license_number) == (None, "TR-2041")
        assert [type(event) for event in partner.pull_events()] == [PartnerApplied]

    def test_without_an_account_nobody_is_approved_to_be_paid_by_transfer(self) -> None:
        with pytest.raises(BankAccountMissing):
            a_partner().approve(by=STAFF, has_bank_account=False, at=LATER)
        paid_in_wallet = a_partner(method=M.WALLET)
        paid_in_wallet.approve(by=STAFF, has_bank_account=False, at=LATER)
        assert paid_in_wallet.status is S.ACTIVE


class TestWhereMoneyGoes:
    def test_what_staff_approve_is_used_at_once_and_what_comes_after_cools_off(self) -> None:
        assert a_partner().put_bank_account(new_id(), cooling=COOLING, at=NOON) == NOON
        assert a_partner(S.ACTIVE).put_bank_account(new_id(), cooling=COOLING, at=LATER) == LATER + COOLING

    def test_it_says_from_when(self) -> None:
        partner, account = a_partner(S.ACTIVE), new_id()
        partner.pull_events()
        partner.put_bank_account(account, cooling=COOLING, at=LATER)
        (event,) = partner.pull_events()
        assert isinstance(event, BankAccountChanged)
        assert (event.bank_account_id, event.usable_from) == (account, LATER + COOLING)

    def test_whoever_is_suspended_does_not_change_it(self) -> None:
        partner = a_partner(S.SUSPENDED)
        with pytest.raises(PartnerSuspendedNow):
            partner.put_bank_account(new_id(), cooling=COOLING, at=LATER)
        with pytest.raises(PartnerSuspendedNow):
            partner.choose_payout_method(M.WALLET, has_bank_account=True, cooling=COOLING, at=LATER)

    def test_another_way_cools_off_once_it_was_approved(self) -> None:
        pending, active = a_partner(), a_partner(S.ACTIVE)
        active.pull_events()
        for partner in (pending, active):
            partner.choose_payout_method(M.WALLET, has_bank_account=True, cooling=COOLING, at=LATER)
        assert (pending.payouts_from, active.payouts_from) == (LATER, LATER + COOLING)
        (event,) = active.pull_events()
        assert isinstance(event, PayoutMethodChanged)

    def test_the_way_that_is_chosen_already_changes_nothing(self) -> None:
        partner = a_partner(S.ACTIVE)
        partner.choose_payout_method(M.BANK_TRANSFER, has_bank_account=True, cooling=COOLING, at=LATER)
        assert partner.payouts_from is None

    def test_a_way_needs_where_it_leads(self) -> None:
        partner = a_partner(S.ACTIVE, M.WALLET)
        with pytest.raises(BankAccountMissing):
            partner.choose_payout_method(M.BANK_TRANSFER, has_bank_account=False, cooling=COOLING, at=LATER)
        with pytest.raises(StripeAccountMissing):
            partner.choose_payout_method(M.STRIPE, has_bank_account=True, cooling=COOLING, at=LATER)
        with pytest.raises(StripeAccountMissing):
            a_partner(method=M.STRIPE)

    def test_another_account_at_stripe_cools_off_where_payouts_go_there(self) -> None:
        partner = a_partner(S.ACTIVE)
        partner.enter_stripe_account("acct_1", by=STAFF, cooling=COOLING, at=NOON)
        assert partner.payouts_from is None
        partner.choose_payout_method(M.STRIPE, has_bank_account=True, cooling=COOLING, at=NOON)
        partner.enter_stripe_account("acct_2", by=STAFF, cooling=COOLING, at=LATER)
        assert partner.payouts_from == LATER + COOLING
        with pytest.raises(OwnRequest):
            partner.enter_stripe_account("acct_3", by=OWNER, cooling=COOLING, at=LATER)


class TestRates:
    @staticmethod
    def agree(**said: Any) -> PartnerRate:
        usual = {"rate": Percentage(8_250), "valid_from": None, "reason": "renewed", "by": STAFF, "at": NOON}
        return PartnerRate.agree(rate_id=new_id(), partner_id=new_id(), partner_user_id=OWNER, **(usual | said))

    def test_it_begins_now_or_later(self) -> None:
        assert self.agree().valid_from == NOON
        assert self.agree(valid_from=LATER).valid_from == LATER

    def test_never_in_the_past(self) -> None:
        with pytest.raises(InvalidValue):
            self.agree(valid_from=NOON - timedelta(microseconds=1))

    def test_never_ones_own(self) -> None:
        with pytest.raises(OwnRequest):
            self.agree(by=OWNER)


class TestPapers:
    @staticmethod
    def a_paper(**said: Any) -> PartnerDocument:
        usual: dict[str, Any] = {
            "id": new_id(), "partner_id": new_id(), "owner_id": OWNER, "kind": DocumentKind.LICENSE, "expires_on": None,
            "storage_key": "partners/1", "content_type": "image/jpeg", "size_bytes": 1, "uploaded_at": NOON,
        }  # fmt: skip
        return PartnerDocument(**(usual | said))

    def test_one_is_verified_once_and_by_another(self) -> None:
        paper = self.a_paper()
        with pytest.raises(OwnRequest):
            paper.verify(by=OWNER, today=NOON.date(), at=NOON)
        paper.verify(by=STAFF, today=NOON.date(), at=NOON)
        with pytest.raises(DocumentVerified):
            paper.verify(by=STAFF, today=NOON.date(), at=NOON)
        assert (paper.verified_by, paper.verified_at) == (STAFF, NOON)

    def test_one_that_is_over_is_not_verified(self) -> None:
        today = NOON.date()
        self.a_paper(expires_on=today).verify(by=STAFF, today=today, at=NOON)
        with pytest.raises(InvalidValue):
            self.a_paper(expires_on=today - timedelta(days=1)).verify(by=STAFF, today=today, at=NOON)
