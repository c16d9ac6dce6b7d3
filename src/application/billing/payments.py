"""Asking for money: a payment is stored, then the provider is asked, then its answer is stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from application.billing.payables import DepositPayable, Payable, lock_payable
from application.billing.ports import (
    CheckoutRequest,
    Gateways,
    OutcomeUnknown,
    Payer,
    PaymentGateway,
    ProviderRefused,
    ProviderUnreachable,
)
from application.billing.settlement import settle_from_wallet
from application.ports import NewUnitOfWork, UnitOfWork
from domain.billing.payments import (
    AttemptStatus,
    Payment,
    PaymentAttempt,
    PaymentMethod,
    PaymentStatus,
    PaymentType,
)
from domain.identity.users import User
from domain.shared.clock import Clock, business_date
from domain.shared.errors import Conflict, InvalidValue
from domain.shared.identifiers import NewId, document_number
from domain.shared.money import Money

CHECKOUT_LIFETIME = timedelta(hours=24)
"""How long a checkout stays open that nothing else limits."""


class PartPaymentNotOffered(InvalidValue):
    """The amount is not all that is due."""

    code = "part_payment_not_offered"

    def __init__(self, due: Money) -> None:
        super().__init__(f"{due} is due", pointer="/amount", code="part_payment_not_offered")


class PaymentKeyReused(Conflict):
    """This idempotency key made a payment for something else."""

    code = "idempotency_key_reused"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPayment:
    """A customer wants to pay for something of theirs; `amount` only where it is theirs to choose."""

    user_id: UUID
    payment_type: PaymentType
    payable_id: UUID | None
    method: PaymentMethod
    provider: str | None
    amount: Money | None
    success_url: str | None
    cancel_url: str | None
    idempotency_key: str
    locale: str
    public_url: str
    """Where providers and browsers reach this installation, without a slash at the end."""


def open_payment(
    command: OpenPayment, *, new_uow: NewUnitOfWork, gateways: Gateways, clock: Clock, new_id: NewId
) -> UUID:
    """Pay from the wallet at once, or open a checkout at the provider; the payment's id.

    The same key answers the same payment, and finishes what an earlier run left. A provider that does
    not answer leaves the attempt UNKNOWN; one that refuses raises ProviderRefused, and the payment
    stays open for another attempt.
    """
    if command.method is PaymentMethod.WALLET:
        return _pay_from_wallet(command, uow=new_uow(), clock=clock, new_id=new_id)
    gateway = _gateway_for(command, gateways)
    intent = _intend(command, uow=new_uow(), clock=clock, new_id=new_id)
    if intent.attempt.status is AttemptStatus.CREATED:
        request = _checkout_request(command, intent)
        _ask(gateway, request, payment_id=intent.payment.id, uow_after=new_uow, clock=clock)
    return intent.payment.id


def _gateway_for(command: OpenPayment, gateways: Gateways) -> PaymentGateway:
    if command.provider is None:
        raise InvalidValue("a provider is needed for this method", pointer="/provider", code="required")
    gateway = gateways.get(command.provider)
    if command.method.value not in gateway.methods:
        raise InvalidValue(
            f"{gateway.name} does not offer {command.method}", pointer="/method", code="method_not_offered"
        )
    return gateway


def _pay_from_wallet(command: OpenPayment, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> UUID:
    """One transaction: what is paid, the payment and the ledger. Raises InsufficientBalance."""
    if command.payment_type is PaymentType.WALLET_DEPOSIT:
        raise InvalidValue("a wallet is not filled from itself", pointer="/method", code="method_not_offered")
    with uow:
        known = uow.payments.by_key(command.idempotency_key)
        if known is not None:
            return _same(known, command).id
        payable = lock_payable(command.payment_type, command.payable_id, uow=uow)
        payment = _new_payment(command, payable, uow=uow, clock=clock, new_id=new_id)
        uow.payments.add(payment)
        settle_from_wallet(payment, payable or DepositPayable(payment), uow=uow, clock=clock, new_id=new_id)
        uow.commit()
    return payment.id


@dataclass(frozen=True, slots=True)
class _Intent:
    """What the provider is about to be asked, as it was stored."""

    payment: Payment
    attempt: PaymentAttempt
    payer: User
    deadline: datetime


def _intend(command: OpenPayment, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> _Intent:
    """Store what the provider is about to be asked; an open checkout of the same purchase is used again."""
    with uow:
        payable = lock_payable(command.payment_type, command.payable_id, uow=uow)
        payment = uow.payments.by_key(command.idempotency_key)
        if payment is not None:
            payment = _same(payment, command)
        else:
            wanted = _new_payment(command, payable, uow=uow, clock=clock, new_id=new_id)
            payment = _open_twin(wanted, uow=uow, clock=clock)
            if payment is None:
                payment = wanted
                uow.payments.add(payment)
        attempt = payment.newest_attempt
        if attempt is None or (attempt.status is AttemptStatus.FAILED and payment.status is PaymentStatus.PENDING):
            attempt = payment.new_attempt(attempt_id=new_id(), at=clock.now())
        payer = uow.users.get(command.user_id)
        uow.commit()
    deadline = payable.deadline if payable is not None else None
    return _Intent(payment, attempt, payer, deadline or clock.now() + CHECKOUT_LIFETIME)


def _open_twin(payment: Payment, *, uow: UnitOfWork, clock: Clock) -> Payment | None:
    """A payment of the same booking whose checkout at the same provider is still open."""
    if payment.booking_id is None:
        return None
    for other in uow.payments.pending_of(payment.booking_id):
        attempt = other.newest_attempt
        if (
            (other.provider, other.payment_method, other.amount)
            == (payment.provider, payment.payment_method, payment.amount)
            and attempt is not None
            and attempt.is_open_at(clock.now())
        ):
            return other
    return None


def _same(payment: Payment, command: OpenPayment) -> Payment:
    """The payment that this key made before, if the same was asked for. Raises PaymentKeyReused."""
    made = (payment.user_id, payment.payment_type, payment.booking_id or payment.subscription_id)
    made_by = (payment.payment_method, payment.provider)
    asked = (command.user_id, command.payment_type, command.payable_id)
    if made != asked or made_by != (command.method, _provider_of(command)):
        raise PaymentKeyReused()
    if command.amount not in (None, payment.amount):
        raise PaymentKeyReused()
    return payment


def _provider_of(command: OpenPayment) -> str | None:
    return None if command.method is PaymentMethod.WALLET else (command.provider or "").upper()


def _new_payment(
    command: OpenPayment, payable: Payable | None, *, uow: UnitOfWork, clock: Clock, new_id: NewId
) -> Payment:
    now = clock.now()
    amount = _amount(command, payable, clock)
    return Payment(
        id=new_id(),
        payment_number=document_number("PAY", business_date(now).year, uow.payments.next_serial()),
        user_id=command.user_id,
        payment_type=command.payment_type,
        booking_id=command.payable_id if command.payment_type is PaymentType.BOOKING else None,
        subscription_id=command.payable_id if command.payment_type is PaymentType.MEMBERSHIP_PURCHASE else None,
        amount=amount,
        payment_method=command.method,
        provider=_provider_of(command),
        status=PaymentStatus.PENDING,
        idempotency_key=command.idempotency_key,
        success_url=command.success_url,
        cancel_url=command.cancel_url,
        refund_amount=Money(0, amount.currency),
        paid_at=None,
        created_at=now,
        updated_at=now,
    )


def _amount(command: OpenPayment, payable: Payable | None, clock: Clock) -> Money:
    """All that is due; the customer chooses only a deposit's amount."""
    if payable is None:
        if command.amount is None or not command.amount.is_positive:
            raise InvalidValue("a deposit has an amount above zero", pointer="/amount", code="required")
        return command.amount
    due = payable.amount_due(owner=command.user_id, at=clock.now())
    if command.amount is not None and command.amount != due:
        raise PartPaymentNotOffered(due)
    return due


def _checkout_request(command: OpenPayment, intent: _Intent) -> CheckoutRequest:
    payment, payer = intent.payment, intent.payer
    back = f"{command.public_url}/payments/return?payment={payment.id}"
    provider = (payment.provider or "").lower()
    return CheckoutRequest(
        attempt_id=intent.attempt.id,
        merchant_reference=intent.attempt.merchant_reference,
        amount=payment.amount,
        description=payment.payment_number,
        method=payment.payment_method.value,
        payer=Payer(payer.first_name, payer.last_name, payer.email, payer.phone or ""),
        success_url=payment.success_url or f"{back}&outcome=success",
        cancel_url=payment.cancel_url or f"{back}&outcome=cancel",
        webhook_url=f"{command.public_url}/api/v1/payments/webhooks/{provider}_json",
        locale=command.locale,
        expires_at=intent.deadline,
        created_at=intent.attempt.created_at,
    )


def _ask(
    gateway: PaymentGateway, request: CheckoutRequest, *, payment_id: UUID, uow_after: NewUnitOfWork, clock: Clock
) -> None:
    """Ask the provider once, outside every transaction, and store what it said."""
    try:
        checkout = gateway.create_checkout(request)
    except OutcomeUnknown as error:
        with uow_after() as uow:
            uow.payments.get(payment_id).attempt(request.attempt_id).unknown(error_code=error.code, at=clock.now())
            uow.commit()
        return
    except (ProviderRefused, ProviderUnreachable) as error:
        with uow_after() as uow:
            uow.payments.get(payment_id).attempt(request.attempt_id).failed(error_code=error.code, at=clock.now())
            uow.commit()
        raise
    with uow_after() as uow:
        attempt = uow.payments.get(payment_id).attempt(request.attempt_id)
        # A webhook may have been quicker than the answer that it belongs to.
        if attempt.status is AttemptStatus.CREATED:
            attempt.opened(
                provider_reference=checkout.provider_reference,
                provider_key=checkout.provider_key,
                checkout_url=checkout.url,
                reference_number=checkout.reference_number,
                qr_code=checkout.qr_code,
                expires_at=checkout.expires_at,
                at=clock.now(),
            )
        uow.commit()
