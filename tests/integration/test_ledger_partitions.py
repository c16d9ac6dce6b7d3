"""Entries lie in years: a new year's land in its partition, under the same guards, and old years cost no read."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from domain.ledger.accounts import AccountRef
from domain.shared.errors import Busy
from infrastructure.bootstrap import Running
from infrastructure.database.ledger.partitions import YEARS_AHEAD, is_beyond_partitions, make_partitions
from infrastructure.database.ledger.queries import _BALANCE
from infrastructure.database.roles import DatabaseAddresses, connect
from infrastructure.database.transaction import Database
from tests.integration.audited import CLEARING, PREPAID, Audited, id_at
from workers.jobs import JOBS
from workers.schedule import run_once

pytestmark = pytest.mark.database

AUDIT = Path(__file__).resolve().parents[2] / "docs" / "ledger-audit.md"
LAST_YEAR, THIS_YEAR, NEXT_YEAR = (datetime(year, 1, 1, 9, tzinfo=UTC) for year in (2026, 2027, 2028))


@pytest.fixture
def books(database: Database, addresses: DatabaseAddresses) -> Audited:
    return Audited(database, addresses)


@pytest.fixture(scope="module")
def shared(module_addresses: DatabaseAddresses) -> Iterator[Audited]:
    """A ledger to which tests only add."""
    opened = Database(module_addresses.app)
    yield Audited(opened, module_addresses)
    opened.dispose()


def across_years(books: Audited) -> AccountRef:
    """A wallet whose chain crosses two new years, and once goes back over one: two servers' clocks differ."""
    wallet = books.a_wallet()
    for at, amount in ((LAST_YEAR, 1), (THIS_YEAR, 2), (LAST_YEAR, 3), (NEXT_YEAR, 4)):
        books.move(CLEARING, wallet, amount, id=id_at(at))
    return wallet


def test_entries_land_in_their_year_and_the_chain_crosses_it(shared: Audited) -> None:
    wallet = across_years(shared)

    rows = shared.as_owner(
        "SELECT tableoid::regclass::text, sequence, balance_after_minor FROM ledger_entries"
        " WHERE account_id = %s ORDER BY sequence",
        wallet.id,
    )
    assert rows == [
        ("ledger_entries_2026", 1, 1),
        ("ledger_entries_2027", 2, 3),
        ("ledger_entries_2026", 3, 6),
        ("ledger_entries_2028", 4, 10),
    ]
    assert shared.fault() == ""
    assert not is_beyond_partitions(shared.database)


def test_a_balance_is_two_look_ups_whatever_years_there_are(shared: Audited) -> None:
    wallet = across_years(shared)
    with connect(shared.addresses.app) as session:
        session.execute("SET plan_cache_mode = force_generic_plan")
        [(plan,)] = session.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {_BALANCE}", (wallet.id,)).fetchall()

    read = {
        (node["Relation Name"], node["Node Type"]) for node in _executed(plan[0]["Plan"]) if "Relation Name" in node
    }

    assert {relation for relation, _ in read} == {"ledger_heads", "ledger_entries_2028"}
    assert {kind for relation, kind in read if relation != "ledger_heads"} == {"Index Scan"}


def _executed(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if node["Actual Loops"] > 0:
        yield node
        for below in node.get("Plans", ()):
            yield from _executed(below)


@pytest.mark.parametrize(
    ("statement", "state"),
    [
        ("INSERT INTO {} SELECT gen_random_uuid(), 1, account_id, NULL, 5, currency, NULL, NULL, hash, occurred_at"
         " FROM ledger_entries LIMIT 1", "23514"),
        ("INSERT INTO {} SELECT '{id}', 1, account_id, NULL, 5, currency, NULL, NULL, hash, occurred_at"
         " FROM ledger_entries LIMIT 1", "AL003"),
        ("INSERT INTO {} SELECT '{id}', line, account_id, sequence, amount_minor, currency, balance_before_minor,"
         " balance_after_minor, hash, occurred_at FROM ledger_entries"
         " WHERE journal_id = (SELECT journal_id FROM ledger_entries ORDER BY 1 LIMIT 1)", "AL004"),
        ("UPDATE {} SET hash = hash", "AL005"),
        ("DELETE FROM {}", "AL005"),
        ("TRUNCATE {}", "AL005"),
    ],
)  # fmt: skip
def test_a_partition_of_its_own_guards_itself(shared: Audited, statement: str, state: str) -> None:
    """Also from its owner, who names it."""
    across_years(shared)
    new = id_at(THIS_YEAR)

    with pytest.raises(psycopg.Error) as refused:
        shared.as_owner(statement.format("ledger_entries_2027", id=new))

    assert refused.value.sqlstate == state
    assert shared.fault() == ""


def test_the_next_years_are_made_before_anything_lies_in_them(books: Audited) -> None:
    assert make_partitions(books.database, year=2026) == []
    assert make_partitions(books.database, year=2028) == [2029, 2030]
    assert make_partitions(books.database, year=2028) == []
    wallet = books.a_wallet()

    books.move(CLEARING, wallet, 5, id=id_at(datetime(2030, 12, 31, 23, 59, tzinfo=UTC)))

    [(partition,)] = books.as_owner(
        "SELECT tableoid::regclass::text FROM ledger_entries WHERE account_id = %s", wallet.id
    )
    assert partition == "ledger_entries_2030"
    with pytest.raises(psycopg.Error, match="never changed"):
        books.as_owner("TRUNCATE ledger_entries_2030")
    assert books.fault() == ""


def test_what_lies_beyond_becomes_its_years_partition_where_it_lies(books: Audited) -> None:
    """By the statements of docs/ledger-audit.md."""
    wallet, in_2031 = books.a_wallet(), datetime(2031, 5, 1, tzinfo=UTC)
    books.move(CLEARING, wallet, 5, id=id_at(in_2031))
    assert is_beyond_partitions(books.database)
    [*statements] = re.findall(r"```sql\n(.*?)```", AUDIT.read_text("utf-8"), re.DOTALL)

    books.as_owner(statements[-1])

    assert not is_beyond_partitions(books.database)
    books.move(CLEARING, wallet, 6, id=id_at(in_2031))
    assert make_partitions(books.database, year=2030) == [2030, 2032]
    for partition in ("ledger_entries_2031", "ledger_entries_beyond"):
        with pytest.raises(psycopg.Error, match="never changed"):
            books.as_owner(f"TRUNCATE {partition}")
    assert books.as_owner("SELECT count(*) FROM ledger_entries_2031") == [(4,)]
    assert len(books.as_owner("SELECT 1 FROM pg_indexes WHERE tablename = 'ledger_entries_beyond'")) == 2
    assert books.fault() == ""


def test_a_partition_is_made_while_everybody_posts(books: Audited) -> None:
    wallet, over = books.a_wallet(), threading.Event()

    def post_until_it_is_made() -> tuple[int, float]:
        posted, longest = 0, 0.0
        while not over.is_set() or not posted:
            began = time.monotonic()
            books.move(CLEARING, wallet, 1)
            posted, longest = posted + 1, max(longest, time.monotonic() - began)
        return posted, longest

    with ThreadPoolExecutor(4) as threads:
        posters = [threads.submit(post_until_it_is_made) for _ in range(4)]
        # A single try may stand behind a posting for longer than it is allowed; the next run tries again.
        while _try(books, 2031) is not True:
            continue
        over.set()
        done = [poster.result() for poster in posters]

    # What a posting waited at most is what the making may stand in line, and the posting's own turn.
    assert max(longest for _, longest in done) < 3
    [(balance,)] = books.as_owner(
        "SELECT max(balance_after_minor) FROM ledger_entries WHERE account_id = %s", wallet.id
    )
    assert balance == sum(posted for posted, _ in done)
    assert books.fault() == ""


def _try(books: Audited, year: int) -> bool | None:
    try:
        return year in make_partitions(books.database, year=year - YEARS_AHEAD)
    except Busy:
        return None


def test_a_posting_that_takes_long_is_not_waited_for(books: Audited) -> None:
    """Nobody behind the making waits longer than it may stand in line; another run makes the partition."""
    wallet = books.a_wallet()
    with connect(books.addresses.owner) as slow:
        slow.execute("BEGIN")
        slow.execute("SELECT count(*) FROM ledger_entries_beyond")
        with pytest.raises(Busy):
            make_partitions(books.database, year=2027, lock_milliseconds=50)
        books.move(CLEARING, wallet, 5)
        slow.execute("COMMIT")

    assert make_partitions(books.database, year=2027) == [2029]


def test_the_daily_job_looks_two_years_ahead(running: Running, books: Audited, clock: Any) -> None:
    year = running.dependencies.clock.now().year

    assert run_once(JOBS["ledger.partitions"], running)

    years = {int(name[-4:]) for (name,) in books.as_owner(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'ledger_entries'::regclass"
    ) if name[-4:].isdigit()}  # fmt: skip
    assert {year, year + 1, year + 2} <= years
    assert books.as_owner("SELECT 1 FROM ledger_entries_beyond LIMIT 1") == []
    books.move(CLEARING, PREPAID, 1)
