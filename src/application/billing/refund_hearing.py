"""What a provider says of one part of a refund, in a reading or in its answer to our request, and what follows."""

from __future__ import annotations

from collections.abc import Callable

from application.billing.refund_effects import GoingBack
from domain.billing.refunds import Refund, RefundPart, RefundStatus, Told
from domain.billing.tenders import Tender
from domain.shared.money import Money

MakeRoom = Callable[[Tender, Money], None]


def hear(
    back: GoingBack, refund: Refund, part: RefundPart, told: Told, reason: str, *, make_room: MakeRoom | None = None
) -> None:
    """Follow what the provider says now of a part; what it said before, or has gone beyond, changes nothing."""
    if not told.is_news_after(part.told):
        return
    part.told = told
    if told is Told.FAILED:
        _fail(back, refund, part, reason or "provider_failed")
        return
    if part.status is RefundStatus.SUCCEEDED:
        return
    if part.status is RefundStatus.FAILED:
        _set_aside_again(back, part, make_room)
    if told is Told.PENDING:
        refund.pending(part, at=back.clock.now())
    else:
        back.succeed(refund, part)


def _fail(back: GoingBack, refund: Refund, part: RefundPart, error_code: str) -> None:
    if part.status is RefundStatus.SUCCEEDED:
        back.bring_back(refund, part, error_code)
    elif part.is_open:
        back.fail(refund, part, error_code)


def _set_aside_again(back: GoingBack, part: RefundPart, make_room: MakeRoom | None) -> None:
    """An answer had said that nothing would go back, and a reading says that something did.

    Where its amount has been given back in another way meanwhile, it went beyond the capture: suspense shows it.
    """
    tender = back.tender_of(part)
    if tender is None:
        return
    if make_room is not None:
        make_room(tender, part.amount)
    if part.amount <= tender.refundable:
        back.set_aside_found(part)
    else:
        part.tender_id = None
