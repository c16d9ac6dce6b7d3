"""Asking for money: a payment is stored, then the provider is asked, then its answer is stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from application.billing.payables import DepositPayable, Payable, lock_payable
from application.billing.ports import (
    Checkout,
    CheckoutRequest,
    Gateways,
    OutcomeUnknown,
    Payer,
    PaymentGateway,
    ProviderRefused,
    ProviderUnreachable,
)
from application.billing.settlement import settle_from_own_balances
from application.billing.tenders import cancel_payment, hold_own_parts, plan_tenders
from application.ports import NewUnitOfWork, UnitOfWork
from domain.billing.payments import (
    AttemptStatus,
    Payment,
    PaymentAttempt,
    PaymentMethod,
    PaymentNotFound,
    PaymentStatus,
    PaymentType,
)
from domain.billing.tenders import OwnPart, TenderKind, rest_after
from domain.identity.users import User
from domain.shared.clock import Clock, business_date
from domain.shared.errors import Conflict, IllegalTransition, InvalidValue
from domain.shared.identifiers import NewId, document_number
from domain.shared.money import Money

CHECKOUT_LIFETIME = timedelta(hours=24)
"""How long a checkout stays open that nothing else limits."""

HELD_BEYOND = timedelta(hours=1)
"""How long own parts stay set aside after a checkout's end: money that was paid in time may be told of later."""


class PartPaymentNotOffered(InvalidValue):
    """The amount is less than may be paid at once, or more than is due."""

    code = "part_payment_not_offered"

    def __init__(self, smallest: Money, due: Money) -> None:
        said = f"{due} is due" if smallest == due else f"{due} is due, and {smallest} at least is paid at once"
        super().__init__(said, pointer="/amount", code="part_payment_not_offered")


class PaymentKeyReused(Conflict):
    """This idempotency key made a payment for something else."""

    code = "idempotency_key_reused"


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedPart:
    """A part as the customer asks for it: an amount, or as many points as pay something of what is due."""

    kind: TenderKind
    amount: Money | None = None
    points: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPayment:
    """A customer wants to pay for something of theirs; `amount` only where it is theirs to choose.

    `parts` come from balances of their own, the rest by the `method`.
    """

    user_id: UUID
    payment_type: PaymentType
    payable_id: UUID | None
    method: PaymentMethod
    provider: str | None
    amount: Money | None
    parts: tuple[WantedPart, ...] = ()
    success_url: str | None
    cancel_url: str | None
    idempotency_key: str
    locale: str
    public_url: str
    """Where providers and browsers reach this installation, without a slash at the end."""


def open_payment(
    command: OpenPayment, *, new_uow: NewUnitOfWork, gateways: Gateways, clock: Clock, new_id: NewId
) -> UUID:
    """Pay from the customer's own balances at once, or open a checkout at the provider; the payment's id.

    The same key answers the same payment, and finishes what an earlier run left. A provider that does
    not answer leaves the attempt UNKNOWN; one that refuses raises ProviderRefused, and the payment
    stays open for another attempt.
    """
    if command.method is PaymentMethod.WALLET:
        return _pay_from_own_balances(command, uow=new_uow(), clock=clock, new_id=new_id)
    gateway = _gateway_for(command, gateways)
    intent = _intend(command, uow=new_uow(), clock=clock, new_id=new_id)
    if intent.attempt.status is AttemptStatus.CREATED:
        request = checkout_request(intent.payment, intent.attempt, intent.payer, public_url=command.public_url)
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


def _pay_from_own_balances(command: OpenPayment, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> UUID:
    """One transaction: what is paid, the payment and the ledger. Raises InsufficientBalance."""
    if command.payment_type is PaymentType.WALLET_DEPOSIT:
        raise InvalidValue("a wallet is not filled from itself", pointer="/method", code="method_not_offered")
    with uow:
        known = uow.payments.by_key(command.idempotency_key)
        if known is not None:
            return _same(known, command).id
        payable = lock_payable(command.payment_type, command.payable_id, uow=uow, at=clock.now())
        payment = pay_locked(command, payable, uow=uow, clock=clock, new_id=new_id)
        uow.commit()
    return payment.id


def pay_locked(
    command: OpenPayment, payable: Payable | None, *, uow: UnitOfWork, clock: Clock, new_id: NewId
) -> Payment:
    """Pay what is locked from the customer's own balances, inside the caller's transaction.

    Raises NotFound for a stranger's, NothingToPay, PartPaymentNotOffered, InsufficientBalance.
    """
    payment = _new_payment(command, payable, uow=uow, clock=clock, new_id=new_id)
    uow.payments.add(payment)
    settle_from_own_balances(payment, payable or DepositPayable(payment), uow=uow, clock=clock, new_id=new_id)
    return payment


@dataclass(frozen=True, slots=True)
class _Intent:
    """What the provider is about to be asked, as it was stored."""

    payment: Payment
    attempt: PaymentAttempt
    payer: User


def _intend(command: OpenPayment, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> _Intent:
    """Store what the provider is about to be asked; an open checkout of the same purchase is used again."""
    with uow:
        payable = lock_payable(command.payment_type, command.payable_id, uow=uow, at=clock.now())
        deadline = (payable.deadline if payable is not None else None) or clock.now() + CHECKOUT_LIFETIME
        payment = uow.payments.by_key(command.idempotency_key)
        if payment is not None:
            payment = _same(payment, command)
        else:
            wanted = _new_payment(command, payable, uow=uow, clock=clock, new_id=new_id)
            payment = _open_twin(wanted, uow=uow, clock=clock)
            if payment is None:
                payment = wanted
                uow.payments.add(payment)
                hold_own_parts(payment, until=deadline + HELD_BEYOND, uow=uow, clock=clock, new_id=new_id)
        attempt = payment.newest_attempt
        if attempt is None or (attempt.status is AttemptStatus.FAILED and payment.status is PaymentStatus.PENDING):
            attempt = payment.new_attempt(
                attempt_id=new_id(), expires_at=deadline, locale=command.locale, at=clock.now()
            )
        payer = uow.users.get(command.user_id)
        uow.commit()
    return _Intent(payment, attempt, payer)


def _open_twin(payment: Payment, *, uow: UnitOfWork, clock: Clock) -> Payment | None:
    """A payment of the same thing, in the same parts, whose checkout at the same provider is still open."""
    payable_id = payment.booking_id or payment.subscription_id
    if payable_id is None:
        return None
    for other in uow.payments.pending_of(payable_id):
        attempt = other.newest_attempt
        if _asks_the_same(other, payment) and attempt is not None and attempt.is_open_at(clock.now()):
            return other
    return None


def _asks_the_same(one: Payment, other: Payment) -> bool:
    return (one.user_id, one.provider, one.payment_type) == (other.user_id, other.provider, other.payment_type) and [
        (tender.kind, tender.method, tender.amount, tender.points) for tender in one.tenders
    ] == [(tender.kind, tender.method, tender.amount, tender.points) for tender in other.tenders]


def _same(payment: Payment, command: OpenPayment) -> Payment:
    """The payment that this key made before, if the same was asked for. Raises PaymentKeyReused."""
    made = (payment.user_id, payment.booking_id or payment.subscription_id, payment.provider)
    asked = (command.user_id, command.payable_id, _provider_of(command))
    if made != asked or command.method.value not in {tender.method for tender in payment.tenders}:
        raise PaymentKeyReused()
    if command.amount not in (None, payment.amount) or len(payment.own_tenders) < len(command.parts):
        raise PaymentKeyReused()
    return payment


def _provider_of(command: OpenPayment) -> str | None:
    return None if command.method is PaymentMethod.WALLET else (command.provider or "").upper()


def _new_payment(
    command: OpenPayment, payable: Payable | None, *, uow: UnitOfWork, clock: Clock, new_id: NewId
) -> Payment:
    now = clock.now()
    amount = _amount(command, payable, clock)
    parts = _parts(command, amount, uow)
    rest = rest_after(parts, amount)
    payment = Payment(
        id=new_id(),
        payment_number=document_number("PAY", business_date(now).year, uow.payments.next_serial()),
        user_id=command.user_id,
        payment_type=payable.payment_type if payable is not None else command.payment_type,
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
    is_own = command.method is PaymentMethod.WALLET
    if rest.is_zero and not is_own:
        raise InvalidValue(
            "the parts pay all of it; the method is WALLET then", pointer="/method", code="method_not_offered"
        )
    plan_tenders(payment, parts, rest, TenderKind.WALLET if is_own else TenderKind.GATEWAY, new_id=new_id)
    if len(payment.tenders) > 1:
        payment.payment_method = PaymentMethod.MIXED
    return payment


def _amount(command: OpenPayment, payable: Payable | None, clock: Clock) -> Money:
    """All that is due, or what the customer chooses of it; a deposit's amount is theirs to choose."""
    if payable is None:
        if command.amount is None or not command.amount.is_positive:
            raise InvalidValue("a deposit has an amount above zero", pointer="/amount", code="required")
        if command.parts:
            raise InvalidValue("a wallet is not filled from itself", pointer="/tenders", code="method_not_offered")
        return command.amount
    due = payable.amount_due(owner=command.user_id, at=clock.now())
    amount, smallest = command.amount or due, payable.smallest_payment(due)
    if amount.currency != due.currency or not smallest <= amount <= due:
        raise PartPaymentNotOffered(smallest, due)
    return amount


def _parts(command: OpenPayment, amount: Money, uow: UnitOfWork) -> tuple[OwnPart, ...]:
    """The parts with what each is worth; points pay no more than what is left after the other parts."""
    left = amount
    parts = []
    for position, wanted in enumerate(command.parts):
        if wanted.kind is TenderKind.POINTS:
            if wanted.points is None or wanted.points <= 0 or left.minor <= 0:
                raise InvalidValue(
                    "how many points, above zero", pointer=f"/tenders/{position}/points", code="out_of_range"
                )
            tender = uow.points.terms.tender(wanted.points, left)
            part = OwnPart(kind=wanted.kind, amount=tender.worth, points=tender.points)
        elif wanted.amount is None:
            raise InvalidValue("how much", pointer=f"/tenders/{position}/amount", code="required")
        else:
            part = OwnPart(kind=wanted.kind, amount=wanted.amount)
        if part.amount.currency == left.currency:
            left -= part.amount
        parts.append(part)
    return tuple(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelPayment:
    """A customer does not want to pay this way any more."""

    payment_id: UUID
    user_id: UUID


def cancel_open_payment(command: CancelPayment, *, uow: UnitOfWork, clock: Clock) -> None:
    """Cancel a payment that waits, and free what it had set aside; money that still comes goes to suspense.

    Raises PaymentNotFound for somebody else's, IllegalTransition once it is paid.
    """
    now = clock.now()
    with uow:
        target = uow.payments.target_of(command.payment_id)
        lock_payable(target.payment_type, target.payable_id, uow=uow, at=now)
        payment = uow.payments.get(command.payment_id)
        if payment.user_id != command.user_id:
            raise PaymentNotFound()
        if payment.status is not PaymentStatus.PENDING:
            raise IllegalTransition(current=payment.status, wanted=PaymentStatus.CANCELLED)
        cancel_payment(payment, uow=uow, at=now)
        uow.commit()


def checkout_request(payment: Payment, attempt: PaymentAttempt, payer: User, *, public_url: str) -> CheckoutRequest:
    """What a provider is asked for an attempt, from stored rows alone: whoever asks again asks the same."""
    back = f"{public_url}/payments/return?payment={payment.id}"
    tender = payment.gateway_tender
    return CheckoutRequest(
        attempt_id=attempt.id,
        merchant_reference=attempt.merchant_reference,
        amount=payment.asked_of_provider,
        description=payment.payment_number,
        method=tender.method if tender is not None else payment.payment_method.value,
        payer=Payer(payer.first_name, payer.last_name, payer.email, payer.phone or ""),
        success_url=payment.success_url or f"{back}&outcome=success",
        cancel_url=payment.cancel_url or f"{back}&outcome=cancel",
        webhook_url=f"{public_url}/api/v1/payments/webhooks/{attempt.provider.lower()}_json",
        locale=attempt.locale,
        expires_at=attempt.expires_at or attempt.created_at + CHECKOUT_LIFETIME,
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
    keep_checkout(checkout, payment_id=payment_id, attempt_id=request.attempt_id, uow=uow_after(), clock=clock)


def keep_checkout(checkout: Checkout, *, payment_id: UUID, attempt_id: UUID, uow: UnitOfWork, clock: Clock) -> None:
    """Store what the provider answered, unless something told of the attempt in between."""
    with uow:
        attempt = uow.payments.get(payment_id).attempt(attempt_id)
        # A webhook may have been quicker than the answer that it belongs to.
        if attempt.status in (AttemptStatus.CREATED, AttemptStatus.UNKNOWN):
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
