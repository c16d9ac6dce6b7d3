"""Proving the telephone number of a profile."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from application.identity.ports import KeyedDigests
from application.messaging.ports import SmsSender, SmsUnavailable
from application.ports import UnitOfWork
from domain.identity.lockout import TooManyAttempts
from domain.identity.phones import (
    HOUR,
    MOST_AN_HOUR,
    PhoneAlreadyVerified,
    PhoneCodeRequested,
    PhoneMissing,
    PhoneVerification,
    WrongPhoneCode,
)
from domain.identity.users import User
from domain.shared.clock import Clock
from domain.shared.identifiers import NewId
from domain.shared.phone import Phone


def request_phone_code(
    user_id: UUID, *, uow: UnitOfWork, digests: KeyedDigests, sms: SmsSender | None, clock: Clock, new_id: NewId
) -> None:
    """Have a code sent to the profile's number.

    Raises SmsUnavailable where nobody delivers messages, PhoneMissing, PhoneAlreadyVerified, TooManyAttempts.
    """
    if sms is None:
        raise SmsUnavailable(reason="not configured")
    now = clock.now()
    with uow:
        user = uow.users.get(user_id)
        phone = _phone_of(user)
        if user.phone_verified_at is not None:
            raise PhoneAlreadyVerified()
        asked = uow.phone_verifications.requested_since(
            now - HOUR, user_id=user_id, phone_digest=digests.of(_number(phone))
        )
        for instants in asked:
            _refuse_too_many(instants, at=now)
        verification = PhoneVerification(
            id=new_id(), user_id=user_id, phone_digest=digests.of(_number(phone)), requested_at=now
        )
        uow.phone_verifications.add(verification)
        uow.publish(PhoneCodeRequested(at=now, verification_id=verification.id))
        uow.commit()


@dataclass(frozen=True, slots=True)
class PhoneCode:
    """What is sent, to whom, in which language."""

    phone: Phone
    language: str
    code: str


def make_phone_code(verification_id: UUID, *, uow: UnitOfWork, digests: KeyedDigests, clock: Clock) -> PhoneCode | None:
    """A fresh code in place of any earlier one of this request; None where the request is void by now."""
    code = f"{secrets.randbelow(10**6):06d}"
    with uow:
        owner = uow.phone_verifications.owner_of(verification_id)
        if owner is None:
            return None
        user = uow.users.get(owner)
        verification = uow.phone_verifications.newest(owner)
        if verification is None or verification.id != verification_id or not verification.is_open(at=clock.now()):
            return None
        if not _is_for(verification, user, digests):
            return None
        verification.code_digest = digests.of(_about(verification, code))
        uow.phone_verifications.save(verification)
        uow.commit()
    return PhoneCode(_phone_of(user), user.locale, code)


def confirm_phone(user_id: UUID, code: str, *, uow: UnitOfWork, digests: KeyedDigests, clock: Clock) -> None:
    """Prove the number with the newest code that was sent to it. Raises WrongPhoneCode; the try is counted."""
    now = clock.now()
    with uow:
        user = uow.users.get(user_id)
        verification = uow.phone_verifications.newest(user_id)
        if verification is None or not _is_for(verification, user, digests):
            raise WrongPhoneCode()
        kept = verification.code_digest
        is_right = kept is not None and digests.matches(_about(verification, code), kept)
        proved = verification.try_code(is_right=is_right, at=now)
        if proved:
            user.verify_phone(at=now)
        uow.phone_verifications.save(verification)
        # Committed in every case: tries are counted although the request is refused.
        uow.commit()
    if not proved:
        raise WrongPhoneCode()


def _phone_of(user: User) -> Phone:
    """The profile's number; those of earlier releases are spelled as they were typed."""
    if user.phone is None:
        raise PhoneMissing()
    return Phone(user.phone)


def _refuse_too_many(instants: Sequence[datetime], *, at: datetime) -> None:
    if len(instants) >= MOST_AN_HOUR:
        raise TooManyAttempts(until=instants[MOST_AN_HOUR - 1] + HOUR, at=at)


def _is_for(verification: PhoneVerification, user: User, digests: KeyedDigests) -> bool:
    """Whether the profile still has the number that the code was asked for."""
    return user.phone is not None and digests.matches(_number(Phone(user.phone)), verification.phone_digest)


def _number(phone: Phone) -> str:
    return f"phone number {phone}"


def _about(verification: PhoneVerification, code: str) -> str:
    return f"phone code {verification.id} {code}"
