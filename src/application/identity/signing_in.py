"""Signing in and out, and the sessions in between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from application.identity.guessing import count_failure, end_failures, refuse_locked
from application.identity.ports import AccessTokens, OneTimeCodes, PasswordHasher
from application.identity.second_factor import check_second_factor
from application.identity.tokens import digest, fresh_token
from application.ports import UnitOfWork
from domain.identity.lockout import Attempt
from domain.identity.roles import Surface, choose_surface
from domain.identity.sessions import Session, SessionEnded
from domain.identity.users import User, WrongCredentials
from domain.shared.clock import Clock
from domain.shared.email import fold
from domain.shared.identifiers import NewId


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh pair of tokens; the refresh token is shown this once and kept as a hash."""

    user_id: UUID
    access_token: str
    refresh_token: str
    expires_in: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogIn:
    email: str
    password: str
    user_agent: str
    address: str
    second_factor_code: str | None = None
    """Asked for where the account has a confirmed second factor."""
    surface: Surface | None = None
    """The widest that the account's roles allow where it is None."""


def log_in(
    command: LogIn,
    *,
    uow: UnitOfWork,
    passwords: PasswordHasher,
    codes: OneTimeCodes,
    tokens: AccessTokens,
    clock: Clock,
    new_id: NewId,
) -> SignedIn:
    """Sign in. Raises WrongCredentials, in the same time for known and unknown addresses, or TooManyAttempts.

    Once the password is right: SecondFactorRequired, SecondFactorInvalid, TooManyAttempts or WrongSurface.

    A locked account is refused before anything is hashed: the lock is of the address that was written, whether or
    not it has an account, so how quick the answer is tells nothing.
    """
    attempt = Attempt(fold(command.email), command.address)
    with uow:
        refuse_locked(attempt, uow=uow, at=clock.now())
        claims = uow.users.claims(attempt.email)
    hashes = [claim.password_hash for claim in claims]
    index = passwords.verify(command.password, hashes)
    claim = claims[index] if index is not None else None
    if claim is None or not claim.may_sign_in:
        count_failure(attempt, claims, uow=uow, at=clock.now())
        raise WrongCredentials()
    proved_at = check_second_factor(claim.user_id, command.second_factor_code, uow=uow, codes=codes, clock=clock)
    renewed = _renewed(command.password, claim.password_hash, hashes, passwords)
    with uow:
        user = uow.users.get(claim.user_id)
        if not user.may_sign_in or user.password_hash != claim.password_hash:
            raise WrongCredentials()
        end_failures(user, attempt, uow=uow, at=clock.now())
        user.password_hash = renewed
        signed_in = open_session(
            user,
            command.user_agent,
            command.address,
            surface=command.surface,
            second_factor_at=proved_at,
            uow=uow,
            tokens=tokens,
            clock=clock,
            new_id=new_id,
        )
        uow.commit()
    return signed_in


def _renewed(password: str, password_hash: str, hashes: Sequence[str], passwords: PasswordHasher) -> str:
    """The hash to keep from now on: another one where the cost was changed."""
    return passwords.rehash(password, like=hashes) if passwords.is_outdated(password_hash) else password_hash


def open_session(
    user: User,
    user_agent: str,
    address: str,
    *,
    surface: Surface | None = None,
    second_factor_at: datetime | None = None,
    uow: UnitOfWork,
    tokens: AccessTokens,
    clock: Clock,
    new_id: NewId,
) -> SignedIn:
    """Sign a device in, on the widest surface where none is asked for; the caller commits. Raises WrongSurface."""
    refresh_token = fresh_token()
    session = Session.open(
        session_id=new_id(),
        user_id=user.id,
        token_hash=digest(refresh_token),
        user_agent=user_agent,
        address=address,
        at=clock.now(),
        surface=choose_surface(surface, user.roles),
        second_factor_at=second_factor_at,
    )
    uow.sessions.add(session)
    return _signed_in(user, session, refresh_token, tokens, clock)


def _signed_in(user: User, session: Session, refresh_token: str, tokens: AccessTokens, clock: Clock) -> SignedIn:
    return SignedIn(
        user_id=user.id,
        access_token=tokens.issue(
            user_id=user.id,
            session_id=session.id,
            roles=user.roles,
            at=clock.now(),
            surface=session.surface,
            second_factor=session.second_factor_at is not None,
        ),
        refresh_token=refresh_token,
        expires_in=tokens.lifetime_seconds,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshSession:
    refresh_token: str
    address: str


def refresh_session(command: RefreshSession, *, uow: UnitOfWork, tokens: AccessTokens, clock: Clock) -> SignedIn:
    """Spend a refresh token for a new pair. Raises SessionEnded; a token spent twice ends its whole session."""
    presented, successor, now = digest(command.refresh_token), fresh_token(), clock.now()
    with uow:
        user, session = _session_of(presented, uow)
        rotated = session.rotate(presented=presented, successor=digest(successor), at=now, address=command.address)
        if not user.may_sign_in:
            session.revoke(at=now, reason="account disabled")
        # Committed in every case: that a stolen token was used again must be remembered.
        uow.commit()
    if not rotated or not user.may_sign_in:
        raise SessionEnded()
    return _signed_in(user, session, successor, tokens, clock)


def _session_of(token_hash: bytes, uow: UnitOfWork) -> tuple[User, Session]:
    """Whose token it is, and its session; locked in this order, as everywhere. Raises SessionEnded."""
    owner = uow.sessions.owner_of(token_hash)
    if owner is None:
        raise SessionEnded()
    user = uow.users.get(owner)
    session = uow.sessions.by_token(token_hash)
    if session is None:
        raise SessionEnded()
    return user, session


def log_out(refresh_token: str, *, uow: UnitOfWork, clock: Clock) -> None:
    """End the session of a refresh token; an unknown one is nobody's and ends nothing."""
    with uow:
        session = uow.sessions.by_token(digest(refresh_token))
        if session is not None:
            session.revoke(at=clock.now(), reason="signed out")
        uow.commit()


def log_out_everywhere(user_id: UUID, *, uow: UnitOfWork, clock: Clock) -> None:
    """End every session of a user, the asking one too."""
    with uow:
        user = uow.users.get(user_id)
        end_sessions(user.id, reason="signed out everywhere", uow=uow, at=clock.now())
        uow.commit()


def end_session(session_id: UUID, *, user_id: UUID, uow: UnitOfWork, clock: Clock) -> None:
    """End one of a user's own sessions. Raises SessionNotFound."""
    with uow:
        uow.sessions.get(session_id, user_id=user_id).revoke(at=clock.now(), reason="ended from the list")
        uow.commit()


def end_sessions(user_id: UUID, *, reason: str, uow: UnitOfWork, at: datetime, but: UUID | None = None) -> None:
    """Revoke a user's sessions, but for one; the caller holds the user's lock and commits."""
    for session in uow.sessions.of_user(user_id):
        if session.id != but:
            session.revoke(at=at, reason=reason)
