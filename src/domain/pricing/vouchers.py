"""Vouchers: codes that take something off, promise cashback, or give a service, to everybody or to some."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Final, Unpack
from uuid import UUID

from domain.pricing.baskets import Basket, Benefit, NotApplied, PromotionKind
from domain.pricing.codes import fold_code
from domain.pricing.deals import (
    AppliesTo,
    Deal,
    DealDetails,
    Reason,
    Why,
    card_faults,
    deal_faults,
    out_of_range,
    refuse,
    value_faults,
)
from domain.pricing.schedules import ALWAYS, Schedule
from domain.shared.errors import Conflict, FieldFault, IllegalTransition, InvalidValue, NotFound
from domain.shared.events import DomainEvent
from domain.shared.money import Money
from domain.shared.percentage import Percentage


class VoucherNotFound(NotFound):
    """There is no such voucher."""

    code = "voucher_not_found"


class VoucherCodeTaken(Conflict):
    """Another voucher has this code."""

    code = "voucher_code_taken"


class VoucherExhausted(Conflict):
    """The voucher has no use left, for anybody or for this buyer."""

    code = "voucher_exhausted"


class VoucherOver(Conflict):
    """Its time is over: give it another end first."""

    code = "voucher_over"


class VoucherRedeemed(Conflict):
    """What a voucher gives stays what it is once somebody has used it; the faults name each field."""

    code = "voucher_redeemed"


class VoucherType(StrEnum):
    """What it gives."""

    DISCOUNT_PERCENTAGE = "DISCOUNT_PERCENTAGE"
    DISCOUNT_FIXED = "DISCOUNT_FIXED"
    CASHBACK = "CASHBACK"
    """A percentage or an amount, promised as cashback beside that of the plan."""
    FREE_SERVICE = "FREE_SERVICE"
    """A named service at no cost; no money comes off."""


class VoucherStatus(StrEnum):
    """Whether it can be used."""

    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"
    """Staff took it out of use."""
    EXPIRED = "EXPIRED"
    """A job found that its time was over."""
    EXHAUSTED = "EXHAUSTED"
    """Its last use was taken; ACTIVE again when one is given back."""


NEXT: Final = {
    VoucherStatus.ACTIVE: {VoucherStatus.INACTIVE, VoucherStatus.EXPIRED, VoucherStatus.EXHAUSTED},
    VoucherStatus.INACTIVE: {VoucherStatus.ACTIVE},
    VoucherStatus.EXPIRED: {VoucherStatus.ACTIVE},
    VoucherStatus.EXHAUSTED: {VoucherStatus.ACTIVE, VoucherStatus.INACTIVE, VoucherStatus.EXPIRED},
}

_VALUES: Final[dict[VoucherType, tuple[type[Percentage | Money], ...]]] = {
    VoucherType.DISCOUNT_PERCENTAGE: (Percentage,),
    VoucherType.DISCOUNT_FIXED: (Money,),
    VoucherType.CASHBACK: (Percentage, Money),
    VoucherType.FREE_SERVICE: (),
}
WHAT_IT_GIVES: Final = ("code", "voucher_type", "discount_value", "max_discount", "gift_ar", "gift_en")
"""What nobody changes once it was redeemed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherAssigned(DomainEvent):
    """Somebody has a voucher that they had not before."""

    name: ClassVar[str] = "pricing.voucher_assigned"
    voucher_id: UUID
    user_id: UUID


class VoucherDetails(DealDetails, total=False):
    """What staff decide about a voucher; what is left out stays as it is."""

    code: str
    voucher_type: VoucherType
    schedule: Schedule
    is_public: bool
    combines_with_offers: bool


@dataclass(eq=False, kw_only=True)
class Voucher(Deal):
    """A code with its terms. A private one is for those that it is assigned to alone."""

    code: str
    voucher_type: VoucherType
    schedule: Schedule = field(default=ALWAYS)
    is_public: bool = True
    combines_with_offers: bool = True
    status: VoucherStatus = VoucherStatus.ACTIVE
    import_id: UUID | None = None

    @classmethod
    def create(
        cls,
        *,
        voucher_id: UUID,
        created_by: UUID,
        at: datetime,
        import_id: UUID | None = None,
        **details: Unpack[VoucherDetails],
    ) -> Voucher:
        """A voucher in use. Raises UnsoundDeal naming every field that cannot be, or InvalidValue for its code."""
        values: dict[str, Any] = {"valid_from": at, **details, "code": fold_code(details["code"])}
        voucher = cls(
            id=voucher_id,
            created_by_user_id=created_by,
            created_at=at,
            updated_at=at,
            import_id=import_id,
            **values,
        )
        refuse(_faults(voucher))
        return voucher

    def details(self) -> VoucherDetails:
        """What staff decided, as it stands now."""
        return {name: getattr(self, name) for name in DETAILS}  # type: ignore[return-value]

    def change(self, *, was_redeemed: bool, at: datetime, **details: Unpack[VoucherDetails]) -> None:
        """Change what was given.

        Raises UnsoundDeal, or VoucherRedeemed for what it gives once it was redeemed. `usage_count` has to be
        what it is now, with its redemptions held off.
        """
        if "code" in details:
            details["code"] = fold_code(details["code"])
        moved = {name: value for name, value in details.items() if value != getattr(self, name)}
        if was_redeemed:
            _refuse_other_gifts(moved)
        refuse(_faults(replace(self, **moved)))  # type: ignore[arg-type]
        for name, value in moved.items():
            setattr(self, name, value)
        self.updated_at = at
        self._follow_limit(at)

    def _follow_limit(self, at: datetime) -> None:
        if self.status is VoucherStatus.EXHAUSTED and not self.is_used_up:
            self._move_to(VoucherStatus.ACTIVE, at=at)
        elif self.status is VoucherStatus.ACTIVE and self.is_used_up:
            self._move_to(VoucherStatus.EXHAUSTED, at=at)

    def is_called(self, typed: str) -> bool:
        """Whether somebody who types this means it."""
        try:
            return fold_code(typed) == self.code
        except InvalidValue:
            return False

    def activate(self, *, at: datetime) -> None:
        """Put it back in use. Raises VoucherOver, VoucherExhausted or IllegalTransition."""
        if self.is_over(at):
            raise VoucherOver()
        if self.is_used_up:
            raise VoucherExhausted()
        self._move_to(VoucherStatus.ACTIVE, at=at)

    def deactivate(self, *, at: datetime) -> None:
        """Take it out of use; what was redeemed stays redeemed. Raises IllegalTransition."""
        self._move_to(VoucherStatus.INACTIVE, at=at)

    def _move_to(self, status: VoucherStatus, *, at: datetime) -> None:
        if status not in NEXT[self.status]:
            raise IllegalTransition(current=self.status, wanted=status)
        self.status = status
        self.updated_at = at


DETAILS: Final = tuple(dict.fromkeys((*DealDetails.__annotations__, *VoucherDetails.__annotations__)))


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldVoucher:
    """A voucher in the hands of a buyer who may know of it; implements `baskets.Promotion`."""

    voucher: Voucher
    used_by_buyer: int

    @property
    def combines(self) -> bool:
        return self.voucher.combines_with_offers

    def evaluate(self, basket: Basket) -> Benefit | NotApplied:
        voucher, keys = self.voucher, self.voucher.keys(basket)
        why = self.why_not_at(basket.at) or next(self._why_not_for(basket, keys), None)
        if why is not None:
            return self._refused(*why)
        worth, nothing = voucher.worth(basket.left_of(keys)), Money(0, basket.left.currency)
        if worth.is_zero and voucher.voucher_type is not VoucherType.FREE_SERVICE:
            return self._refused(Reason.NOTHING_LEFT, {})
        is_cashback = voucher.voucher_type is VoucherType.CASHBACK
        return Benefit(
            kind=PromotionKind.VOUCHER,
            source_id=voucher.id,
            title_ar=voucher.title_ar or voucher.title_en or voucher.code,
            title_en=voucher.title_en or voucher.title_ar or voucher.code,
            discount=nothing if is_cashback else worth,
            keys=keys,
            code=voucher.code,
            cashback=worth if is_cashback else None,
            gift_ar=voucher.gift_ar or voucher.gift_en,
            gift_en=voucher.gift_en or voucher.gift_ar,
        )

    def not_combined(self) -> NotApplied:
        return self._refused(Reason.NOT_COMBINABLE, {})

    def why_not_at(self, at: datetime) -> Why | None:
        """Why the buyer could not use it at an instant, whatever they buy."""
        return next(self._why_not_at(at), None)

    def _why_not_at(self, at: datetime) -> Iterator[Why]:
        if self.voucher.status is VoucherStatus.INACTIVE:
            yield Reason.INACTIVE, {}
        yield from self.voucher.why_not_now(at)
        if self.voucher.status is VoucherStatus.EXPIRED:
            # Its end was moved since; staff have not put it back in use.
            yield Reason.INACTIVE, {}
        if self.voucher.status is VoucherStatus.EXHAUSTED:
            yield Reason.EXHAUSTED, {}
        yield from self.voucher.why_no_more(self.used_by_buyer)
        if not self.voucher.schedule.covers(at):
            yield Reason.OUTSIDE_SCHEDULE, {}

    def _why_not_for(self, basket: Basket, keys: frozenset[UUID]) -> Iterator[Why]:
        schedule = self.voucher.schedule
        if not schedule.covers_trip(basket.starts_on):
            first, last = schedule.travel_from, schedule.travel_until
            yield Reason.TRAVEL_DATES, {"first": str(first or "…"), "last": str(last or "…")}
        if not keys:
            yield Reason.WRONG_TYPE, {"wanted": self.voucher.applicable_to.value}
        yield from self.voucher.why_not_this_much(basket.left_of(keys))

    def _refused(self, reason: Reason, figures: dict[str, str]) -> NotApplied:
        return NotApplied(
            kind=PromotionKind.VOUCHER,
            reason=reason.value,
            title_ar=self.voucher.title_ar,
            title_en=self.voucher.title_en,
            source_id=self.voucher.id,
            code=self.voucher.code,
            figures=figures,
        )


def redeemed_voucher(voucher: Voucher, *, at: datetime) -> HeldVoucher:
    """A voucher in the hands of whoever used it at an instant: neither its window, the hours of the week, status nor
    limits count again; when one travels does.
    """
    kept = replace(
        voucher,
        schedule=voucher.schedule.at_any_hour(),
        status=VoucherStatus.ACTIVE,
        valid_from=at,
        valid_until=None,
        usage_limit_total=None,
        usage_limit_per_user=None,
    )
    return HeldVoucher(voucher=kept, used_by_buyer=0)


UNKNOWN: Final = NotApplied(kind=PromotionKind.VOUCHER, reason=Reason.VOUCHER_UNKNOWN.value)
"""What is said of a code that does not exist, and of a private one of somebody else."""


def _refuse_other_gifts(moved: dict[str, Any]) -> None:
    faults = tuple(
        FieldFault(f"/{name}", "voucher_redeemed", "it was redeemed; make another voucher instead")
        for name in WHAT_IT_GIVES
        if name in moved
    )
    if faults:
        raise VoucherRedeemed(faults=faults)


def _faults(voucher: Voucher) -> Iterator[FieldFault]:
    yield from deal_faults(voucher)
    yield from card_faults("code", voucher.code)
    is_gift = voucher.voucher_type is VoucherType.FREE_SERVICE
    yield from value_faults(voucher, _VALUES[voucher.voucher_type], gift=is_gift)
    if voucher.applicable_to is AppliesTo.SPECIFIC_ITEMS:
        yield FieldFault("/applicable_to", "invalid", "only offers name items")
    if voucher.valid_until is not None and voucher.valid_until <= voucher.valid_from:
        yield out_of_range("valid_until", "after valid_from")
    yield from voucher.schedule.faults()
