"""Pictures of bank transfers that payers send, for whoever confirms the money."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from uuid import UUID

from application.billing.manual_ports import Slip
from application.billing.ports import ObjectStorage
from application.pictures import Pictures
from application.ports import NewUnitOfWork, UnitOfWork
from domain.billing import manual
from domain.billing.payments import Payment, PaymentNotFound, PaymentStatus
from domain.shared.clock import Clock
from domain.shared.errors import Conflict, NotFound
from domain.shared.identifiers import NewId


class SlipNotFound(NotFound):
    """Nobody sent a slip for this payment."""

    code = "slip_not_found"


class NoQrCode(NotFound):
    """The payment's way to pay has no QR code."""

    code = "no_qr_code"


class SlipNotWanted(Conflict):
    """The payment is not confirmed by hand, or no longer waits for money."""

    code = "slip_not_wanted"


@dataclass(frozen=True, slots=True, kw_only=True)
class SendSlip:
    """A payer's picture, as bytes that nobody has looked at yet."""

    payment_id: UUID
    user_id: UUID
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SlipDesk:
    """What slips are made and kept with."""

    pictures: Pictures
    storage: ObjectStorage


def send_slip(command: SendSlip, *, desk: SlipDesk, new_uow: NewUnitOfWork, clock: Clock, new_id: NewId) -> UUID:
    """Clean a picture and keep it in place of what was sent before; its id.

    Raises InvalidValue for what is no usable picture, PaymentNotFound for somebody else's, SlipNotWanted.
    """
    with new_uow() as uow:
        _payable_by(command.user_id, command.payment_id, uow)
    picture = desk.pictures.cleaned(command.content, pointer="/slip")
    slip = Slip(
        id=new_id(),
        payment_id=command.payment_id,
        user_id=command.user_id,
        storage_key=f"slips/{secrets.token_hex(16)}",
        content_type=picture.content_type,
        size_bytes=len(picture.content),
        uploaded_at=clock.now(),
    )
    with new_uow() as uow:
        _payable_by(command.user_id, command.payment_id, uow)
        uow.slips.add(slip)
        uow.commit()
    desk.storage.put(slip.storage_key, picture.content, slip.content_type)
    with new_uow() as uow:
        is_kept, replaced = uow.slips.stored(slip, at=clock.now()), uow.slips.older_than(slip)
        uow.commit()
    if not is_kept:
        # Its payer was erased meanwhile: nothing of theirs stays.
        desk.storage.delete(slip.storage_key)
        raise PaymentNotFound()
    for old in replaced:
        desk.storage.delete(old.storage_key)
    with new_uow() as uow:
        uow.slips.forget(replaced)
        uow.commit()
    return slip.id


def _payable_by(user_id: UUID, payment_id: UUID, uow: UnitOfWork) -> Payment:
    payment = uow.payments.get(payment_id)
    if payment.user_id != user_id:
        raise PaymentNotFound()
    if payment.provider != manual.PROVIDER or payment.status is not PaymentStatus.PENDING:
        raise SlipNotWanted()
    return payment
