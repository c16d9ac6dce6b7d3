"""`altayar settings`: what staff could do over the API, from a terminal."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from cli import main
from infrastructure.database.roles import DatabaseAddresses, addresses_from
from infrastructure.database.transaction import Database


@pytest.fixture
def altayar(monkeypatch: pytest.MonkeyPatch, addresses: DatabaseAddresses, owner_url: str, redis_url: str) -> CliRunner:
    """The command on this test's database, as the role that its clones share."""
    monkeypatch.setenv("ENVIRONMENT", "test")
    monkeypatch.setenv("DATABASE_URL", owner_url)
    monkeypatch.setenv("REDIS_URL", redis_url)
    derived = addresses_from(owner_url).app
    monkeypatch.setattr(
        "infrastructure.bootstrap.addresses_from",
        lambda url: addresses if addresses_from(url).app == derived else addresses_from(url),
    )
    return CliRunner()


def run(altayar: CliRunner, *arguments: str) -> Result:
    return altayar.invoke(main, ["settings", *arguments])


def test_they_are_listed_read_and_chosen(altayar: CliRunner, database: Database) -> None:
    assert "booking.hold_minutes = 30" in run(altayar, "list").output
    assert run(altayar, "set", "booking.hold_minutes", "45").output == "booking.hold_minutes = 45\n"
    assert run(altayar, "get", "booking.hold_minutes").output == "45\n"
    assert json.loads(run(altayar, "set", "general.company_name", "الطيار").output.split(" = ")[1]) == "الطيار"

    logged = database.rows("SELECT action, user_id, user_agent FROM audit_logs")
    assert [tuple(row.values()) for row in logged] == [("settings.update", None, "altayar cli")] * 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("set", "booking.hold_minutes", "soon"), "booking.hold_minutes takes a whole number from 1 to 10080"),
        (("set", "no.such", "1"), "there is no setting 'no.such'"),
        (("get", "no.such"), "there is no setting 'no.such'"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(altayar: CliRunner, arguments: tuple[str, ...], said: str) -> None:
    refused = run(altayar, *arguments)

    assert refused.exit_code == 1
    assert said in refused.output
    assert "Traceback" not in refused.output
