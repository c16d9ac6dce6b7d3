"""audit_logs, system_settings."""

from sqlalchemy import Boolean, CheckConstraint, Column, Index, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from domain.operations.audit import AuditStatus
from domain.operations.kinds import SettingType
from domain.operations.settings import SettingCategory
from infrastructure.database.metadata import EnumText, instant, key, metadata, reference, status

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
    Column("ip_address", Text),
    Column("user_agent", Text),
    Column("status", EnumText(AuditStatus), nullable=False, server_default=AuditStatus.SUCCESS.value),
    Column("error_message", Text),
    CheckConstraint("status IN ('SUCCESS', 'FAILED', 'PARTIAL')", name="status_known"),
    Index("ix_audit_logs_created_at_id", "created_at", "id"),
    Index("ix_audit_logs_user_id_created_at_id", "user_id", "created_at", "id"),
    Index("ix_audit_logs_module_created_at_id", "module", "created_at", "id"),
    Index("ix_audit_logs_action_created_at_id", "action", "created_at", "id"),
    Index("ix_audit_logs_resource_type_created_at_id", "resource_type", "created_at", "id"),
    Index("ix_audit_logs_resource_id_created_at_id", "resource_id", "created_at", "id"),
    Index("ix_audit_logs_request_id", "request_id", postgresql_where="request_id <> ''"),
    Index("ix_audit_logs_refused", "status", "created_at", "id", postgresql_where="status <> 'SUCCESS'"),
)

# A row's value is NULL while the default holds: the row stays, so that its version only ever grows.
system_settings = Table(
    "system_settings",
    metadata,
    key(),
    Column("setting_key", Text, nullable=False, unique=True),
    Column("setting_value", JSONB),
    *status("setting_type", SettingType),
    *status("category", SettingCategory),
    Column("description_ar", Text, nullable=False),
    Column("description_en", Text, nullable=False),
    Column("is_public", Boolean, nullable=False),
    reference("updated_by_user_id", "users.id", nullable=True),
    Column("version", Integer, nullable=False),
    instant("created_at"),
    instant("updated_at"),
)
