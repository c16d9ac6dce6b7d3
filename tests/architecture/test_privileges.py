"""What each role of the database may do, tried as that role (M4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

import infrastructure.database.tables  # noqa: F401 - completes the metadata
from infrastructure.database.metadata import metadata
from infrastructure.database.roles import APPEND_ONLY, COUNTED, INSERT_ONLY, REDEMPTIONS, DatabaseAddresses, connect

DENIED = psycopg.errors.InsufficientPrivilege
Session = psycopg.Connection[Any]
VIEWS = {
    "wallet_ledger", "points_ledger", "cashback_ledger", "agent_profiles", "vendor_profiles", "agent_commissions",
}  # fmt: skip
TABLES = sorted(metadata.tables)


@pytest.fixture
def app_role(module_addresses: DatabaseAddresses) -> Iterator[Session]:
    with connect(module_addresses.app) as session:
        yield session


@pytest.fixture
def readonly_role(module_addresses: DatabaseAddresses) -> Iterator[Session]:
    with connect(module_addresses.readonly) as session:
        yield session


def may(session: Session, privilege: str, relation: str) -> bool:
    row = session.execute("SELECT has_table_privilege(current_user, %s, %s)", (relation, privilege)).fetchone()
    assert row is not None
    return bool(row[0])


def a_column(table: str) -> str:
    return list(metadata.tables[table].columns)[-1].name


def test_the_application_writes_the_ledger_through_its_function_alone(app_role: Session) -> None:
    for table in APPEND_ONLY:
        column = a_column(table)
        app_role.execute(f"SELECT * FROM {table}")
        for statement in (
            f"INSERT INTO {table} DEFAULT VALUES",
            f"UPDATE {table} SET {column} = {column}",
            f"DELETE FROM {table}",
            f"TRUNCATE {table}",
        ):
            with pytest.raises(DENIED):
                app_role.execute(statement)  # type: ignore[arg-type]
    assert app_role.execute("SELECT ledger_post('[]'::jsonb)").fetchone() is not None


def test_the_application_adds_to_records_and_never_changes_them(app_role: Session) -> None:
    for table in INSERT_ONLY:
        column = a_column(table)
        assert may(app_role, "INSERT", table)
        for statement in (
            f"UPDATE {table} SET {column} = {column}",
            f"DELETE FROM {table}",
            f"TRUNCATE {table}",
        ):
            with pytest.raises(DENIED):
                app_role.execute(statement)  # type: ignore[arg-type]


def test_of_an_invoice_only_its_state_changes(app_role: Session) -> None:
    app_role.execute("UPDATE invoices SET status = status, paid_date = paid_date")

    for statement in ("UPDATE invoices SET total_amount_minor = 1", "DELETE FROM invoices", "TRUNCATE invoices"):
        with pytest.raises(DENIED):
            app_role.execute(statement)  # type: ignore[arg-type]


def test_of_an_earning_only_its_sums_change(app_role: Session) -> None:
    app_role.execute("UPDATE earnings SET amount_minor = amount_minor, reversed_amount_minor = reversed_amount_minor")

    for statement in ("UPDATE earnings SET rate = 1", "DELETE FROM earnings", "TRUNCATE earnings"):
        with pytest.raises(DENIED):
            app_role.execute(statement)  # type: ignore[arg-type]


def test_uses_of_promotions_are_counted_by_their_redemptions_alone(app_role: Session) -> None:
    for table in COUNTED:
        app_role.execute(f"SELECT * FROM {table}")
        assert [privilege for privilege in ("INSERT", "UPDATE", "DELETE") if may(app_role, privilege, table)] == []
    for table in REDEMPTIONS:
        assert may(app_role, "INSERT", table)
        app_role.execute(f"UPDATE {table} SET in_use = in_use, released_at = released_at")
        for statement in (f"UPDATE {table} SET booking_id = booking_id", f"DELETE FROM {table}", f"TRUNCATE {table}"):
            with pytest.raises(DENIED):
                app_role.execute(statement)  # type: ignore[arg-type]


# Where a document's PDF lies is no record of business; the owner may forget it, and have it drawn again.
@pytest.mark.parametrize(
    "table", [*APPEND_ONLY, *sorted({*INSERT_ONLY} - {"invoice_documents"}), "invoices", "earnings"]
)
def test_what_is_never_changed_has_triggers_that_refuse_it_to_everybody(app_role: Session, table: str) -> None:
    rows = app_role.execute(
        """SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal AND tgenabled = 'O'""",
        (table,),
    ).fetchall()

    assert {"keep_rows", "keep_table"} <= {name for (name,) in rows}


def test_nothing_is_truncated_by_the_application(app_role: Session) -> None:
    assert [table for table in TABLES if may(app_role, "TRUNCATE", table)] == []
    assert [table for table in TABLES if may(app_role, "TRIGGER", table)] == []
    assert [table for table in TABLES if may(app_role, "REFERENCES", table)] == []


def test_every_other_table_is_the_applications_to_use(app_role: Session) -> None:
    ordinary = set(TABLES) - {*APPEND_ONLY, *INSERT_ONLY, *COUNTED, *REDEMPTIONS, "invoices", "earnings"}

    for privilege in ("SELECT", "INSERT", "UPDATE", "DELETE"):
        assert [table for table in sorted(ordinary) if not may(app_role, privilege, table)] == []


def test_the_application_is_neither_owner_nor_superuser(app_role: Session) -> None:
    row = app_role.execute(
        """SELECT rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication, rolinherit
           FROM pg_roles WHERE rolname = current_user"""
    ).fetchone()
    owned = app_role.execute("SELECT relname FROM pg_class WHERE pg_get_userbyid(relowner) = current_user").fetchall()
    member_of = app_role.execute(
        "SELECT roleid::regrole::text FROM pg_auth_members WHERE member = current_user::regrole"
    ).fetchall()

    assert row == (False,) * 6
    assert owned == []
    assert member_of == []


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id int)",
        "CREATE SCHEMA mine",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql RETURN 1",
        "ALTER TABLE ledger_entries DISABLE TRIGGER ALL",
        "ALTER TABLE bookings DROP CONSTRAINT ck_bookings_price_adds_up",
        "DROP TRIGGER keep_rows ON ledger_entries",
        "DROP TABLE bookings",
        "DROP FUNCTION ledger_post(jsonb)",
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "ALTER VIEW wallet_ledger RENAME TO mine",
        "CREATE TRIGGER mine BEFORE INSERT ON bookings FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "SET session_replication_role = replica",
        "CREATE ROLE mine",
        "UPDATE alembic_version SET version_num = 'x'",
    ],
)
@pytest.mark.parametrize("role", ["app", "readonly"])
def test_neither_role_changes_the_database_itself(
    module_addresses: DatabaseAddresses, role: str, statement: str
) -> None:
    with connect(getattr(module_addresses, role)) as session, pytest.raises(DENIED):
        session.execute(statement)  # type: ignore[arg-type]


def test_analysts_see_the_views_and_nothing_else(readonly_role: Session) -> None:
    visible = readonly_role.execute(
        """SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'm', 'p')
           AND has_table_privilege(current_user, oid, 'SELECT')"""
    ).fetchall()

    assert {name for (name,) in visible} == VIEWS
    for view in VIEWS:
        readonly_role.execute(f"SELECT * FROM {view}")  # type: ignore[arg-type]
        for privilege in ("INSERT", "UPDATE", "DELETE"):
            assert not may(readonly_role, privilege, view)
    for table in TABLES:
        with pytest.raises(DENIED):
            readonly_role.execute(f"SELECT * FROM {table}")  # type: ignore[arg-type]


def test_analysts_post_nothing(readonly_role: Session) -> None:
    with pytest.raises(DENIED):
        readonly_role.execute("SELECT ledger_post('[]'::jsonb)")


def test_functions_with_the_owners_rights_look_nowhere_but_in_our_schema(app_role: Session) -> None:
    """Whoever calls them must not choose what their names mean."""
    rows = app_role.execute(
        """SELECT proname, proconfig FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace"""
    ).fetchall()

    assert {name for name, _ in rows} == {
        "begin_counts",
        "check_balance_hold",
        "check_lots_against_account",
        "count_hold",
        "count_lot_entries",
        "count_offer_use",
        "count_voucher_use",
        "erase_person",
        "learn_words",
        "ledger_lock",
        "ledger_make_partition",
        "ledger_post",
        "ledger_seal",
        "post_journals",
        "post_transfer",
    }
    assert {name for name, config in rows if "search_path=public, pg_temp" not in config} == set()
