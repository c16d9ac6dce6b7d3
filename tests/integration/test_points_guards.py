"""What the database itself refuses of lots of points, whoever asks (M3, M4)."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from infrastructure.clock import new_id
from tests.builders import egp
from tests.integration.loyalty import DAY, YEAR, Loyalty


@pytest.mark.parametrize("table", ["points_lots", "points_lot_entries", "points_reminders"])
@pytest.mark.parametrize(
    "statement",
    ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0} CASCADE"],
    ids=["update", "delete", "truncate"],
)
def test_even_the_owner_changes_no_row_of_lots(
    loyalty: Loyalty, owner_session: psycopg.Connection[Any], table: str, statement: str
) -> None:
    loyalty.redeem(loyalty.a_customer(10), 5)
    loyalty.clock.go_on(YEAR - DAY)
    loyalty.remind()
    column = {"points_lots": "remaining", "points_lot_entries": "points", "points_reminders": "days_before"}[table]

    with pytest.raises(psycopg.Error) as refused:
        owner_session.execute(statement.format(table, column))

    assert refused.value.sqlstate == "AL005"


ADD_ENTRY = "INSERT INTO points_lot_entries (journal_id, lot_id, points) VALUES (%s, %s, %s)"


@pytest.mark.parametrize(
    ("points", "sqlstate"),
    [(-1, "AL010"), (-41, "23514"), (1, "AL009"), (0, "23514")],
    ids=["the account says more", "more than is left", "nothing was taken", "nothing"],
)
def test_a_lot_loses_and_gets_only_what_the_account_does(
    loyalty: Loyalty, owner_session: psycopg.Connection[Any], points: int, sqlstate: str
) -> None:
    person = loyalty.a_customer(40)
    (lot,) = loyalty.queries.lots(person, spent=False, limit=1, after=None)

    with pytest.raises(psycopg.Error) as refused, owner_session.transaction():
        owner_session.execute(ADD_ENTRY, (lot["journal_id"], lot["id"], points))

    assert refused.value.sqlstate == sqlstate
    assert loyalty.lots(person) == [40]


def test_a_lot_that_no_account_knows_of_is_refused(loyalty: Loyalty, owner_session: psycopg.Connection[Any]) -> None:
    person = loyalty.a_customer(40)
    loyalty.redeem(person, 40)
    journal = owner_session.execute("SELECT id FROM ledger_journals WHERE journal_type = 'REDEEMED' LIMIT 1").fetchone()
    assert journal is not None

    with pytest.raises(psycopg.Error) as refused, owner_session.transaction():
        owner_session.execute(
            "INSERT INTO points_lots (id, user_id, journal_id, points, remaining, earned_at, expires_at)"
            " VALUES (%s, %s, %s, 40, 0, now(), now() + interval '1 year')",
            (new_id(), person, journal[0]),
        )

    # Even with nothing left, as it says: what is left of a new lot is all of it.
    assert refused.value.sqlstate == "AL010"


def test_a_reversal_gives_back_to_the_lots_that_were_taken_from_and_to_no_other(
    loyalty: Loyalty, owner_session: psycopg.Connection[Any]
) -> None:
    person = loyalty.a_customer(40, 30)
    journal_id = loyalty.redeem(person, 40, worth=egp("0.40"))
    loyalty.redeem(person, 30)
    reversal_id = loyalty.reverse(journal_id, egp("0.10"))
    other = loyalty.database.row("SELECT id FROM points_lots WHERE user_id = %s ORDER BY earned_at DESC", (person,))
    assert other is not None

    with pytest.raises(psycopg.Error) as refused, owner_session.transaction():
        owner_session.execute(ADD_ENTRY, (reversal_id, other["id"], 10))

    assert refused.value.sqlstate == "AL009"
