"""A vendor or an agent, and how it is paid."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final, TypedDict, Unpack
from uuid import UUID

from domain.partners.events import (
    BankAccountChanged,
    PartnerApplied,
    PartnerApproved,
    PartnerRefused,
    PartnerReinstated,
    PartnerSuspended,
    PayoutMethodChanged,
)
from domain.shared.aggregate import Aggregate
from domain.shared.errors import Conflict, IllegalTransition, NotAllowed, NotFound, OwnRequest
from domain.shared.payees import PayeeType


class PartnerStatus(StrEnum):
    """The guide's states of an agent, for vendors too."""

    PENDING_APPROVAL = "PENDING_APPROVAL"
    """Waits for staff; with a refusal reason it waits for the partner, who changes what was wrong."""
    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    """Sells nothing new and is paid nothing; what was earned waits."""


class PayoutMethod(StrEnum):
    """Where payouts go."""

    BANK_TRANSFER = "BANK_TRANSFER"
    WALLET = "WALLET"
    STRIPE = "STRIPE"


class PartnerNotFound(NotFound):
    """There is no such vendor or agent, or it is somebody else's profile."""

    code = "partner_not_found"


class PartnerExists(Conflict):
    """The account has a profile of this kind already."""

    code = "partner_exists"


class PartnerSuspendedNow(Conflict):
    """Whoever is suspended does not change where the money goes."""

    code = "partner_suspended"


class BankAccountMissing(Conflict):
    """Payouts by bank transfer need an account to go to."""

    code = "bank_account_missing"


class StripeAccountMissing(Conflict):
    """Payouts by Stripe need an account there, which staff enter."""

    code = "stripe_account_missing"


class AgentNotActive(NotAllowed):
    """The agent is suspended, or not approved yet: it does not book for others."""

    code = "agent_not_active"


_S = PartnerStatus
NEXT: Final = {
    _S.PENDING_APPROVAL: {_S.ACTIVE},
    _S.ACTIVE: {_S.SUSPENDED},
    _S.SUSPENDED: {_S.ACTIVE},
}


class Company(TypedDict, total=False):
    """What a partner says of its company; what is left out stays as it is."""

    company_name: str
    license_number: str
    tax_id: str


@dataclass(eq=False, kw_only=True)
class Partner(Aggregate):
    """One profile of one person in one trade. `payouts_from` is before when no payout leaves: the way has changed."""

    SHOWN: ClassVar = (
        "status", "company_name", "license_number", "tax_id", "payout_method", "suspension_reason", "refusal_reason",
    )  # fmt: skip

    id: UUID
    user_id: UUID
    payee_type: PayeeType
    status: PartnerStatus
    company_name: str
    license_number: str
    tax_id: str
    payout_method: PayoutMethod
    created_at: datetime
    stripe_account: str | None = None
    approved_by: UUID | None = None
    approved_at: datetime | None = None
    suspension_reason: str | None = None
    refusal_reason: str | None = None
    payouts_from: datetime | None = None
    version: int = 1

    @classmethod
    def apply(
        cls,
        *,
        partner_id: UUID,
        user_id: UUID,
        payee_type: PayeeType,
        payout_method: PayoutMethod,
        at: datetime,
        **company: Unpack[Company],
    ) -> Partner:
        """Somebody asks to be paid as a vendor or an agent."""
        if payout_method is PayoutMethod.STRIPE:
            raise StripeAccountMissing()
        partner = cls(
            id=partner_id,
            user_id=user_id,
            payee_type=payee_type,
            status=PartnerStatus.PENDING_APPROVAL,
            company_name=company["company_name"],
            license_number=company.get("license_number", ""),
            tax_id=company.get("tax_id", ""),
            payout_method=payout_method,
            created_at=at,
        )
        partner.record(PartnerApplied(at=at, partner_id=partner_id))
        return partner

    def approve(self, *, by: UUID, has_bank_account: bool, at: datetime) -> None:
        """Agree; never with oneself. Raises OwnRequest, IllegalTransition, BankAccountMissing."""
        self._refuse_own(by)
        if self.status is not PartnerStatus.PENDING_APPROVAL:
            raise IllegalTransition(current=self.status, wanted=PartnerStatus.ACTIVE)
        if self.payout_method is PayoutMethod.BANK_TRANSFER and not has_bank_account:
            raise BankAccountMissing()
        self._move_to(PartnerStatus.ACTIVE)
        self.approved_by, self.approved_at, self.refusal_reason = by, at, None
        self.record(PartnerApproved(at=at, partner_id=self.id, decided_at=at))

    def refuse(self, *, reason: str, by: UUID, at: datetime) -> None:
        """Say what is wrong; it waits until the partner has changed it. Raises OwnRequest, IllegalTransition."""
        self._refuse_own(by)
        if self.status is not PartnerStatus.PENDING_APPROVAL:
            raise IllegalTransition(current=self.status, wanted="REFUSED")
        self.refusal_reason = reason
        self.record(PartnerRefused(at=at, partner_id=self.id, decided_at=at))

    def suspend(self, *, reason: str, by: UUID, at: datetime) -> None:
        """From now on it sells nothing new and is paid nothing. Raises OwnRequest, IllegalTransition."""
        self._refuse_own(by)
        self._move_to(PartnerStatus.SUSPENDED)
        self.suspension_reason = reason
        self.record(PartnerSuspended(at=at, partner_id=self.id, decided_at=at))

    def reinstate(self, *, by: UUID, at: datetime) -> None:
        """It sells and is paid again. Raises OwnRequest, IllegalTransition."""
        self._refuse_own(by)
        if self.status is not PartnerStatus.SUSPENDED:
            raise IllegalTransition(current=self.status, wanted=PartnerStatus.ACTIVE)
        self._move_to(PartnerStatus.ACTIVE)
        self.suspension_reason = None
        self.record(PartnerReinstated(at=at, partner_id=self.id, decided_at=at))

    def change_company(self, *, at: datetime, **company: Unpack[Company]) -> None:
        """What the company says of itself; one that was refused waits for staff again."""
        for name, value in company.items():
            setattr(self, name, value)
        self._ask_again(at)

    def choose_payout_method(
        self, method: PayoutMethod, *, has_bank_account: bool, cooling: timedelta, at: datetime
    ) -> None:
        """Be paid another way, once it has cooled off.

        Raises PartnerSuspendedNow, BankAccountMissing, StripeAccountMissing.
        """
        if method is self.payout_method:
            return
        self._refuse_suspended()
        if method is PayoutMethod.BANK_TRANSFER and not has_bank_account and self.approved_at is not None:
            raise BankAccountMissing()
        if method is PayoutMethod.STRIPE and self.stripe_account is None:
            raise StripeAccountMissing()
        self.payout_method = method
        self._way_changed(cooling, at)

    def enter_stripe_account(self, account: str, *, by: UUID, cooling: timedelta, at: datetime) -> None:
        """The account at Stripe, from staff. Raises OwnRequest."""
        self._refuse_own(by)
        if account == self.stripe_account:
            return
        self.stripe_account = account
        if self.payout_method is PayoutMethod.STRIPE:
            self._way_changed(cooling, at)

    def put_bank_account(self, account_id: UUID, *, cooling: timedelta, at: datetime) -> datetime:
        """Another account is on file; from when it is used.

        At once while staff have not approved the profile: they approve what is on file. Raises PartnerSuspendedNow.
        """
        self._refuse_suspended()
        usable_from = at if self.approved_at is None else at + cooling
        self._ask_again(at)
        self.record(BankAccountChanged(at=at, partner_id=self.id, bank_account_id=account_id, usable_from=usable_from))
        return usable_from

    def _way_changed(self, cooling: timedelta, at: datetime) -> None:
        usable_from = at if self.approved_at is None else at + cooling
        self.payouts_from = usable_from
        self._ask_again(at)
        self.record(
            PayoutMethodChanged(
                at=at, partner_id=self.id, payout_method=self.payout_method.value, usable_from=usable_from
            )
        )

    def _ask_again(self, at: datetime) -> None:
        if self.refusal_reason is None:
            return
        self.refusal_reason = None
        self.record(PartnerApplied(at=at, partner_id=self.id))

    def _refuse_own(self, by: UUID) -> None:
        if by == self.user_id:
            raise OwnRequest()

    def _refuse_suspended(self) -> None:
        if self.status is PartnerStatus.SUSPENDED:
            raise PartnerSuspendedNow()

    def _move_to(self, status: PartnerStatus) -> None:
        if status not in NEXT[self.status]:
            raise IllegalTransition(current=self.status, wanted=status)
        self.status = status
