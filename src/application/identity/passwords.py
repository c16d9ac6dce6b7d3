"""Changing a password, and setting a new one when the old one is forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from application.identity.accounts import is_proved_by_another
from application.identity.guessing import count_failure, end_failures, refuse_locked
from application.identity.ports import PasswordHasher
from application.identity.signing_in import end_sessions
from application.identity.tokens import digest, fresh_mailed_token
from application.ports import UnitOfWork
from domain.identity.lockout import Attempt
from domain.identity.passwords import (
    RESET_LIFETIME,
    RESETS_AN_HOUR,
    WrongCurrentPassword,
    WrongResetToken,
    refuse_personal_password,
)
from domain.identity.users import PasswordResetRequested, User
from domain.shared.clock import Clock
from domain.shared.email import fold


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePassword:
    """`session_id` is the session that stays."""

    user_id: UUID
    session_id: UUID
    current_password: str
    new_password: str
    address: str


def change_password(command: ChangePassword, *, uow: UnitOfWork, passwords: PasswordHasher, clock: Clock) -> None:
    """Change one's own password; every other session ends.

    Raises WrongCurrentPassword, which counts as a failure to sign in, TooManyAttempts, or InvalidValue.
    """
    with uow:
        user = uow.users.get(command.user_id)
        attempt = Attempt(user.email, command.address)
        refuse_locked(attempt, uow=uow, at=clock.now())
        claims = uow.users.claims(user.email)
    _refuse_personal(command.new_password, user, pointer="/new_password")
    # Before the current one is looked at: what was refused for its rules is no guess.
    password_hash = passwords.hash(
        command.new_password, like=[claim.password_hash for claim in claims], pointer="/new_password"
    )
    if passwords.verify(command.current_password, [user.password_hash]) is None:
        count_failure(attempt, claims, uow=uow, at=clock.now())
        raise WrongCurrentPassword()
    verified, now = user.password_hash, clock.now()
    with uow:
        user = uow.users.get(command.user_id)
        if user.password_hash != verified:
            raise WrongCurrentPassword()
        end_failures(user, attempt, uow=uow, at=now)
        _set_password(user, password_hash, uow=uow, at=now, but=command.session_id)
        uow.commit()


@dataclass(frozen=True, slots=True)
class ForgetPassword:
    email: str


def forget_password(command: ForgetPassword, *, uow: UnitOfWork, clock: Clock) -> None:
    """Ask for a link to set a new password: the same work for known and unknown addresses, and no answer."""
    with uow:
        claims = uow.users.claims(fold(command.email))
        target = next((claim.user_id for claim in claims if claim.may_sign_in), None)
        uow.publish(PasswordResetRequested(at=clock.now(), user_id=target))
        uow.commit()


def expect_reset(user_id: UUID, *, uow: UnitOfWork, clock: Clock) -> tuple[User, str] | None:
    """Make a token that sets a new password: the user and the token, or None where no mail is due.

    Older tokens of the user end. Only so many mails an hour go to one address.
    """
    token, now = fresh_mailed_token(), clock.now()
    with uow:
        user = uow.users.get(user_id)
        made = uow.sessions.resets_since(user.email, now - timedelta(hours=1))
        if not user.may_sign_in or made >= RESETS_AN_HOUR:
            return None
        uow.sessions.expect_reset(token_hash=digest(token), user_id=user.id, at=now, expires_at=now + RESET_LIFETIME)
        uow.commit()
    return user, token


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetPassword:
    token: str
    password: str
    address: str


def reset_password(command: ResetPassword, *, uow: UnitOfWork, passwords: PasswordHasher, clock: Clock) -> None:
    """Set a new password with a mailed token: every session ends, the account is unlocked.

    Who has the token reads the mailbox, so the address is proved, unless another account has proved it.
    Raises WrongResetToken, or InvalidValue for the password; then the token is still good.
    """
    token_hash = digest(command.token.strip())
    with uow:
        user = _expecting(uow.sessions.reset_of(token_hash=token_hash, at=clock.now()), uow)
        hashes = [claim.password_hash for claim in uow.users.claims(user.email)]
    _refuse_personal(command.password, user, pointer="/password")
    password_hash, now = passwords.hash(command.password, like=hashes), clock.now()
    with uow:
        user = _expecting(user.id, uow)
        # Under the user's lock: of two at once the second finds it spent.
        if uow.sessions.take_reset(token_hash=token_hash, at=now) is None:
            raise WrongResetToken()
        if not is_proved_by_another(user, uow=uow):
            user.verify_email(at=now)
        uow.login_failures.unlock(Attempt(user.email, command.address))
        _set_password(user, password_hash, uow=uow, at=now)
        uow.commit()


def _expecting(user_id: UUID | None, uow: UnitOfWork) -> User:
    """Whose token it is. Raises WrongResetToken."""
    if user_id is None:
        raise WrongResetToken()
    user = uow.users.get(user_id)
    if not user.may_sign_in:
        raise WrongResetToken()
    return user


def _refuse_personal(password: str, user: User, *, pointer: str) -> None:
    refuse_personal_password(
        password, email=user.email, first_name=user.first_name, last_name=user.last_name, pointer=pointer
    )


def _set_password(user: User, password_hash: str, *, uow: UnitOfWork, at: datetime, but: UUID | None = None) -> None:
    """Another password: links to set one end, and so does every session, but for one."""
    user.change_password(password_hash, at=at)
    uow.sessions.end_resets(user.id, at=at)
    end_sessions(user.id, reason="password changed", uow=uow, at=at, but=but)
