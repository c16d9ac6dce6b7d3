"""Keeping cancellation policies, and telling their terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from application.ports import UnitOfWork
from domain.operations.audit import changed
from domain.sales.cancellation import CancellationTerms, deadlines
from domain.sales.policies import CancellationPolicy, PolicyDetails
from domain.shared.clock import Clock
from domain.shared.errors import refuse_stale
from domain.shared.identifiers import NewId


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatePolicy:
    """Names and tiers are needed."""

    actor_id: UUID
    details: PolicyDetails


def create_policy(command: CreatePolicy, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> UUID:
    """Offer terms to those who keep the catalogue. Raises InvalidValue."""
    now, policy_id, details = clock.now(), new_id(), command.details
    policy = CancellationPolicy(
        id=policy_id,
        name_ar=details["name_ar"],
        name_en=details["name_en"],
        terms=CancellationTerms(
            policy_id=policy_id,
            tiers=details["tiers"],
            supplier_hours_before=details.get("supplier_hours_before"),
        ),
        is_default=details.get("is_default", False),
        is_active=details.get("is_active", True),
        created_by_user_id=command.actor_id,
        created_at=now,
        updated_at=now,
    )
    with uow:
        _make_way(policy, by=command.actor_id, uow=uow, at=now)
        uow.cancellation_policies.add(policy)
        _audit(uow, command.actor_id, "policies.create", policy, changed({}, _shown(policy)), at=now)
        uow.commit()
    return policy.id


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePolicy:
    """`details` holds only what changes; `expected_version` is the one that the actor saw, None where any will do."""

    actor_id: UUID
    policy_id: UUID
    details: PolicyDetails
    expected_version: int | None = None


def change_policy(command: ChangePolicy, *, uow: UnitOfWork, clock: Clock) -> None:
    """Change what is sold from now on; bookings keep their terms.

    Raises PolicyNotFound, PreconditionFailed, InvalidValue.
    """
    now = clock.now()
    with uow:
        if command.details.get("is_default"):
            uow.cancellation_policies.lock_default()
        before = uow.cancellation_policies.get(command.policy_id)
        refuse_stale(command.expected_version, current=before.version)
        after = before.changed(at=now, **command.details)
        changes = changed(_shown(before), _shown(after))
        if changes["after"]:
            _make_way(after, by=command.actor_id, uow=uow, at=now)
            uow.cancellation_policies.save(after)
            _audit(uow, command.actor_id, "policies.update", after, changes, at=now)
        uow.commit()


def _make_way(policy: CancellationPolicy, *, by: UUID, uow: UnitOfWork, at: datetime) -> None:
    """There is one default: another one that was it is it no more, which the audit log says of that one too."""
    if not policy.is_default:
        return
    uow.cancellation_policies.lock_default()
    former = uow.cancellation_policies.default()
    if former is not None and former.id != policy.id:
        deposed = replace(former, is_default=False, updated_at=at)
        uow.cancellation_policies.save(deposed)
        _audit(uow, by, "policies.update", deposed, changed(_shown(former), _shown(deposed)), at=at)


def terms_shown(terms: CancellationTerms, *, starts_at: datetime, time_zone: str) -> Mapping[str, Any]:
    """A booking's terms with the instants at which its tiers end, and the zone in which they were worked out."""
    ends = deadlines(terms, starts_at=starts_at, time_zone=time_zone)
    return {
        "policy_id": terms.policy_id,
        "time_zone": time_zone,
        "tiers": [
            {"hours_before": tier.hours_before, "refund": tier.refund.hundredths, "until": until}
            for tier, (until, _) in zip(terms.tiers, ends, strict=True)
        ],
    }


def _shown(policy: CancellationPolicy) -> dict[str, object]:
    return {
        "name_ar": policy.name_ar,
        "name_en": policy.name_en,
        "tiers": [
            {"hours_before": tier.hours_before, "refund_percent": str(tier.refund)} for tier in policy.terms.tiers
        ],
        "supplier_hours_before": policy.terms.supplier_hours_before,
        "is_default": policy.is_default,
        "is_active": policy.is_active,
    }


def _audit(
    uow: UnitOfWork,
    actor_id: UUID,
    action: str,
    policy: CancellationPolicy,
    changes: Mapping[str, object],
    *,
    at: datetime,
) -> None:
    uow.audit.add(
        actor=actor_id,
        action=action,
        resource_type="CANCELLATION_POLICY",
        resource_id=policy.id,
        changes=changes,
        at=at,
    )
