"""What staff say of vendors and agents: approval, suspension, rates, accounts at Stripe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from application.partners.profiles import audit_partner, shown
from application.ports import UnitOfWork
from domain.partners.partners import AgentNotActive, Partner
from domain.partners.rates import PartnerRate
from domain.shared.clock import Clock
from domain.shared.errors import refuse_stale
from domain.shared.identifiers import NewId
from domain.shared.payees import PayeeType
from domain.shared.percentage import Percentage


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidePartner:
    """Staff decide about a profile of a trade that is theirs to look after."""

    partner_id: UUID
    payee_type: PayeeType
    actor_id: UUID
    expected_version: int | None
    reason: str = ""


def approve_partner(command: DecidePartner, *, uow: UnitOfWork, clock: Clock) -> None:
    """Agree with who it is, and where its money goes.

    Raises PartnerNotFound, PreconditionFailed, OwnRequest, IllegalTransition or BankAccountMissing.
    """
    now = clock.now()

    def approve(partner: Partner) -> None:
        has_account = uow.partners.newest_account(partner.id) is not None
        partner.approve(by=command.actor_id, has_bank_account=has_account, at=now)

    _decide("partners.approve", command, approve, uow=uow, at=now)


def refuse_partner(command: DecidePartner, *, uow: UnitOfWork, clock: Clock) -> None:
    """Say what has to be changed first. Raises PartnerNotFound, PreconditionFailed, OwnRequest, IllegalTransition."""
    now = clock.now()
    _decide(
        "partners.refuse",
        command,
        lambda partner: partner.refuse(reason=command.reason, by=command.actor_id, at=now),
        uow=uow,
        at=now,
    )


def suspend_partner(command: DecidePartner, *, uow: UnitOfWork, clock: Clock) -> None:
    """Have it sell nothing new and be paid nothing; bookings that were made stand.

    Raises PartnerNotFound, PreconditionFailed, OwnRequest or IllegalTransition.
    """
    now = clock.now()
    _decide(
        "partners.suspend",
        command,
        lambda partner: partner.suspend(reason=command.reason, by=command.actor_id, at=now),
        uow=uow,
        at=now,
    )


def reinstate_partner(command: DecidePartner, *, uow: UnitOfWork, clock: Clock) -> None:
    """Take the suspension back. Raises PartnerNotFound, PreconditionFailed, OwnRequest or IllegalTransition."""
    now = clock.now()
    _decide(
        "partners.reinstate",
        command,
        lambda partner: partner.reinstate(by=command.actor_id, at=now),
        uow=uow,
        at=now,
    )


def _decide(
    action: str, command: DecidePartner, decide: Callable[[Partner], None], *, uow: UnitOfWork, at: datetime
) -> None:
    with uow:
        partner = uow.partners.get(command.partner_id, payee_type=command.payee_type)
        refuse_stale(command.expected_version, current=partner.version)
        before = shown(partner)
        decide(partner)
        uow.partners.save(partner)
        audit_partner(action, partner, before, by=command.actor_id, uow=uow, at=at)
        uow.commit()


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPartnerRate:
    """What is agreed from an instant on; from now on where `valid_from` is None."""

    partner_id: UUID
    payee_type: PayeeType
    actor_id: UUID
    rate: Percentage
    valid_from: datetime | None
    reason: str


def set_partner_rate(command: SetPartnerRate, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> UUID:
    """Agree on another rate; what was sold keeps the one that was frozen. Its id.

    Raises PartnerNotFound, OwnRequest, RateExists, or InvalidValue for the past.
    """
    now = clock.now()
    with uow:
        partner = uow.partners.get(command.partner_id, payee_type=command.payee_type)
        rate = PartnerRate.agree(
            rate_id=new_id(),
            partner_id=partner.id,
            partner_user_id=partner.user_id,
            rate=command.rate,
            valid_from=command.valid_from,
            reason=command.reason,
            by=command.actor_id,
            at=now,
        )
        uow.partners.add_rate(rate)
        uow.audit.add(
            actor=command.actor_id,
            action="commissions.manage",
            resource_type="PARTNER",
            resource_id=partner.id,
            changes={
                "before": {},
                "after": {"rate": str(rate.rate), "valid_from": rate.valid_from.isoformat()},
                "reason": rate.reason,
            },
            at=now,
        )
        uow.commit()
    return rate.id


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterStripeAccount:
    """The account at Stripe that a partner may be paid to."""

    partner_id: UUID
    payee_type: PayeeType
    actor_id: UUID
    stripe_account: str
    cooling: timedelta
    expected_version: int | None


def enter_stripe_account(command: EnterStripeAccount, *, uow: UnitOfWork, clock: Clock) -> None:
    """Keep a partner's account at Stripe; where payouts go there, it cools off like any other change.

    Raises PartnerNotFound, PreconditionFailed or OwnRequest.
    """
    now = clock.now()
    with uow:
        partner = uow.partners.get(command.partner_id, payee_type=command.payee_type)
        refuse_stale(command.expected_version, current=partner.version)
        before = partner.stripe_account
        partner.enter_stripe_account(command.stripe_account, by=command.actor_id, cooling=command.cooling, at=now)
        uow.partners.save(partner)
        if before != partner.stripe_account:
            uow.audit.add(
                actor=command.actor_id,
                action="partners.bank",
                resource_type="PARTNER",
                resource_id=partner.id,
                changes={"before": {"stripe_account": before}, "after": {"stripe_account": partner.stripe_account}},
                at=now,
            )
        uow.commit()


def refuse_barred_agent(agent_id: UUID | None, *, uow: UnitOfWork) -> None:
    """An agent books and prices for others while its profile is active, or where it has none yet.

    Raises AgentNotActive.
    """
    if agent_id is not None and not uow.partners.may_book(agent_id):
        raise AgentNotActive()
