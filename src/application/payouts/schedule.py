"""Payroll by the calendar: a draft for each period, however many schedulers there are and whatever was missed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from application.payouts.batches import BatchFilled, MakeBatch, make_batch
from application.ports import NewUnitOfWork
from domain.payouts.batches import BatchPayees, BatchPeriod
from domain.payouts.periods import cut_off_of, runs_due
from domain.shared.clock import Clock
from domain.shared.identifiers import NewId


def make_due_batches(
    period: BatchPeriod, *, minima: Mapping[str, int], new_uow: NewUnitOfWork, clock: Clock, new_id: NewId
) -> Iterator[BatchFilled]:
    """Make the batch of every period that has none yet, each with its own cut-off, oldest first.

    A period in which nobody is to be paid is remembered by a batch that is CANCELLED at once.
    """
    with new_uow() as uow:
        last = uow.payout_batches.last_scheduled(period, BatchPayees.ALL)
    for day in runs_due(period, last=None if last is None else last.period_start, now=clock.now()):
        command = MakeBatch(
            period=period,
            payees=BatchPayees.ALL,
            actor_id=None,
            minima=minima,
            cut_off=cut_off_of(day),
            period_start=day,
        )
        made = make_batch(command, uow=new_uow(), clock=clock, new_id=new_id)
        if made is not None:
            yield made
