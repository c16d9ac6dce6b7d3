"""A day that is over gets one root over all that was posted on it; no rewriting of the ledger passes it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import psycopg
import pytest
from structlog.testing import capture_logs

from application.ledger.sealing import seal_days
from domain.ledger.journal import Journal, JournalType, transfer
from domain.ledger.seals import Seal
from domain.shared.clock import BUSINESS_ZONE
from infrastructure.bootstrap import Running
from infrastructure.clock import SystemClock
from infrastructure.database.ledger.repositories import fingerprint
from infrastructure.database.roles import DatabaseAddresses, connect
from infrastructure.database.transaction import Database
from tests.builders import a_journal
from tests.integration.audited import PREPAID, REVENUE, Audited
from tests.integration.shop import all_at_once
from workers.jobs import JOBS
from workers.schedule import run_once

pytestmark = pytest.mark.database

NO_ROOT = bytes(32)


@pytest.fixture
def books(database: Database, addresses: DatabaseAddresses) -> Audited:
    return Audited(database, addresses)


def seal(books: Audited) -> list[Seal]:
    return list(seal_days(new_uow=books.new_uow, clock=SystemClock()))


def days_past(days: int) -> date:
    """A day in Cairo, counted back from today."""
    return (datetime.now(BUSINESS_ZONE) - timedelta(days=days)).date()


def begin_seals(books: Audited, day: date) -> None:
    """A first seal over nothing, as if the system had been set up that day."""
    nothing = UUID(int=0)
    root = sha256(NO_ROOT + f"1|{day}|0|0|{nothing}".encode()).digest()
    until = datetime.combine(day + timedelta(days=1), datetime.min.time(), BUSINESS_ZONE)
    books.as_owner(
        "INSERT INTO ledger_seals VALUES (1, %s, %s, 0, 0, %s, %s, %s, now())", day, until, nothing, NO_ROOT, root
    )


def revenue(books: Audited, *, days: int, amount: int = 7) -> Journal:
    """A journal between accounts of the platform, posted so many days ago."""
    journal = books.move(PREPAID, REVENUE, amount, journal_type=JournalType.REVENUE)
    books.days_ago(journal, days=days)
    return journal


def test_what_was_posted_so_far_is_sealed_once(books: Audited) -> None:
    old, recent = revenue(books, days=400), revenue(books, days=2)
    revenue(books, days=0)

    [made] = seal(books)

    assert (made.number, made.journals, made.entries) == (1, 2, 4)
    assert made.business_day in {days_past(1), days_past(2)}
    assert seal(books) == []
    [(xor,)] = books.as_owner("SELECT journals_xor FROM ledger_seals")
    assert xor.int == old.id.int ^ recent.id.int
    assert books.fault() == ""


def test_a_root_can_be_computed_from_a_dump(books: Audited) -> None:
    """By docs/ledger-audit.md alone, over more entries than one chunk has."""
    journals = [a_journal(*transfer(PREPAID, REVENUE, 1 + n)) for n in range(501)]
    books.post(*journals)
    books.days_ago(*journals)
    [made] = seal(books)

    dump = books.as_owner("SELECT journal_id, line, hash FROM ledger_entries")
    hashes = [bytes(one) for _, _, one in sorted(dump, key=lambda row: (row[0].bytes, row[1]))]
    ids = 0
    for journal in journals:
        ids ^= journal.id.int
    chunks = [sha256(b"".join(hashes[at : at + 1000])).digest() for at in range(0, len(hashes), 1000)]
    header = f"1|{made.business_day.isoformat()}|501|1002|{UUID(int=ids)}"

    assert made.root == sha256(NO_ROOT + header.encode() + b"".join(chunks)).digest()
    assert books.fault() == ""


def test_missed_days_are_made_up_for_each_by_its_own_seal(books: Audited) -> None:
    begin_seals(books, days_past(5))
    for days, amount in ((4, 1), (3, 2), (3, 3), (2, 4)):
        revenue(books, days=days, amount=amount)

    made = seal(books)

    assert [one.number for one in made[:3]] == [2, 3, 4]
    assert [(one.business_day, one.journals) for one in made[:3]] == [
        (days_past(4), 1),
        (days_past(3), 2),
        (days_past(2), 1),
    ]
    assert books.fault() == ""


def test_eight_sealers_at_once_seal_each_day_once(books: Audited) -> None:
    begin_seals(books, days_past(4))
    revenue(books, days=3)

    made = all_at_once([lambda: seal(books)] * 8)

    assert [one for one in made if isinstance(one, BaseException)] == []
    numbers = [one.number for sealer in made if not isinstance(sealer, BaseException) for one in sealer]
    assert sorted(numbers) == list(range(2, 2 + len(numbers)))
    assert len(numbers) >= 2
    assert books.fault() == ""


def test_a_seal_waits_for_whoever_was_writing(books: Audited) -> None:
    """Whatever was posted before midnight is in it, also when it is committed long after."""
    with connect(books.addresses.owner) as late:
        late.execute("BEGIN")
        journal = a_journal(*transfer(PREPAID, REVENUE, 7))
        _post_two_days_ago(late, journal)
        sealed: list[Seal] = []
        sealer = threading.Thread(target=lambda: sealed.extend(seal(books)))
        sealer.start()
        while not books.as_owner(
            "SELECT 1 FROM pg_locks WHERE relation = 'ledger_seals'::regclass AND mode = 'ShareRowExclusiveLock'"
        ):
            assert sealer.is_alive()
        late.execute("COMMIT")
        sealer.join()

    assert [one.journals for one in sealed] == [1]
    assert books.fault() == ""


def _post_two_days_ago(connection: psycopg.Connection[Any], journal: Journal) -> None:
    """Not committed, and with an instant that is long past."""
    connection.execute(
        """INSERT INTO ledger_journals (id, journal_type, idempotency_key, reference_type, reference_id, description_ar,
                                        description_en, fingerprint, occurred_at, posted_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, now() - interval '2 days')""",
        (journal.id, journal.journal_type, journal.idempotency_key, journal.reference_type, journal.reference_id,
         journal.description_ar, journal.description_en, fingerprint(journal), journal.occurred_at),
    )  # fmt: skip
    for account in (entry.account for entry in journal.entries):
        connection.execute(
            "INSERT INTO ledger_accounts VALUES (%s, %s, %s, NULL, '', false, true, now())",
            (account.id, account.kind, account.currency),
        )
    connection.execute(
        """INSERT INTO ledger_entries (journal_id, line, account_id, amount_minor, currency, hash, occurred_at)
           SELECT j.id, x.line::smallint, x.account, x.amount, 'EGP',
                  ledger_entry_hash(NULL, j.fingerprint, j.id, x.line::smallint, x.account, NULL, x.amount, 'EGP', NULL,
                                    j.occurred_at), j.occurred_at
           FROM ledger_journals j, unnest(%s::uuid[], %s::bigint[]) WITH ORDINALITY AS x(account, amount, line)
           WHERE j.id = %s""",
        (
            [entry.account.id for entry in journal.entries],
            [entry.amount_minor for entry in journal.entries],
            journal.id,
        ),
    )


def test_a_seal_is_never_made_on_an_older_snapshot(books: Audited) -> None:
    with connect(books.addresses.app) as session, session.transaction():
        session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        with pytest.raises(psycopg.Error, match="older snapshot") as refused:
            session.execute("SELECT ledger_seal()")
    assert refused.value.sqlstate == "AL011"


def test_history_that_was_rewritten_with_all_its_hashes_does_not_fit_the_seal(books: Audited) -> None:
    """Whoever owns the database can make every chain and fingerprint right again, but not the root."""
    journal = revenue(books, days=2, amount=7)
    seal(books)
    rewritten = a_journal(
        *transfer(PREPAID, REVENUE, 9000), id=journal.id, key=journal.idempotency_key, journal_type=JournalType.REVENUE
    )

    found = books.fault_after(
        f"""UPDATE ledger_journals SET fingerprint = '\\x{fingerprint(rewritten).hex()}' WHERE id = '{journal.id}';
            UPDATE ledger_entries SET amount_minor = sign(amount_minor) * 9000 WHERE journal_id = '{journal.id}';
            UPDATE ledger_entries e SET hash = ledger_entry_hash(
                NULL, j.fingerprint, e.journal_id, e.line, e.account_id, NULL, e.amount_minor, e.currency, NULL,
                e.occurred_at) FROM ledger_journals j WHERE j.id = e.journal_id"""
    )

    assert found.endswith("its root does not fit the entries of its day")


def test_seals_that_were_made_again_do_not_stand_on_each_other(books: Audited) -> None:
    begin_seals(books, days_past(4))
    seal(books)

    assert "was not made on the root of the seal before" in books.fault_after(
        "UPDATE ledger_seals SET previous_root = sha256('x') WHERE number = 3"
    )
    assert "the seal before it is missing" in books.fault_after("DELETE FROM ledger_seals WHERE number = 2")
    assert "is not the one after that of the seal before" in books.fault_after(
        "UPDATE ledger_seals SET business_day = business_day - 30 WHERE number = 2"
    )


@pytest.fixture
def logs() -> Iterator[list[Any]]:
    with capture_logs() as captured:
        yield captured


def test_the_daily_job_tells_each_root_in_the_log_and_to_staff(
    running: Running, books: Audited, logs: list[Any]
) -> None:
    revenue(books, days=2)

    assert [run_once(JOBS["ledger.seal"], running) for _ in range(2)] == [True, False]

    [(number, root)] = books.as_owner("SELECT number, root FROM ledger_seals")
    [line] = [line for line in logs if line["event"] == "ledger_sealed"]
    assert (line["number"], line["root"]) == (number, root.hex())
    [(after,)] = books.as_owner("SELECT changes -> 'after' ->> 'root' FROM audit_logs WHERE action = 'ledger.seal'")
    assert after == root.hex()
