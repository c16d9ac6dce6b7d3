"""Whoever waits for a connection gets it; a lone statement is a transaction of its own, prepared and refused as any."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from domain.ledger import accounts
from domain.ledger.journal import InsufficientBalance, transfer
from infrastructure.database import pool
from infrastructure.database.refusals import DatabaseUnavailable
from infrastructure.database.roles import DatabaseAddresses
from infrastructure.database.transaction import Database
from tests.builders import a_journal
from tests.integration.books import Ledger
from tests.integration.shop import a_stored_user, units_of_work


def backend(database: Database) -> int:
    with database.transaction() as begun:
        row = begun.row("SELECT pg_backend_pid() AS pid")
    assert row is not None
    return int(row["pid"])


def lent_by(database: Database) -> int:
    return database.changes.lent


def test_whoever_waits_gets_the_one_that_comes_home(addresses: DatabaseAddresses) -> None:
    database = Database(addresses.app, pool_size=1)
    has_it, may_end = Event(), Event()

    def hold() -> int:
        with database.transaction() as begun:
            row = begun.row("SELECT pg_backend_pid() AS pid")
            has_it.set()
            may_end.wait(10)
        return int(row["pid"]) if row else 0

    with ThreadPoolExecutor(2) as threads:
        holder = threads.submit(hold)
        assert has_it.wait(10)
        waiter = threads.submit(backend, database)
        may_end.set()
        assert holder.result(10) == waiter.result(10)
    database.dispose()


def test_many_more_than_there_are_connections_are_all_served(addresses: DatabaseAddresses) -> None:
    database = Database(addresses.app, pool_size=2)

    with ThreadPoolExecutor(12) as threads:
        served = list(threads.map(lambda _: backend(database), range(300)))

    assert (len(served), len(set(served)) <= 2, lent_by(database)) == (300, True, 0)
    database.dispose()


def test_the_one_that_came_home_last_goes_out_first(addresses: DatabaseAddresses) -> None:
    database = Database(addresses.app, pool_size=5)
    together = Barrier(3)

    def beside_others(_: int) -> int:
        with database.transaction() as begun:
            row = begun.row("SELECT pg_backend_pid() AS pid")
            together.wait(10)
        return int(row["pid"]) if row else 0

    with ThreadPoolExecutor(3) as threads:
        opened = set(threads.map(beside_others, range(3)))
    alone = {backend(database) for _ in range(10)}

    assert (len(opened), len(alone), database.changes.idle, lent_by(database)) == (3, 1, 3, 0)
    assert alone < opened
    database.dispose()


def test_one_that_could_not_be_opened_takes_nobodys_place(
    addresses: DatabaseAddresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "CHECKOUT_SECONDS", 0)
    nowhere = Database(addresses.app.set(database="there_is_none"), pool_size=1)
    for _ in range(3):
        with pytest.raises(DatabaseUnavailable) as unavailable:
            backend(nowhere)
        assert isinstance(unavailable.value.__cause__, DBAPIError | psycopg.Error)
    assert lent_by(nowhere) == 0


def test_a_forked_child_opens_its_own_and_ends_nothing_of_its_parents(addresses: DatabaseAddresses) -> None:
    database = Database(addresses.app, pool_size=1)
    parents = backend(database)

    def child() -> None:
        database.forget()
        os._exit(0 if (lent_by(database), backend(database) != parents) == (0, True) else 1)

    forked = multiprocessing.get_context("fork").Process(target=child)
    forked.start()
    forked.join(20)

    assert forked.exitcode == 0
    assert backend(database) == parents
    database.dispose()


def test_after_a_rollback_a_lone_statement_is_prepared_anew(addresses: DatabaseAddresses) -> None:
    """psycopg lets go of all that was prepared on the connection then."""
    database = Database(addresses.app, pool_size=1)
    ledger = Ledger(database)
    wallet = ledger.a_wallet(100)

    ledger.move(wallet, ledger.prepaid, 1)
    with database.transaction() as begun:
        begun.row("SELECT 1")
    ledger.move(wallet, ledger.prepaid, 1)

    assert ledger.queries.balance(wallet.id) == 98
    database.dispose()


def test_what_is_refused_alone_is_told_as_in_a_transaction_of_many(database: Database) -> None:
    new_uow = units_of_work(database)
    wallet = accounts.wallet(a_stored_user(new_uow), "EGP")
    beyond = a_journal(*transfer(wallet, accounts.clearing("CARDS", "EGP"), 1))

    with pytest.raises(InsufficientBalance), new_uow() as uow:
        uow.ledger.post([beyond])
        uow.commit()
    with pytest.raises(InsufficientBalance), new_uow() as uow:
        assert not uow.ledger.lock([wallet])[wallet].balance_minor
        uow.ledger.post([beyond])
        uow.commit()

    assert lent_by(database) == 0
