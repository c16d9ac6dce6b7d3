"""Asking for a person's erasure, thinking again, and carrying it out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from application.billing.ports import ObjectStorage
from application.identity.ports import PasswordHasher
from application.ports import NewUnitOfWork, UnitOfWork
from domain.identity.users import WrongCredentials
from domain.privacy.erasure import (
    GRACE,
    AccountErased,
    Erasure,
    ErasureAlreadyRequested,
    ErasureBlocked,
    ErasureNotFound,
    PersonErased,
)
from domain.shared.clock import Clock
from domain.shared.identifiers import NewId

BATCH = 100


def close_account(user_id: UUID, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> None:
    """The user leaves: every session ends with the account, and what is kept of the person ends after the grace.

    Open money does not hold this up; it holds up the erasure when that is due.
    """
    now = clock.now()
    with uow:
        _close(user_id, uow=uow, at=now)
        if uow.privacy.open_erasure_of(user_id) is None:
            uow.privacy.add_erasure(_erasure(new_id(), user_id, by=user_id, reason="", at=now, due_at=now + GRACE))
        uow.commit()


def _close(user_id: UUID, *, uow: UnitOfWork, at: datetime) -> None:
    uow.users.get(user_id).close(at=at)
    for session in uow.sessions.of_user(user_id):
        session.revoke(at=at, reason="account closed")


@dataclass(frozen=True, slots=True, kw_only=True)
class AskForErasure:
    """A person's own wish, with the password as proof that it is theirs."""

    user_id: UUID
    password: str


def ask_for_erasure(
    command: AskForErasure, *, new_uow: NewUnitOfWork, passwords: PasswordHasher, clock: Clock, new_id: NewId
) -> None:
    """Schedule one's own erasure; the account goes on until then.

    Raises WrongCredentials, ErasureAlreadyRequested, or ErasureBlocked naming the money that is open.
    """
    with new_uow() as uow:
        known_hash = uow.users.get(command.user_id).password_hash
    # Compared between transactions: a fifth of a second is too long to hold a row's lock.
    if not passwords.verify(command.password, known_hash):
        raise WrongCredentials()
    now = clock.now()
    with new_uow() as uow:
        _refuse_open_money(command.user_id, uow=uow, at=now)
        uow.privacy.add_erasure(
            _erasure(new_id(), command.user_id, by=command.user_id, reason="", at=now, due_at=now + GRACE)
        )
        uow.commit()


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


def order_erasure(command: OrderErasure, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> None:
    """Schedule somebody's erasure, or hasten the one that is scheduled; at once it closes the account, too.

    Raises NotFound, AccountErased, ErasureAlreadyRequested or ErasureBlocked.
    """
    now = clock.now()
    with uow:
        uow.users.get(command.user_id)
        _refuse_open_money(command.user_id, uow=uow, at=now)
        _schedule(command, uow=uow, at=now, new_id=new_id)
        if command.immediately:
            _close(command.user_id, uow=uow, at=now)
        uow.audit.add(
            actor=command.actor_id,
            action="privacy.erase",
            resource_type="USER",
            resource_id=command.user_id,
            changes={"after": {"immediately": command.immediately}, "reason": command.reason},
            at=now,
        )
        uow.commit()


def _schedule(command: OrderErasure, *, uow: UnitOfWork, at: datetime, new_id: NewId) -> None:
    waiting = uow.privacy.open_erasure_of(command.user_id)
    if waiting is not None:
        if not command.immediately:
            raise ErasureAlreadyRequested()
        uow.privacy.hasten(waiting.id, due_at=at)
        return
    due_at = at if command.immediately else at + GRACE
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


def carry_out_erasure(erasure_id: UUID, *, new_uow: NewUnitOfWork, storage: ObjectStorage, clock: Clock) -> bool:
    """Erase the person's rows in one transaction, then the files; whether it is done, now or before.

    Killed in between, it goes on where it was. Money that is open keeps it waiting.
    """
    now = clock.now()
    with new_uow() as uow:
        erasure = uow.privacy.open_erasure(erasure_id)
        if erasure is None:
            return True
        if erasure.erased_at is None and not _erase_rows(erasure, uow=uow, at=now):
            return False
    _erase_files(erasure_id, new_uow=new_uow, storage=storage, clock=clock)
    return True


def _erase_rows(erasure: Erasure, *, uow: UnitOfWork, at: datetime) -> bool:
    blockers = uow.privacy.blockers(erasure.user_id, at=at)
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
