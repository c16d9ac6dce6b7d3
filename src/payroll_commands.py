"""The `altayar payroll` commands. Each imports what it needs when it runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from application.payouts.batches import MakeBatch
    from infrastructure.bootstrap import Running

Row = Mapping[str, Any]
System = Callable[[], AbstractContextManager["Running"]]
PERIODS: Final = ("weekly", "monthly")
PAYEES: Final = ("vendor", "agent", "all")
SHOWN: Final = 20
LOOK_EVERY: Final = 1.0


def commands(system: System) -> click.Group:
    """The group of commands; `system` opens the running system."""

    @click.group()
    def payroll() -> None:
        """Vendors' and agents' pay."""

    @payroll.command()
    @click.option(
        "--period", type=click.Choice(PERIODS), required=True, help="Whose newest run: Monday's, or the 1st's."
    )
    @click.option("--payee-type", type=click.Choice(PAYEES), default="all", show_default=True)
    @click.option("--dry-run", is_flag=True, help="Say what the batch would be, and store nothing.")
    def run(period: str, payee_type: str, *, dry_run: bool) -> None:
        """Make the draft of the newest run, cut off at 08:00 in Cairo, if nobody has; another person approves it."""
        with system() as running:
            (_preview if dry_run else _make)(running, _command(running, period, payee_type))

    @payroll.command()
    @click.argument("batch")
    @click.option("--watch", is_flag=True, help="Stay until every payout is over.")
    def status(batch: str, *, watch: bool) -> None:
        """Where a batch stands, by its number or id."""
        with system() as running:
            if watch:
                _watch(running, _named(running, batch))
            row = _named(running, batch)
            click.echo(f"{row['batch_number']} of {row['period_start']}, {row['payee_type']}: {row['status']}")
            _tell(row)

    return payroll


def _command(running: Running, period: str, payee_type: str) -> MakeBatch:
    from application.payouts.batches import MakeBatch
    from application.payouts.minima import minima_of
    from domain.payouts.batches import BatchPayees, BatchPeriod
    from domain.payouts.periods import cut_off_of, newest_run

    use = running.dependencies
    kind = BatchPeriod(period.upper())
    day = newest_run(kind, use.clock.now())
    return MakeBatch(
        period=kind,
        payees=BatchPayees(payee_type.upper()),
        actor_id=None,
        minima=minima_of(use.system_settings, use.queries.wallet_requests, at=use.clock.now()),
        cut_off=cut_off_of(day),
        period_start=day,
    )


def _preview(running: Running, command: MakeBatch) -> None:
    from application.payouts.previews import preview_batch

    use = running.dependencies
    row = preview_batch(command, queries=use.queries.payroll, clock=use.clock)
    click.echo(f"{row['period']} of {row['period_start']}, {row['payee_type']}: would be")
    _tell(row)
    if row["difference"] is not None:
        other = row["difference"]
        click.echo(f"beside {other['batch_number']}: {other['payees_added']} more, {other['payees_gone']} gone")


def _make(running: Running, command: MakeBatch) -> None:
    from application.payouts.batches import make_batch
    from application.payouts.ports import Filled

    use = running.dependencies
    entries = sum(row["entries"] for row in use.queries.payroll.preview(_selection(running, command)))
    with click.progressbar(length=entries, label="Entries taken or left out") as bar:
        made = make_batch(command, uow=use.new_uow(), clock=use.clock, new_id=use.new_id)
        bar.update(entries)
    if made is None:
        raise click.ClickException(f"the run of {command.period_start} has its batch already")
    filled: Filled = made.filled
    click.echo(
        f"{made.batch_number}: {filled.payouts} payouts of {filled.entries} entries, {filled.left_out} payees left out"
    )
    if filled.out_of_balance:
        raise click.ClickException(f"{filled.out_of_balance} payees' entries and books differ: see docs/payroll.md")


def _selection(running: Running, command: MakeBatch) -> Any:
    from application.payouts.batches import selection_of

    return selection_of(command, at=running.dependencies.clock.now())


def _named(running: Running, batch: str) -> Row:
    row = running.dependencies.queries.payroll.batch_named(batch)
    if row is None:
        raise click.ClickException(f"there is no batch {batch}")
    return row


def _watch(running: Running, row: Row) -> None:
    """A bar of the payouts that are over, until all are."""
    with click.progressbar(length=row["payouts_count"], label=f"{row['batch_number']}") as bar:
        while True:
            over = _over(running, row)
            bar.update(over - bar.pos)
            if over >= row["payouts_count"] or row["status"] not in ("APPROVED", "PROCESSING"):
                return
            time.sleep(LOOK_EVERY)


def _over(running: Running, row: Row) -> int:
    found = running.database.row(
        "SELECT count(*) AS over FROM payouts WHERE batch_id = %s AND closed_at IS NOT NULL", (row["id"],)
    )
    return int(found["over"]) if found else 0


def _tell(row: Row) -> None:
    from domain.shared.money import Money

    for total in row["totals"] or ():
        unit = total["currency"]
        amount, paid, back = (Money.of(total[f"{name}_minor"], unit) for name in ("amount", "paid", "back"))
        click.echo(f"  {amount} in {total['payouts']} payouts; paid {paid}, back {back}")
    if not row["payouts_count"]:
        click.echo("  nobody is paid")
    _tell_rows("payout", row["payouts"], row["payouts_count"], "status")
    _tell_rows("left out", row["left_out"], row["left_out_count"], "reason")


def _tell_rows(what: str, rows: Iterable[Row], count: int, last: str) -> None:
    from domain.shared.money import Money

    for shown in list(rows)[:SHOWN]:
        amount = Money.of(shown["amount_minor"], shown["currency"])
        click.echo(f"  {what}: {shown['payee_type']} {shown['payee_id']} {amount} {shown[last]}")
    if count > SHOWN:
        click.echo(f"  … and {count - SHOWN} more")
