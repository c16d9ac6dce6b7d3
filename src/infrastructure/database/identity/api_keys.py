"""API keys as rows."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from domain.identity.api_keys import ApiKey, ApiKeyNotFound
from infrastructure.database.transaction import Statements

_COLUMNS = """id, user_id, name, public_id, key_hash, scopes, created_at, expires_at, revoked_at, revoked_by,
    last_used_at, last_used_address"""
_ADD = f"""
INSERT INTO api_keys ({_COLUMNS})
VALUES (%(id)s, %(user_id)s, %(name)s, %(public_id)s, %(key_hash)s, %(scopes)s, %(created_at)s, %(expires_at)s,
        %(revoked_at)s, %(revoked_by)s, %(last_used_at)s, %(last_used_address)s)
"""
_GET = f"""
SELECT {_COLUMNS} FROM api_keys
WHERE id = %(id)s AND (%(owner)s::uuid IS NULL OR user_id = %(owner)s) FOR UPDATE
"""
_SAVE = """
UPDATE api_keys SET public_id = %(public_id)s, key_hash = %(key_hash)s, revoked_at = %(revoked_at)s,
                    revoked_by = %(revoked_by)s, last_used_at = %(last_used_at)s,
                    last_used_address = %(last_used_address)s
WHERE id = %(id)s
"""
# The owner's row is locked first: two keys made at once are counted one after the other.
_LOCK_OWNER = "SELECT id FROM users WHERE id = %s FOR NO KEY UPDATE"
_COUNT = "SELECT count(*) AS count FROM api_keys WHERE user_id = %s AND revoked_at IS NULL AND expires_at > %s"
_NOTE_USE = """
UPDATE api_keys SET last_used_at = %(at)s, last_used_address = %(address)s
WHERE id = (SELECT id FROM api_keys
            WHERE id = %(id)s AND (last_used_at IS NULL OR last_used_at < %(at)s) FOR UPDATE SKIP LOCKED)
"""


class SqlApiKeys:
    """Implements `application.identity.records.ApiKeys`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def add(self, key: ApiKey) -> None:
        self._statements.execute(_ADD, asdict(key))

    def get(self, key_id: UUID, *, owner: UUID | None) -> ApiKey:
        row = self._statements.row(_GET, {"id": key_id, "owner": owner})
        if row is None:
            raise ApiKeyNotFound()
        return ApiKey(**row)

    def save(self, key: ApiKey) -> None:
        self._statements.execute(_SAVE, asdict(key))

    def count_good(self, owner: UUID, *, at: datetime) -> int:
        self._statements.row(_LOCK_OWNER, (owner,))
        row = self._statements.row(_COUNT, (owner, at))
        return int(row["count"]) if row is not None else 0

    def note_use(self, key_id: UUID, *, address: str, at: datetime) -> None:
        self._statements.execute(_NOTE_USE, {"id": key_id, "address": address, "at": at})
