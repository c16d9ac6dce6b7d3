"""Registering, signing in and out, and proving an address."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from application.identity.ports import AccessTokens, PasswordHasher
from application.ports import UnitOfWork
from domain.identity.sessions import Session, SessionEnded
from domain.identity.users import EmailTaken, User, WrongCredentials, WrongVerification
from domain.privacy.consents import Consent
from domain.shared.clock import Clock
from domain.shared.email import Email, fold
from domain.shared.identifiers import NewId

VERIFICATION_LIFETIME = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh pair of tokens; the refresh token is shown this once and kept as a hash."""

    user_id: UUID
    access_token: str
    refresh_token: str
    expires_in: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterUser:
    email: str
    password: str
    first_name: str
    last_name: str
    phone: str | None
    locale: str
    user_agent: str
    marketing_consent: bool = False


def register_user(
    command: RegisterUser,
    *,
    uow: UnitOfWork,
    passwords: PasswordHasher,
    tokens: AccessTokens,
    clock: Clock,
    new_id: NewId,
) -> SignedIn:
    """Open an account and sign it in. Raises EmailTaken, or InvalidValue naming the field."""
    email = Email(command.email)
    # Hashed before the transaction: a fifth of a second is too long to hold a connection.
    password_hash = passwords.hash(command.password)
    now = clock.now()
    with uow:
        if uow.users.by_email(email.address) is not None:
            raise EmailTaken()
        user = User.register(
            user_id=new_id(),
            email=email,
            password_hash=password_hash,
            first_name=command.first_name,
            last_name=command.last_name,
            phone=command.phone,
            locale=command.locale,
            at=now,
        )
        uow.users.add(user)
        uow.flush()
        if command.marketing_consent:
            uow.privacy.add_consent(Consent.by_email(consent_id=new_id(), user_id=user.id, at=now))
        signed_in = _open_session(user, command.user_agent, uow=uow, tokens=tokens, clock=clock, new_id=new_id)
        uow.commit()
    return signed_in


@dataclass(frozen=True, slots=True, kw_only=True)
class LogIn:
    email: str
    password: str
    user_agent: str


def log_in(
    command: LogIn, *, uow: UnitOfWork, passwords: PasswordHasher, tokens: AccessTokens, clock: Clock, new_id: NewId
) -> SignedIn:
    """Sign in. Raises WrongCredentials, in the same time for known and unknown addresses."""
    with uow:
        user = uow.users.by_email(fold(command.email))
        known_hash = user.password_hash if user is not None else None
    right = passwords.verify(command.password, known_hash)
    if user is None or not right or not user.may_sign_in:
        raise WrongCredentials()
    with uow:
        signed_in = _open_session(user, command.user_agent, uow=uow, tokens=tokens, clock=clock, new_id=new_id)
        uow.commit()
    return signed_in


def _open_session(
    user: User, user_agent: str, *, uow: UnitOfWork, tokens: AccessTokens, clock: Clock, new_id: NewId
) -> SignedIn:
    now, refresh_token = clock.now(), secrets.token_urlsafe(32)
    session = Session.open(
        session_id=new_id(), user_id=user.id, token_hash=digest(refresh_token), user_agent=user_agent, at=now
    )
    uow.sessions.add(session)
    return _signed_in(user, session.id, refresh_token, tokens, clock)


def _signed_in(user: User, session_id: UUID, refresh_token: str, tokens: AccessTokens, clock: Clock) -> SignedIn:
    return SignedIn(
        user_id=user.id,
        access_token=tokens.issue(user_id=user.id, session_id=session_id, roles=user.roles, at=clock.now()),
        refresh_token=refresh_token,
        expires_in=tokens.lifetime_seconds,
    )


def refresh_session(refresh_token: str, *, uow: UnitOfWork, tokens: AccessTokens, clock: Clock) -> SignedIn:
    """Spend a refresh token for a new pair. Raises SessionEnded; a token spent twice ends its whole session."""
    presented, successor = digest(refresh_token), secrets.token_urlsafe(32)
    with uow:
        session = uow.sessions.by_token(presented)
        if session is None:
            raise SessionEnded()
        rotated = session.rotate(presented=presented, successor=digest(successor), at=clock.now())
        user = uow.users.get(session.user_id)
        # Committed in every case: that a stolen token was used again must be remembered.
        uow.commit()
    if not rotated or not user.may_sign_in:
        raise SessionEnded()
    return _signed_in(user, session.id, successor, tokens, clock)


def log_out(refresh_token: str, *, uow: UnitOfWork, clock: Clock) -> None:
    """End the session of a refresh token; an unknown one is nobody's and ends nothing."""
    with uow:
        session = uow.sessions.by_token(digest(refresh_token))
        if session is not None:
            session.revoke(at=clock.now(), reason="signed out")
        uow.commit()


def expect_verification(user_id: UUID, *, uow: UnitOfWork, clock: Clock) -> tuple[User, str]:
    """Make a verification token for the user's address; only its hash is kept. The user and the token."""
    token = secrets.token_urlsafe(24)
    with uow:
        user = uow.users.get(user_id)
        uow.sessions.expect_verification(
            token_hash=digest(token), user_id=user_id, expires_at=clock.now() + VERIFICATION_LIFETIME
        )
        uow.commit()
    return user, token


def verify_email(token: str, *, uow: UnitOfWork, clock: Clock) -> UUID:
    """Spend a verification token: whose address is proved. Raises WrongVerification."""
    now = clock.now()
    with uow:
        user_id = uow.sessions.take_verification(token_hash=digest(token.strip()), at=now)
        if user_id is None:
            raise WrongVerification()
        uow.users.get(user_id).verify_email(at=now)
        uow.commit()
    return user_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeProfile:
    """What to change; None leaves a field as it is."""

    user_id: UUID
    first_name: str | None
    last_name: str | None
    phone: str | None
    locale: str | None


def change_profile(command: ChangeProfile, *, uow: UnitOfWork) -> None:
    """Change the user's own profile."""
    with uow:
        uow.users.get(command.user_id).change_profile(
            first_name=command.first_name,
            last_name=command.last_name,
            phone=command.phone,
            locale=command.locale,
        )
        uow.commit()


def digest(token: str) -> bytes:
    """SHA-256 of a random token: what is kept of it."""
    return hashlib.sha256(token.encode()).digest()
