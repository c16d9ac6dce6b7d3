"""What a refund does to the books: money goes back the way it came, and what being paid did is taken back with it.

All of it happens inside the caller's transaction, with what was paid and the payment under lock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from application.billing import suspended
from application.billing.payables import DepositPayable, Payable, lock_payable
from application.billing.tenders import account_of, agents_own, cancel_payments, lock_holds
from application.ledger import holds
from application.ledger.holds import SetAside
from application.ledger.locks import lock_owned
from application.ledger.reversals import Reverse, reverse_within
from application.ports import UnitOfWork
from domain.billing.disputes import Dispute
from domain.billing.payments import Payment
from domain.billing.refunds import Refund, RefundPart, RefundStatus, Way
from domain.billing.tenders import Tender, TenderKind
from domain.ledger import accounts
from domain.ledger.accounts import AccountKind, AccountRef
from domain.ledger.debts import debt_of, earn, take_back
from domain.ledger.journal import Entry, Journal, JournalType, transfer
from domain.shared.clock import Clock
from domain.shared.identifiers import NewId
from domain.shared.money import Money


@dataclass(frozen=True, slots=True)
class GoingBack:
    """One payment and what it pays, both locked, with all that moving its money back needs."""

    payment: Payment
    payable: Payable
    uow: UnitOfWork
    clock: Clock
    new_id: NewId

    @classmethod
    def locked(cls, payment_id: UUID, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> GoingBack:
        """Lock in the one order: what is paid, what that took, then its payment. Raises PaymentNotFound."""
        payable = _payable_of(payment_id, uow, clock)
        if payable is not None:
            payable.lock_taken(uow=uow)
        return cls._beside(payable, payment_id, uow, clock, new_id)

    @classmethod
    def locked_for_suspense(cls, payment_id: UUID, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> GoingBack:
        """The same for money that has paid nothing: nothing is let go of for it. Raises PaymentNotFound."""
        return cls._beside(_payable_of(payment_id, uow, clock), payment_id, uow, clock, new_id)

    @classmethod
    def _beside(
        cls, payable: Payable | None, payment_id: UUID, uow: UnitOfWork, clock: Clock, new_id: NewId
    ) -> GoingBack:
        payment = uow.payments.get(payment_id)
        return cls(payment, payable or DepositPayable(payment), uow, clock, new_id)

    def lock_accounts(self) -> None:
        """Lock all that the money may move of its owner's and of partners', at once and in one order (guarantee M5).

        Payments that wait come before, with their holds: they end with the last of the money.
        """
        waiting = self._waiting()
        lock_holds(waiting, uow=self.uow)
        self.payable.lock_rewards(uow=self.uow)
        unit = self.payment.amount.currency.code
        customers = accounts.customers_own(self.payment.user_id, unit)
        lock_owned(customers | self.payable.partners | agents_own([self.payment, *waiting]), uow=self.uow)

    def tender_of(self, part: RefundPart) -> Tender | None:
        return self.payment.tender(part.tender_id) if part.tender_id is not None else None

    def charges_left(self, tender: Tender) -> list[tuple[UUID, Money]]:
        """The attempt of each charge that a tender was captured with, and what has not gone back of that charge."""
        charges = self.uow.refunds.charges_of(tender)
        if len(charges) < 2:
            return [(charge.attempt_id, charge.amount) for charge in charges]
        gone = self._gone_of(tender)
        left = []
        for charge in charges:
            there = Money(0, tender.amount.currency)
            of_it = min(gone.get(charge.attempt_id, there), charge.amount)
            gone[charge.attempt_id] = gone.get(charge.attempt_id, there) - of_it
            left.append((charge.attempt_id, charge.amount - of_it))
        return left

    def _gone_of(self, tender: Tender) -> dict[UUID, Money]:
        """By attempt, what is with providers and banks of a tender, or on its way there."""
        moved = [
            (part.attempt_id, part.amount)
            for refund in self.uow.refunds.of_payment(self.payment.id)
            for part in refund.parts
            if part.tender_id == tender.id and part.way is not Way.OWN and part.status is not RefundStatus.FAILED
        ]
        moved += [(dispute.attempt_id, dispute.taken) for dispute in self.uow.disputes.of_payment(self.payment.id)]
        gone: dict[UUID, Money] = {}
        for attempt_id, amount in moved:
            if attempt_id is not None and amount.is_positive:
                gone[attempt_id] = gone.get(attempt_id, Money(0, amount.currency)) + amount
        return gone

    def set_aside(self, refund: Refund, part: RefundPart) -> None:
        """Keep a part's amount for it, on its tender and, of a deposit, in the wallet that it filled.

        Raises RefundAboveCapture, InsufficientBalance.
        """
        tender = self.tender_of(part)
        if tender is None:
            suspended.goes_back(part, by=refund.requested_by, uow=self.uow, at=self.clock.now())
            return
        tender.ask_back(part.amount, at=self.clock.now())
        if part.way is Way.OWN or self.payable.account.owner is None:
            return
        self.lock_accounts()
        # A deposit that is on its way back must not be spent meanwhile (trap 24).
        aside = SetAside(
            account=self.payable.account,
            amount_minor=part.amount.minor,
            reference_type="REFUND",
            reference_id=refund.id,
            expires_at=None,
        )
        part.hold_id = holds.hold(aside, uow=self.uow, clock=self.clock, new_id=self.new_id)

    def set_aside_found(self, part: RefundPart) -> None:
        """The same for what the provider does whether we like it or not: the wallet gives what is there then."""
        tender = self.tender_of(part)
        if tender is not None:
            tender.ask_back(part.amount, at=self.clock.now())
        else:
            suspended.goes_back(part, by=None, uow=self.uow, at=self.clock.now())

    def set_free(self, part: RefundPart) -> None:
        """It came to nothing: what was kept for it is there again."""
        tender = self.tender_of(part)
        if tender is not None:
            tender.keep(part.amount, at=self.clock.now())
        if part.hold_id is not None:
            self.lock_accounts()
            holds.release(part.hold_id, uow=self.uow, clock=self.clock)
            part.hold_id = None

    def fail(self, refund: Refund, part: RefundPart, error_code: str) -> None:
        """A part that was set aside came to nothing."""
        self.set_free(part)
        suspended.waits_again(part, uow=self.uow)
        refund.failed(part, error_code=error_code, at=self.clock.now())

    def succeed(self, refund: Refund, part: RefundPart) -> None:
        """The part's money is back where it came from. What a deposit's owner has spent since becomes their debt."""
        self.lock_accounts()
        tender, now = self.tender_of(part), self.clock.now()
        if tender is None:
            journal_id = self._post_plain(refund, part, self._target_of(part, None))
            suspended.went_back(part, journal_id, uow=self.uow, at=now)
        else:
            self.payable.give_back(
                part.amount, payment=self.payment, key=str(part.id), uow=self.uow, clock=self.clock, new_id=self.new_id
            )
            journal_id = self._move_back(refund, part, tender)
            tender.give_back(part.amount, at=now)
            self.payment.give_back(part.amount, at=now)
            self._let_go()
        refund.done(part, journal_id=journal_id, at=now)

    def bring_back(self, refund: Refund, part: RefundPart, error_code: str) -> None:
        """A part that was done came back from the customer's bank: money, tender and booking are as before it.

        Points and cashback that were taken back stay taken: the money is still owed to the customer, and the same
        refund, done in another way, takes nothing twice. What a reversal took cannot be reversed again either.
        """
        self.lock_accounts()
        tender, now = self.tender_of(part), self.clock.now()
        source = self._target_of(part, tender)
        entries = self._arriving(source, part.amount) if tender else transfer(source, self._suspense(part), part.amount)
        journal = self._journal(refund, entries, key=f"refund:{part.id}:returned", came_back=True)
        self.uow.ledger.post([journal])
        suspended.waits_again(part, uow=self.uow)
        if tender is not None:
            tender.take_back(part.amount, at=now)
            self.payable.take_back(
                part.amount, payment=self.payment, key=str(part.id), uow=self.uow, clock=self.clock, new_id=self.new_id
            )
            self.payment.take_back(part.amount, at=now)
        refund.returned(part, error_code=error_code, journal_id=journal.id, at=now)

    def freeze(self, dispute: Dispute) -> None:
        """Keep what is there of a disputed deposit in the wallet that it filled, until the bank has decided."""
        wallet = self.payable.account
        if wallet.owner is None or wallet.currency != dispute.amount.currency.code:
            return
        self.lock_accounts()
        there = max(self.uow.ledger.lock([wallet])[wallet].available_minor, 0)
        amount = min(dispute.amount.minor, there)
        if not amount:
            return
        aside = SetAside(
            account=wallet,
            amount_minor=amount,
            reference_type="DISPUTE",
            reference_id=dispute.id,
            expires_at=None,
        )
        dispute.hold_id = holds.hold(aside, uow=self.uow, clock=self.clock, new_id=self.new_id)

    def thaw(self, dispute: Dispute) -> None:
        """The bank has decided: what it takes is taken from what is free now."""
        if dispute.hold_id is not None:
            self.lock_accounts()
            holds.release(dispute.hold_id, uow=self.uow, clock=self.clock)
            dispute.hold_id = None

    def lose(self, dispute: Dispute, tender: Tender, amount: Money) -> None:
        """A bank took so much of the tender back: the same as a refund, and nobody is asked."""
        self.lock_accounts()
        now, key = self.clock.now(), dispute.next_posting()
        tender.ask_back(amount, at=now)
        self.payable.give_back(
            amount, payment=self.payment, key=key, uow=self.uow, clock=self.clock, new_id=self.new_id
        )
        clearing = accounts.clearing(dispute.provider, amount.currency.code)
        self.uow.ledger.post([self._dispute_journal(dispute, self._leaving(amount, clearing), key)])
        tender.give_back(amount, at=now)
        self.payment.give_back(amount, at=now)
        self._let_go()
        dispute.taken, dispute.updated_at = dispute.taken + amount, now

    def recover(self, dispute: Dispute, tender: Tender, amount: Money) -> None:
        """Refunds are known now that had taken so much of the charge before the bank could."""
        self.lock_accounts()
        now, key = self.clock.now(), dispute.next_posting()
        clearing = accounts.clearing(dispute.provider, amount.currency.code)
        self.uow.ledger.post([self._dispute_journal(dispute, self._arriving(clearing, amount), key)])
        tender.take_back(amount, at=now)
        self.payable.take_back(
            amount, payment=self.payment, key=key, uow=self.uow, clock=self.clock, new_id=self.new_id
        )
        self.payment.take_back(amount, at=now)
        dispute.taken, dispute.updated_at = dispute.taken - amount, now

    def take_from_suspense(self, dispute: Dispute, amount: Money) -> None:
        """The bank took money that waits in suspense; below zero, it is there again."""
        suspense = accounts.platform(AccountKind.SUSPENSE, amount.currency.code)
        clearing = accounts.clearing(dispute.provider, amount.currency.code)
        legs = transfer(suspense, clearing, amount) if amount.is_positive else transfer(clearing, suspense, -amount)
        journal = self._dispute_journal(dispute, legs, dispute.next_posting())
        self.uow.ledger.post([journal])
        if amount.is_positive:
            suspended.taken_by_bank(dispute, amount, journal.id, uow=self.uow, at=self.clock.now())
        dispute.taken_from_suspense += amount
        dispute.updated_at = self.clock.now()

    def take_from_wallet(self, dispute: Dispute, amount: Money) -> None:
        """The bank took what had gone to the customer's wallet: what is spent of it becomes their debt.

        Below zero, it is theirs again.
        """
        if amount.is_zero:
            return
        unit, owner = amount.currency.code, self.payment.user_id
        wallet, clearing = accounts.wallet(owner, unit), accounts.clearing(dispute.provider, unit)
        lock_owned(accounts.customers_own(owner, unit), uow=self.uow)
        legs = self._out_of(wallet, amount, clearing) if amount.is_positive else self._into(wallet, clearing, -amount)
        self.uow.ledger.post([self._dispute_journal(dispute, legs, dispute.next_posting())])
        dispute.taken_from_wallet += amount
        dispute.updated_at = self.clock.now()

    def _let_go(self) -> None:
        """What has lost all its money is over, and nothing more is paid for it."""
        if self.payable.has_lost_its_money:
            cancel_payments(self._waiting(), uow=self.uow, clock=self.clock)
        self.payable.let_go(uow=self.uow, at=self.clock.now(), new_id=self.new_id)

    def _waiting(self) -> Sequence[Payment]:
        """Payments of the same thing that wait, locked, where they would end with the last of its money."""
        return self.uow.payments.pending_of(self.payable.reference_id) if self.payable.ends_without_money else ()

    def _move_back(self, refund: Refund, part: RefundPart, tender: Tender) -> UUID:
        if tender.kind is TenderKind.POINTS:
            return self._restore_points(part, tender)
        target = self._target_of(part, tender)
        if part.hold_id is None:
            journal = self._journal(refund, self._leaving(part.amount, target), key=f"refund:{part.id}")
            self.uow.ledger.post([journal])
            return journal.id
        journal = self._journal(refund, transfer(self.payable.account, target, part.amount), key=f"refund:{part.id}")
        holds.capture(part.hold_id, journal, uow=self.uow, clock=self.clock)
        return journal.id

    def _restore_points(self, part: RefundPart, tender: Tender) -> UUID:
        """The same lots get back what this part of the money is worth, and the discounts what they had paid."""
        if tender.journal_id is None:
            raise ValueError("a captured tender has its journal")
        command = Reverse(journal_id=tender.journal_id, idempotency_key=f"refund:{part.id}", part=part.amount)
        made = reverse_within(command, uow=self.uow, at=self.clock.now(), new_id=self.new_id)
        part.points = made.moved.get(accounts.points(self.payment.user_id), 0)
        return made.id

    def _post_plain(self, refund: Refund, part: RefundPart, target: AccountRef) -> UUID:
        """Money in suspense goes back; or more than is known here went back, which suspense shows below zero."""
        journal = self._journal(refund, transfer(self._suspense(part), target, part.amount), key=f"refund:{part.id}")
        self.uow.ledger.post([journal])
        return journal.id

    def _target_of(self, part: RefundPart, tender: Tender | None) -> AccountRef:
        unit, owner = part.amount.currency.code, self.payment.user_id
        if part.way is not Way.OWN:
            return accounts.clearing(part.provider or "", unit)
        if tender is not None and tender.is_own:
            return account_of(tender, owner)
        return accounts.wallet(owner, unit)

    def _leaving(self, amount: Money, target: AccountRef) -> tuple[Entry, ...]:
        """Legs out of what was paid into; from somebody's wallet what is there, and debt for the rest."""
        source = self.payable.account
        return transfer(source, target, amount) if source.owner is None else self._out_of(source, amount, target)

    def _out_of(self, source: AccountRef, amount: Money, target: AccountRef) -> tuple[Entry, ...]:
        standing = self.uow.ledger.lock([source, debt_of(source)])
        there = max(standing[source].available_minor, 0)
        return take_back(target, source, amount.minor, available_minor=there)

    def _arriving(self, source: AccountRef, amount: Money) -> tuple[Entry, ...]:
        """Legs back into what was paid into; in somebody's wallet, after what they owe by it."""
        target = self.payable.account
        return transfer(source, target, amount) if target.owner is None else self._into(target, source, amount)

    def _into(self, target: AccountRef, source: AccountRef, amount: Money) -> tuple[Entry, ...]:
        debt = debt_of(target)
        owed = max(-self.uow.ledger.lock([target, debt])[debt].balance_minor, 0)
        return earn(source, target, amount.minor, owed_minor=owed)

    @staticmethod
    def _suspense(part: RefundPart) -> AccountRef:
        return accounts.platform(AccountKind.SUSPENSE, part.amount.currency.code)

    def _journal(self, refund: Refund, entries: tuple[Entry, ...], *, key: str, came_back: bool = False) -> Journal:
        words = ("عودة مبلغ مردود", "Refund returned") if came_back else ("رد مبلغ", "Refund")
        return Journal(
            id=self.new_id(),
            journal_type=JournalType.REFUND,
            idempotency_key=key,
            reference_type="REFUND",
            reference_id=refund.id,
            description_ar=f"{words[0]} {refund.refund_number}",
            description_en=f"{words[1]} {refund.refund_number}",
            occurred_at=self.clock.now(),
            entries=entries,
        )

    def _dispute_journal(self, dispute: Dispute, entries: tuple[Entry, ...], key: str) -> Journal:
        return Journal(
            id=self.new_id(),
            journal_type=JournalType.DISPUTE,
            idempotency_key=key,
            reference_type="DISPUTE",
            reference_id=dispute.id,
            description_ar=f"نزاع على الدفعة {self.payment.payment_number}",
            description_en=f"Dispute of payment {self.payment.payment_number}",
            occurred_at=self.clock.now(),
            entries=entries,
        )


def _payable_of(payment_id: UUID, uow: UnitOfWork, clock: Clock) -> Payable | None:
    target = uow.payments.target_of(payment_id)
    return lock_payable(target.payment_type, target.payable_id, uow=uow, at=clock.now())
