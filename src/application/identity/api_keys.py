"""Making API keys, replacing and revoking them, and telling whom a key speaks for.

A key is `alt_<public id>_<secret and checksum>`: lower-case hexadecimal of fixed length, so that scanners
of source code find one that leaked, and its CRC-32 tells a mistyped one without asking the database.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import zlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from application.identity.ports import Viewer
from application.ports import UnitOfWork
from application.queries import AccessQueries
from domain.identity.api_keys import MOST_PER_OWNER, ApiKey, InvalidApiKey, TooManyApiKeys
from domain.identity.roles import widest_surface
from domain.shared.clock import Clock
from domain.shared.identifiers import NewId

PREFIX: Final = "alt_"
NOTED_EVERY: Final = timedelta(minutes=1)
"""How exactly the last use is known."""
_KEY: Final = re.compile(r"alt_([0-9a-f]{16})_([0-9a-f]{64})([0-9a-f]{8})")


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key's id, and the key itself: shown this once."""

    id: UUID
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateApiKey:
    """`grantable` is what the owner may make a key for."""

    owner_id: UUID
    name: str
    scopes: frozenset[str]
    grantable: frozenset[str]
    valid_for: timedelta


def create_api_key(command: CreateApiKey, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> NewKey:
    """Make a key. Raises TooManyApiKeys, or InvalidValue naming the field."""
    now = clock.now()
    public_id, key = _make()
    made = ApiKey.issue(
        key_id=new_id(),
        user_id=command.owner_id,
        name=command.name,
        public_id=public_id,
        key_hash=_digest(key),
        scopes=command.scopes,
        grantable=command.grantable,
        valid_for=command.valid_for,
        at=now,
    )
    with uow:
        if uow.api_keys.count_good(command.owner_id, at=now) >= MOST_PER_OWNER:
            raise TooManyApiKeys()
        uow.api_keys.add(made)
        changes: dict[str, object] = {
            "after": {"name": made.name, "scopes": made.scopes, "expires_at": made.expires_at.isoformat()}
        }
        uow.audit.add(
            actor=command.owner_id,
            action="api_keys.create",
            resource_type="API_KEY",
            resource_id=made.id,
            changes=changes,
            at=now,
        )
        uow.commit()
    return NewKey(made.id, key)


def replace_api_key(key_id: UUID, *, owner_id: UUID, uow: UnitOfWork, clock: Clock) -> NewKey:
    """Give an owner's key another secret, at once. Raises ApiKeyNotFound or ApiKeyEnded."""
    now = clock.now()
    public_id, text = _make()
    with uow:
        key = uow.api_keys.get(key_id, owner=owner_id)
        before = key.public_id
        key.replace(public_id=public_id, key_hash=_digest(text), at=now)
        uow.api_keys.save(key)
        uow.audit.add(
            actor=owner_id,
            action="api_keys.create",
            resource_type="API_KEY",
            resource_id=key.id,
            changes={"before": {"public_id": before}, "after": {"public_id": public_id}},
            at=now,
        )
        uow.commit()
    return NewKey(key.id, text)


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeApiKey:
    """`owner_id` is None where the actor may revoke everybody's."""

    actor_id: UUID
    owner_id: UUID | None
    key_id: UUID


def revoke_api_key(command: RevokeApiKey, *, uow: UnitOfWork, clock: Clock) -> None:
    """End a key; one that is over already stays so. Raises ApiKeyNotFound."""
    now = clock.now()
    with uow:
        key = uow.api_keys.get(command.key_id, owner=command.owner_id)
        if key.revoked_at is None:
            key.revoke(at=now, by=command.actor_id)
            uow.api_keys.save(key)
            uow.audit.add(
                actor=command.actor_id,
                action="api_keys.manage",
                resource_type="API_KEY",
                resource_id=key.id,
                changes={"before": {"revoked": False}, "after": {"revoked": True}},
                at=now,
            )
        uow.commit()


def holder_of(key: str, *, address: str, queries: AccessQueries, uow: UnitOfWork, clock: Clock) -> Viewer:
    """Whom a key speaks for, as its owner stands now; the use is remembered. Raises InvalidApiKey."""
    now = clock.now()
    public_id = _public_id(key)
    row = queries.key_holder(public_id)
    if row is None or not hmac.compare_digest(bytes(row["key_hash"]), _digest(key)):
        raise InvalidApiKey()
    if row["revoked_at"] is not None or now >= row["expires_at"]:
        raise InvalidApiKey()
    if row["last_used_at"] is None or now - row["last_used_at"] >= NOTED_EVERY:
        with uow:
            uow.api_keys.note_use(row["id"], address=address, at=now)
            uow.commit()
    roles, scopes = frozenset(row["roles"]), frozenset(row["scopes"])
    return Viewer(
        user_id=row["user_id"],
        session_id=row["id"],
        roles=roles,
        permissions=frozenset(row["permissions"]) & scopes,
        surface=widest_surface(roles),
        scopes=scopes,
    )


def _make() -> tuple[str, str]:
    """A new public id, and the whole key."""
    public_id = secrets.token_hex(8)
    body = f"{PREFIX}{public_id}_{secrets.token_hex(32)}"
    return public_id, body + _checksum(body)


def _public_id(key: str) -> str:
    """Raises InvalidApiKey for what cannot be a key."""
    parts = _KEY.fullmatch(key)
    if parts is None or _checksum(key[:-8]) != parts[3]:
        raise InvalidApiKey()
    return parts[1]


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"


def _digest(key: str) -> bytes:
    """SHA-256: quick is enough for 256 random bits."""
    return hashlib.sha256(key.encode()).digest()
