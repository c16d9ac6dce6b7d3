"""People, roles, API keys, sessions, the tokens that are mailed to people, counted failures."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    false,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.mutable import MutableList
from sqlalchemy.orm import relationship

from domain.identity.roles import Surface
from domain.identity.sessions import RefreshToken, Session
from domain.identity.users import User, UserStatus
from infrastructure.database.metadata import (
    EnumText,
    instant,
    key,
    mappers,
    metadata,
    reference,
    status,
    touched,
    version,
)

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
    instant("phone_verified_at", nullable=True),
    instant("created_at"),
    instant("deleted_at", nullable=True),
    # Set by erase_person alone, when nothing in the row is the person's any more.
    instant("erased_at", nullable=True),
    # An address is a claim until it is proved: docs/decisions/0008.
    Index(
        "uq_users_proved_email",
        "email",
        unique=True,
        postgresql_where=text("email_verified_at IS NOT NULL AND deleted_at IS NULL"),
    ),
    Index("ix_users_email", "email"),
    touched(),
    version(),
    Index("ix_users_updated_at_id", "updated_at", "id"),
)

_KNOWN_SURFACE = f"surface IN ({', '.join(repr(surface.value) for surface in Surface)})"

roles = Table(
    "roles",
    metadata,
    key(),
    Column("role_name", Text, nullable=False, unique=True),
    Column("display_name_ar", Text, nullable=False),
    Column("display_name_en", Text, nullable=False),
    Column("is_system_role", Boolean, nullable=False),
    Column("surface", EnumText(Surface), nullable=False, server_default="STAFF"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    version(),
    CheckConstraint(_KNOWN_SURFACE, name="surface_known"),
)

permissions = Table(
    "permissions",
    metadata,
    key(),
    Column("permission_code", Text, nullable=False, unique=True),
    Column("module", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("description_en", Text, nullable=False),
    Column("description_ar", Text, nullable=False, server_default=""),
    Column("moves_money", Boolean, nullable=False, server_default=false()),
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
    Column("address", Text, nullable=False, server_default=""),
    instant("created_at"),
    Column("last_used_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    instant("expires_at"),
    # The widest: what sessions were before there were surfaces. A role that somebody has not counts nowhere.
    Column("surface", EnumText(Surface), nullable=False, server_default="STAFF"),
    instant("revoked_at", nullable=True),
    Column("revoked_reason", Text),
    instant("second_factor_at", nullable=True),
    Index("ix_sessions_user_id", "user_id"),
    CheckConstraint(_KNOWN_SURFACE, name="surface_known"),
)

api_keys = Table(
    "api_keys",
    metadata,
    key(),
    reference("user_id", "users.id"),
    Column("name", Text, nullable=False),
    Column("public_id", Text, nullable=False, unique=True),
    Column("key_hash", LargeBinary, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    instant("created_at"),
    instant("expires_at"),
    instant("revoked_at", nullable=True),
    reference("revoked_by", "users.id", nullable=True),
    instant("last_used_at", nullable=True),
    Column("last_used_address", Text),
    Index("ix_api_keys_user_id", "user_id"),
    Index("ix_api_keys_created_at_id", "created_at", "id"),
)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    reference("session_id", "sessions.id"),
    instant("issued_at"),
    Column("follows", LargeBinary),
    instant("used_at", nullable=True),
    instant("withdrawn_at", nullable=True),
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

password_resets = Table(
    "password_resets",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    reference("user_id", "users.id"),
    instant("created_at"),
    instant("expires_at"),
    instant("used_at", nullable=True),
    Index("ix_password_resets_user_id", "user_id"),
)

login_failures = Table(
    "login_failures",
    metadata,
    # A keyed digest of an e-mail or network address: the rows name nobody.
    Column("subject", LargeBinary, primary_key=True),
    Column("failures", Integer, nullable=False),
    instant("began_at"),
    instant("locked_until", nullable=True),
    Index("ix_login_failures_began_at", "began_at"),
)

mappers.map_imperatively(User, users, exclude_properties=["erased_at", "updated_at"])
mappers.map_imperatively(RefreshToken, refresh_tokens)
mappers.map_imperatively(
    Session,
    sessions,
    properties={
        "tokens": relationship(RefreshToken, order_by=refresh_tokens.c.issued_at, lazy="selectin", cascade="all")
    },
)
