"""Cancellation policies: terms with a name, which staff keep and items of the catalogue are sold under."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, TypedDict, Unpack
from uuid import UUID

from domain.sales.cancellation import CancellationTerms, RefundTier
from domain.shared.aggregate import Aggregate
from domain.shared.errors import InvalidValue, NotFound

NAME_LENGTH: Final = 100


class PolicyNotFound(NotFound):
    """There is no such policy, or it is not offered to this viewer."""

    code = "cancellation_policy_not_found"


class PolicyDetails(TypedDict, total=False):
    """What staff decide about a policy; what is left out stays as it is."""

    name_ar: str
    name_en: str
    tiers: tuple[RefundTier, ...]
    supplier_hours_before: int | None
    is_default: bool
    is_active: bool


@dataclass(eq=False, kw_only=True)
class CancellationPolicy(Aggregate):
    """Terms that items name; bookings keep them as they were when they were placed.

    The default holds for items that name none. One that is not active cannot be chosen any more; items that name it
    keep it.
    """

    id: UUID
    name_ar: str
    name_en: str
    terms: CancellationTerms
    is_default: bool = False
    is_active: bool = True
    created_by_user_id: UUID | None = None
    created_at: datetime
    updated_at: datetime
    version: int = 1

    def __post_init__(self) -> None:
        for name in ("name_ar", "name_en"):
            if not 1 <= len(getattr(self, name)) <= NAME_LENGTH:
                raise InvalidValue(f"1 to {NAME_LENGTH} characters", pointer=f"/{name}", code="out_of_range")
        if self.is_default and not self.is_active:
            raise InvalidValue("the default is active", pointer="/is_active", code="not_offered")

    def changed(self, *, at: datetime, **details: Unpack[PolicyDetails]) -> CancellationPolicy:
        """The policy with what was given. Raises InvalidValue."""
        given: dict[str, Any] = {**details}
        agreed = {name: given.pop(name) for name in ("tiers", "supplier_hours_before") if name in given}
        return replace(self, updated_at=at, terms=replace(self.terms, policy_id=self.id, **agreed), **given)
