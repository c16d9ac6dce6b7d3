"""Registering, proving an address, one's own profile, and leaving."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from application.identity.guessing import settle_failures
from application.identity.ports import AccessTokens, PasswordHasher
from application.identity.second_factor import asks_for_code
from application.identity.signing_in import SignedIn, open_session
from application.identity.tokens import digest, fresh_mailed_token
from application.ports import UnitOfWork
from domain.identity.lockout import Attempt, TooManyAttempts
from domain.identity.passwords import refuse_personal_password
from domain.identity.roles import Surface
from domain.identity.users import Claim, EmailAlreadyVerified, User, VerificationRequested, WrongVerification
from domain.privacy.consents import Consent
from domain.shared.clock import Clock
from domain.shared.email import Email
from domain.shared.errors import refuse_stale
from domain.shared.identifiers import NewId

VERIFICATION_LIFETIME = timedelta(hours=24)
HOUR = timedelta(hours=1)
LINKS_AN_HOUR = 3
"""More mails than these are not sent to one account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterUser:
    email: str
    password: str
    first_name: str
    last_name: str
    phone: str | None
    locale: str
    user_agent: str
    address: str
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
    """Open an account and sign it in; with the password of an account that has the address, sign in to that one.

    Whether the address has an account is told to nobody but its mailbox (docs/decisions/0008). Raises
    InvalidValue naming the field.
    """
    email = Email(command.email)
    refuse_personal_password(
        command.password, email=email.address, first_name=command.first_name, last_name=command.last_name
    )
    with uow:
        claims = uow.users.claims(email.address)
    hashes = [claim.password_hash for claim in claims]
    # Hashed between the transactions: a fifth of a second is too long to hold a connection.
    password_hash = passwords.hash(command.password, like=hashes)
    index = passwords.same(password_hash, hashes)
    known = claims[index] if index is not None else None
    now = clock.now()
    with uow:
        user = _signed_in_to(known, email.address, command.address, uow=uow, at=now)
        if user is None:
            user = _new_user(command, email, password_hash, user_id=new_id(), uow=uow, at=now)
            # Else whoever registers with one password after another would guess without end. Counted even
            # where there was nothing to guess: the same work for known and unknown addresses.
            uow.login_failures.add_to_account(Attempt(email.address, command.address, by_registering=True), at=now)
            if command.marketing_consent:
                uow.privacy.add_consent(Consent.by_email(consent_id=new_id(), user_id=user.id, at=now))
        signed_in = open_session(
            user,
            command.user_agent,
            command.address,
            surface=Surface.APP,
            uow=uow,
            tokens=tokens,
            clock=clock,
            new_id=new_id,
        )
        uow.commit()
    return signed_in


def _signed_in_to(known: Claim | None, email: str, address: str, *, uow: UnitOfWork, at: datetime) -> User | None:
    """The account whose password was given, where signing in to it would ask for nothing more.

    Where anything is in the way a new account is made, and nobody learns of the old one.
    """
    if known is None:
        return None
    user = uow.users.get(known.user_id)
    is_open = user.may_sign_in and user.password_hash == known.password_hash
    if not is_open or asks_for_code(user.id, uow=uow):
        return None
    counted = (Attempt(email, address, by_registering=True), Attempt(email, address))
    return user if all(settle_failures(user, attempt, uow=uow, at=at) is None for attempt in counted) else None


def _new_user(
    command: RegisterUser, email: Email, password_hash: str, *, user_id: UUID, uow: UnitOfWork, at: datetime
) -> User:
    user = User.register(
        user_id=user_id,
        email=email,
        password_hash=password_hash,
        first_name=command.first_name,
        last_name=command.last_name,
        phone=command.phone,
        locale=command.locale,
        at=at,
    )
    uow.users.add(user)
    uow.flush()
    return user


def request_verification(user_id: UUID, *, uow: UnitOfWork, clock: Clock) -> None:
    """Have another verification link mailed. Raises EmailAlreadyVerified, or TooManyAttempts past three an hour."""
    now = clock.now()
    with uow:
        user = uow.users.get(user_id)
        if user.email_verified_at is not None:
            raise EmailAlreadyVerified()
        # A link is as old as it has lost of its lifetime.
        ends = uow.sessions.verifications_until(user_id, after=now + VERIFICATION_LIFETIME - HOUR)
        if len(ends) >= LINKS_AN_HOUR:
            raise TooManyAttempts(until=ends[LINKS_AN_HOUR - 1] - VERIFICATION_LIFETIME + HOUR, at=now)
        uow.publish(VerificationRequested(at=now, user_id=user_id))
        uow.commit()


def expect_verification(user_id: UUID, *, uow: UnitOfWork, clock: Clock) -> tuple[User, str]:
    """Make a verification token for the user's address; only its hash is kept. The user and the token."""
    token = fresh_mailed_token()
    with uow:
        user = uow.users.get(user_id)
        uow.sessions.expect_verification(
            token_hash=digest(token), user_id=user_id, expires_at=clock.now() + VERIFICATION_LIFETIME
        )
        uow.commit()
    return user, token


def verify_email(token: str, *, uow: UnitOfWork, clock: Clock) -> UUID:
    """Spend a verification token: whose address is proved.

    Raises WrongVerification, or EmailTaken where another account has proved the address: no secret from
    somebody who reads its mail.
    """
    now = clock.now()
    with uow:
        user_id = uow.sessions.take_verification(token_hash=digest(token.strip()), at=now)
        if user_id is None:
            raise WrongVerification()
        user = uow.users.get(user_id)
        if not user.may_sign_in:
            raise WrongVerification()
        # Of several claims the index on proved addresses lets one through; the others are told EmailTaken.
        user.verify_email(at=now)
        uow.commit()
    return user_id


def proved_owner(user_id: UUID, *, uow: UnitOfWork) -> User | None:
    """The other account that has proved this one's address, if there is one."""
    with uow:
        user = uow.users.get(user_id)
        owner = uow.users.by_email(user.email)
    return owner if owner is not None and owner.id != user_id else None


def is_proved_by_another(user: User, *, uow: UnitOfWork) -> bool:
    """Whether an account other than this one has proved its address."""
    owner = uow.users.by_email(user.email)
    return owner is not None and owner.id != user.id


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeProfile:
    """What to change; None leaves a field as it is. `expected_version` is the one that the caller saw."""

    user_id: UUID
    first_name: str | None
    last_name: str | None
    phone: str | None
    locale: str | None
    expected_version: int | None = None


def change_profile(command: ChangeProfile, *, uow: UnitOfWork) -> None:
    """Change the user's own profile. Raises PreconditionFailed."""
    with uow:
        user = uow.users.get(command.user_id)
        refuse_stale(command.expected_version, current=user.version)
        user.change_profile(
            first_name=command.first_name,
            last_name=command.last_name,
            phone=command.phone,
            locale=command.locale,
        )
        uow.commit()
