"""What accountants do at the terminal: `altayar ledger trial-balance` and its neighbours."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.table import Table

    from domain.ledger.trial_balance import AccountTotals, TrialBalance, UnitProof
    from infrastructure.bootstrap import Running

System = Callable[[], "AbstractContextManager[Running]"]
_DAY = click.DateTime(["%Y-%m-%d"])


def add_to(ledger: click.Group, system: System) -> None:
    """Add these commands to the group `altayar ledger`; `system` opens the system for one of them."""
    ledger.add_command(_trial_balance(system))
    ledger.add_command(_daily_totals(system))


def _trial_balance(system: System) -> click.Command:
    @click.command("trial-balance")
    @click.option("--from", "since", type=_DAY, help="The first day; the first of this month.")
    @click.option("--to", "until", type=_DAY, help="The day after the last one; tomorrow.")
    def command(since: datetime | None, until: datetime | None) -> None:
        """Every account's totals over a period, and proof that the books balance."""
        from rich.console import Console

        from domain.ledger.periods import asked_period, this_month
        from domain.shared.clock import business_date
        from domain.shared.errors import InvalidValue

        with system() as running:
            use = running.dependencies
            otherwise = this_month(business_date(use.clock.now()))
            try:
                period = asked_period(since and since.date(), until and until.date(), otherwise=otherwise)
            except InvalidValue as error:
                raise click.ClickException(error.faults[0].detail) from error
            balance = use.ledger_totals.trial_balance(period)
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
