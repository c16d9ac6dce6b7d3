"""What is shown of vouchers and offers, and to whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from application.pricing.ports import OfferedPromotions
from domain.pricing.vouchers import HeldVoucher

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: behind this sort key; `id` breaks ties."""

    key: datetime | int
    id: UUID


@dataclass(frozen=True, slots=True)
class KnownVoucher:
    """A voucher that its holder may know of, as a rule and as a row with `is_assigned` and `used_by_you`."""

    held: HeldVoucher
    row: Row


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherSearch:
    """Which vouchers; `code` is how theirs begins, folded."""

    status: str | None = None
    code: str | None = None
    import_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferSearch:
    """Which offers: those that run `at` an instant, or for staff all of them, or all of one status."""

    at: datetime | None
    status: str | None = None
    featured: bool | None = None


class PricingQueries(OfferedPromotions, Protocol):
    """Vouchers and offers; what a customer may use, and what staff keep."""

    def voucher(self, voucher_id: UUID) -> Row | None: ...

    def vouchers(self, search: VoucherSearch, *, limit: int, after: Place | None) -> Sequence[Row]:
        """Newest first, one row more than `limit` when there are more."""
        ...

    def known_voucher(self, code: str, *, holder: UUID) -> KnownVoucher | None:
        """A voucher by its code as it was typed, public or assigned to the holder; None for any other."""
        ...

    def usable_vouchers(self, holder: UUID, *, at: datetime, limit: int, after: Place | None) -> Sequence[Row]:
        """Public ones and the holder's own that can be used now, with `is_assigned` and `used_by_you`."""
        ...

    def assignments(self, voucher_id: UUID, *, limit: int, after: Place | None) -> Sequence[Row]:
        """id (the person's), assigned_by_user_id, assigned_at, `used`; newest first."""
        ...

    def voucher_statistics(self, voucher_id: UUID) -> Row | None:
        """How often and by how many it was used, what it gave by currency, what became of the bookings."""
        ...

    def offer_statistics(self, offer_id: UUID) -> Row | None:
        """The same of an offer."""
        ...

    def offer(self, offer_id: UUID, *, running_at: datetime | None) -> Row | None: ...

    def offers(self, search: OfferSearch, *, limit: int, after: Place | None) -> Sequence[Row]:
        """The highest priority first, with `uses_left`; one row more than `limit` when there are more."""
        ...
