"""second_factors, recovery_codes, counted_guesses, phone_verifications, invitations, invitation_tokens."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from domain.identity.invitations import InvitationStatus
from infrastructure.database.metadata import instant, key, metadata, reference, status

second_factors = Table(
    "second_factors",
    metadata,
    Column("user_id", Uuid, ForeignKey("users.id"), primary_key=True),
    Column("id", Uuid, nullable=False),
    Column("secret_encrypted", LargeBinary, nullable=False),
    instant("created_at"),
    instant("confirmed_at", nullable=True),
    # The 30-second step of the last code that was accepted.
    Column("last_step", BigInteger),
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    key(),
    reference("user_id", "users.id"),
    Column("code_hash", LargeBinary, nullable=False),
    instant("created_at"),
    instant("used_at", nullable=True),
    UniqueConstraint("user_id", "code_hash"),
)

counted_guesses = Table(
    "counted_guesses",
    metadata,
    # `<what>:<id>`: nothing that somebody typed.
    Column("subject", Text, primary_key=True),
    Column("wrong", Integer, nullable=False),
    instant("since", nullable=True),
    instant("locked_until", nullable=True),
)

phone_verifications = Table(
    "phone_verifications",
    metadata,
    key(),
    reference("user_id", "users.id"),
    # Keyed digests: neither the number nor the code can be read, or guessed, from the rows.
    Column("phone_digest", LargeBinary, nullable=False),
    Column("code_digest", LargeBinary),
    Column("tries", Integer, nullable=False),
    instant("requested_at"),
    instant("used_at", nullable=True),
    Index("ix_phone_verifications_user_id_requested_at", "user_id", "requested_at"),
    Index("ix_phone_verifications_phone_digest_requested_at", "phone_digest", "requested_at"),
)

invitations = Table(
    "invitations",
    metadata,
    key(),
    Column("email", Text, nullable=False),
    Column("roles", ARRAY(Text), nullable=False),
    Column("locale", Text, nullable=False),
    *status("status", InvitationStatus),
    reference("invited_by", "users.id", nullable=True),
    instant("created_at"),
    instant("expires_at"),
    instant("accepted_at", nullable=True),
    reference("accepted_by", "users.id", nullable=True),
    instant("withdrawn_at", nullable=True),
    CheckConstraint("cardinality(roles) > 0", name="some_role"),
    CheckConstraint("(status = 'ACCEPTED') = (accepted_by IS NOT NULL)", name="accepted_by_somebody"),
    Index("uq_invitations_pending_email", "email", unique=True, postgresql_where=text("status = 'PENDING'")),
    Index("ix_invitations_created_at_id", "created_at", "id"),
)

invitation_tokens = Table(
    "invitation_tokens",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    reference("invitation_id", "invitations.id"),
    Index("ix_invitation_tokens_invitation_id", "invitation_id"),
)
