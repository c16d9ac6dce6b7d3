"""Idempotency keys, kept with the effect that they stand for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import orjson

from application.ports import Answer, Asker, Encryption, IdempotencyKeyReused, RequestInProgress
from application.trying_again import tried_again
from domain.shared.clock import Clock
from infrastructure.database.identity.queries import STANDING
from infrastructure.database.transaction import Database, Row, Statements

LEASE = timedelta(seconds=30)
"""A staged request that died is taken over after this; longer than any provider call may take."""

# The lock is asked for beside the look-up: whoever runs the same key now is told at once, and waits for nobody.
_LOOK = """
SELECT pg_try_advisory_xact_lock(hashtextextended(%(scope)s || chr(10) || %(key)s, 0)) AS mine,
       k.fingerprint, k.status_code, k.headers, k.body
FROM (SELECT 1) one LEFT JOIN idempotency_keys k ON k.scope = %(scope)s AND k.key = %(key)s
"""
_LOOK_FOR = f"""
SELECT looked.*, s.roles, s.permissions FROM ({_LOOK}) looked LEFT JOIN ({STANDING}) s ON true
"""
_REMEMBER = """
INSERT INTO idempotency_keys (scope, key, fingerprint, status_code, headers, body, created_at)
VALUES (%(scope)s, %(key)s, %(fingerprint)s, %(status_code)s, %(headers)s::jsonb, %(body)s, %(at)s)
"""
_CLAIM = """
INSERT INTO idempotency_keys (scope, key, fingerprint, lease_until, created_at)
VALUES (%(scope)s, %(key)s, %(fingerprint)s, %(lease_until)s, %(at)s)
ON CONFLICT (scope, key) DO UPDATE SET lease_until = excluded.lease_until
    WHERE idempotency_keys.body IS NULL AND idempotency_keys.lease_until < %(at)s
      AND idempotency_keys.fingerprint = excluded.fingerprint
RETURNING 1 AS claimed
"""
_FIND = "SELECT fingerprint, status_code, headers, body FROM idempotency_keys WHERE scope = %(scope)s AND key = %(key)s"
_FINISH = """
UPDATE idempotency_keys SET status_code = %(status_code)s, headers = %(headers)s::jsonb, body = %(body)s,
                            lease_until = NULL
WHERE scope = %(scope)s AND key = %(key)s
"""
_FORGET = "DELETE FROM idempotency_keys WHERE scope = %(scope)s AND key = %(key)s AND body IS NULL"


class SqlIdempotency:
    """Implements `application.ports.Idempotency`."""

    def __init__(self, database: Database, clock: Clock, encryption: Encryption) -> None:
        self._database = database
        self._clock = clock
        self._encryption = encryption

    def once(
        self, scope: str, key: str, fingerprint: bytes, run: Callable[[], Answer], *, asker: Asker | None = None
    ) -> Answer:
        return tried_again(lambda: self._once(scope, key, fingerprint, run, asker))

    def _once(self, scope: str, key: str, fingerprint: bytes, run: Callable[[], Answer], asker: Asker | None) -> Answer:
        named = {"scope": scope, "key": key}
        with self._database.transaction() as transaction:
            row = _looked_up(transaction, named, asker)
            if row is not None and row["fingerprint"] is not None:
                return self._replay(row, fingerprint)
            if row is None or not row["mine"]:
                raise RequestInProgress()
            answer = run()
            values = {**named, "fingerprint": fingerprint, "at": self._clock.now(), **self._columns(answer)}
            transaction.execute(_REMEMBER, values)
            transaction.commit()
        return answer

    def staged(self, scope: str, key: str, fingerprint: bytes, run: Callable[[], Answer]) -> Answer:
        named = {"scope": scope, "key": key}
        now = self._clock.now()
        with self._database.transaction() as transaction:
            claim = {**named, "fingerprint": fingerprint, "at": now, "lease_until": now + LEASE}
            if transaction.row(_CLAIM, claim) is None:
                known = transaction.row(_FIND, named)
                if known is None:
                    raise RequestInProgress()
                return self._replay(known, fingerprint)
            transaction.commit()
        try:
            # A unit of work that was broken off left nothing; what the ones before it left is found by the use case.
            answer = tried_again(run)
        except Exception:
            # Refused or failed: not remembered. What it may have begun is found by the use case itself.
            self._write(_FORGET, named)
            raise
        self._write(_FINISH, {**named, **self._columns(answer)})
        return answer

    def _write(self, statement: str, values: Row) -> None:
        with self._database.transaction() as transaction:
            transaction.execute(statement, values)
            transaction.commit()

    def _replay(self, row: Row, fingerprint: bytes) -> Answer:
        if bytes(row["fingerprint"]) != fingerprint:
            raise IdempotencyKeyReused()
        if row["body"] is None:
            raise RequestInProgress()
        headers, body = row["headers"], bytes(row["body"])
        sealed = headers.get("sealed", False)
        return Answer(
            status_code=row["status_code"],
            content_type=headers["content_type"],
            location=headers["location"],
            etag=headers.get("etag", ""),
            body=self._encryption.decrypt(body).encode() if sealed else body,
            sealed=sealed,
        )

    def _columns(self, answer: Answer) -> Row:
        headers = {
            "content_type": answer.content_type,
            "location": answer.location,
            "etag": answer.etag,
            "sealed": answer.sealed,
        }
        return {
            "status_code": answer.status_code,
            "headers": orjson.dumps(headers).decode(),
            "body": self._encryption.encrypt(answer.body.decode()) if answer.sealed else answer.body,
        }


def _looked_up(transaction: Statements, named: Row, asker: Asker | None) -> Row | None:
    """What is known of the key, once whoever asks is known to be let in."""
    if asker is None:
        return transaction.row(_LOOK, named)
    row = transaction.row(_LOOK_FOR, {**named, "user_id": asker.user_id, "session_id": asker.session_id})
    asker.confirm(row if row is not None and row["roles"] is not None else None)
    return row
