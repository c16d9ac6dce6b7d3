"""Passwords that are asked for outside sign-in, with every guess counted."""

from __future__ import annotations

from uuid import UUID

from application.identity.ports import PasswordHasher
from application.ports import UnitOfWork
from domain.identity.passwords import WrongCurrentPassword
from domain.shared.clock import Clock


def confirm_password(user_id: UUID, password: str, *, uow: UnitOfWork, passwords: PasswordHasher, clock: Clock) -> None:
    """Whoever is signed in knows the account's password. Raises WrongCurrentPassword, or TooManyAttempts."""
    with uow:
        password_hash = uow.users.get(user_id).password_hash
    subject = f"current_password:{user_id}"
    if not password_fits(subject, password, password_hash, uow=uow, passwords=passwords, clock=clock):
        raise WrongCurrentPassword()


def password_fits(
    subject: str,
    password: str,
    password_hash: str,
    *,
    uow: UnitOfWork,
    passwords: PasswordHasher,
    clock: Clock,
) -> bool:
    """Whether it is the password. Raises TooManyAttempts once a subject was guessed at too often."""
    now = clock.now()
    with uow:
        guesses = uow.guesses.of(subject)
        guesses.refuse_while_locked(at=now)
        # Counted before it is looked at, and forgotten if right: hashing takes long, and no lock is held over it.
        guesses.count_wrong(at=now)
        uow.guesses.save(guesses)
        uow.commit()
    if not passwords.verify(password, password_hash):
        return False
    with uow:
        uow.guesses.forget(subject)
        uow.commit()
    return True
