"""What is agreed with a partner: percentages with a history. Sales freeze the one that holds when they are made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.shared.errors import Conflict, InvalidValue, OwnRequest
from domain.shared.percentage import Percentage


class RateExists(Conflict):
    """Another rate begins at this instant."""

    code = "rate_exists"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerRate:
    """A share or commission from an instant until the next rate begins, so that two never hold at once."""

    id: UUID
    partner_id: UUID
    rate: Percentage
    valid_from: datetime
    reason: str
    set_by: UUID
    created_at: datetime

    @classmethod
    def agree(
        cls,
        *,
        rate_id: UUID,
        partner_id: UUID,
        partner_user_id: UUID,
        rate: Percentage,
        valid_from: datetime | None,
        reason: str,
        by: UUID,
        at: datetime,
    ) -> PartnerRate:
        """From now on, or from an instant to come: what was sold keeps what was frozen.

        Raises OwnRequest, or InvalidValue for the past.
        """
        if by == partner_user_id:
            raise OwnRequest()
        if valid_from is not None and valid_from < at:
            raise InvalidValue("a rate begins now or later", pointer="/valid_from", code="in_the_past")
        return cls(
            id=rate_id,
            partner_id=partner_id,
            rate=rate,
            valid_from=valid_from or at,
            reason=reason,
            set_by=by,
            created_at=at,
        )
