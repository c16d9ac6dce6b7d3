"""Second factors, counted guesses, and codes for telephone numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from domain.identity.guesses import Guesses
from domain.identity.phones import PhoneVerification
from domain.identity.second_factor import SecondFactor, SecondFactorAlreadyOn
from infrastructure.database.transaction import Statements

_FACTOR = """
SELECT id, user_id, secret_encrypted AS sealed_secret, created_at, confirmed_at, last_step FROM second_factors
WHERE user_id = %s FOR UPDATE
"""
_PUT_FACTOR = """
INSERT INTO second_factors (id, user_id, secret_encrypted, created_at) VALUES (%s, %s, %s, %s)
ON CONFLICT (user_id) DO UPDATE
SET id = excluded.id, secret_encrypted = excluded.secret_encrypted, created_at = excluded.created_at, last_step = NULL
WHERE second_factors.confirmed_at IS NULL
RETURNING id
"""
_SAVE_FACTOR = "UPDATE second_factors SET confirmed_at = %s, last_step = %s WHERE user_id = %s"
_REMOVE_FACTOR = (
    "DELETE FROM second_factors WHERE user_id = %s",
    "DELETE FROM recovery_codes WHERE user_id = %s",
    "UPDATE sessions SET second_factor_at = NULL WHERE user_id = %s AND second_factor_at IS NOT NULL",
)
_PROVE_SESSION = "UPDATE sessions SET second_factor_at = %s WHERE id = %s AND revoked_at IS NULL"
_ADD_CODE = "INSERT INTO recovery_codes (id, user_id, code_hash, created_at) VALUES (%s, %s, %s, %s)"
_SPEND_CODE = """
UPDATE recovery_codes SET used_at = %s WHERE user_id = %s AND code_hash = %s AND used_at IS NULL RETURNING id
"""
_CODES_LEFT = "SELECT count(*) AS left FROM recovery_codes WHERE user_id = %s AND used_at IS NULL"


class SqlSecondFactors:
    """Implements `application.identity.records.SecondFactors`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self.seen: list[SecondFactor] = []

    def get(self, user_id: UUID) -> SecondFactor | None:
        row = self._statements.row(_FACTOR, (user_id,))
        if row is None:
            return None
        factor = SecondFactor(**row)
        self.seen.append(factor)
        return factor

    def put(self, factor: SecondFactor) -> None:
        values = (factor.id, factor.user_id, factor.sealed_secret, factor.created_at)
        if self._statements.row(_PUT_FACTOR, values) is None:
            raise SecondFactorAlreadyOn()
        self.seen.append(factor)

    def save(self, factor: SecondFactor) -> None:
        self._statements.execute(_SAVE_FACTOR, (factor.confirmed_at, factor.last_step, factor.user_id))

    def remove(self, factor: SecondFactor) -> None:
        for statement in _REMOVE_FACTOR:
            self._statements.execute(statement, (factor.user_id,))

    def prove_session(self, session_id: UUID, *, at: datetime) -> None:
        self._statements.execute(_PROVE_SESSION, (at, session_id))

    def replace_recovery_codes(self, user_id: UUID, hashes: Mapping[UUID, bytes], *, at: datetime) -> None:
        self._statements.execute("DELETE FROM recovery_codes WHERE user_id = %s", (user_id,))
        for code_id, code_hash in hashes.items():
            self._statements.execute(_ADD_CODE, (code_id, user_id, code_hash, at))

    def spend_recovery_code(self, user_id: UUID, code_hash: bytes, *, at: datetime) -> UUID | None:
        row = self._statements.row(_SPEND_CODE, (at, user_id, code_hash))
        return row["id"] if row is not None else None

    def recovery_codes_left(self, user_id: UUID) -> int:
        row = self._statements.row(_CODES_LEFT, (user_id,))
        return int(row["left"]) if row is not None else 0


# The update that changes nothing takes the row's lock, whether the row is new or not.
_GUESSES = """
INSERT INTO counted_guesses (subject, wrong) VALUES (%s, 0)
ON CONFLICT (subject) DO UPDATE SET wrong = counted_guesses.wrong
RETURNING subject, wrong, since, locked_until
"""
_SAVE_GUESSES = "UPDATE counted_guesses SET wrong = %s, since = %s, locked_until = %s WHERE subject = %s"
_FORGET_GUESSES = "DELETE FROM counted_guesses WHERE subject = %s"


class SqlGuesses:
    """Implements `application.identity.records.CountedGuesses`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def of(self, subject: str) -> Guesses:
        (row,) = self._statements.rows(_GUESSES, (subject,))
        return Guesses(**row)

    def save(self, guesses: Guesses) -> None:
        values = (guesses.wrong, guesses.since, guesses.locked_until, guesses.subject)
        self._statements.execute(_SAVE_GUESSES, values)

    def forget(self, subject: str) -> None:
        self._statements.execute(_FORGET_GUESSES, (subject,))


_LOCK_NUMBER = "SELECT pg_advisory_xact_lock(hashtextextended('phone codes ' || encode(%s, 'hex'), 0))"
_REQUESTED = """
SELECT user_id, phone_digest, requested_at FROM phone_verifications
WHERE (user_id = %(user)s OR phone_digest = %(digest)s) AND requested_at > %(since)s
ORDER BY requested_at DESC
"""
_ADD_VERIFICATION = """
INSERT INTO phone_verifications (id, user_id, phone_digest, tries, requested_at) VALUES (%s, %s, %s, %s, %s)
"""
_NEWEST = """
SELECT id, user_id, phone_digest, code_digest, tries, requested_at, used_at FROM phone_verifications
WHERE user_id = %s ORDER BY requested_at DESC, id DESC LIMIT 1 FOR UPDATE
"""
_SAVE_VERIFICATION = "UPDATE phone_verifications SET code_digest = %s, tries = %s, used_at = %s WHERE id = %s"


class SqlPhoneVerifications:
    """Implements `application.identity.records.PhoneVerifications`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def requested_since(
        self, since: datetime, *, user_id: UUID, phone_digest: bytes
    ) -> tuple[Sequence[datetime], Sequence[datetime]]:
        self._statements.execute(_LOCK_NUMBER, (phone_digest,))
        rows = self._statements.rows(_REQUESTED, {"user": user_id, "digest": phone_digest, "since": since})
        of_user = [row["requested_at"] for row in rows if row["user_id"] == user_id]
        of_number = [row["requested_at"] for row in rows if row["phone_digest"] == phone_digest]
        return of_user, of_number

    def add(self, verification: PhoneVerification) -> None:
        values = (
            verification.id,
            verification.user_id,
            verification.phone_digest,
            verification.tries,
            verification.requested_at,
        )
        self._statements.execute(_ADD_VERIFICATION, values)

    def owner_of(self, verification_id: UUID) -> UUID | None:
        row = self._statements.row("SELECT user_id FROM phone_verifications WHERE id = %s", (verification_id,))
        return row["user_id"] if row is not None else None

    def newest(self, user_id: UUID) -> PhoneVerification | None:
        row = self._statements.row(_NEWEST, (user_id,))
        return PhoneVerification(**row) if row is not None else None

    def save(self, verification: PhoneVerification) -> None:
        values = (verification.code_digest, verification.tries, verification.used_at, verification.id)
        self._statements.execute(_SAVE_VERIFICATION, values)
