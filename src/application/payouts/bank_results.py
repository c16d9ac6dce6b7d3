"""What the bank did with a batch's transfers: its file is read, and each line has an outcome of its own.

A file may come twice, late, or in pieces: what a line says is held to where its payout stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from application.payouts.batches import BATCH, complete_if_over
from application.payouts.effects import Ending, audit_decision
from application.ports import NewUnitOfWork, UnitOfWork
from domain.partners.partners import PayoutMethod
from domain.payouts.payouts import Payout, PayoutStatus
from domain.shared.clock import Clock
from domain.shared.identifiers import NewId
from domain.shared.money import Money


class BankWord(StrEnum):
    """What a line says of a transfer."""

    PAID = "PAID"
    FAILED = "FAILED"
    PENDING = "PENDING"
    """The bank has it and has not carried it out yet."""


@dataclass(frozen=True, slots=True)
class BankLine:
    """One line of the bank's; `name` is the payout's number or its key. What the bank left out is empty or None."""

    number: int
    name: str
    word: BankWord
    bank_reference: str = ""
    reason: str = ""
    amount: Money | None = None


class LineOutcome(StrEnum):
    """What came of a line."""

    APPLIED = "APPLIED"
    ALREADY = "ALREADY"
    """It was known: nothing changed."""
    WAITING = "WAITING"
    """The bank is still at it: nothing changed."""
    UNKNOWN_PAYOUT = "UNKNOWN_PAYOUT"
    """The batch has no such transfer."""
    NOT_SENT = "NOT_SENT"
    """The transfer was never in the bank's file."""
    AMOUNT_DIFFERS = "AMOUNT_DIFFERS"
    CONTRADICTS = "CONTRADICTS"
    """The payout has ended otherwise: a person has to look."""
    OWN_MONEY = "OWN_MONEY"
    """Nobody says of their own payout that it failed or arrived."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A line with its outcome; `status` is where the payout stands, None where there is none."""

    line: BankLine
    outcome: LineOutcome
    status: PayoutStatus | None


@dataclass(frozen=True, slots=True)
class ImportResults:
    """Somebody brings what the bank told of a batch."""

    batch_id: UUID
    actor_id: UUID
    lines: Sequence[BankLine]


def import_results(
    command: ImportResults, *, new_uow: NewUnitOfWork, clock: Clock, new_id: NewId
) -> Sequence[Answered]:
    """Apply each line, in a transaction of its own: whatever is cut off is applied by bringing the file again.

    Raises BatchNotFound.
    """
    with new_uow() as uow:
        uow.payout_batches.get(command.batch_id)
    answers = [_apply(line, command, uow=new_uow(), clock=clock, new_id=new_id) for line in command.lines]
    _audit(command, answers, uow=new_uow(), clock=clock)
    complete_if_over(command.batch_id, uow=new_uow(), clock=clock)
    return answers


def _apply(line: BankLine, command: ImportResults, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> Answered:
    with uow:
        payout = uow.payouts.in_batch(command.batch_id, line.name)
        if payout is None or payout.method != PayoutMethod.BANK_TRANSFER:
            return Answered(line, LineOutcome.UNKNOWN_PAYOUT, None)
        outcome = _outcome(line, payout, command.actor_id)
        if outcome is LineOutcome.APPLIED:
            before, now = payout.status, clock.now()
            payout.decided(by=command.actor_id)
            _end(payout, line, Ending(uow, now, new_id))
            audit_decision(uow, payout, before=before, actor=command.actor_id, at=now)
            uow.commit()
    return Answered(line, outcome, payout.status)


def _outcome(line: BankLine, payout: Payout, actor: UUID) -> LineOutcome:
    if line.amount is not None and line.amount != payout.amount:
        return LineOutcome.AMOUNT_DIFFERS
    if payout.status is PayoutStatus.PENDING:
        return LineOutcome.NOT_SENT
    if line.word is BankWord.PENDING:
        return LineOutcome.WAITING if payout.is_open else LineOutcome.ALREADY
    if not payout.is_open and not _came_back(line, payout):
        return _known(line, payout)
    return LineOutcome.OWN_MONEY if actor == payout.payee_id else LineOutcome.APPLIED


def _came_back(line: BankLine, payout: Payout) -> bool:
    """Whether the bank sends back what it had carried out."""
    return line.word is BankWord.FAILED and payout.status is PayoutStatus.PAID


def _known(line: BankLine, payout: Payout) -> LineOutcome:
    """What a line says of a payout that has ended."""
    if payout.status is PayoutStatus.RETURNED and line.word is BankWord.FAILED:
        return LineOutcome.ALREADY
    # What came back was paid before: the file that said so may come again.
    if payout.status != line.word.value and payout.status is not PayoutStatus.RETURNED:
        return LineOutcome.CONTRADICTS
    if line.word is BankWord.PAID and line.bank_reference and payout.bank_reference != line.bank_reference:
        return LineOutcome.CONTRADICTS
    return LineOutcome.ALREADY


def _end(payout: Payout, line: BankLine, ending: Ending) -> None:
    if line.word is BankWord.PAID:
        ending.pay(payout, bank_reference=line.bank_reference or None)
    elif _came_back(line, payout):
        ending.send_back(payout, reason=line.reason or None)
    else:
        ending.fail(payout, failure_code="bank_refused", reason=line.reason or None)


def _audit(command: ImportResults, answers: Sequence[Answered], *, uow: UnitOfWork, clock: Clock) -> None:
    outcomes = [answer.outcome for answer in answers]
    with uow:
        uow.audit.add(
            actor=command.actor_id,
            action="payouts.process",
            resource_type=BATCH,
            resource_id=command.batch_id,
            changes={"bank_results": {outcome.value: outcomes.count(outcome) for outcome in sorted(set(outcomes))}},
            at=clock.now(),
        )
        uow.commit()
