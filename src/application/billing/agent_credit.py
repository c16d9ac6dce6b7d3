"""Who pays by AGENT_CREDIT: the agent who made a booking for a customer, from its own deposit account."""

from __future__ import annotations

from uuid import UUID

from application.billing.payables import BookingPayable, Payable
from application.ports import UnitOfWork
from domain.partners.partners import AgentNotActive, PartnerStatus
from domain.sales.booking_errors import BookingNotFound
from domain.shared.errors import InvalidValue


def customer_of_agent(agent_id: UUID | None, payable: Payable | None, *, uow: UnitOfWork) -> UUID:
    """The customer whose booking, locked, this agent made and may pay; None for whoever is no agent.

    Raises InvalidValue for anything but a booking, BookingNotFound for one that it did not make, AgentNotActive.
    """
    if not isinstance(payable, BookingPayable):
        raise InvalidValue("an agent pays bookings alone", pointer="/method", code="method_not_offered")
    if agent_id is None:
        raise BookingNotFound()
    customer = payable.customer_of(agent_id)
    # Not locked: a suspension at the same moment comes after the payment.
    if uow.partners.status_of_agent(agent_id) is not PartnerStatus.ACTIVE:
        raise AgentNotActive()
    return customer
