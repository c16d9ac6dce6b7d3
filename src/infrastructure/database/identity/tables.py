"""users, roles, permissions, sessions, refresh_tokens, email_verifications, audit_logs."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, LargeBinary, Table, Text, UniqueConstraint, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.mutable import MutableList
from sqlalchemy.orm import relationship

from domain.identity.sessions import RefreshToken, Session
from domain.identity.users import User, UserStatus
from infrastructure.database.metadata import instant, key, mappers, metadata, reference, status

users = Table(
    "users",
    metadata,
    key(),
    Column("email", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("first_name", Text, nullable=False),
    Column("last_name", Text, nullable=False),
    Column("phone", Text),
    Column("locale", Text, nullable=False),
    *status("status", UserStatus),
    # The names of the user's roles; a plain array, because a person has one or two and reads are hot.
    Column("roles", MutableList.as_mutable(ARRAY(Text)), nullable=False),
    instant("email_verified_at", nullable=True),
    instant("created_at"),
    instant("deleted_at", nullable=True),
    # Set by erase_person alone, when nothing in the row is the person's any more.
    instant("erased_at", nullable=True),
    UniqueConstraint("email"),
)

roles = Table(
    "roles",
    metadata,
    key(),
    Column("role_name", Text, nullable=False, unique=True),
    Column("display_name_ar", Text, nullable=False),
    Column("display_name_en", Text, nullable=False),
    Column("is_system_role", Boolean, nullable=False),
)

permissions = Table(
    "permissions",
    metadata,
    key(),
    Column("permission_code", Text, nullable=False, unique=True),
    Column("module", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("description_en", Text, nullable=False),
)

role_permissions = Table(
    "role_permissions",
    metadata,
    Column("role_id", Uuid, ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True),
    Column("permission_id", Uuid, ForeignKey("permissions.id", ondelete="CASCADE"), primary_key=True),
)

sessions = Table(
    "sessions",
    metadata,
    key(),
    reference("user_id", "users.id"),
    Column("user_agent", Text, nullable=False),
    instant("created_at"),
    instant("expires_at"),
    instant("revoked_at", nullable=True),
    Column("revoked_reason", Text),
    Index("ix_sessions_user_id", "user_id"),
)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    reference("session_id", "sessions.id"),
    instant("issued_at"),
    instant("used_at", nullable=True),
    Index("ix_refresh_tokens_session_id", "session_id"),
)

email_verifications = Table(
    "email_verifications",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    reference("user_id", "users.id"),
    instant("expires_at"),
    instant("used_at", nullable=True),
    Index("ix_email_verifications_user_id", "user_id"),
)

audit_logs = Table(
    "audit_logs",
    metadata,
    key(),
    reference("user_id", "users.id", nullable=True),
    Column("action", Text, nullable=False),
    Column("module", Text, nullable=False),
    Column("resource_type", Text, nullable=False),
    Column("resource_id", Uuid),
    Column("changes", JSONB, nullable=False),
    Column("request_id", Text, nullable=False, server_default=""),
    instant("created_at"),
    Index("ix_audit_logs_created_at_id", "created_at", "id"),
)

mappers.map_imperatively(User, users, exclude_properties=["erased_at"])
mappers.map_imperatively(RefreshToken, refresh_tokens)
mappers.map_imperatively(
    Session,
    sessions,
    properties={
        "tokens": relationship(RefreshToken, order_by=refresh_tokens.c.issued_at, lazy="selectin", cascade="all")
    },
)
