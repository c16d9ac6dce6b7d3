"""`altayar payments reconcile`: every open payment is asked about at once, and a day's statements are compared."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from datetime import date

import click
import pytest
from click.testing import CliRunner

from application.billing.ports import Capabilities
from domain.ledger.reconciliation import LineKind, ProviderStatement, StatementLine
from infrastructure.bootstrap import Running
from payments_commands import add_to
from tests.builders import egp
from tests.integration.shop import Shop

DAY = date(2026, 11, 25)


@pytest.fixture
def payments(running: Running, shop: Shop) -> click.Group:
    """The group of commands, on the scripted provider."""
    group = click.Group("payments")
    add_to(group, lambda: nullcontext(replace(running, dependencies=shop.use)))
    return group


def test_every_open_payment_is_asked_about_however_lately_it_was(payments: click.Group, shop: Shop) -> None:
    customer = shop.a_customer()
    booking = shop.book(customer)
    shop.charge(shop.pay(customer, booking.id), booking.final_amount)

    told = CliRunner().invoke(payments, ["reconcile"], catch_exceptions=False)

    assert told.exit_code == 0
    assert [line.split("│")[2].strip() for line in told.output.splitlines() if "asked about" in line] == ["1"]
    assert shop.booking(booking.id)["status"] == "CONFIRMED"


def test_a_days_statement_is_fetched_and_compared_again(payments: click.Group, shop: Shop) -> None:
    shop.gateway.capabilities = Capabilities(refunds=False, tells_refunds=False, repeats_creation=False, states=True)
    line = StatementLine(provider_reference="sc_1", kind=LineKind.PAYMENT, amount=egp("5.00"), booked_on=DAY)
    shop.gateway.statements[DAY] = ProviderStatement(provider="SCRIPTED", lines=(line,), balances={})

    for _ in range(2):
        told = CliRunner().invoke(payments, ["reconcile", "--statements", DAY.isoformat()], catch_exceptions=False)

    assert told.exit_code == 0
    assert "SCRIPTED" in told.output
    assert shop.row("SELECT kind FROM clearing_breaks")["kind"] == "ONLY_THEIRS"


def test_what_no_provider_states_is_said_in_a_line(payments: click.Group) -> None:
    told = CliRunner().invoke(payments, ["reconcile", "--statements", DAY.isoformat()], catch_exceptions=False)

    assert "No enabled provider states" in told.output
