"""Asking for a person's erasure, thinking again, and carrying it out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from application.billing.ports import ObjectStorage
from application.identity.guessing import confirm_password
from application.identity.ports import PasswordHasher
from application.identity.signing_in import end_sessions
from application.ledger.lapsing import lapse_voucher_credit
from application.ports import NewUnitOfWork, UnitOfWork
from domain.identity.roles import RoleNotGrantable, may_change, may_grant
from domain.identity.users import LastSuperAdmin, OwnAccount, User
from domain.privacy.erasure import (
    AccountErased,
    Blocker,
    Erasure,
    ErasureAlreadyRequested,
    ErasureBlocked,
    ErasureNotFound,
    PersonErased,
)
from domain.shared.clock import Clock
from domain.shared.errors import refuse_stale
from domain.shared.identifiers import NewId

BATCH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseAccount:
    """`grace` is how long the person may change their mind; `expected_version` the account's that they saw."""

    user_id: UUID
    grace: timedelta
    expected_version: int | None = None


def close_account(command: CloseAccount, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> None:
    """The user leaves: every session ends with the account, and what is kept of the person ends after the grace.

    Open money does not hold this up; it holds up the erasure when that is due. Raises PreconditionFailed,
    LastSuperAdmin.
    """
    now, user_id = clock.now(), command.user_id
    with uow:
        user = _keep_a_super_admin(user_id, uow)
        refuse_stale(command.expected_version, current=user.version)
        _close(user, uow=uow, at=now)
        if uow.privacy.open_erasure_of(user_id) is None:
            uow.privacy.add_erasure(
                _erasure(new_id(), user_id, by=user_id, reason="", at=now, due_at=now + command.grace)
            )
        uow.commit()


def _close(user: User, *, uow: UnitOfWork, at: datetime) -> None:
    user.close(at=at)
    uow.sessions.end_resets(user.id, at=at)
    end_sessions(user.id, reason="account closed", uow=uow, at=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskForErasure:
    """A person's own wish, with the password as proof that it is theirs; they may change their mind for the grace."""

    user_id: UUID
    current_password: str
    address: str
    grace: timedelta


def ask_for_erasure(
    command: AskForErasure, *, uow: UnitOfWork, passwords: PasswordHasher, clock: Clock, new_id: NewId
) -> None:
    """Schedule one's own erasure; the account goes on until then.

    Raises WrongCurrentPassword, TooManyAttempts, ErasureAlreadyRequested, or ErasureBlocked naming the money that
    is open.
    """
    confirm_password(
        command.user_id,
        command.current_password,
        address=command.address,
        uow=uow,
        passwords=passwords,
        clock=clock,
    )
    now, user_id = clock.now(), command.user_id
    with uow:
        _refuse_open_money(user_id, uow=uow, at=now)
        _keep_a_super_admin(user_id, uow)
        uow.privacy.add_erasure(_erasure(new_id(), user_id, by=user_id, reason="", at=now, due_at=now + command.grace))
        uow.commit()


def _keep_a_super_admin(user_id: UUID, uow: UnitOfWork) -> User:
    """The account, locked. Raises LastSuperAdmin."""
    others = uow.users.other_super_admins(user_id)
    user = uow.users.get(user_id)
    if user.is_super_admin and not others:
        raise LastSuperAdmin()
    return user


def withdraw_erasure(user_id: UUID, *, uow: UnitOfWork, clock: Clock) -> None:
    """Think again, while the rows are still there. Raises ErasureNotFound."""
    with uow:
        erasure = uow.privacy.open_erasure_of(user_id)
        if erasure is None or erasure.erased_at is not None:
            raise ErasureNotFound()
        uow.privacy.withdraw(erasure.id, at=clock.now())
        uow.commit()


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderErasure:
    """Staff's order; `immediately` leaves out the grace, never the money."""

    user_id: UUID
    actor_id: UUID
    reason: str
    immediately: bool
    grace: timedelta


def order_erasure(command: OrderErasure, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> None:
    """Schedule somebody's erasure, or hasten the one that is scheduled; at once it closes the account, too.

    Raises NotFound, RoleNotGrantable, OwnAccount, LastSuperAdmin, AccountErased, ErasureAlreadyRequested or
    ErasureBlocked.
    """
    now = clock.now()
    with uow:
        user = _subject(command, uow)
        _refuse_open_money(command.user_id, uow=uow, at=now)
        _schedule(command, uow=uow, at=now, new_id=new_id)
        if command.immediately:
            _close(user, uow=uow, at=now)
        uow.audit.add(
            actor=command.actor_id,
            action="privacy.erase",
            resource_type="USER",
            resource_id=command.user_id,
            changes={"after": {"immediately": command.immediately}, "reason": command.reason},
            at=now,
        )
        uow.commit()


def _subject(command: OrderErasure, uow: UnitOfWork) -> User:
    """Who is to be erased: somebody whose account the actor may change, and not the actor."""
    if command.actor_id == command.user_id:
        raise OwnAccount()
    user = _keep_a_super_admin(command.user_id, uow)
    actor = uow.users.get(command.actor_id)
    if not may_change(actor.roles, user.roles):
        raise RoleNotGrantable(", ".join(role for role in user.roles if not may_grant(actor.roles, role)))
    return user


def _schedule(command: OrderErasure, *, uow: UnitOfWork, at: datetime, new_id: NewId) -> None:
    waiting = uow.privacy.open_erasure_of(command.user_id)
    if waiting is not None:
        if not command.immediately:
            raise ErasureAlreadyRequested()
        uow.privacy.hasten(waiting.id, due_at=at)
        return
    due_at = at if command.immediately else at + command.grace
    uow.privacy.add_erasure(
        _erasure(new_id(), command.user_id, by=command.actor_id, reason=command.reason, at=at, due_at=due_at)
    )


def _refuse_open_money(user_id: UUID, *, uow: UnitOfWork, at: datetime) -> None:
    if uow.privacy.is_erased(user_id):
        raise AccountErased()
    blockers = uow.privacy.blockers(user_id, at=at)
    if blockers:
        raise ErasureBlocked(blockers)


def _erasure(
    erasure_id: UUID, user_id: UUID, *, by: UUID | None, reason: str, at: datetime, due_at: datetime
) -> Erasure:
    return Erasure(
        id=erasure_id, user_id=user_id, requested_by_user_id=by, reason=reason, requested_at=at, due_at=due_at
    )


def due_erasures(*, uow: UnitOfWork, clock: Clock) -> Sequence[UUID]:
    """What is to be carried out now: at most a batch, those first that were not tried lately."""
    with uow:
        return uow.privacy.due_erasures(at=clock.now(), limit=BATCH)


def carry_out_erasure(
    erasure_id: UUID, *, new_uow: NewUnitOfWork, storage: ObjectStorage, clock: Clock, new_id: NewId
) -> bool:
    """Erase the person's rows in one transaction, then the files; whether it is done, now or before.

    Killed in between, it goes on where it was. Money that is open keeps it waiting.
    """
    now = clock.now()
    with new_uow() as uow:
        erasure = uow.privacy.open_erasure(erasure_id)
        if erasure is None:
            return True
        if erasure.erased_at is None and not _erase_rows(erasure, uow=uow, at=now, new_id=new_id):
            return False
    _erase_files(erasure_id, new_uow=new_uow, storage=storage, clock=clock)
    return True


def _erase_rows(erasure: Erasure, *, uow: UnitOfWork, at: datetime, new_id: NewId) -> bool:
    # Locked before their accounts, as whoever adjusts those does.
    uow.users.get(erasure.user_id)
    blockers = list(uow.privacy.blockers(erasure.user_id, at=at))
    if not blockers and not lapse_voucher_credit(erasure.user_id, erasure_id=erasure.id, uow=uow, at=at, new_id=new_id):
        # A payment that waits has set some of the credit aside.
        blockers = [Blocker.PAYMENTS]
    if blockers:
        uow.privacy.note_blocked(erasure.id, blockers, at=at)
        uow.commit()
        return False
    uow.privacy.erase(erasure.id, at=at)
    uow.audit.add(
        actor=None,
        action="privacy.erase",
        resource_type="USER",
        resource_id=erasure.user_id,
        changes={"after": {"erased": True}},
        at=at,
    )
    uow.publish(PersonErased(at=at, user_id=erasure.user_id))
    uow.commit()
    return True


def _erase_files(erasure_id: UUID, *, new_uow: NewUnitOfWork, storage: ObjectStorage, clock: Clock) -> None:
    with new_uow() as uow:
        erasure = uow.privacy.open_erasure(erasure_id)
    for key in erasure.objects if erasure is not None else ():
        storage.delete(key)
    with new_uow() as uow:
        uow.privacy.finish_erasure(erasure_id, at=clock.now())
        uow.commit()
