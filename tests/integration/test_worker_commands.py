"""`altayar schedule` and `altayar notifications`: what runs when, and what support sends once more."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from cli import main
from infrastructure.database.roles import DatabaseAddresses, addresses_from
from workers.jobs import JOBS

pytestmark = pytest.mark.database


@pytest.fixture
def altayar(monkeypatch: pytest.MonkeyPatch, addresses: DatabaseAddresses, owner_url: str, redis_url: str) -> CliRunner:
    """The command on this test's database, as the role that its clones share."""
    monkeypatch.setenv("ENVIRONMENT", "test")
    monkeypatch.setenv("DATABASE_URL", owner_url)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("COLUMNS", "200")
    derived = addresses_from(owner_url).app
    monkeypatch.setattr(
        "infrastructure.bootstrap.addresses_from",
        lambda url: addresses if addresses_from(url).app == derived else addresses_from(url),
    )
    return CliRunner()


def test_the_schedule_names_every_job(altayar: CliRunner) -> None:
    said = altayar.invoke(main, ["schedule"])
    assert said.exit_code == 0, said.output
    assert all(name in said.output for name in JOBS)


@pytest.mark.parametrize("what", ["confirmation", "cancellation", "reminder"])
def test_a_booking_that_there_is_none_is_said_to_be_unknown(altayar: CliRunner, what: str) -> None:
    said = altayar.invoke(main, ["notifications", "send-again", "BK-2026-999999", "--what", what])
    assert said.exit_code == 1
    assert "there is no booking BK-2026-999999" in said.output
