"""Setting up, proving and taking away the second factor of an account."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from application.identity.guessing import confirm_password
from application.identity.ports import AccessTokens, NewSecret, OneTimeCodes, PasswordHasher, Viewer
from application.ports import UnitOfWork
from domain.identity.roles import RoleNotGrantable, may_grant
from domain.identity.second_factor import (
    RECOVERY_CODES,
    RecoveryCodeUsed,
    SecondFactor,
    SecondFactorAlreadyOn,
    SecondFactorInvalid,
    SecondFactorNotOn,
    SecondFactorRequired,
    is_one_time_code,
    plain_code,
)
from domain.identity.users import RoleName
from domain.shared.clock import Clock
from domain.shared.identifiers import NewId

# Base32 (RFC 4648 §6): no 0, 1 or 8 to mistake for letters. 16 characters are 80 bits: beyond guessing from a hash.
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_RECOVERY_LETTERS, _RECOVERY_GROUP = 16, 4


def start_second_factor(
    user_id: UUID,
    current_password: str,
    *,
    address: str,
    uow: UnitOfWork,
    passwords: PasswordHasher,
    codes: OneTimeCodes,
    clock: Clock,
    new_id: NewId,
) -> NewSecret:
    """Make a secret, shown this once; it counts when a code of it was given.

    Raises WrongCurrentPassword, TooManyAttempts, SecondFactorAlreadyOn.
    """
    confirm_password(user_id, current_password, address=address, uow=uow, passwords=passwords, clock=clock)
    with uow:
        factor = uow.second_factors.get(user_id)
        if factor is not None and factor.is_confirmed:
            raise SecondFactorAlreadyOn()
        secret = codes.new_secret(uow.users.get(user_id).email)
        uow.second_factors.put(
            SecondFactor(id=new_id(), user_id=user_id, sealed_secret=secret.sealed, created_at=clock.now())
        )
        uow.commit()
    return secret


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmSecondFactor:
    """`session_id` is the session that gives the code, and has proved the factor with it."""

    user_id: UUID
    session_id: UUID
    code: str


def confirm_second_factor(
    command: ConfirmSecondFactor, *, uow: UnitOfWork, codes: OneTimeCodes, clock: Clock, new_id: NewId
) -> list[str]:
    """Switch it on with a first code; the recovery codes, shown this once.

    Raises SecondFactorNotOn, SecondFactorAlreadyOn, SecondFactorInvalid, TooManyAttempts.
    """
    now = clock.now()
    with uow:
        factor = uow.second_factors.get(command.user_id)
        if factor is None:
            raise SecondFactorNotOn()
        if factor.is_confirmed:
            raise SecondFactorAlreadyOn()
        proved = _prove(factor, command.code, uow=uow, codes=codes, at=now)
        recovery: list[str] = []
        if proved:
            factor.confirm(at=now)
            uow.second_factors.save(factor)
            uow.second_factors.prove_session(command.session_id, at=now)
            recovery = _fresh_recovery_codes(command.user_id, uow=uow, at=now, new_id=new_id)
        uow.commit()
    if not proved:
        raise SecondFactorInvalid()
    return recovery


def renew_recovery_codes(
    user_id: UUID,
    current_password: str,
    code: str,
    *,
    address: str,
    uow: UnitOfWork,
    passwords: PasswordHasher,
    codes: OneTimeCodes,
    clock: Clock,
    new_id: NewId,
) -> list[str]:
    """New recovery codes in place of all earlier ones, shown this once.

    Raises WrongCurrentPassword, SecondFactorNotOn, SecondFactorInvalid, TooManyAttempts.
    """
    confirm_password(user_id, current_password, address=address, uow=uow, passwords=passwords, clock=clock)
    now = clock.now()
    with uow:
        proved = _prove(_confirmed(user_id, uow), code, uow=uow, codes=codes, at=now)
        recovery = _fresh_recovery_codes(user_id, uow=uow, at=now, new_id=new_id) if proved else []
        uow.commit()
    if not proved:
        raise SecondFactorInvalid()
    return recovery


def switch_off_second_factor(
    user_id: UUID,
    current_password: str,
    code: str | None,
    *,
    address: str,
    uow: UnitOfWork,
    passwords: PasswordHasher,
    codes: OneTimeCodes,
    clock: Clock,
) -> None:
    """Do without; one that was never confirmed goes without a code.

    Raises WrongCurrentPassword, SecondFactorNotOn, SecondFactorRequired, SecondFactorInvalid, TooManyAttempts.
    """
    confirm_password(user_id, current_password, address=address, uow=uow, passwords=passwords, clock=clock)
    now = clock.now()
    with uow:
        factor = uow.second_factors.get(user_id)
        if factor is None:
            raise SecondFactorNotOn()
        if factor.is_confirmed and code is None:
            raise SecondFactorRequired()
        proved = not factor.is_confirmed or _prove(factor, code or "", uow=uow, codes=codes, at=now)
        if proved:
            factor.switch_off(at=now)
            uow.second_factors.remove(factor)
        uow.commit()
    if not proved:
        raise SecondFactorInvalid()


def check_second_factor(
    user_id: UUID, code: str | None, *, uow: UnitOfWork, codes: OneTimeCodes, clock: Clock
) -> datetime | None:
    """Sign-in's second question: when it was answered, None where the account asks none.

    `code` is of the app, or a recovery code; it is spent. Runs in units of work of its own, before the session's.
    Raises SecondFactorRequired, SecondFactorInvalid, TooManyAttempts.
    """
    now = clock.now()
    with uow:
        factor = uow.second_factors.get(user_id)
        if factor is None or not factor.is_confirmed:
            return None
        if code is None:
            raise SecondFactorRequired()
        proved = _prove(factor, code, uow=uow, codes=codes, at=now)
        # Committed in every case: a wrong code is counted although the request is refused.
        uow.commit()
    if not proved:
        raise SecondFactorInvalid()
    return now


def asks_for_code(user_id: UUID, *, uow: UnitOfWork) -> bool:
    """Whether signing in to the account needs more than its password."""
    factor = uow.second_factors.get(user_id)
    return factor is not None and factor.is_confirmed


def step_up(
    viewer: Viewer, code: str, *, uow: UnitOfWork, codes: OneTimeCodes, tokens: AccessTokens, clock: Clock
) -> str:
    """Prove the factor in a session that is signed in already; an access token that says so.

    Raises SecondFactorNotOn, SecondFactorInvalid, TooManyAttempts.
    """
    now = clock.now()
    with uow:
        proved = _prove(_confirmed(viewer.user_id, uow), code, uow=uow, codes=codes, at=now)
        if proved:
            uow.second_factors.prove_session(viewer.session_id, at=now)
        uow.commit()
    if not proved:
        raise SecondFactorInvalid()
    return tokens.issue(
        user_id=viewer.user_id,
        session_id=viewer.session_id,
        roles=sorted(viewer.roles),
        at=now,
        surface=viewer.surface,
        second_factor=True,
    )


def reset_second_factor(user_id: UUID, *, by: Viewer, uow: UnitOfWork, clock: Clock) -> None:
    """Take away the factor of somebody who lost it, and end that person's sessions.

    Raises NotFound, SecondFactorNotOn, or RoleNotGrantable where the person stands above whoever asks.
    """
    now = clock.now()
    with uow:
        user = uow.users.get(user_id)
        for role in user.roles:
            if role != RoleName.CUSTOMER and not may_grant(by.roles, role):
                raise RoleNotGrantable(role)
        factor = _confirmed(user_id, uow)
        factor.reset(at=now)
        uow.second_factors.remove(factor)
        for session in uow.sessions.of_user(user_id):
            session.revoke(at=now, reason="second factor reset")
        uow.audit.add(
            actor=by.user_id,
            action="users.reset_second_factor",
            resource_type="USER",
            resource_id=user_id,
            changes={"before": {"second_factor": "CONFIRMED"}, "after": {"second_factor": "OFF"}},
            at=now,
        )
        uow.commit()


def _confirmed(user_id: UUID, uow: UnitOfWork) -> SecondFactor:
    factor = uow.second_factors.get(user_id)
    if factor is None or not factor.is_confirmed:
        raise SecondFactorNotOn()
    return factor


def _prove(factor: SecondFactor, written: str, *, uow: UnitOfWork, codes: OneTimeCodes, at: datetime) -> bool:
    """Spend a code; a wrong one is counted, which the caller has to commit. Raises TooManyAttempts."""
    subject = f"second_factor:{factor.user_id}"
    guesses = uow.guesses.of(subject)
    guesses.refuse_while_locked(at=at)
    if _spend(factor, plain_code(written), uow=uow, codes=codes, at=at):
        uow.guesses.forget(subject)
        return True
    guesses.count_wrong(at=at)
    uow.guesses.save(guesses)
    return False


def _spend(factor: SecondFactor, code: str, *, uow: UnitOfWork, codes: OneTimeCodes, at: datetime) -> bool:
    if is_one_time_code(code):
        accepted = factor.accept(codes.step_of(factor.sealed_secret, code, at=at))
        uow.second_factors.save(factor)
        return accepted
    spent = uow.second_factors.spend_recovery_code(factor.user_id, _hash(code), at=at)
    if spent is None:
        return False
    left = uow.second_factors.recovery_codes_left(factor.user_id)
    uow.publish(RecoveryCodeUsed(at=at, user_id=factor.user_id, recovery_code_id=spent, left=left))
    return True


def _fresh_recovery_codes(user_id: UUID, *, uow: UnitOfWork, at: datetime, new_id: NewId) -> list[str]:
    plain = ["".join(secrets.choice(_LETTERS) for _ in range(_RECOVERY_LETTERS)) for _ in range(RECOVERY_CODES)]
    uow.second_factors.replace_recovery_codes(user_id, {new_id(): _hash(code) for code in plain}, at=at)
    starts = range(0, _RECOVERY_LETTERS, _RECOVERY_GROUP)
    return ["-".join(code[start : start + _RECOVERY_GROUP] for start in starts) for code in plain]


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).digest()
