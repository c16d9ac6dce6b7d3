"""What bookings refuse."""

from __future__ import annotations

from domain.shared.errors import Conflict, FieldFault, NotFound, RuleBroken


class BookingNotFound(NotFound):
    """There is no such booking, or it is not the viewer's."""

    code = "booking_not_found"


class CustomerNotFound(NotFound):
    """Nobody with an open account has the id of whom something is sold to: never had, closed it, or is disabled."""

    code = "customer_not_found"

    def __init__(self) -> None:
        fault = FieldFault("/user_id", "unknown_user", "there is no open account with this id")
        super().__init__(faults=(fault,))


class NothingToPay(Conflict):
    """The booking is paid already, or is over."""

    code = "nothing_to_pay"


class PriceMoved(Conflict):
    """The price is not what the customer was shown; `new_total` is what it is now (trap 40)."""

    code = "price_moved"


class BalanceDue(Conflict):
    """A trip is over when it is paid; `due` is missing."""

    code = "balance_due"


class TooEarly(Conflict):
    """Before its first day nobody can have missed a trip; `starts_on` is that day."""

    code = "trip_not_begun"


class TripStarted(Conflict):
    """A trip that has begun is not cancelled any more; afterwards, refunds are staff's decision."""

    code = "trip_started"


class OverrideReasonNeeded(RuleBroken):
    """Ahead of its dates, a trip is started or completed only with a reason."""

    code = "override_reason_required"
