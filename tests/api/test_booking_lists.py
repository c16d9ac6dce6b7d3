"""What staff, agents and customers look for among bookings: filters, counts, and the file that they take away."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from pytest import Subtests

from domain.shared.clock import business_date
from tests.api.shop import Json, Offer, Shop, SignUp, problem
from tests.conftest import Person

pytestmark = pytest.mark.database

BOOKINGS = "/api/v1/bookings"


def on(days: int) -> str:
    return (business_date(datetime.now(UTC)) + timedelta(days=days)).isoformat()


def found(shop: Shop, person: Person, **query: object) -> list[str]:
    """The numbers of what is found, newest first."""
    return [row["booking_number"] for row in listed(shop, person, **query)]


def listed(shop: Shop, person: Person, **query: object) -> list[Json]:
    rows: list[Json] = shop.done(shop.get(f"{BOOKINGS}?{urlencode(query)}", person))["items"]
    return rows


def booked(shop: Shop, person: Person, offer: Offer, **others: object) -> Json:
    return shop.done(shop.post(BOOKINGS, person, offer.booking(**others)), 201)  # type: ignore[arg-type]


class TestFilters:
    @pytest.fixture
    def two(self, shop: Shop, sign_up: SignUp) -> tuple[Json, Json]:
        """A paid booking of one customer, and an unpaid one that an agent made for another."""
        mona, agent, near, far = sign_up(), sign_up("AGENT"), shop.offer(), shop.offer(starts_in_days=60)
        info = {"first_name": "أَحْمَد", "last_name": "=Ali", "email": "ahmed@example.com", "phone": "01001234567"}
        paid = booked(shop, mona, near, customer_info=info)
        shop.take_payment(shop.pay(mona, paid))
        unpaid = booked(shop, agent, far, count=3, user_id=str(sign_up().user_id))
        return paid, unpaid

    def test_each_filter_finds_what_fits_it(self, shop: Shop, two: tuple[Json, Json], subtests: Subtests) -> None:
        paid, unpaid = two
        first, second = paid["booking_number"], unpaid["booking_number"]
        expected: dict[str, tuple[Json, list[str]]] = {
            "one status": ({"status": "CONFIRMED"}, [first]),
            "several": ({"status": "CONFIRMED,PENDING_PAYMENT"}, [second, first]),
            "payment status": ({"payment_status": "UNPAID"}, [second]),
            "type": ({"booking_type": "ACTIVITY,HOTEL"}, []),
            "source": ({"booking_source": unpaid["booking_source"]}, [second]),
            "package": ({"package_id": paid["package_id"]}, [first]),
            "departure": ({"departure_id": unpaid["departure_id"]}, [second]),
            "activity": ({"activity_id": uuid4()}, []),
            "customer": ({"user_id": paid["user_id"]}, [first]),
            "agent": ({"agent_id": unpaid["agent_id"]}, [second]),
            "starts from": ({"starts_from": on(31)}, [second]),
            "starts to": ({"starts_to": on(30)}, [first]),
            "made from": ({"created_from": paid["created_at"]}, [second, first]),
            "made before": ({"created_to": paid["created_at"]}, []),
            "at least": ({"min_amount": "2000.01", "currency": "EGP"}, [second]),
            "at most": ({"max_amount": "2000.00", "currency": "EGP"}, [first]),
            "in dollars": ({"currency": "USD"}, []),
            "something due": ({"has_balance_due": "true"}, [second]),
            "nothing due": ({"has_balance_due": "false"}, [first]),
            "a name with other letters": ({"q": "احمد"}, [first]),
            "an address": ({"q": "AHMED@ex"}, [first]),
            "a telephone as dialled at home": ({"q": "0100123"}, [first]),
            "a telephone": ({"q": "+20100"}, [first]),
            "all words have to fit": ({"q": "احمد bk-"}, [first]),
            "one does not": ({"q": "احمد mona"}, []),
            "a number": ({"q": second}, [second]),
            "not the middle of a word": ({"q": "hmed"}, []),
            "no wild cards": ({"q": "%%"}, []),
            "marks alone": ({"q": "ـَـَ"}, []),
            "by number": ({"sort": "booking_number"}, [first, second]),
            "by number, the other way": ({"sort": "-booking_number"}, [second, first]),
            "all at once": ({"status": "CONFIRMED", "q": "احمد", "package_id": paid["package_id"],
                             "sort": "start_date", "has_balance_due": "false"}, [first]),
        }  # fmt: skip
        for name, (query, numbers) in expected.items():
            with subtests.test(name):
                assert found(shop, shop.admin, **query) == numbers

    def test_nobody_finds_more_than_their_own(self, shop: Shop, two: tuple[Json, Json], sign_up: SignUp) -> None:
        paid, unpaid = two
        stranger = sign_up()
        for query in ({"user_id": paid["user_id"]}, {"agent_id": unpaid["agent_id"]}, {"q": "احمد"}):
            assert found(shop, stranger, **query) == []
        for path in ("summary", "export.csv"):
            problem(shop.get(f"{BOOKINGS}/{path}", stranger), 403, "forbidden")

    def test_pages_by_number_go_on_where_they_ended(self, shop: Shop, two: tuple[Json, Json]) -> None:
        page = shop.done(
            shop.get(f"{BOOKINGS}?sort=booking_number&limit=1&status=CONFIRMED,PENDING_PAYMENT", shop.admin)
        )
        rest = found(shop, shop.admin, sort="booking_number", limit=1, cursor=page["next_cursor"])
        assert [page["items"][0]["booking_number"], *rest] == [two[0]["booking_number"], two[1]["booking_number"]]

    def test_bookings_are_counted_by_status(self, shop: Shop, two: tuple[Json, Json]) -> None:
        counts = shop.done(shop.get(f"{BOOKINGS}/summary", shop.admin))["by_status"]
        some = shop.done(shop.get(f"{BOOKINGS}/summary?package_id={two[0]['package_id']}&status=DRAFT", shop.admin))
        assert {row["status"]: row["count"] for row in counts if row["count"]} == {"CONFIRMED": 1, "PENDING_PAYMENT": 1}
        assert len(counts) == 7
        assert not any(row["is_more"] for row in counts)
        assert {row["status"]: row["count"] for row in some["by_status"] if row["count"]} == {"CONFIRMED": 1}

    def test_a_file_is_safe_in_a_spreadsheet_and_audited(self, shop: Shop, two: tuple[Json, Json]) -> None:
        path = f"{BOOKINGS}/export.csv?bom=true&q=%D8%A7%D8%AD%D9%85%D8%AF&status=CONFIRMED"
        answer = shop.get(path, shop.admin, Accept_Language="ar")
        assert answer.status_code == 200
        assert answer.content_type == "text/csv; charset=utf-8"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.data.startswith(b"\xef\xbb\xbf")
        [row] = csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig")))
        assert row["رقم الحجز"] == two[0]["booking_number"]
        assert (row["العناصر"], row["اسم العائلة"], row["الهاتف"]) == ("رحلة نيلية", "'=Ali", "'+201001234567")
        assert (row["الإجمالي"], row["المدفوع"], row["المستحق"]) == ("2000.00", "2000.00", "0.00")

        [log] = shop.done(shop.get("/api/v1/admin/audit-logs?action=bookings.export", shop.admin))["items"]
        assert log["user_id"] == str(shop.admin.user_id)
        assert log["changes"]["filters"] == {"q": "given", "status": "['CONFIRMED']"}

        refused = shop.get(f"{BOOKINGS}/export.csv?min_amount=5", shop.admin)
        problem(refused, 422, "validation_failed", pointer="/currency")
        lines = shop.get(f"{BOOKINGS}/export.csv", shop.admin).text.splitlines()
        assert (lines[0].split(",")[0], len(lines)) == ("Booking number", 3)


NONSENSE = {
    "status": ({"status": "PAID"}, "/status/0"),
    "an empty status": ({"status": ""}, "/status"),
    "one of several": ({"payment_status": "PAID,NONE"}, "/payment_status/1"),
    "an unknown type": ({"booking_type": "CRUISE"}, "/booking_type/0"),
    "ends before it begins": ({"created_from": "2026-02-01T00:00:00Z", "created_to": "2026-02-01T00:00:00Z"},
                              "/created_to"),
    "a naive instant": ({"created_from": "2026-02-01T00:00:00"}, "/created_from"),
    "dates": ({"starts_from": "2026-02-02", "starts_to": "2026-02-01"}, "/starts_to"),
    "no date": ({"starts_from": "2026-02-30"}, "/starts_from"),
    "no currency": ({"min_amount": "1.00"}, "/currency"),
    "an unknown currency": ({"currency": "XXX"}, "/currency"),
    "below zero": ({"min_amount": "-1.00", "currency": "EGP"}, "/min_amount"),
    "too many decimals": ({"min_amount": "1.001", "currency": "EGP"}, "/min_amount"),
    "no amount": ({"max_amount": "1e3", "currency": "EGP"}, "/max_amount"),
    "amounts": ({"min_amount": "2.00", "max_amount": "1.00", "currency": "EGP"}, "/max_amount"),
    "one letter": ({"q": "a"}, "/q"),
    "too many letters": ({"q": "a" * 101}, "/q"),
    "no id": ({"package_id": "1 OR 1=1"}, "/package_id"),
    "no answer": ({"has_balance_due": "perhaps"}, "/has_balance_due"),
    "a sort": ({"sort": "final_amount"}, "/sort"),
}  # fmt: skip


def test_what_no_booking_can_fit_is_refused(shop: Shop, subtests: Subtests) -> None:
    for name, (query, pointer) in NONSENSE.items():
        with subtests.test(name):
            problem(shop.get(f"{BOOKINGS}?{urlencode(query)}", shop.admin), 422, "validation_failed", pointer=pointer)
