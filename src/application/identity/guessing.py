"""How often a password may be guessed, wherever one is asked for: the lock is looked at first, failures are counted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from application.identity.ports import PasswordHasher
from application.ports import UnitOfWork
from domain.identity.lockout import Attempt, TooManyAttempts
from domain.identity.passwords import WrongCurrentPassword
from domain.identity.users import AccountLocked, Claim, User
from domain.shared.clock import Clock


def refuse_locked(attempt: Attempt, *, uow: UnitOfWork, at: datetime) -> None:
    """Raise TooManyAttempts while the account or the network address is locked."""
    until = uow.login_failures.locked_until(attempt, at=at)
    if until is not None:
        raise TooManyAttempts(until=until, at=at)


def confirm_password(
    user_id: UUID, password: str, *, address: str, uow: UnitOfWork, passwords: PasswordHasher, clock: Clock
) -> User:
    """Whoever is signed in, from this network address, knows the account's password; the account, as it was then.

    Raises WrongCurrentPassword, which counts as a failure to sign in, or TooManyAttempts.
    """
    with uow:
        user = uow.users.get(user_id)
        attempt = Attempt(user.email, address)
        refuse_locked(attempt, uow=uow, at=clock.now())
        claims = uow.users.claims(user.email)
    if passwords.verify(password, [user.password_hash]) is None:
        count_failure(attempt, claims, uow=uow, at=clock.now())
        raise WrongCurrentPassword()
    with uow:
        end_failures(user, attempt, uow=uow, at=clock.now())
        uow.commit()
    return user


def count_failure(attempt: Attempt, claims: Sequence[Claim], *, uow: UnitOfWork, at: datetime) -> None:
    """Count a wrong password, in a transaction of its own: it is remembered although the request is refused."""
    with uow:
        if uow.login_failures.add(attempt, at=at):
            owner = next((claim.user_id for claim in claims if claim.is_proved), None)
            uow.publish(AccountLocked(at=at, user_id=owner, locked_at=at))
        uow.commit()


def end_failures(user: User, attempt: Attempt, *, uow: UnitOfWork, at: datetime) -> None:
    """The password was right. Raises TooManyAttempts where others locked the address while this one was hashed."""
    until = settle_failures(user, attempt, uow=uow, at=at)
    if until is not None:
        raise TooManyAttempts(until=until, at=at)


def settle_failures(user: User, attempt: Attempt, *, uow: UnitOfWork, at: datetime) -> datetime | None:
    """The user's password was right: until when the address is locked all the same.

    Its failures are forgotten for the account that has proved it alone: one that merely claims it may be of somebody
    who guesses at the others'. For the only claim neither: it would see in the count whether there are others (S5).
    """
    failures = uow.login_failures
    return failures.keep(attempt, at=at) if user.email_verified_at is None else failures.end(attempt, at=at)
