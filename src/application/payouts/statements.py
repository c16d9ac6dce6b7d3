"""Statements of payouts: as CSV, as PDF that a worker draws, and as the files of the mail that tells of a payout."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from application.billing.ports import DocumentRenderer, ObjectStorage
from application.csv import BYTE_ORDER_MARK, csv_line
from application.messaging.ports import MOST_ATTACHED, Attachment
from application.payouts.statement_ports import PayoutStatementDocument, PayoutStatements
from application.ports import NewUnitOfWork, UnitOfWork
from domain.ledger.statements import A_DAY, KEPT_FOR, MOST_PRINTED, StatementTooLong, TooManyStatements
from domain.payouts.payables import PayableKind
from domain.payouts.statements import PayoutFigures, PayoutStatementRequested, storage_key
from domain.shared.clock import Clock, business_date
from domain.shared.identifiers import NewId
from domain.shared.money import Money

BATCH: Final = 200
MOST_MAILED: Final = 20_000
"""Entries in the CSV of a mail; a longer one is there to be downloaded."""

_COLUMNS: Final = ("date", "kind", "booking_number", "reason_ar", "reason_en", "currency", "added", "taken_off")
_SUMS: Final = {
    PayableKind.EARNED: ("إجمالي المستحق عن الرحلات", "Sum earned by trips"),
    PayableKind.REVERSED: ("إجمالي المسترد بعد رد مبالغ للعملاء", "Sum clawed back after refunds"),
    PayableKind.ADJUSTED: ("إجمالي التسويات", "Sum adjusted"),
    PayableKind.RETURNED: ("إجمالي العائد من دفعات سابقة", "Sum returned from earlier payouts"),
}
_FILE_NAMES: Final = {"ar": "كشف المستحقات {number}", "en": "Payout statement {number}"}


def csv_of(figures: PayoutFigures, statements: PayoutStatements) -> Iterator[str]:
    """Line by line while the entries are read, in both languages; sums and what is carried stand below."""
    yield BYTE_ORDER_MARK + csv_line(_COLUMNS)
    for line in statements.lines(figures):
        told = (business_date(line.occurred_at), line.kind, line.booking_number, line.reason_ar, line.reason_en)
        yield csv_line((*told, *_amounts(line.amount)))
    for kind, amount in figures.sums.items():
        yield csv_line((None, "SUM", None, *_SUMS[kind], *_amounts(amount)))
    number, where = figures.payout_number, figures.destination
    yield csv_line((None, "PAYOUT", None, f"{number} إلى {where}", f"{number} to {where}", *_amounts(figures.amount)))
    yield csv_line(
        (None, "CARRIED", None, "مرحل إلى دفعة لاحقة", "Carried to a later payout", *_amounts(figures.carried))
    )


def _amounts(amount: Money) -> tuple[str, str, str]:
    # No cell begins with a minus: a spreadsheet could take it for a formula.
    nothing = Money(0, amount.currency)
    added, taken = (amount, nothing) if amount >= nothing else (nothing, -amount)
    return amount.currency.code, added.decimal(), taken.decimal()


def pdf_of(
    figures: PayoutFigures, language: str, *, statements: PayoutStatements, renderer: DocumentRenderer, clock: Clock
) -> bytes:
    """Drawn here and now: for workers alone. Raises StatementTooLong."""
    _refuse_long(figures)
    document = PayoutStatementDocument(
        figures=figures, made_on=business_date(clock.now()), lines=tuple(statements.lines(figures))
    )
    return renderer.payout_statement(document, language)


def _refuse_long(figures: PayoutFigures) -> None:
    if figures.entries > MOST_PRINTED:
        raise StatementTooLong()


def files_of(
    payout_id: UUID, language: str, *, statements: PayoutStatements, renderer: DocumentRenderer, clock: Clock
) -> tuple[Attachment, ...]:
    """What is mailed of a payout: CSV, and PDF in the reader's language where that is not too long to be drawn."""
    figures = statements.figures(payout_id)
    if figures.entries > MOST_MAILED:
        return ()
    name = _FILE_NAMES[language].format(number=figures.payout_number)
    table = Attachment(f"{name}.csv", "text/csv", "".join(csv_of(figures, statements)).encode())
    if figures.entries > MOST_PRINTED:
        return _small_enough(table)
    drawn = pdf_of(figures, language, statements=statements, renderer=renderer, clock=clock)
    return _small_enough(Attachment(f"{name}.pdf", "application/pdf", drawn), table)


def _small_enough(*files: Attachment) -> tuple[Attachment, ...]:
    """That somebody was paid is told whatever its files weigh."""
    return files if sum(len(file.content) for file in files) <= MOST_ATTACHED else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparePayoutStatement:
    """Of what, in `ar`, `en` or `both`; who asks, and how many they may have drawn a day."""

    figures: PayoutFigures
    language: str
    actor_id: UUID
    most_a_day: int


def prepare_payout_statement(
    command: PreparePayoutStatement, *, statements: PayoutStatements, uow: UnitOfWork, clock: Clock, new_id: NewId
) -> str | None:
    """Where the PDF lies; None while a worker makes it, which is asked for where nobody did.

    Raises StatementTooLong or TooManyStatements.
    """
    _refuse_long(command.figures)
    made = statements.made(command.figures, command.language)
    if made is not None:
        return storage_key(made)
    now = clock.now()
    with uow:
        asked = uow.payout_statement_requests.ask(
            command.figures, command.language, statement_id=new_id(), by=command.actor_id, at=now
        )
        if asked is not None:
            if uow.payout_statement_requests.asked_since(command.actor_id, now - A_DAY) > command.most_a_day:
                raise TooManyStatements(most=command.most_a_day)
            uow.publish(PayoutStatementRequested(at=now, statement_id=asked))
        uow.commit()
    return None


def draw_payout_statement(
    statement_id: UUID,
    *,
    statements: PayoutStatements,
    renderer: DocumentRenderer,
    storage: ObjectStorage,
    clock: Clock,
) -> None:
    """Draw and keep a PDF that is wanted."""
    wanted = statements.to_draw(statement_id)
    if wanted is None:
        return
    figures = statements.figures(wanted.payout_id)
    pdf = pdf_of(figures, wanted.language, statements=statements, renderer=renderer, clock=clock)
    key = storage_key(statement_id)
    storage.put(key, pdf, "application/pdf")
    if not statements.remember(statement_id, size=len(pdf), at=clock.now()):
        # Its payee was erased while this was being drawn.
        storage.delete(key)


def drop_past_payout_statements(*, new_uow: NewUnitOfWork, storage: ObjectStorage, clock: Clock) -> int:
    """Delete PDFs past their time, file first; how many."""
    before, dropped = clock.now() - KEPT_FOR, 0
    while True:
        with new_uow() as uow:
            past = uow.payout_statement_requests.past(requested_before=before, limit=BATCH)
        for statement_id in past:
            storage.delete(storage_key(statement_id))
        with new_uow() as uow:
            uow.payout_statement_requests.drop(past)
            uow.commit()
        dropped += len(past)
        if len(past) < BATCH:
            return dropped
