"""What accountants do at the terminal: `altayar ledger trial-balance` and its neighbours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

if TYPE_CHECKING:
    from rich.table import Table

    from application.ledger.books_ports import Statements
    from domain.ledger.periods import Period
    from domain.ledger.statements import StatementFigures
    from domain.ledger.trial_balance import AccountTotals, TrialBalance, UnitProof
    from domain.shared.clock import Clock
    from infrastructure.bootstrap import Running

System = Callable[[], "AbstractContextManager[Running]"]
_DAY = click.DateTime(["%Y-%m-%d"])


def add_to(ledger: click.Group, system: System) -> None:
    """Add these commands to the group `altayar ledger`; `system` opens the system for one of them."""
    ledger.add_command(_trial_balance(system))
    ledger.add_command(_daily_totals(system))
    ledger.add_command(_statement(system))
    ledger.add_command(_reconcile(system))


def _trial_balance(system: System) -> click.Command:
    @click.command("trial-balance")
    @click.option("--from", "since", type=_DAY, help="The first day; the first of this month.")
    @click.option("--to", "until", type=_DAY, help="The day after the last one; tomorrow.")
    def command(since: datetime | None, until: datetime | None) -> None:
        """Every account's totals over a period, and proof that the books balance."""
        from rich.console import Console

        from domain.ledger.periods import this_month

        with system() as running:
            use = running.dependencies
            balance = use.ledger_totals.trial_balance(_period(since, until, this_month, use.clock))
        Console().print(_table(balance))
        if not balance.is_balanced:
            raise click.ClickException("the books do not balance: `altayar ledger daily-totals` compares the totals")

    return command


def _table(balance: TrialBalance) -> Table:
    from rich.table import Table

    table = Table(title=f"{balance.period.since} to {balance.period.last_day}")
    for name in ("Account", "Provider"):
        table.add_column(name)
    for name in ("Opening", "Debits", "Credits", "Closing"):
        table.add_column(name, justify="right")
    for proof in balance.proofs:
        for line in (one for one in balance.lines if one.unit == proof.unit):
            table.add_row(line.chart_line.name_en, line.provider, *_written(line))
        verdict = "balances" if proof.is_balanced else "DOES NOT BALANCE"
        table.add_row(f"{proof.unit} {verdict}", "", *_written(proof), end_section=True, style="bold")
    return table


def _written(sums: AccountTotals | UnitProof) -> list[str]:
    from domain.ledger.accounts import decimals_of
    from domain.shared.money import format_minor

    amounts = (sums.opening, sums.debits, sums.credits, sums.closing)
    return [format_minor(amount, decimals_of(sums.unit)) for amount in amounts]


def _daily_totals(system: System) -> click.Command:
    @click.command("daily-totals")
    @click.option("--rebuild", is_flag=True, help="Make them anew from the entries first.")
    def command(rebuild: bool) -> None:
        """Compare every day's totals with the entries of that day."""
        with system() as running:
            totals = running.dependencies.ledger_totals
            if rebuild:
                totals.rebuild()
            faults = totals.faults()
        for fault in faults:
            click.echo(f"{fault.day} {fault.kind} {fault.provider} {fault.currency} is not what its entries say")
        if faults:
            raise click.ClickException("`altayar ledger daily-totals --rebuild` makes them anew")
        click.echo("every day's totals are what its entries say")

    return command


def _statement(system: System) -> click.Command:
    @click.command("statement")
    @click.argument("target", type=click.UUID)
    @click.argument("unit", required=False)
    @click.option("--from", "since", type=_DAY, help="The first day; the first of last month.")
    @click.option("--to", "until", type=_DAY, help="The day after the last one; the first of this month.")
    def command(target: UUID, unit: str | None, since: datetime | None, until: datetime | None) -> None:
        """Every movement of an account over a period, with the balance after it.

        TARGET is the id of an account or, with a UNIT such as EGP or PTS, that of the person whose wallet or points
        they are.
        """
        from application.ledger.statements import figures_of
        from domain.ledger.periods import last_month
        from domain.ledger.statements import AccountNotFound

        account_id = target if unit is None else _owned(target, unit)
        with system() as running:
            use = running.dependencies
            period = _period(since, until, last_month, use.clock)
            try:
                figures = figures_of(account_id, period, statements=use.statements)
            except AccountNotFound as error:
                raise click.ClickException("nothing has ever moved on such an account") from error
            for line in _statement_lines(figures, use.statements):
                click.echo(line)

    return command


def _statement_lines(figures: StatementFigures, statements: Statements) -> Iterator[str]:
    from domain.ledger.accounts import decimals_of
    from domain.ledger.statements import with_balances
    from domain.shared.clock import business_date
    from domain.shared.money import format_minor

    def written(minor: int) -> str:
        return format_minor(minor, decimals_of(figures.unit)).rjust(16)

    yield f"{figures.kind} {figures.unit}, account {figures.account_id}"
    yield f"{figures.period.since} {'':>16} {written(figures.opening)}  opening balance"
    for entry, balance in with_balances(figures.opening, statements.entries(figures)):
        yield f"{business_date(entry.occurred_at)} {written(entry.amount)} {written(balance)}  {entry.description_en}"
    yield f"{figures.period.last_day} {'':>16} {written(figures.closing)}  closing balance"


def _owned(person: UUID, unit: str) -> UUID:
    """The wallet of a person in a currency, or their points."""
    from domain.ledger import accounts

    return accounts.points(person).id if unit == accounts.POINTS_UNIT else accounts.wallet(person, unit).id


def _period(
    since: datetime | None, until: datetime | None, otherwise: Callable[[date], Period], clock: Clock
) -> Period:
    from domain.ledger.periods import asked_period
    from domain.shared.clock import business_date
    from domain.shared.errors import InvalidValue

    days = [day.date() if day is not None else None for day in (since, until)]
    try:
        return asked_period(*days, otherwise=otherwise(business_date(clock.now())))
    except InvalidValue as error:
        raise click.ClickException(error.faults[0].detail) from error


def _reconcile(system: System) -> click.Command:
    @click.command("reconcile")
    @click.option("--provider", required=True, help="Such as FAWATERK.")
    @click.option("--file", "path", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
    def reconcile(provider: str, path: Path) -> None:
        """Compare a provider's statement, a file of CSV, with what the books say that it paid in.

        Its columns: booked_on, provider_reference, kind, amount, currency.
        """
        from application.billing.ports import UnknownGateway
        from application.ledger.clearing_files import read_statement
        from application.ledger.reconciliation import RecordStatement, record_statement
        from domain.shared.errors import InvalidValue

        with system() as running:
            use = running.dependencies
            try:
                statement = read_statement(use.gateways.get(provider).name, path.read_text("utf-8-sig"))
            except InvalidValue as error:
                raise click.ClickException(error.faults[0].detail) from error
            except UnknownGateway as error:
                raise click.ClickException(f"{provider} is none of {', '.join(use.gateways.names())}") from error
            command = RecordStatement(statement=statement, actor_id=None)
            done = record_statement(command, uow=use.new_uow(), clock=use.clock, new_id=use.new_id)
        click.echo(f"{done.lines} lines, {done.matched} references match, {done.breaks} do not")

    return reconcile
