"""The database's own walls around payroll, tried as the application's role and as the owner (J7, M5, M8)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from domain.ledger import accounts
from domain.ledger.accounts import AccountKind
from domain.ledger.journal import InsufficientBalance, JournalType, transfer
from domain.payouts import batches, payouts
from infrastructure.bootstrap import Running
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.builders import a_journal
from tests.integration.payroll import Payroll

SQL = Path(__file__).resolve().parents[2] / "migrations" / "sql" / "20261129_payroll.sql"
IN_TRANSIT = accounts.platform(AccountKind.PAYOUTS_IN_TRANSIT, "USD")

APPROVE = (
    "UPDATE payout_batches SET status = 'APPROVED', approved_by_user_id = %s, approved_at = now(), debtor_name = ''"
)


@pytest.fixture
def payroll(running: Running) -> Payroll:
    return Payroll.of(running)


@pytest.fixture
def owner(addresses: DatabaseAddresses) -> Iterator[psycopg.Connection[Any]]:
    with connect(addresses.owner) as connection:
        yield connection


def refused(owner: psycopg.Connection[Any], sql: str, *values: object) -> str:
    with pytest.raises(psycopg.Error) as error:
        owner.execute(sql, values)
    return error.value.sqlstate or ""


@pytest.mark.parametrize(("table", "module"), [("payout_batches", batches), ("payouts", payouts)])
def test_the_triggers_know_the_steps_of_the_domain(table: str, module: Any) -> None:
    text = SQL.read_text("utf-8")
    (steps,) = re.findall(rf"OR DELETE ON {table}\s+FOR EACH ROW EXECUTE FUNCTION goes_forward\(\s*'{{(.*?)}}'", text)
    first = next(iter(module.NEXT))
    ours = {f">{first}"} | {f"{before}>{after}" for before, afters in module.NEXT.items() for after in afters}
    assert set(steps.split(",")) == ours


def test_nobody_approves_what_they_made(payroll: Payroll, owner: psycopg.Connection[Any]) -> None:
    payroll.make()
    assert refused(
        owner,
        "UPDATE payout_batches SET status = 'APPROVED', approved_by_user_id = created_by_user_id,"
        " approved_at = now(), debtor_name = ''",
    ) == "23514"  # fmt: skip


def test_a_draft_whose_money_did_not_leave_is_not_approved(payroll: Payroll, owner: psycopg.Connection[Any]) -> None:
    payroll.a_payee(8_000)
    payroll.make()
    assert refused(owner, APPROVE, payroll.manager) == "AL005"


def test_a_payout_is_the_sum_of_its_links(payroll: Payroll, owner: psycopg.Connection[Any]) -> None:
    payroll.a_payee([8_000, 500])
    made = payroll.make()
    owner.execute("DELETE FROM payout_entries WHERE payable_entry_id = (SELECT id FROM payable_entries LIMIT 1)")
    with pytest.raises(Exception, match="not the sum of its entries"):
        payroll.approve(made.batch_id)


def test_a_link_is_between_rows_that_are_there(payroll: Payroll, owner: psycopg.Connection[Any]) -> None:
    vendor = payroll.a_payee(8_000)
    payroll.make()
    later, payout = payroll.earn(vendor, 500), payroll.payout_of(vendor)["id"]
    add = "INSERT INTO payout_entries VALUES (%s, %s)"
    assert refused(owner, add, later, later) == "AL005"
    assert refused(owner, add, payout, payout) == "AL005"


def test_an_entry_is_taken_once(payroll: Payroll, owner: psycopg.Connection[Any]) -> None:
    payroll.a_payee(8_000)
    payroll.make()
    assert refused(owner, "INSERT INTO payout_entries SELECT * FROM payout_entries") == "23505"


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM payout_entries",
        "UPDATE payout_entries SET payout_id = payout_id",
        "DELETE FROM payouts",
        "UPDATE payouts SET amount_minor = amount_minor + 1",
        "UPDATE payouts SET journal_id = NULL",
        "UPDATE payouts SET payee_id = batch_id",
        "UPDATE payouts SET status = 'PAID', closed_at = now()",
        "UPDATE payout_batches SET status = 'DRAFT'",
        "UPDATE payout_batches SET status = 'COMPLETED', processing_at = now(), completed_at = now()",
        "UPDATE payout_batches SET cut_off = cut_off - interval '1 second'",
        "TRUNCATE payouts CASCADE",
        "TRUNCATE payout_entries",
    ],
)
def test_an_approved_batch_is_frozen(payroll: Payroll, owner: psycopg.Connection[Any], change: str) -> None:
    payroll.a_payee(8_000)
    made = payroll.make()
    payroll.approve(made.batch_id)
    before = payroll.payouts()
    assert refused(owner, change) in ("AL005", "23514")
    assert payroll.payouts() == before


def test_nothing_is_added_to_an_approved_batch(payroll: Payroll, owner: psycopg.Connection[Any]) -> None:
    vendor = payroll.a_payee(8_000)
    made = payroll.make()
    payroll.approve(made.batch_id)
    later = payroll.earn(vendor, 500)
    payout = payroll.payout_of(vendor)["id"]
    assert refused(owner, "INSERT INTO payout_entries VALUES (%s, %s)", later, payout) == "AL005"
    assert refused(
        owner,
        "INSERT INTO payouts (id, payout_number, batch_id, payee_id, payee_type, profile_id, account_id, method,"
        " amount_minor, currency, status, created_at) SELECT gen_random_uuid(), 'X', batch_id, payee_id, payee_type,"
        " profile_id, account_id, method, 1, 'EGP', 'PENDING', now() FROM payouts",
    ) == "AL005"  # fmt: skip


def test_a_batch_with_open_payouts_is_not_over(payroll: Payroll, owner: psycopg.Connection[Any]) -> None:
    payroll.a_payee(8_000)
    payroll.approved()
    assert refused(owner, "UPDATE payout_batches SET status = 'COMPLETED', completed_at = now()") == "AL005"


def test_a_payout_never_leaves_a_payable_account_below_zero(payroll: Payroll) -> None:
    vendor = payroll.a_payee(8_000)
    journal = a_journal(*transfer(vendor.account, IN_TRANSIT, 8_001), journal_type=JournalType.PAYOUT)
    with pytest.raises(InsufficientBalance), payroll.use.new_uow() as uow:
        uow.ledger.post([journal])
        uow.commit()
    payroll.earn(vendor, -8_001)
    assert payroll.owed(vendor) == -1


def test_more_than_was_released_is_not_paid_out(payroll: Payroll, owner: psycopg.Connection[Any]) -> None:
    """Past the use case: links, sums and balance are right, and what was released is not enough."""
    vendor = payroll.a_payee(8_000)
    made = payroll.make()
    payroll.earn(vendor, -3_000)
    payroll.earn(vendor, 3_000, released_in=timedelta(days=9))
    (payout,) = payroll.payouts(made.batch_id)
    journal = a_journal(
        *transfer(vendor.account, IN_TRANSIT, 8_000), journal_type=JournalType.PAYOUT, reference_id=payout["id"]
    )
    with payroll.use.new_uow() as uow:
        uow.ledger.post([journal])
        uow.payout_batches.posted({payout["id"]: journal.id})
        uow.commit()
    assert refused(owner, APPROVE, payroll.manager) == "AL001"


def test_nobody_who_was_erased_is_paid(payroll: Payroll, owner: psycopg.Connection[Any]) -> None:
    vendor = payroll.a_payee(8_000)
    owner.execute("UPDATE users SET erased_at = now() WHERE id = %s", [vendor.user_id])
    assert payroll.left_out(payroll.make().batch_id) == {vendor.user_id: "NOT_ACTIVE"}


def test_money_on_its_way_keeps_its_person(payroll: Payroll, owner: psycopg.Connection[Any]) -> None:
    vendor = payroll.a_payee(8_000, method="BANK_TRANSFER")
    payroll.approved()
    (blockers,) = owner.execute("SELECT erasure_blockers(%s, now())", [vendor.user_id]).fetchone() or ((),)
    assert "PAYOUTS" in blockers
