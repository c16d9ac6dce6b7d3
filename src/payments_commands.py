"""`altayar payments …`: what looks after payments, in a terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

    from application.billing.reconciliation import Reconciled
    from application.billing.statements import StatementFetched
    from application.dependencies import Dependencies
    from infrastructure.bootstrap import Running

System = Callable[[], AbstractContextManager["Running"]]
AN_HOUR = timedelta(hours=1)


def add_to(group: click.Group, system: System) -> None:
    """Add the commands; `system` opens the running system."""

    @group.command()
    @click.option(
        "--statements",
        "day",
        type=click.DateTime(["%Y-%m-%d"]),
        help="Fetch what providers state of this day in Cairo, and compare it with the books.",
    )
    def reconcile(day: datetime | None) -> None:
        """Ask providers about every payment that no webhook finished, whenever it was asked about last."""
        from rich.console import Console

        console = Console()
        with system() as running:
            if day is not None:
                _compare(running.dependencies, day, console)
                return
            done = _ask_all(running.dependencies, console)
        _show_asked(done, console)


def _ask_all(use: Dependencies, console: Console) -> Reconciled:
    from rich.progress import Progress

    from application.billing.code_holds import code_terms
    from application.billing.reconciliation import ReconcilePayments, reconcile_payments
    from infrastructure.jitter import full_jitter

    with use.new_uow() as uow:
        uow.chasing.make_all_due(at=use.clock.now())
        due = uow.chasing.count_due(use.gateways.names(), due_by=use.clock.now())
        uow.commit()
    with Progress(console=console) as progress:
        task = progress.add_task("Asking providers", total=due)
        return reconcile_payments(
            ReconcilePayments(
                live=use.live,
                public_url=use.public_url,
                limit=max(due, 1),
                budget=AN_HOUR,
                code_terms=code_terms(use.system_settings),
            ),
            new_uow=use.new_uow,
            gateways=use.gateways,
            returns=use.returns,
            clock=use.clock,
            new_id=use.new_id,
            draw=full_jitter,
            told=lambda: progress.advance(task),
        )


def _show_asked(done: Reconciled, console: Console) -> None:
    from rich.table import Table

    table = Table("What", "How many")
    for what, count in (
        ("asked about", done.asked),
        ("not answered", done.unanswered),
        ("creations repeated", done.repeated),
        ("webhooks looked into again", done.webhooks),
    ):
        table.add_row(what, str(count))
    console.print(table)
    if done.left_alone:
        console.print(f"Left alone, for they do not answer: {', '.join(done.left_alone)}")


def _compare(use: Dependencies, day: datetime, console: Console) -> None:
    from rich.progress import track

    from application.billing.statements import fetch_statement, stating

    gateways = stating(use.gateways)
    fetched = [
        fetch_statement(gateway, day.date(), new_uow=use.new_uow, clock=use.clock, new_id=use.new_id)
        for gateway in track(gateways, description="Fetching statements", console=console)
    ]
    _show_fetched(fetched, console)


def _show_fetched(fetched: Sequence[StatementFetched], console: Console) -> None:
    from rich.table import Table

    if not fetched:
        console.print("No enabled provider states what it booked; see docs/reconciliation.md for files.")
        return
    table = Table("Provider", "Day", "Lines", "Breaks", "Trouble")
    for one in fetched:
        table.add_row(one.provider, one.day.isoformat(), str(one.lines), str(one.breaks), one.trouble)
    console.print(table)
