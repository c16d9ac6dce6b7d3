"""One payment read back at its provider: after staff confirmed money, and when its customer comes back."""

from __future__ import annotations

from uuid import UUID

from application.billing.inbox import OpenAttempt
from application.billing.ports import Gateways
from application.billing.webhooks import read_back
from application.ports import NewUnitOfWork
from domain.billing.payments import PaymentAttempt
from domain.shared.clock import Clock
from domain.shared.identifiers import NewId


def read_payment_back(
    payment_id: UUID, *, new_uow: NewUnitOfWork, gateways: Gateways, clock: Clock, new_id: NewId, live: bool
) -> None:
    """Ask the provider about every attempt of a payment that it knows, newest first, and settle what it answers.

    Called outside every transaction. Raises as `read_back` does; then what was read before stands.
    """
    with new_uow() as uow:
        attempts = [attempt for attempt in uow.payments.get(payment_id).attempts if attempt.provider_reference]
    for attempt in reversed(attempts):
        read_back(_as_open(attempt), new_uow=new_uow, gateways=gateways, clock=clock, new_id=new_id, live=live)


def _as_open(attempt: PaymentAttempt) -> OpenAttempt:
    return OpenAttempt(
        attempt_id=attempt.id,
        payment_id=attempt.payment_id,
        provider=attempt.provider,
        merchant_reference=attempt.merchant_reference,
        provider_reference=attempt.provider_reference or "",
        provider_key=attempt.provider_key,
        charge_reference=attempt.charge_reference or "",
    )
