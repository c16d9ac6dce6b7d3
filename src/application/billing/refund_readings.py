"""Readings tell what became of refunds and disputes, whoever asked for them.

A reading is the whole truth of one moment, and two of them may be applied in the other order than they were taken.
So nothing follows from what a reading does not name, and of what it names only news counts: a refund's state moves
down `Told` and a dispute's final word stays. Whatever order and number of readings, the last state is the same one.
What a lost dispute takes is no step but a level: what refunds leave of the charge, worked out anew each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from application.billing.ports import DisputeReading, DisputeState, Reading, RefundReading
from application.billing.refund_effects import GoingBack
from application.billing.refund_hearing import hear
from application.billing.refund_ports import KnownReceipt
from domain.billing.disputes import Dispute, DisputeStatus
from domain.billing.payments import PaymentAttempt
from domain.billing.refunds import (
    Destination,
    Origin,
    Refund,
    RefundPart,
    RefundStatus,
    Told,
    Way,
    reference_of,
)
from domain.billing.tenders import Tender, TenderStatus
from domain.shared.clock import business_date
from domain.shared.identifiers import document_number
from domain.shared.money import Money, total

OVERTAKEN = "overtaken"
"""Why a part came to nothing that was never sent: the provider gave the money back without it."""


def follow_provider(back: GoingBack, attempt: PaymentAttempt, reading: Reading) -> None:
    """Bring refunds and disputes of an attempt to where its reading says that they are, inside the caller's work.

    Nothing happens for a reading that names none. Its charges are booked before.
    """
    if not reading.refunds and not reading.disputes:
        return
    following = _Following(
        back,
        attempt,
        list(back.uow.refunds.of_payment(back.payment.id)),
        [each for each in back.uow.disputes.of_payment(back.payment.id) if each.attempt_id == attempt.id],
    )
    for refund in reading.refunds:
        following.hear_refund(refund)
    for dispute in reading.disputes:
        following.hear_dispute(dispute)
    following.level_disputes()


@dataclass
class _Following:
    """An attempt's refunds and disputes as they are known, all under lock."""

    back: GoingBack
    attempt: PaymentAttempt
    refunds: list[Refund]
    disputes: list[Dispute]
    tender: Tender | None = field(init=False)
    """What this attempt's charge settled; None where all of its money is in suspense."""

    def __post_init__(self) -> None:
        tender = self.back.payment.gateway_tender
        self.tender = None
        if tender is not None and tender.status is TenderStatus.CAPTURED:
            charges = self.back.uow.refunds.charges_of(tender)
            if any(charge.attempt_id == self.attempt.id for charge in charges):
                self.tender = tender

    # Refunds -------------------------------------------------------------------------------------------

    def hear_refund(self, said: RefundReading) -> None:
        refund, part = self._known(said) or self._found(said)
        part.provider_refund_reference = part.provider_refund_reference or said.provider_refund_reference
        hear(self.back, refund, part, Told(said.state), said.reason, make_room=self.make_room)

    def _parts(self) -> list[tuple[Refund, RefundPart]]:
        return [(refund, part) for refund in self.refunds for part in refund.parts if part.provider is not None]

    def _known(self, said: RefundReading) -> tuple[Refund, RefundPart] | None:
        """By the provider's name for it, else by ours; else it is what an operator was waiting to have done."""
        parts = self._parts()
        for refund, part in parts:
            if part.provider_refund_reference == said.provider_refund_reference:
                return refund, part
        unnamed = [(refund, part) for refund, part in parts if part.provider_refund_reference is None]
        for refund, part in unnamed:
            if part.amount == said.amount and self._is_meant(part, said):
                return refund, part
        return None

    def _is_meant(self, part: RefundPart, said: RefundReading) -> bool:
        if said.merchant_reference:
            return part.merchant_reference == said.merchant_reference
        # Some providers keep no reference of ours: then it is one of this amount that is waited for.
        awaited = part.is_at_provider or part.status is RefundStatus.AWAITING_OPERATOR
        return awaited and part.attempt_id == self.attempt.id

    def _found(self, said: RefundReading) -> tuple[Refund, RefundPart]:
        """A refund that nobody here asked for: made on the provider's dashboard."""
        back, now = self.back, self.back.clock.now()
        serial = back.uow.refunds.next_serial()
        refund = Refund(
            id=back.new_id(),
            refund_number=document_number("RF", business_date(now).year, serial),
            payment_id=back.payment.id,
            user_id=back.payment.user_id,
            amount=said.amount,
            reason="",
            destination=Destination.ORIGINAL,
            origin=Origin.PROVIDER,
            requested_by=None,
            idempotency_key=f"{self.attempt.provider}:{said.provider_refund_reference}",
            status=RefundStatus.SUBMITTED,
            created_at=now,
            updated_at=now,
        )
        part_id = back.new_id()
        has_failed = Told(said.state) is Told.FAILED
        receipt = None if has_failed else self._suspended_as(said.amount)
        part = RefundPart(
            id=part_id,
            refund_id=refund.id,
            position=0,
            tender_id=None,
            receipt_id=receipt.id if receipt is not None else None,
            attempt_id=self.attempt.id,
            way=Way.PROVIDER,
            amount=said.amount,
            status=RefundStatus.SUBMITTED,
            merchant_reference=reference_of(part_id),
            provider=self.attempt.provider,
            submitted_at=now,
            next_try_at=now,
            updated_at=now,
        )
        if receipt is None and not has_failed and self._has_room(said.amount):
            part.tender_id = self.tender.id if self.tender is not None else None
        refund.parts.append(part)
        back.uow.refunds.add(refund)
        back.set_aside_found(part)
        self.refunds.append(refund)
        refund.asked_for(at=now)
        return refund, part

    def _suspended_as(self, amount: Money) -> KnownReceipt | None:
        """Money in suspense of exactly this amount: what staff give back of a customer who paid twice."""
        spoken_for = {part.receipt_id for _, part in self._parts() if part.status is not RefundStatus.FAILED}
        for receipt in self.back.uow.refunds.suspended(self.attempt.id):
            if receipt.amount == amount and receipt.id not in spoken_for:
                return receipt
        return None

    def _has_room(self, amount: Money) -> bool:
        if self.tender is None or amount.currency != self.tender.amount.currency:
            return False
        self.make_room(self.tender, amount)
        return amount <= self.tender.refundable

    def make_room(self, tender: Tender, amount: Money) -> None:
        """Free what the provider's own refund needs: of requests that were never sent, and of lost disputes."""
        if self.tender is None or tender.id != self.tender.id:
            return
        self._drop_unsent(tender, amount, {RefundStatus.REQUESTED})
        for dispute in self.disputes:
            missing = amount - tender.refundable
            if missing.is_positive and dispute.taken.is_positive:
                self.back.recover(dispute, tender, min(missing, dispute.taken))

    def _drop_unsent(self, tender: Tender, amount: Money, statuses: set[RefundStatus]) -> None:
        for refund, part in self._parts():
            is_unsent = part.status in statuses and part.submitted_at is None and part.tender_id == tender.id
            if is_unsent and not amount <= tender.refundable:
                self.back.fail(refund, part, OVERTAKEN)

    # Disputes ------------------------------------------------------------------------------------------

    def hear_dispute(self, said: DisputeReading) -> None:
        known = {dispute.provider_dispute_reference: dispute for dispute in self.disputes}
        dispute = known.get(said.provider_dispute_reference)
        now = self.back.clock.now()
        if dispute is None:
            dispute = Dispute.told_of(
                dispute_id=self.back.new_id(),
                payment_id=self.back.payment.id,
                user_id=self.back.payment.user_id,
                attempt_id=self.attempt.id,
                provider=self.attempt.provider,
                reference=said.provider_dispute_reference,
                amount=said.amount,
                reason=said.reason,
                at=now,
            )
            self.back.uow.disputes.add(dispute)
            self.disputes.append(dispute)
            if said.state is DisputeState.OPEN:
                self.back.freeze(dispute)
        dispute.hear(DisputeStatus(said.state), at=now)
        if dispute.status is not DisputeStatus.OPEN:
            self.back.thaw(dispute)

    def level_disputes(self) -> None:
        """Let each lost dispute have taken what refunds leave of the charge, no more and no less."""
        lost = sorted(
            (each for each in self.disputes if each.status is DisputeStatus.LOST),
            key=lambda each: each.provider_dispute_reference,
        )
        for dispute in lost:
            self._level_on_tender(dispute)
        for dispute in lost:
            self._level_in_suspense(dispute)

    def _level_on_tender(self, dispute: Dispute) -> None:
        tender = self.tender
        if tender is None or dispute.amount.currency != tender.amount.currency:
            return
        missing = dispute.amount - dispute.taken - dispute.taken_from_suspense
        if missing.is_positive:
            self._drop_unsent(tender, missing, {RefundStatus.REQUESTED, RefundStatus.AWAITING_OPERATOR})
        part = min(missing, tender.refundable)
        if part.is_positive:
            self.back.lose(dispute, tender, part)

    def _level_in_suspense(self, dispute: Dispute) -> None:
        """Only where nothing of the attempt settled anything: else the dispute is of the charge that did."""
        if self.tender is not None:
            return
        room = self._in_suspense(dispute.amount.currency.code, but_for=dispute)
        wanted = min(dispute.amount - dispute.taken, room)
        difference = wanted - dispute.taken_from_suspense
        if not difference.is_zero:
            self.back.take_from_suspense(dispute, difference)

    def _in_suspense(self, code: str, *, but_for: Dispute) -> Money:
        """What of the attempt's money in suspense is neither refunded nor taken by another dispute."""
        came = total(
            (it.amount for it in self.back.uow.refunds.suspended(self.attempt.id) if it.amount.currency.code == code),
            code,
        )
        gone = self._gone_from_suspense(code) + total(
            (each.taken_from_suspense for each in self._others(but_for, code)), code
        )
        return max(came - gone, Money.zero(code))

    def _gone_from_suspense(self, code: str) -> Money:
        parts: Sequence[RefundPart] = [
            part
            for _, part in self._parts()
            if part.tender_id is None
            and part.attempt_id == self.attempt.id
            and part.status is not RefundStatus.FAILED
            and part.amount.currency.code == code
        ]
        return total((part.amount for part in parts), code)

    def _others(self, dispute: Dispute, code: str) -> list[Dispute]:
        return [each for each in self.disputes if each is not dispute and each.amount.currency.code == code]
