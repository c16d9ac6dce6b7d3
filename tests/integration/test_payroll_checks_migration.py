"""The migration of payroll's checks: drafts of the release before are looked at, and go on; there is a way back."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from infrastructure.bootstrap import Running
from infrastructure.database import migrations
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.integration.payroll import Payroll, broken_payroll_promises

FILE = Path(__file__).resolve().parents[2] / "migrations" / "versions" / "20261129_29_payroll_checks.py"
BEFORE = str(runpy.run_path(str(FILE))["down_revision"])


def test_drafts_go_back_and_forth(running: Running, addresses: DatabaseAddresses) -> None:
    payroll = Payroll.of(running)
    payroll.a_payee([8_000, 500])
    draft = payroll.make().batch_id
    # Earned ahead of the way back: this release's postings need what the one before does not have.
    payroll.a_payee(9_000)
    running.database.dispose()
    migrations.downgrade(addresses, BEFORE)
    made_before = payroll.make().batch_id
    running.database.dispose()
    migrations.upgrade(addresses)
    for batch_id in (draft, made_before):
        payroll.approve(batch_id)
    assert broken_payroll_promises(addresses) == []
    with connect(addresses.owner) as connection:
        assert connection.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid").fetchone() == (0,)


def test_a_draft_that_is_not_the_sum_of_its_entries_keeps_it_back(
    running: Running, addresses: DatabaseAddresses
) -> None:
    payroll = Payroll.of(running)
    payroll.a_payee([8_000, 500])
    draft = payroll.make().batch_id
    running.database.dispose()
    migrations.downgrade(addresses, BEFORE)
    with connect(addresses.owner) as owner:
        owner.execute("DELETE FROM payout_entries WHERE payable_entry_id = (SELECT id FROM payable_entries LIMIT 1)")
    with pytest.raises(Exception, match="a draft of payroll is not the sum of its entries"):
        migrations.upgrade(addresses)
    payroll.cancel(draft)
    running.database.dispose()
    migrations.upgrade(addresses)
    assert payroll.make().filled.entries == 2
