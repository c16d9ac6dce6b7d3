"""Readings tell what became of refunds and disputes, whoever asked for them.

A reading is the whole truth of one moment, and two of them may be applied in the other order than they were taken.
So nothing follows from what a reading does not name, and of what it names only news counts: a refund's state moves
down `Told` and a dispute's final word stays. Whatever order and number of readings, the last state is the same one.
What a lost dispute takes is no step but a level: what refunds leave of the charge, worked out anew each time, from the
tender, from suspense, and from the customer's wallet what had gone there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

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

_GIVE_WAY: Final = frozenset({RefundStatus.REQUESTED, RefundStatus.AWAITING_OPERATOR})


def follow_provider(back: GoingBack, attempt: PaymentAttempt, reading: Reading) -> None:
    """Bring refunds and disputes of an attempt to where its reading says that they are, inside the caller's work.

    Nothing happens for a reading that names none. Its charges are booked before.
    """
    if not reading.tells_of_money_back:
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
        self._drop_unsent(tender, amount, frozenset({RefundStatus.REQUESTED}))
        for dispute in self.disputes:
            missing = amount - tender.refundable
            if missing.is_positive and dispute.taken.is_positive:
                self.back.recover(dispute, tender, min(missing, dispute.taken))

    def _drop_unsent(self, tender: Tender, amount: Money, statuses: frozenset[RefundStatus]) -> None:
        for refund, part in self._parts():
            is_unsent = part.status in statuses and self._gives_way(part) and part.tender_id == tender.id
            if is_unsent and not amount <= tender.refundable:
                self.back.fail(refund, part, OVERTAKEN)

    @staticmethod
    def _gives_way(part: RefundPart) -> bool:
        """Whether it is of what was paid, and was never sent: a lost dispute comes before it."""
        return part.tender_id is not None and part.status in _GIVE_WAY and part.submitted_at is None

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
        """Let each lost dispute have taken what refunds leave of the money that it is of, no more and no less."""
        lost = sorted(
            (each for each in self.disputes if each.status is DisputeStatus.LOST),
            key=lambda each: each.provider_dispute_reference,
        )
        for code in sorted({dispute.amount.currency.code for dispute in lost}):
            self._level([dispute for dispute in lost if dispute.amount.currency.code == code], code)

    def _level(self, lost: Sequence[Dispute], code: str) -> None:
        """A dispute is of the charges that settled the payment first, and of money that went to suspense beyond them.

        What went from there to the customer's wallet is still at the bank: a refund of ours in our own books leaves
        the charge as it was.
        """
        settled, of_charge, of_rest = self._at_stake(code)
        for dispute in lost:
            meant = min(dispute.amount, settled)
            settled -= meant
            from_charge = min(meant, of_charge)
            of_charge -= from_charge
            from_rest = min(dispute.amount - meant, of_rest)
            of_rest -= from_rest
            self._level_one(dispute, from_charge, from_rest)

    def _at_stake(self, code: str) -> tuple[Money, Money, Money]:
        """What settled the payment; what of that no refund sent back; and the same of all else of the attempt."""
        refunds, zero = self.back.uow.refunds, Money.zero(code)
        settling = {charge.id for charge in refunds.charges_of(self.tender)} if self.tender is not None else set()
        came = [charge for charge in refunds.kept(self.attempt.id) if charge.amount.currency.code == code]
        settled = total((charge.amount for charge in came if charge.id in settling), code)
        rest = total((charge.amount for charge in came if charge.id not in settling), code)
        gone = [part for part in self._gone(code) if part.way is not Way.OWN and not self._gives_way(part)]
        from_rest = total((part.amount for part in gone if part.tender_id is None), code)
        beyond = max(from_rest - rest, zero)
        of_charge = settled - beyond - total((part.amount for part in gone if part.tender_id is not None), code)
        return settled, max(of_charge, zero), max(rest - from_rest, zero)

    def _level_one(self, dispute: Dispute, from_charge: Money, from_rest: Money) -> None:
        in_suspense = min(from_rest, self._in_suspense(from_rest.currency.code, but_for=dispute))
        difference = in_suspense - dispute.taken_from_suspense
        if not difference.is_zero:
            self.back.take_from_suspense(dispute, difference)
        wanted = from_charge + from_rest - in_suspense
        missing = wanted - dispute.taken - dispute.taken_from_wallet
        if missing.is_positive:
            from_tender = self._take_from_tender(dispute, min(missing, from_charge - dispute.taken))
            self.back.take_from_wallet(dispute, missing - from_tender)
        else:
            self._give_again(dispute, -missing)

    def _take_from_tender(self, dispute: Dispute, amount: Money) -> Money:
        """How much of it the tender had."""
        tender = self.tender
        if tender is None or amount.currency != tender.amount.currency or not amount.is_positive:
            return Money(0, amount.currency)
        self._drop_unsent(tender, amount, _GIVE_WAY)
        part = min(amount, tender.refundable)
        if part.is_positive:
            self.back.lose(dispute, tender, part)
        return part

    def _give_again(self, dispute: Dispute, amount: Money) -> None:
        """The bank has less of it: a refund has more."""
        to_wallet = min(amount, dispute.taken_from_wallet)
        self.back.take_from_wallet(dispute, -to_wallet)
        to_tender = min(amount - to_wallet, dispute.taken)
        if to_tender.is_positive and self.tender is not None:
            self.back.recover(dispute, self.tender, to_tender)

    def _in_suspense(self, code: str, *, but_for: Dispute) -> Money:
        """What of the attempt's money in suspense has neither gone back nor been taken by another dispute."""
        came = total(
            (it.amount for it in self.back.uow.refunds.suspended(self.attempt.id) if it.amount.currency.code == code),
            code,
        )
        gone = total((part.amount for part in self._gone(code) if part.tender_id is None), code)
        taken = total((each.taken_from_suspense for each in self._others(but_for, code)), code)
        return max(came - gone - taken, Money.zero(code))

    def _gone(self, code: str) -> list[RefundPart]:
        """Parts of refunds of the attempt's money that went, or are on their way."""
        return [
            part
            for refund in self.refunds
            for part in refund.parts
            if part.attempt_id == self.attempt.id
            and part.status is not RefundStatus.FAILED
            and part.amount.currency.code == code
        ]

    def _others(self, dispute: Dispute, code: str) -> list[Dispute]:
        return [each for each in self.disputes if each is not dispute and each.amount.currency.code == code]
