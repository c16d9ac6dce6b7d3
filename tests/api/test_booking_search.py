"""Searches of bookings read indexes, however many bookings there are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from pytest import Subtests

from application.queries import After
from application.sales.ports import BookingSearch
from domain.sales.booking_states import BookingStatus
from infrastructure.database.roles import connect
from infrastructure.database.sales.queries import SqlSalesQueries
from infrastructure.database.transaction import Database, Parameters, Row
from tests.api.shop import Shop, SignUp

pytestmark = pytest.mark.database

MANY = 1_500
LONG_AGO = datetime(2026, 10, 1, tzinfo=UTC)
COPIES = """
INSERT INTO bookings
SELECT (jsonb_populate_record(b, jsonb_build_object(
    'id', gen_random_uuid(), 'booking_number', 'BK-2025-' || lpad(n::text, 6, '0'),
    'user_id', (SELECT id FROM users ORDER BY id OFFSET n %% 3 LIMIT 1),
    'created_at', b.created_at - n * interval '10 minutes', 'updated_at', b.created_at - n * interval '9 minutes',
    'start_date', b.start_date - n %% 500,
    'departure_id', CASE WHEN n %% 500 = 0 THEN b.departure_id END,
    'package_id', CASE WHEN n %% 200 = 0 THEN b.package_id END,
    'status', CASE WHEN n %% 100 = 0 THEN 'DRAFT' WHEN n %% 90 = 0 THEN 'PENDING_PAYMENT' ELSE 'COMPLETED' END,
    'payment_status', CASE WHEN n %% 100 = 0 OR n %% 90 = 0 THEN 'UNPAID' ELSE 'PAID' END,
    'paid_amount_minor', CASE WHEN n %% 100 = 0 OR n %% 90 = 0 THEN 0 ELSE b.final_amount_minor END,
    'customer_info', jsonb_build_object('first_name', md5(n::text), 'last_name', 'Adel', 'email', n || '@example.com',
                                        'phone', '+2010' || lpad(n::text, 8, '0'))
))).*
FROM bookings b, generate_series(1, %(many)s) n
"""


class Explaining(Database):
    """Answers the plans of statements in place of their rows."""

    def rows(self, sql: str, parameters: Parameters = (), *, replan: bool = False) -> list[Row]:
        return super().rows(f"EXPLAIN {sql}", parameters, replan=replan)


def grown(shop: Shop, sign_up: SignUp, many: int) -> dict[str, Any]:
    """A booking and that many like it; the row of the first."""
    customer = sign_up()
    sign_up(), sign_up()
    booking = shop.book(customer, shop.offer())
    with connect(shop.addresses.owner) as connection:
        connection.execute(COPIES, {"many": many})
        connection.execute("VACUUM ANALYZE bookings, booking_words")
    return booking


def searches(booking: dict[str, Any]) -> dict[str, BookingSearch]:
    return {
        "nothing": BookingSearch(),
        "a status": BookingSearch(status=("DRAFT",)),
        "statuses": BookingSearch(status=("DRAFT", "PENDING_PAYMENT")),
        "a payment status": BookingSearch(payment_status=("PARTIALLY_REFUNDED",)),
        "a package": BookingSearch(package_id=UUID(booking["package_id"])),
        "no package of ours": BookingSearch(package_id=uuid4()),
        "a departure": BookingSearch(departure_id=UUID(booking["departure_id"])),
        "an activity": BookingSearch(activity_id=uuid4()),
        "a customer": BookingSearch(user_id=UUID(booking["user_id"])),
        "an agent": BookingSearch(agent_id=uuid4()),
        "a word": BookingSearch(q="BK-2025-000017"),
        "a telephone": BookingSearch(q="01000000123"),
        "words": BookingSearch(q="adel c4ca"),
        "a day": BookingSearch(created_from=LONG_AGO, created_to=LONG_AGO + timedelta(days=1)),
        "trips of a day": BookingSearch(starts_from=date(2026, 5, 1), starts_to=date(2026, 5, 1)),
        "something due": BookingSearch(has_balance_due=True),
        "several": BookingSearch(status=("DRAFT",), currency="EGP", min_amount=1, has_balance_due=False),
    }  # fmt: skip


def test_every_search_reads_an_index(
    shop: Shop, sign_up: SignUp, subtests: Subtests, request: pytest.FixtureRequest
) -> None:
    booking = grown(shop, sign_up, MANY)
    explaining = Explaining(shop.addresses.app)
    request.addfinalizer(explaining.dispose)
    queries = SqlSalesQueries(explaining)
    after = After(datetime(2026, 11, 1, tzinfo=UTC), uuid4())

    def plan(rows: Sequence[Row]) -> str:
        return "\n".join(row["QUERY PLAN"] for row in rows)

    for name, search in searches(booking).items():
        with subtests.test(name):
            for owner in (None, UUID(booking["user_id"])):
                text = plan(queries.bookings(search=search, owner=owner, limit=20, after=None))
                assert "Seq Scan on bookings" not in text, text
            for text in (
                plan(queries.bookings(search=search, owner=None, limit=20, after=after)),
                plan(queries.exported_bookings(search=search, owner=None, limit=20, after=after)),
            ):
                assert "Seq Scan on bookings" not in text, text
            # Of the one status that most bookings have, the table is read until there are enough.
            counted = plan(queries.bookings_by_status(search=search, most=100))
            assert counted.count("Seq Scan on bookings") <= 1, counted
    for order in ("start_date", "-start_date", "booking_number", "-booking_number", "created_at", "-created_at"):
        text = plan(queries.bookings(search=BookingSearch(), owner=None, limit=20, after=None, order=order))
        assert "Seq Scan on bookings" not in text, text


def test_nothing_is_counted_beyond_what_is_asked_for(shop: Shop, sign_up: SignUp) -> None:
    grown(shop, sign_up, 300)
    rows = shop.running.dependencies.queries.sales.bookings_by_status(search=BookingSearch(), most=200)
    assert {row["status"]: row["count"] for row in rows if row["count"]} == {
        "DRAFT": 3, "PENDING_PAYMENT": 4, "COMPLETED": 200,
    }  # fmt: skip
    assert [row["status"] for row in rows] == list(BookingStatus)
