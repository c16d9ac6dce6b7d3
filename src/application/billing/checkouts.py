"""Checkouts: what a provider is asked, and what is stored of its answer, or of there being none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from application.billing.code_holds import CODES, follow_codes, pays_by_code
from application.billing.payables import lock_payable
from application.billing.ports import (
    Checkout,
    CheckoutRequest,
    OutcomeUnknown,
    Payer,
    PaymentGateway,
    ProviderRefused,
    ProviderUnreachable,
)
from application.billing.returns import ReturnPage
from application.billing.tenders import free_own_parts, hold_own_parts
from application.ports import NewUnitOfWork, UnitOfWork
from application.trying_again import tried_again
from domain.billing.payments import AttemptStatus, Payment, PaymentAttempt
from domain.identity.users import User
from domain.sales.holds import CodeTerms
from domain.shared.clock import Clock
from domain.shared.identifiers import NewId

CHECKOUT_LIFETIME = timedelta(hours=24)
"""How long a checkout stays open that nothing else limits."""

HELD_BEYOND = timedelta(hours=1)
"""How long own parts stay set aside after a checkout's end: money that was paid in time may be told of later."""


def checkout_request(
    payment: Payment, attempt: PaymentAttempt, payer: User, *, public_url: str, returns: ReturnPage
) -> CheckoutRequest:
    """What a provider is asked for an attempt, from stored rows alone: whoever asks again asks the same."""
    tender = payment.gateway_tender
    return CheckoutRequest(
        attempt_id=attempt.id,
        merchant_reference=attempt.merchant_reference,
        amount=payment.asked_of_provider,
        description=payment.payment_number,
        method=tender.method if tender is not None else payment.payment_method.value,
        payer=Payer(payer.first_name, payer.last_name, payer.email, payer.phone or ""),
        # The page takes them on to where the payer wants to go back to, which may be an app.
        success_url=returns.address(payment.id, outcome="success"),
        cancel_url=returns.address(payment.id, outcome="cancel"),
        webhook_url=f"{public_url}/api/v1/payments/webhooks/{attempt.provider.lower()}_json",
        locale=attempt.locale,
        expires_at=attempt.expires_at or attempt.created_at + CHECKOUT_LIFETIME,
        created_at=attempt.created_at,
    )


def mark_unknown(payment_id: UUID, attempt_id: UUID, error_code: str, *, uow: UnitOfWork, clock: Clock) -> None:
    """Nobody knows what the provider made of it; a webhook may have told meanwhile."""
    with uow:
        attempt = uow.payments.get(payment_id).attempt(attempt_id)
        if attempt.status is AttemptStatus.CREATED:
            attempt.unknown(error_code=error_code, at=clock.now())
        uow.commit()


@dataclass(frozen=True, slots=True)
class Asking:
    """One question to a provider, outside every transaction, and what is stored of its answer.

    Storing that is tried again by itself: the provider is not asked twice for the sake of our own books.
    """

    gateway: PaymentGateway
    request: CheckoutRequest
    payment_id: UUID
    code_terms: CodeTerms
    new_uow: NewUnitOfWork
    clock: Clock
    new_id: NewId

    def ask(self) -> None:
        try:
            checkout = self.gateway.create_checkout(self.request)
        except OutcomeUnknown as error:
            tried_again(partial(self._mark_unknown, error.code))
            return
        except (ProviderRefused, ProviderUnreachable) as error:
            tried_again(partial(self._note_refusal, error.code))
            raise
        tried_again(partial(self._keep, checkout))

    def _mark_unknown(self, error_code: str) -> None:
        mark_unknown(self.payment_id, self.request.attempt_id, error_code, uow=self.new_uow(), clock=self.clock)

    def _keep(self, checkout: Checkout) -> None:
        keep_checkout(
            checkout,
            request=self.request,
            payment_id=self.payment_id,
            code_terms=self.code_terms,
            uow=self.new_uow(),
            clock=self.clock,
            new_id=self.new_id,
        )

    def _note_refusal(self, error_code: str) -> None:
        """No code was given, so it keeps no seats, and nothing stays set aside."""
        now = self.clock.now()
        with self.new_uow() as uow:
            target = uow.payments.target_of(self.payment_id)
            lock_payable(target.payment_type, target.payable_id, uow=uow, at=now)
            payment = uow.payments.get(self.payment_id)
            payment.attempt(self.request.attempt_id).failed(error_code=error_code, at=now)
            if payment.booking_id is not None and pays_by_code(payment):
                follow_codes(payment.booking_id, self.code_terms, uow=uow, at=now)
            free_own_parts(payment, uow=uow, clock=self.clock)
            uow.commit()


def keep_checkout(
    checkout: Checkout,
    *,
    request: CheckoutRequest,
    payment_id: UUID,
    code_terms: CodeTerms,
    uow: UnitOfWork,
    clock: Clock,
    new_id: NewId,
) -> None:
    """Store what the provider answered, unless something told of the attempt in between.

    Where its code ends at another time than was asked for, the seats and what is set aside follow it.
    """
    now = clock.now()
    ends_otherwise = request.method in CODES and checkout.expires_at not in (None, request.expires_at)
    with uow:
        if ends_otherwise:
            target = uow.payments.target_of(payment_id)
            lock_payable(target.payment_type, target.payable_id, uow=uow, at=now)
        payment = uow.payments.get(payment_id)
        attempt = payment.attempt(request.attempt_id)
        # A webhook may have been quicker than the answer that it belongs to.
        if attempt.status in (AttemptStatus.CREATED, AttemptStatus.UNKNOWN):
            attempt.opened(
                provider_reference=checkout.provider_reference,
                provider_key=checkout.provider_key,
                checkout_url=checkout.url,
                reference_number=checkout.reference_number,
                qr_code=checkout.qr_code,
                expires_at=checkout.expires_at,
                at=now,
            )
            if ends_otherwise and checkout.expires_at is not None:
                _follow_end(payment, checkout.expires_at, code_terms, uow=uow, clock=clock, new_id=new_id)
        uow.commit()


def _follow_end(
    payment: Payment, ends_at: datetime, terms: CodeTerms, *, uow: UnitOfWork, clock: Clock, new_id: NewId
) -> None:
    if payment.booking_id is not None:
        follow_codes(payment.booking_id, terms, uow=uow, at=clock.now())
    hold_own_parts(payment, until=ends_at + HELD_BEYOND, uow=uow, clock=clock, new_id=new_id)
