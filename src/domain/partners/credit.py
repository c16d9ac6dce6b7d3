"""What an agent may owe: how far below zero its deposit account may stand, with a history. Amounts are minor units."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.shared.errors import InvalidValue, OwnRequest
from domain.shared.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditLimit:
    """From `valid_from` on, until the next limit in its currency. Below what is used it only stops further use."""

    id: UUID
    partner_id: UUID
    limit: Money
    reason: str
    set_by: UUID
    valid_from: datetime

    @classmethod
    def grant(
        cls,
        *,
        limit_id: UUID,
        partner_id: UUID,
        partner_user_id: UUID,
        limit: Money,
        reason: str,
        by: UUID,
        at: datetime,
    ) -> CreditLimit:
        """From now on; never for oneself. Raises OwnRequest, or InvalidValue for less than nothing."""
        if by == partner_user_id:
            raise OwnRequest()
        if limit.minor < 0:
            raise InvalidValue("a limit is nothing, or more", pointer="/limit", code="out_of_range")
        return cls(id=limit_id, partner_id=partner_id, limit=limit, reason=reason, set_by=by, valid_from=at)
