"""Cancellation policies, by hand-written statements."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from psycopg.types.json import Jsonb

from domain.sales.cancellation import CancellationTerms
from domain.sales.policies import CancellationPolicy, PolicyNotFound
from domain.shared.errors import InvalidValue
from infrastructure.database.sales.on_sale import tiers_of, tiers_row
from infrastructure.database.transaction import Row, Statements

# Held until the transaction ends: one after the other decides which policy is the default.
_LOCK_DEFAULT: Final = "SELECT pg_advisory_xact_lock(hashtext('altayar default cancellation policy'))"
_ADD: Final = """
INSERT INTO cancellation_policies (id, name_ar, name_en, tiers, supplier_hours_before, is_default, is_active,
                                   created_by_user_id, created_at, updated_at)
VALUES (%(id)s, %(name_ar)s, %(name_en)s, %(tiers)s, %(supplier_hours_before)s, %(is_default)s, %(is_active)s,
        %(created_by_user_id)s, %(created_at)s, %(updated_at)s)
"""
_SAVE: Final = """
UPDATE cancellation_policies
SET name_ar = %(name_ar)s, name_en = %(name_en)s, tiers = %(tiers)s,
    supplier_hours_before = %(supplier_hours_before)s, is_default = %(is_default)s, is_active = %(is_active)s
WHERE id = %(id)s
"""
_GET: Final = "SELECT * FROM cancellation_policies WHERE id = %s FOR UPDATE"
_DEFAULT: Final = "SELECT * FROM cancellation_policies WHERE is_default FOR UPDATE"
_OFFERED: Final = "SELECT 1 FROM cancellation_policies WHERE id = %s AND is_active FOR SHARE"


class SqlCancellationPolicies:
    """Implements `application.sales.ports.CancellationPolicies`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def add(self, policy: CancellationPolicy) -> None:
        self._statements.execute(_ADD, _row(policy))

    def save(self, policy: CancellationPolicy) -> None:
        self._statements.execute(_SAVE, _row(policy))

    def get(self, policy_id: UUID) -> CancellationPolicy:
        row = self._statements.row(_GET, (policy_id,))
        if row is None:
            raise PolicyNotFound()
        return _policy(row)

    def lock_default(self) -> None:
        self._statements.execute(_LOCK_DEFAULT)

    def default(self) -> CancellationPolicy | None:
        row = self._statements.row(_DEFAULT)
        return _policy(row) if row is not None else None

    def refuse_unless_offered(self, policy_id: UUID) -> None:
        if self._statements.row(_OFFERED, (policy_id,)) is None:
            raise InvalidValue("no policy that is offered", pointer="/cancellation_policy_id", code="not_offered")


def _row(policy: CancellationPolicy) -> dict[str, Any]:
    return {
        "id": policy.id,
        "name_ar": policy.name_ar,
        "name_en": policy.name_en,
        "tiers": Jsonb(tiers_row(policy.terms)),
        "supplier_hours_before": policy.terms.supplier_hours_before,
        "is_default": policy.is_default,
        "is_active": policy.is_active,
        "created_by_user_id": policy.created_by_user_id,
        "created_at": policy.created_at,
        "updated_at": policy.updated_at,
    }


def _policy(row: Row) -> CancellationPolicy:
    return CancellationPolicy(
        id=row["id"],
        name_ar=row["name_ar"],
        name_en=row["name_en"],
        terms=CancellationTerms(
            policy_id=row["id"], tiers=tiers_of(row["tiers"]), supplier_hours_before=row["supplier_hours_before"]
        ),
        is_default=row["is_default"],
        is_active=row["is_active"],
        created_by_user_id=row["created_by_user_id"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        version=row["version"],
    )
