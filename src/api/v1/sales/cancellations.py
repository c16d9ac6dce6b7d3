"""Cancelling bookings: what it would do, and doing it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response

from api.answers import answer
from api.blueprint import Blueprint
from api.context import may, use, viewer
from api.v1.sales.cancellation_schemas import CancelBookingRequest, CancellationQuery, CancellationShown
from api.v1.sales.rows import cancellation_row, plan_row
from api.v1.sales.schemas import BookingShown
from api.v1.sales.viewing import is_their_own, shown
from api.views import MethodView
from application.queries import Row
from application.sales.cancellation_plans import agreed_plan, token_of
from application.sales.cancelling import (
    CancelBooking,
    Decided,
    PreviewCancellation,
    cancel_booking,
    preview_cancellation,
)
from domain.sales.booking_errors import BookingNotFound
from domain.shared.clock import business_date
from domain.shared.errors import NotAllowed
from middlewares.auth_middleware import token_required
from middlewares.idempotency import idempotent

blueprint = Blueprint("cancellations", __name__, url_prefix="/bookings", description="Cancelling bookings")


@blueprint.route("/<uuid:booking_id>/cancellation-preview")
class Preview(MethodView):
    @token_required(scope="bookings.own")
    @blueprint.arguments(CancellationQuery, location="query")
    @blueprint.response(200, CancellationShown)
    def get(self, query: dict[str, Any], booking_id: UUID) -> Response:
        """What cancelling now would do to every payment, to points and to cashback; nothing happens."""
        decided = query["refund_percent"]
        command = PreviewCancellation(
            booking_id=booking_id,
            actor_id=viewer().user_id,
            owner=_owner(booking_id, decides=decided is not None),
            decided=decided,
        )
        plan = preview_cancellation(
            command, uow=use().new_uow(), gateways=use().gateways, clock=use().clock, new_id=use().new_id
        )
        token = token_of(plan, digests=use().digests, at=use().clock.now())
        is_staff = may("bookings.read")
        is_agent = plan.agent_id is not None and plan.agent_id == viewer().agent_id
        row = cancellation_row(plan, token=token, sees_shares=is_staff, sees_commission=is_staff or is_agent)
        return answer(CancellationShown, row)


@blueprint.route("/<uuid:booking_id>/cancel")
class Cancel(MethodView):
    @token_required(scope="bookings.own")
    @idempotent(required=True)
    @blueprint.arguments(CancelBookingRequest)
    @blueprint.response(200, BookingShown)
    def post(self, body: dict[str, Any], booking_id: UUID) -> Response:
        """Give the seats back, and of what was paid what the terms say; providers are asked afterwards."""
        token, override = body["preview_token"], body["refund_override"]
        decided = Decided(share=override["refund_percent"], reason=override["reason"]) if override else None
        owner = _owner(booking_id, decides=decided is not None)
        command = CancelBooking(
            booking_id=booking_id,
            actor_id=viewer().user_id,
            owner=owner,
            reason=body["reason"],
            decided=decided,
            agreed=agreed_plan(token, digests=use().digests, at=use().clock.now()) if token is not None else None,
        )
        cancel_booking(command, uow=use().new_uow(), gateways=use().gateways, clock=use().clock, new_id=use().new_id)
        return answer(BookingShown, _after(booking_id, owner))


def _owner(booking_id: UUID, *, decides: bool) -> UUID | None:
    """Whose bookings the viewer may cancel: everybody's (None) with the permission, else their own.

    To give back something else than the terms say is a refund besides. Raises NotAllowed, BookingNotFound.
    """
    may_cancel = may("bookings.cancel")
    if decides and not (may_cancel and may("refunds.create")):
        raise NotAllowed()
    if may_cancel:
        return None
    if not is_their_own(shown(booking_id)):
        raise NotAllowed()
    return viewer().user_id


def _after(booking_id: UUID, owner: UUID | None) -> Row:
    """Shown also to whoever cancels everybody's bookings and reads only their own."""
    today = business_date(use().clock.now())
    row = use().queries.sales.booking(booking_id, owner=owner, agent=viewer().agent_id, today=today)
    if row is None:
        raise BookingNotFound()
    return {**row, **plan_row(row["standings"])}
