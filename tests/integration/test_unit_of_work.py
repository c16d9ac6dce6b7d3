"""The unit of work: everything or nothing, events beside what made them true, refusals told as what they mean."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from application.trying_again import TryAgain
from domain.billing.payments import WebhookReceived
from domain.identity.users import EmailTaken, User
from domain.ledger import accounts
from domain.ledger.journal import InsufficientBalance, transfer
from domain.sales.booking_errors import BookingNotFound
from domain.shared.errors import Busy, Conflict
from domain.shared.events import DomainEvent
from infrastructure.clock import new_id
from infrastructure.database import pool, transaction
from infrastructure.database.connections import MOST_HELD
from infrastructure.database.refusals import DatabaseUnavailable
from infrastructure.database.roles import DatabaseAddresses, connect
from infrastructure.database.transaction import Database
from tests.builders import NOON, a_journal, a_user
from tests.integration.shop import Shop, a_stored_user, all_at_once, units_of_work

CLEARING = accounts.clearing("SCRIPTED", "EGP")


def users_and_events(database: Database) -> tuple[int, int]:
    [row] = database.rows(
        "SELECT (SELECT count(*) FROM users) AS users, (SELECT count(*) FROM outbox_events) AS events"
    )
    return row["users"], row["events"]


def an_event() -> DomainEvent:
    return WebhookReceived(at=NOON, webhook_id=new_id())


# All or nothing ---------------------------------------------------------------------------------------


def test_what_is_committed_is_there_with_its_events_in_one_transaction(database: Database) -> None:
    user_id = a_stored_user(units_of_work(database))

    row = database.row(
        """SELECT u.xmin::text AS user_made_by, o.xmin::text AS event_made_by, o.name, o.version, o.payload,
                  o.occurred_at, o.published_at
           FROM users u, outbox_events o WHERE u.id = %s""",
        (user_id,),
    )

    assert row is not None
    assert row["user_made_by"] == row["event_made_by"]
    assert (row["name"], row["version"], row["payload"]) == ("identity.user_registered", 1, {"user_id": str(user_id)})
    assert (row["occurred_at"], row["published_at"]) == (NOON, None)


def test_without_commit_nothing_is_left(database: Database) -> None:
    with units_of_work(database)() as uow:
        uow.users.add(a_user())
        uow.publish(an_event())
        uow.flush()

    assert users_and_events(database) == (0, 0)


def test_an_error_leaves_nothing_and_passes_through_as_it_is(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), units_of_work(database)() as uow:
        uow.users.add(a_user())
        uow.publish(an_event())
        uow.flush()
        _ = 1 // 0

    assert users_and_events(database) == (0, 0)


def test_events_are_written_in_the_order_they_happened(database: Database) -> None:
    with units_of_work(database)() as uow:
        user = a_user()
        uow.users.add(user)
        user.verify_email(at=NOON)
        uow.publish(an_event())
        uow.commit()

    names = [row["name"] for row in database.rows("SELECT name FROM outbox_events ORDER BY id")]
    assert names == ["identity.user_registered", "identity.email_verified", "billing.webhook_received"]


def test_a_unit_of_work_that_is_entered_again_remembers_nothing(database: Database) -> None:
    uow = units_of_work(database)()
    with uow:
        uow.users.add(a_user())
        uow.publish(an_event())
    with uow:
        uow.users.add(a_user())
        uow.commit()

    assert users_and_events(database) == (1, 1)


def test_events_of_one_commit_are_not_written_by_the_next(database: Database) -> None:
    uow = units_of_work(database)()
    for _ in range(2):
        with uow:
            uow.publish(an_event())
            uow.commit()

    assert users_and_events(database) == (0, 2)


# Joined transactions ----------------------------------------------------------------------------------


def test_inside_another_transaction_only_the_outer_commit_is_real(database: Database) -> None:
    with database.transaction():
        a_stored_user(units_of_work(database))

    assert users_and_events(database) == (0, 0)

    with database.transaction() as outer:
        a_stored_user(units_of_work(database))
        assert users_and_events(database) == (1, 1)
        outer.commit()

    assert users_and_events(database) == (1, 1)


def test_transactions_join_however_deep(database: Database) -> None:
    with database.transaction() as outer:
        with database.transaction() as inner, database.transaction() as innermost:
            innermost.execute("CREATE TEMP TABLE seen AS SELECT 1 AS one")
            innermost.commit()
            inner.commit()
        assert database.rows("SELECT one FROM seen") == [{"one": 1}]
        assert outer.rows("SELECT one FROM seen") == [{"one": 1}]
    assert not database.in_transaction


def test_transactions_of_other_threads_do_not_join(database: Database) -> None:
    with database.transaction():
        all_at_once([lambda: a_stored_user(units_of_work(database))])

    assert users_and_events(database) == (1, 1)


# Refusals ---------------------------------------------------------------------------------------------


def overdraw(database: Database) -> None:
    account = accounts.wallet(a_stored_user(units_of_work(database)), "EGP")
    with units_of_work(database)() as uow:
        uow.ledger.post([a_journal(*transfer(account, CLEARING, 1))])
        uow.publish(an_event())
        uow.commit()


@pytest.mark.parametrize(
    ("statements", "begun_before"), [(1, False), (MOST_HELD, True)], ids=["a few are held", "many are not"]
)
def test_statements_without_an_answer_travel_with_the_next_question(
    database: Database, addresses: DatabaseAddresses, statements: int, begun_before: bool
) -> None:
    with connect(addresses.app) as other, database.transaction() as begun:

        def is_locked() -> bool:
            row = other.execute("SELECT pg_try_advisory_xact_lock(4711)").fetchone()
            return row == (False,)

        for _ in range(statements):
            begun.execute("SELECT pg_advisory_xact_lock(4711)")
        assert within_a_second(is_locked) == begun_before

        begun.row("SELECT 1")
        assert is_locked()


def within_a_second(holds: Callable[[], bool]) -> bool:
    """Whether something comes true soon; no sooner than that is it false."""
    until = time.monotonic() + 1
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.02)
    return False


_ONE_ROW = "INSERT INTO outbox_events (id, name, version, payload, occurred_at) VALUES (%s, 'test', 1, '{}', now())"


def test_an_answer_wanted_later_is_known_after_the_commit_and_not_before(database: Database) -> None:
    with database.transaction() as statements:
        told = statements.later(f"{_ONE_ROW} RETURNING name", (new_id(),))
        with pytest.raises(LookupError):
            told.row()
        statements.commit()
    assert told.row() == {"name": "test"}
    assert users_and_events(database) == (0, 1)


def test_an_answer_wanted_later_that_is_not_committed_leaves_nothing(database: Database) -> None:
    with database.transaction() as statements:
        statements.later(f"{_ONE_ROW} RETURNING 1", (new_id(),))
    with database.transaction() as statements:
        statements.later(f"{_ONE_ROW} RETURNING 1", (new_id(),))
        statements.row("SELECT 1")
    assert users_and_events(database) == (0, 0)


def test_it_keeps_its_own_answer_among_other_statements(database: Database) -> None:
    with database.transaction() as statements:
        first = statements.later("SELECT 'first' AS word")
        assert statements.row("SELECT 'second' AS word") == {"word": "second"}
        third = statements.later("SELECT 'third' AS word")
        statements.execute(_ONE_ROW, (new_id(),))
        statements.commit()
    assert [told.row() for told in (first, third)] == [{"word": "first"}, {"word": "third"}]
    assert users_and_events(database) == (0, 1)


def test_a_refusal_of_what_stands_alone_is_told_at_commit(database: Database) -> None:
    with database.transaction() as statements:
        told = statements.later("SELECT 1 / 0")
        with pytest.raises(psycopg.errors.DivisionByZero):
            statements.commit()
    with pytest.raises(LookupError):
        told.row()


def test_a_refusal_in_the_pipeline_is_told_at_commit(database: Database) -> None:
    with pytest.raises(InsufficientBalance):
        overdraw(database)

    assert database.rows("SELECT id FROM ledger_journals") == []
    assert database.rows("SELECT id FROM outbox_events WHERE name = 'billing.webhook_received'") == []


def test_a_refusal_in_the_pipeline_is_told_at_the_next_question(database: Database) -> None:
    account = accounts.wallet(a_stored_user(units_of_work(database)), "EGP")

    with pytest.raises(InsufficientBalance), units_of_work(database)() as uow:
        uow.ledger.post([a_journal(*transfer(account, CLEARING, 1))])
        uow.bookings.due_for_expiry(before=NOON, limit=1)


@pytest.mark.parametrize("with_orm", [False, True], ids=["pipelined", "with the ORM"])
def test_whoever_overlooks_a_refusal_cannot_commit(database: Database, with_orm: bool) -> None:
    """PostgreSQL answers COMMIT of a failed transaction without an error: that must not pass for done."""
    with pytest.raises((psycopg.Error, DatabaseUnavailable)), database.transaction() as begun:
        if with_orm:
            assert begun.session is not None
        begun.execute("INSERT INTO document_series VALUES ('INV', 2026, 1)")
        with pytest.raises(psycopg.Error):
            begun.row("SELECT 1 / 0")
        begun.commit()

    assert database.rows("SELECT * FROM document_series") == []


def test_refusals_use_up_no_connections(addresses: DatabaseAddresses) -> None:
    database = Database(addresses.app, pool_size=2)

    for _ in range(5):
        with pytest.raises(InsufficientBalance):
            overdraw(database)
        with pytest.raises(BookingNotFound), units_of_work(database)() as uow:
            uow.bookings.get(new_id())

    a_stored_user(units_of_work(database))
    assert database.changes.lent == 0
    database.dispose()


def test_an_address_that_another_has_proved_is_told_as_such(database: Database) -> None:
    def prove() -> None:
        user = a_user(email="mona@example.com")
        user.pull_events()
        user.verify_email(at=NOON)
        with units_of_work(database)() as uow:
            uow.users.add(user)
            uow.commit()

    results = all_at_once([prove] * 5)

    assert [type(result) for result in results].count(EmailTaken) == 4
    assert users_and_events(database) == (1, 1)


def test_waiting_too_long_for_a_lock_is_told_as_busy(
    addresses: DatabaseAddresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "LOCK_SECONDS", 1)
    database = Database(addresses.app)
    user_id = a_stored_user(units_of_work(database))

    def rename() -> None:
        with units_of_work(database)() as uow:
            uow.users.get(user_id)

    with units_of_work(database)() as uow:
        uow.users.get(user_id)
        [result] = all_at_once([rename])

    assert isinstance(result, Busy)
    database.dispose()


def test_a_deadlock_is_told_as_try_again_and_never_as_a_rule(database: Database) -> None:
    one, other = (a_stored_user(units_of_work(database)) for _ in range(2))
    lock = "SELECT 1 FROM users WHERE id = %s FOR UPDATE"

    def both(first: Any, second: Any) -> None:
        with database.transaction() as begun:
            begun.row(lock, (first,))
            begun.row("SELECT pg_sleep(0.2)")
            begun.row(lock, (second,))

    results = all_at_once([lambda: both(one, other), lambda: both(other, one)])

    assert sorted(type(result).__name__ for result in results) == ["NoneType", TryAgain.__name__]
    assert issubclass(TryAgain, Conflict)


def test_a_statement_that_takes_too_long_is_unavailable(addresses: DatabaseAddresses) -> None:
    database = Database(addresses.app, statement_seconds=1)

    with pytest.raises(DatabaseUnavailable):
        database.rows("SELECT pg_sleep(3)")

    assert database.rows("SELECT 1 AS one") == [{"one": 1}]
    database.dispose()


# Lost connections -------------------------------------------------------------------------------------


def kill_everybody(addresses: DatabaseAddresses) -> None:
    """End every session of the application at the server."""
    with connect(addresses.app) as session:
        session.execute(
            """SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity
               WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"""
        )


@pytest.mark.usefixtures("unconnected")
def test_a_connection_killed_in_a_transaction_is_unavailable_and_the_next_one_works(
    database: Database, addresses: DatabaseAddresses
) -> None:
    with pytest.raises(DatabaseUnavailable), units_of_work(database)() as uow:
        uow.bookings.due_for_expiry(before=NOON, limit=1)
        uow.publish(an_event())
        kill_everybody(addresses)
        uow.commit()

    a_stored_user(units_of_work(database))
    assert users_and_events(database) == (1, 1)


@pytest.mark.usefixtures("unconnected")
def test_the_same_while_the_orm_is_in_use(database: Database, addresses: DatabaseAddresses) -> None:
    user_id = a_stored_user(units_of_work(database))

    with pytest.raises(DatabaseUnavailable), units_of_work(database)() as uow:
        user: User = uow.users.get(user_id)
        kill_everybody(addresses)
        user.verify_email(at=NOON)
        uow.commit()

    with units_of_work(database)() as uow:
        assert uow.users.get(user_id).email_verified_at is None


def test_idle_connections_that_died_cost_one_request_of_each_pool_at_most(
    addresses: DatabaseAddresses,
) -> None:
    database = Database(addresses.app, pool_size=5)
    all_at_once([lambda: database.rows("SELECT pg_sleep(0.1)")] * 5)
    all_at_once([lambda: a_stored_user(units_of_work(database))] * 5)
    kill_everybody(addresses)

    def lost(read: Any) -> bool:
        try:
            read()
        except DatabaseUnavailable:
            return True
        return False

    assert sum(lost(lambda: database.rows("SELECT 1")) for _ in range(5)) <= 1
    assert sum(lost(lambda: a_stored_user(units_of_work(database))) for _ in range(5)) <= 1
    database.dispose()


@pytest.mark.usefixtures("unconnected")
def test_what_comes_back_to_a_pool_that_was_thrown_away_is_closed(addresses: DatabaseAddresses) -> None:
    """Another request's connection was lost meanwhile: pools stay as small as they were meant to be."""
    database = Database(addresses.app)
    with database.transaction() as begun:
        begun.row("SELECT 1")
        database.dispose()
    with connect(addresses.owner) as watching:
        others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = %s"
        # A session takes a moment to end after its client has closed it.
        deadline = time.monotonic() + 10
        while watching.execute(others, (addresses.app.username,)).fetchone() != (0,):
            assert time.monotonic() < deadline
    database.dispose()


def test_when_every_connection_is_taken_one_waits_so_long_and_no_longer(
    addresses: DatabaseAddresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "CHECKOUT_SECONDS", 0.2)
    database = Database(addresses.app, pool_size=1)

    with database.transaction():
        [result] = all_at_once([lambda: a_stored_user(units_of_work(database))])

    assert isinstance(result, DatabaseUnavailable)
    a_stored_user(units_of_work(database))
    database.dispose()


def test_a_database_that_is_not_there_is_unavailable(addresses: DatabaseAddresses) -> None:
    database = Database(addresses.app.set(database="there_is_none"))

    with pytest.raises(DatabaseUnavailable):
        database.rows("SELECT 1")
    with pytest.raises(DatabaseUnavailable), database.transaction():
        pass


# Locks that reads take --------------------------------------------------------------------------------


def test_a_root_is_read_as_it_is_once_its_lock_is_held(running: Any) -> None:
    """Two at once each add one: what the first wrote, the second must see."""
    shop = Shop.opened(running)
    departure = shop.a_departure(seats=50)

    def take_one() -> None:
        with shop.use.new_uow() as uow:
            uow.departures.get(departure.id).take_seats(1, at=NOON)
            uow.commit()

    assert all_at_once([take_one] * 12) == [None] * 12
    assert shop.row("SELECT seats_taken FROM departures WHERE id = %s", departure.id)["seats_taken"] == 12
