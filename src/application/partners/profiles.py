"""What vendors and agents do with their own profiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from application.identity.guessing import confirm_password
from application.identity.ports import OneTimeCodes, PasswordHasher
from application.identity.second_factor import check_second_factor
from application.partners.ports import FiledAccount
from application.ports import UnitOfWork
from domain.operations.audit import changed
from domain.partners.bank_accounts import BankAccount
from domain.partners.partners import Company, Partner, PayoutMethod
from domain.shared.clock import Clock
from domain.shared.errors import NotAllowed, refuse_stale
from domain.shared.identifiers import NewId
from domain.shared.payees import PayeeType


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyAsPartner:
    """Somebody with the role of a vendor or an agent wants to be paid as one; `roles` are what they hold."""

    user_id: UUID
    roles: frozenset[str]
    payee_type: PayeeType
    payout_method: PayoutMethod
    company: Company


def apply_as_partner(command: ApplyAsPartner, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> UUID:
    """Make one's profile, which waits for staff; its id. Raises NotAllowed, PartnerExists or StripeAccountMissing."""
    if command.payee_type not in command.roles:
        raise NotAllowed()
    now = clock.now()
    partner = Partner.apply(
        partner_id=new_id(),
        user_id=command.user_id,
        payee_type=command.payee_type,
        payout_method=command.payout_method,
        at=now,
        **command.company,
    )
    with uow:
        uow.partners.add(partner)
        audit_partner("partners.apply", partner, {}, by=command.user_id, uow=uow, at=now)
        uow.commit()
    return partner.id


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeCompany:
    """A partner says something else of its company; what is left out stays."""

    partner_id: UUID
    user_id: UUID
    company: Company
    expected_version: int | None


def change_company(command: ChangeCompany, *, uow: UnitOfWork, clock: Clock) -> None:
    """Change one's own profile. Raises PartnerNotFound or PreconditionFailed."""
    now = clock.now()
    with uow:
        partner = uow.partners.get(command.partner_id, owner=command.user_id)
        refuse_stale(command.expected_version, current=partner.version)
        before = shown(partner)
        partner.change_company(at=now, **command.company)
        uow.partners.save(partner)
        audit_partner("partners.update", partner, before, by=command.user_id, uow=uow, at=now)
        uow.commit()


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """That it is the owner who changes where the money goes: the password, and a code where sign-in asks for one."""

    user_id: UUID
    current_password: str
    second_factor_code: str | None
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prover:
    """What a proof is held against."""

    passwords: PasswordHasher
    codes: OneTimeCodes


def _check(proof: Proof, prover: Prover, *, uow: UnitOfWork, clock: Clock) -> None:
    """In transactions of its own: what is wrong stays counted.

    Raises WrongCurrentPassword, TooManyAttempts, SecondFactorRequired or SecondFactorInvalid.
    """
    confirm_password(
        proof.user_id,
        proof.current_password,
        address=proof.address,
        uow=uow,
        passwords=prover.passwords,
        clock=clock,
    )
    check_second_factor(proof.user_id, proof.second_factor_code, uow=uow, codes=prover.codes, clock=clock)


@dataclass(frozen=True, slots=True, kw_only=True)
class PutBankAccount:
    """Where payouts by transfer go from now on, once it has cooled off."""

    partner_id: UUID
    proof: Proof
    account: BankAccount
    cooling: timedelta
    expected_version: int | None


def put_bank_account(command: PutBankAccount, *, uow: UnitOfWork, prover: Prover, clock: Clock, new_id: NewId) -> None:
    """Put an account on file; the one that is there already changes nothing, and goes on cooling off.

    Raises PartnerNotFound, PreconditionFailed, PartnerSuspendedNow, and what a wrong proof raises.
    """
    _check(command.proof, prover, uow=uow, clock=clock)
    user_id = command.proof.user_id
    with uow:
        partner = uow.partners.get(command.partner_id, owner=user_id)
        refuse_stale(command.expected_version, current=partner.version)
        filed = uow.partners.newest_account(partner.id)
        if filed is not None and filed.account == command.account:
            return
        # Under the lock: of two at once the one that is filed last is the newest.
        now, account_id = clock.now(), new_id()
        usable_from = partner.put_bank_account(account_id, cooling=command.cooling, at=now)
        uow.partners.add_account(
            FiledAccount(
                id=account_id,
                partner_id=partner.id,
                account=command.account,
                added_by=user_id,
                created_at=now,
                usable_from=usable_from,
            )
        )
        # Saved although nothing of it need differ: whoever approves the profile has to have seen this account.
        uow.partners.save(partner)
        _audit_account(partner, filed, account_id, usable_from, by=user_id, uow=uow, at=now)
        uow.commit()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoosePayoutMethod:
    """Payouts go another way from now on, once that has cooled off."""

    partner_id: UUID
    proof: Proof
    payout_method: PayoutMethod
    cooling: timedelta
    expected_version: int | None


def choose_payout_method(command: ChoosePayoutMethod, *, uow: UnitOfWork, prover: Prover, clock: Clock) -> None:
    """Be paid another way.

    Raises PartnerNotFound, PreconditionFailed, PartnerSuspendedNow, BankAccountMissing, StripeAccountMissing, and what
    a wrong proof raises.
    """
    _check(command.proof, prover, uow=uow, clock=clock)
    now, user_id = clock.now(), command.proof.user_id
    with uow:
        partner = uow.partners.get(command.partner_id, owner=user_id)
        refuse_stale(command.expected_version, current=partner.version)
        before = shown(partner)
        partner.choose_payout_method(
            command.payout_method,
            has_bank_account=uow.partners.newest_account(partner.id) is not None,
            cooling=command.cooling,
            at=now,
        )
        uow.partners.save(partner)
        audit_partner("partners.payout_method", partner, before, by=user_id, uow=uow, at=now)
        uow.commit()


def shown(partner: Partner) -> dict[str, object]:
    """What the audit log compares."""
    return {name: getattr(partner, name) for name in Partner.SHOWN}


def audit_partner(
    action: str, partner: Partner, before: Mapping[str, object], *, by: UUID, uow: UnitOfWork, at: datetime
) -> None:
    """What differs, before and after; nothing where nothing does."""
    changes = changed(before, shown(partner))
    if changes["after"]:
        uow.audit.add(actor=by, action=action, resource_type="PARTNER", resource_id=partner.id, changes=changes, at=at)


def _audit_account(
    partner: Partner,
    filed: FiledAccount | None,
    account_id: UUID,
    usable_from: datetime,
    *,
    by: UUID,
    uow: UnitOfWork,
    at: datetime,
) -> None:
    """Which rows, and from when: nothing of any number."""
    before = {"bank_account_id": str(filed.id) if filed is not None else None}
    after = {"bank_account_id": str(account_id), "usable_from": usable_from.isoformat()}
    uow.audit.add(
        actor=by,
        action="partners.bank_account",
        resource_type="PARTNER",
        resource_id=partner.id,
        changes={"before": before, "after": after},
        at=at,
    )
