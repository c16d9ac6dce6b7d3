"""consents, erasures, personal_data_exports."""

from sqlalchemy import Boolean, Column, Index, Integer, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY

from domain.privacy.consents import ConsentChannel, ConsentPurpose, ConsentSource
from domain.privacy.exports import ExportStatus
from infrastructure.database.metadata import instant, key, metadata, reference, status

consents = Table(
    "consents",
    metadata,
    key(),
    reference("user_id", "users.id"),
    *status("channel", ConsentChannel),
    *status("purpose", ConsentPurpose),
    Column("granted", Boolean, nullable=False),
    *status("source", ConsentSource),
    Column("wording", Text, nullable=False),
    instant("given_at"),
    Index("ix_consents_user_id_channel_purpose_id", "user_id", "channel", "purpose", "id"),
)

erasures = Table(
    "erasures",
    metadata,
    key(),
    reference("user_id", "users.id"),
    reference("requested_by_user_id", "users.id", nullable=True),
    Column("reason", Text, nullable=False),
    instant("requested_at"),
    instant("due_at"),
    instant("withdrawn_at", nullable=True),
    # What kept it from being carried out when it was last tried.
    Column("blocked_by", ARRAY(Text), nullable=False, server_default="{}"),
    instant("tried_at", nullable=True),
    # The rows are erased in one transaction; the files named here follow, then it is done.
    instant("erased_at", nullable=True),
    Column("objects", ARRAY(Text), nullable=False, server_default="{}"),
    instant("done_at", nullable=True),
    Index("uq_erasures_open_user", "user_id", unique=True, postgresql_where="withdrawn_at IS NULL AND done_at IS NULL"),
)

personal_data_exports = Table(
    "personal_data_exports",
    metadata,
    key(),
    reference("user_id", "users.id"),
    reference("requested_by_user_id", "users.id"),
    Column("locale", Text, nullable=False),
    *status("status", ExportStatus),
    instant("requested_at"),
    instant("ready_at", nullable=True),
    instant("expires_at", nullable=True),
    Column("size_bytes", Integer),
    Index("ix_personal_data_exports_user_id_requested_at_id", "user_id", "requested_at", "id"),
    Index("uq_personal_data_exports_open_user", "user_id", unique=True, postgresql_where="status = 'REQUESTED'"),
)
