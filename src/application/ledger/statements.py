"""Statements of account: asked for, drawn by a worker, and dropped after their time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from application.billing.ports import DocumentRenderer, ObjectStorage
from application.ledger.books_ports import PrintedEntry, StatementDocument, Statements
from application.ports import NewUnitOfWork, UnitOfWork
from domain.ledger.periods import Period
from domain.ledger.statements import (
    A_DAY,
    KEPT_FOR,
    AccountNotFound,
    StatementFigures,
    StatementRequested,
    TooManyStatements,
    storage_key,
    with_balances,
)
from domain.shared.clock import Clock, business_date
from domain.shared.identifiers import NewId

LANGUAGES: Final = ("ar", "en", "both")
BATCH: Final = 200


def figures_of(account_id: UUID, period: Period, *, statements: Statements) -> StatementFigures:
    """What an account's statement over a period adds up to. Raises AccountNotFound."""
    figures = statements.figures(account_id, period)
    if figures is None:
        raise AccountNotFound()
    return figures


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareStatement:
    """Which account over which period, in `ar`, `en` or `both`; who asks, and how many they may have drawn a day."""

    account_id: UUID
    period: Period
    language: str
    actor_id: UUID
    most_a_day: int


def prepare_statement(
    command: PrepareStatement, *, statements: Statements, uow: UnitOfWork, clock: Clock, new_id: NewId
) -> str | None:
    """Where the statement's PDF lies; None while a worker makes it, which is asked for where nobody did.

    Raises AccountNotFound, StatementTooLong or TooManyStatements.
    """
    figures = figures_of(command.account_id, command.period, statements=statements)
    figures.refuse_long()
    made = statements.made(figures, command.language)
    if made is not None:
        return storage_key(made)
    now = clock.now()
    with uow:
        asked = uow.statement_requests.ask(
            figures, command.language, statement_id=new_id(), by=command.actor_id, at=now
        )
        if asked.is_new:
            if uow.statement_requests.asked_since(command.actor_id, now - A_DAY) > command.most_a_day:
                raise TooManyStatements(most=command.most_a_day)
            uow.publish(StatementRequested(at=now, statement_id=asked.id))
        uow.commit()
    return None


def draw_statement(
    statement_id: UUID, *, statements: Statements, renderer: DocumentRenderer, storage: ObjectStorage, clock: Clock
) -> None:
    """Draw and keep the PDF of a statement that is wanted."""
    wanted = statements.to_draw(statement_id)
    if wanted is None:
        return
    now = clock.now()
    entries = with_balances(wanted.figures.opening, statements.entries(wanted.figures))
    document = StatementDocument(
        figures=wanted.figures,
        holder_name=wanted.holder_name,
        holder_email=wanted.holder_email,
        made_on=business_date(now),
        lines=tuple(PrintedEntry(entry, balance) for entry, balance in entries),
        causes=statements.causes(wanted.figures),
    )
    pdf = renderer.statement(document, wanted.language)
    key = storage_key(statement_id)
    storage.put(key, pdf, "application/pdf")
    if not statements.remember(statement_id, size=len(pdf), at=now):
        # Its holder was erased while this was being drawn.
        storage.delete(key)


def drop_past_statements(*, new_uow: NewUnitOfWork, storage: ObjectStorage, clock: Clock) -> int:
    """Delete statements past their time, file first; how many."""
    before, dropped = clock.now() - KEPT_FOR, 0
    while True:
        with new_uow() as uow:
            past = uow.statement_requests.past(requested_before=before, limit=BATCH)
        for statement_id in past:
            storage.delete(storage_key(statement_id))
        with new_uow() as uow:
            uow.statement_requests.drop(past)
            uow.commit()
        dropped += len(past)
        if len(past) < BATCH:
            return dropped
