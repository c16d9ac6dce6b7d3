"""Payroll by the calendar and in the terminal: one batch for each period, missed ones too (J5)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from application.operations.settings import ChangeSetting, change_setting
from domain.operations.settings import PAYOUT_PROCESS_APPROVED
from domain.payouts.periods import cut_off_of
from infrastructure.bootstrap import Running
from infrastructure.database.roles import DatabaseAddresses
from payroll_commands import commands
from tests.conftest import MovableClock
from tests.integration.payroll import Payroll, broken_payroll_promises
from tests.integration.shop import all_at_once
from workers.payroll_worker import drive_payroll, process_monthly_payroll, process_weekly_payroll
from workers.schedule import JOBS, run_once

MONDAY = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
"""A Monday that is a first of a month, an hour after payroll's."""


@pytest.fixture
def payroll(running: Running) -> Payroll:
    return Payroll.of(running)


@pytest.fixture(autouse=True)
def every_promise_holds_afterwards(addresses: DatabaseAddresses) -> Iterator[None]:
    yield
    assert broken_payroll_promises(addresses) == []


def at(clock: MovableClock, instant: datetime) -> None:
    clock.offset += instant - clock.now()


def batches(payroll: Payroll) -> list[tuple[str, date, str]]:
    rows = payroll.database.rows("SELECT period, period_start, status FROM payout_batches ORDER BY created_at, id")
    return [(row["period"], row["period_start"], row["status"]) for row in rows]


def test_three_schedulers_at_once_make_one_batch(payroll: Payroll, running: Running, clock: MovableClock) -> None:
    payroll.a_payee([8_000, 500])
    at(clock, MONDAY)
    assert all_at_once([lambda: process_weekly_payroll(running)] * 3) == [None] * 3
    assert batches(payroll) == [("WEEKLY", date(2027, 3, 1), "DRAFT")]
    (row,) = payroll.database.rows("SELECT * FROM payout_batches")
    assert (row["origin"], row["created_by_user_id"], row["cut_off"]) == (
        "SCHEDULE",
        None,
        datetime(2027, 3, 1, 6, 0, tzinfo=UTC),
    )
    assert [payout["amount_minor"] for payout in payroll.payouts()] == [8_500]


def test_missed_weeks_have_a_batch_each_with_what_was_released_by_then(
    payroll: Payroll, running: Running, clock: MovableClock
) -> None:
    vendor = payroll.a_payee()
    at(clock, MONDAY)
    payroll.earn(vendor, 5_000, released_in=-timedelta(days=1))
    process_weekly_payroll(running)
    for week in (1, 3):
        at(clock, MONDAY + timedelta(days=7 * week - 1))
        payroll.earn(vendor, 5_000 + week)
    at(clock, MONDAY + timedelta(days=21))
    process_weekly_payroll(running)
    process_weekly_payroll(running)
    assert batches(payroll) == [
        ("WEEKLY", date(2027, 3, 1), "DRAFT"),
        ("WEEKLY", date(2027, 3, 8), "DRAFT"),
        ("WEEKLY", date(2027, 3, 15), "CANCELLED"),
        ("WEEKLY", date(2027, 3, 22), "DRAFT"),
    ]
    assert [payout["amount_minor"] for payout in payroll.payouts()] == [5_000, 5_001, 5_003]


def test_the_months_batch_takes_what_the_weeks_left(payroll: Payroll, running: Running, clock: MovableClock) -> None:
    payroll.a_payee(8_000)
    at(clock, MONDAY)
    process_weekly_payroll(running)
    process_monthly_payroll(running)
    assert batches(payroll) == [("WEEKLY", date(2027, 3, 1), "DRAFT"), ("MONTHLY", date(2027, 3, 1), "CANCELLED")]


def test_before_eight_in_cairo_it_is_still_the_last_period(
    payroll: Payroll, running: Running, clock: MovableClock
) -> None:
    at(clock, cut_off_of(date(2027, 5, 3)) - timedelta(minutes=1))
    process_weekly_payroll(running)
    at(clock, cut_off_of(date(2027, 5, 3)))
    process_weekly_payroll(running)
    assert [start for _, start, _ in batches(payroll)] == [date(2027, 4, 26), date(2027, 5, 3)]


def test_the_schedule_runs_them(payroll: Payroll, running: Running, clock: MovableClock) -> None:
    payroll.a_payee(8_000)
    at(clock, MONDAY)
    for name in ("payroll.weekly", "payroll.monthly", "payroll.drive"):
        assert run_once(JOBS[name], running)
    assert [period for period, _, _ in batches(payroll)] == ["WEEKLY", "MONTHLY"]


def test_approved_batches_are_sent_by_themselves_only_where_a_setting_says_so(
    payroll: Payroll, running: Running, clock: MovableClock
) -> None:
    vendor = payroll.a_payee(8_000)
    made = payroll.make()
    payroll.approve(made.batch_id)
    drive_payroll(running)
    assert payroll.batch(made.batch_id)["status"] == "APPROVED"
    use = running.dependencies
    change_setting(
        ChangeSetting(key=PAYOUT_PROCESS_APPROVED.key, value=True, actor_id=payroll.manager),
        uow=use.new_uow(),
        values=use.system_settings,
        clock=use.clock,
    )
    use.system_settings.forget()
    clock.offset += timedelta(minutes=2)
    drive_payroll(running)
    clock.offset += timedelta(minutes=2)
    drive_payroll(running)
    assert (payroll.batch(made.batch_id)["status"], payroll.wallet_of(vendor)) == ("COMPLETED", 8_000)


# In the terminal


@pytest.fixture
def terminal(running: Running) -> Any:
    group = commands(lambda: nullcontext(running))

    def run(*words: str, code: int = 0) -> str:
        told = CliRunner().invoke(group, words, catch_exceptions=False)
        assert told.exit_code == code, told.output
        return told.output

    return run


def test_a_dry_run_says_what_would_be_and_stores_nothing(payroll: Payroll, terminal: Any, clock: MovableClock) -> None:
    payroll.a_payee(8_000)
    poor = payroll.a_payee(300)
    at(clock, MONDAY)
    told = terminal("run", "--period", "weekly", "--dry-run")
    assert "WEEKLY of 2027-03-01, ALL: would be" in told
    assert "USD 80.00 in 1 payouts" in told
    assert f"left out: VENDOR {poor.user_id} USD 3.00 BELOW_MINIMUM" in told
    assert batches(payroll) == []


def test_a_run_makes_the_batch_once_and_status_shows_it(payroll: Payroll, terminal: Any, clock: MovableClock) -> None:
    vendor = payroll.a_payee([8_000, 200])
    payroll.a_payee(7_000, payee_type="AGENT")
    at(clock, MONDAY)
    told = terminal("run", "--period", "monthly", "--payee-type", "vendor")
    number = payroll.database.rows("SELECT batch_number FROM payout_batches")[0]["batch_number"]
    assert f"{number}: 1 payouts of 2 entries, 0 payees left out" in told
    assert "has its batch already" in terminal("run", "--period", "monthly", "--payee-type", "vendor", code=1)
    assert f"payout: VENDOR {vendor.user_id} USD 82.00 PENDING" in terminal("status", number)
    assert "there is no batch" in terminal("status", "PB-1", code=1)


def test_watching_ends_when_every_payout_is_over(payroll: Payroll, terminal: Any) -> None:
    payroll.a_payee(8_000)
    batch_id = payroll.approved()
    payroll.send()
    assert "COMPLETED" in terminal("status", str(batch_id), "--watch")
