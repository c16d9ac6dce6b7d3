"""Lists: cursors of their own, sorting, filters, and walks by what has changed (Q5)."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from pytest import Subtests

from infrastructure.database.pages import settled_before
from infrastructure.database.roles import connect
from tests.api.shop import Json, Shop, SignUp, problem
from tests.conftest import Person

LONG_AGO = "2020-01-01T00:00:00Z"
BOOKINGS, USERS, PACKAGES = "/api/v1/bookings", "/api/v1/admin/users", "/api/v1/packages"
PAYMENTS, INVOICES = "/api/v1/payments", "/api/v1/invoices"


def pages(shop: Shop, path: str, person: Person | None, **query: object) -> Iterator[list[Json]]:
    """Every page of a list."""
    cursor: str | None = None
    while True:
        asked = {**query, **({"cursor": cursor} if cursor else {})}
        page = shop.done(shop.get(f"{path}?{urlencode(asked)}", person))
        yield page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return


def walked(shop: Shop, path: str, person: Person, **query: object) -> list[str]:
    return [row["id"] for page in pages(shop, path, person, **{"updated_after": LONG_AGO, **query}) for row in page]


def forged(*values: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


A_LIST, A_ROW, AN_INSTANT = "bookings.Bookings", str(uuid4()), "2026-11-25T08:00:00+00:00"
FORGED = {
    "no base64": "%%%",
    "empty": "",
    "no json": base64.urlsafe_b64encode(b"\xff\xfe{").decode(),
    "an object": base64.urlsafe_b64encode(b"{}").decode(),
    "a number": base64.urlsafe_b64encode(b"7").decode(),
    "an empty list": forged(),
    "another list": forged("users.AllUsers", "-created_at", AN_INSTANT, A_ROW),
    "no order": forged(A_LIST, AN_INSTANT, A_ROW),
    "another order": forged(A_LIST, "created_at", AN_INSTANT, A_ROW),
    "an unknown order": forged(A_LIST, "password_hash", "x", A_ROW),
    "sql for an order": forged(A_LIST, "created_at; DROP TABLE users", AN_INSTANT, A_ROW),
    "sql for a key": forged(A_LIST, "-created_at", "' OR 1=1 --", A_ROW),
    "sql for an id": forged(A_LIST, "-created_at", AN_INSTANT, "' OR 1=1 --"),
    "a huge number": forged(A_LIST, "-created_at", 10**100, A_ROW),
    "a naive instant": forged(A_LIST, "-created_at", "2026-11-25T08:00:00", A_ROW),
    "a date": forged(A_LIST, "-created_at", "2026-11-25", A_ROW),
    "no date": forged(A_LIST, "-created_at", "2026-13-45T99:00:00+00:00", A_ROW),
    "not a number": base64.urlsafe_b64encode(b'["bookings.Bookings", "-created_at", NaN, "x"]').decode(),
    "nothing for a key": forged(A_LIST, "-created_at", None, A_ROW),
    "a list for a key": forged(A_LIST, "-created_at", [AN_INSTANT], A_ROW),
    "a number for an id": forged(A_LIST, "-created_at", AN_INSTANT, 7),
    "too many values": forged(A_LIST, "-created_at", AN_INSTANT, A_ROW, 1),
    "too long": "A" * 401,
}


def test_a_forged_cursor_is_refused(shop: Shop, sign_up: SignUp, subtests: Subtests) -> None:
    person = sign_up()
    for name, cursor in FORGED.items():
        with subtests.test(name):
            refused = shop.get(f"{BOOKINGS}?{urlencode({'cursor': cursor})}", person)
            code = "validation_failed" if name == "too long" else "invalid_cursor"
            problem(refused, 422, code, pointer="/cursor")
    true = forged(A_LIST, "-created_at", AN_INSTANT, A_ROW)
    assert shop.done(shop.get(f"{BOOKINGS}?cursor={true}", person))["items"] == []


def test_a_page_has_between_1_and_100_rows(shop: Shop, sign_up: SignUp) -> None:
    person = sign_up()
    for limit in ("0", "101", "-1", "1e2", "ten", "1.5", "", "99999999999999999999"):
        problem(shop.get(f"{BOOKINGS}?limit={limit}", person), 422, "validation_failed", pointer="/limit")
    for limit in ("1", "100"):
        shop.done(shop.get(f"{BOOKINGS}?limit={limit}", person))


class TestSorting:
    @pytest.fixture
    def three(self, shop: Shop, sign_up: SignUp) -> tuple[Person, list[str]]:
        """Bookings in the order of their making; their trips begin in days 30, 10 and 20."""
        person = sign_up()
        return person, [shop.book(person, shop.offer(starts_in_days=days))["id"] for days in (30, 10, 20)]

    def test_bookings(self, shop: Shop, three: tuple[Person, list[str]]) -> None:
        person, made = three
        for sort, order in (
            ("created_at", [0, 1, 2]),
            ("-created_at", [2, 1, 0]),
            ("start_date", [1, 2, 0]),
            ("-start_date", [0, 2, 1]),
        ):
            found = list(pages(shop, BOOKINGS, person, sort=sort, limit=1))
            assert [[row["id"] for row in page] for page in found] == [[made[place]] for place in order]

    def test_a_cursor_of_another_order_is_refused(self, shop: Shop, three: tuple[Person, list[str]]) -> None:
        person, _ = three
        cursor = shop.done(shop.get(f"{BOOKINGS}?sort=start_date&limit=1", person))["next_cursor"]

        for query in ("sort=-start_date", "sort=created_at", "", f"updated_after={LONG_AGO}"):
            problem(shop.get(f"{BOOKINGS}?{query}&cursor={cursor}", person), 422, "invalid_cursor")
        problem(shop.get(f"{PAYMENTS}?cursor={cursor}", person), 422, "invalid_cursor")

    def test_users_by_address(self, shop: Shop, sign_up: SignUp) -> None:
        for name in ("b", "a", "c"):
            sign_up(email=f"{name}@sorted.example")
        admin = shop.admin
        for sort, wanted in (("email", "abc"), ("-email", "cba"), ("created_at", "bac"), ("-created_at", "cab")):
            found = [
                row["email"][0]
                for page in pages(shop, USERS, admin, q="sorted.example", sort=sort, limit=1)
                for row in page
            ]
            assert "".join(found) == wanted

    def test_an_unknown_sort_is_refused(self, shop: Shop) -> None:
        for path in (BOOKINGS, USERS, PACKAGES):
            for sort in ("password_hash", "id; DROP TABLE users", "--created_at", "updated_at"):
                answer = shop.get(f"{path}?{urlencode({'sort': sort})}", shop.admin)
                problem(answer, 422, "validation_failed", pointer="/sort")

    def test_payments_by_status_and_provider(self, shop: Shop, sign_up: SignUp) -> None:
        person = sign_up()
        paid = shop.pay(person, shop.book(person, shop.offer()))
        shop.take_payment(paid)
        pending = shop.pay(person, shop.book(person, shop.offer()))

        def found(query: str) -> list[str]:
            return [row["id"] for row in shop.done(shop.get(f"{PAYMENTS}?{query}", person))["items"]]

        assert found("status=PAID") == [paid["id"]]
        assert found("status=PENDING&provider=SANDBOX") == [pending["id"]]
        assert found("provider=FAWATERK") == []
        problem(shop.get(f"{PAYMENTS}?status=EATEN", person), 422, "validation_failed", pointer="/status")


class TestWalks:
    def test_changes_come_oldest_first_and_page_by_page(self, shop: Shop, sign_up: SignUp) -> None:
        person = sign_up()
        first, second, third = (shop.book(person, shop.offer())["id"] for _ in range(3))
        shop.take_payment(shop.pay(person, {"id": first}))

        assert walked(shop, BOOKINGS, person, limit=1) == [second, third, first]

    def test_a_walk_goes_on_from_what_was_seen(self, shop: Shop, sign_up: SignUp) -> None:
        person = sign_up()
        old = shop.book(person, shop.offer())
        with connect(shop.addresses.owner) as connection:
            (at,) = connection.execute("SELECT updated_at FROM bookings WHERE id = %s", [old["id"]]).fetchone() or ()
        new = shop.book(person, shop.offer())

        assert walked(shop, BOOKINGS, person, updated_after=at.isoformat()) == [new["id"]]
        seen = shop.done(shop.get(f"{BOOKINGS}/{old['id']}", person))["updated_at"]
        assert walked(shop, BOOKINGS, person, updated_after=seen) == [old["id"], new["id"]]
        assert walked(shop, BOOKINGS, person, updated_after="2999-01-01T00:00:00Z") == []

    def test_closed_accounts_are_told(self, shop: Shop, sign_up: SignUp) -> None:
        leaves = sign_up()
        assert shop.client.delete("/api/v1/users/me", headers=leaves.headers).status_code == 204

        assert str(leaves.user_id) not in [row["id"] for page in pages(shop, USERS, shop.admin) for row in page]
        rows = {row["id"]: row for page in pages(shop, USERS, shop.admin, updated_after=LONG_AGO) for row in page}
        assert rows[str(leaves.user_id)]["status"] == "DISABLED"

    def test_payments_and_invoices_are_walked_too(self, shop: Shop, sign_up: SignUp) -> None:
        person = sign_up()
        payments = [shop.pay(person, shop.book(person, shop.offer())) for _ in range(2)]
        shop.take_payment(payments[0])

        assert walked(shop, PAYMENTS, person, limit=1) == [payments[1]["id"], payments[0]["id"]]
        assert walked(shop, PAYMENTS, person, status="PAID") == [payments[0]["id"]]
        assert len(walked(shop, INVOICES, person)) == 1

    def test_packages_are_walked_by_staff_and_vendors(self, shop: Shop, sign_up: SignUp) -> None:
        first, second = (shop.package()["id"] for _ in range(2))
        shop.done(shop.client.patch(f"{PACKAGES}/{first}", json={"name_en": "Changed"}, headers=shop.admin.headers))

        assert walked(shop, PACKAGES, shop.admin, limit=1) == [second, first]
        assert walked(shop, PACKAGES, sign_up("VENDOR")) == [second, first]
        for person in (None, sign_up()):
            problem(shop.get(f"{PACKAGES}?updated_after={LONG_AGO}", person), 403, "forbidden")

    def test_a_walk_has_an_order_of_its_own(self, shop: Shop) -> None:
        for path, sort in ((BOOKINGS, "-created_at"), (USERS, "email"), (PACKAGES, "price")):
            answer = shop.get(f"{path}?updated_after={LONG_AGO}&sort={sort}", shop.admin)
            problem(answer, 422, "validation_failed", pointer="/sort")

    def test_an_instant_has_its_zone(self, shop: Shop, sign_up: SignUp) -> None:
        person = sign_up()
        for wrong in ("2026-11-25", "2026-11-25T08:00:00", "yesterday", "1764057600", "", "2026-02-30T00:00:00Z"):
            answer = shop.get(f"{BOOKINGS}?updated_after={wrong}", person)
            problem(answer, 422, "validation_failed", pointer="/updated_after")
        for extreme in ("0001-01-01T00:00:00%2B23:59", "9999-12-31T23:59:59-23:59"):
            shop.done(shop.get(f"{BOOKINGS}?updated_after={extreme}", person))

    def test_what_commits_late_is_not_passed_over(self, shop: Shop, sign_up: SignUp) -> None:
        """A row that was written first and committed last: later rows wait for it."""
        person = sign_up()
        late, early = (shop.book(person, shop.offer())["id"] for _ in range(2))
        before = datetime.now(UTC) - timedelta(microseconds=1)
        touch = "UPDATE bookings SET special_requests = 'x' WHERE id = %s"
        with shop.database.transaction() as slow:
            slow.execute(touch, (late,))
            slow.rows("SELECT 1")
            with connect(shop.addresses.app) as connection:
                connection.execute(touch, [early])
            while_open = _elsewhere(lambda: walked(shop, BOOKINGS, person, updated_after=before.isoformat()))
            slow.commit()

        assert while_open == []
        assert walked(shop, BOOKINGS, person, updated_after=before.isoformat()) == [late, early]

    def test_nothing_is_held_back_while_nothing_is_open(self, shop: Shop) -> None:
        began = datetime.now(UTC)
        assert settled_before(shop.database) >= began - timedelta(seconds=1)

    def test_the_database_keeps_the_instant_whatever_is_written(self, shop: Shop, sign_up: SignUp) -> None:
        person = sign_up()
        booking = shop.book(person, shop.offer())
        began = datetime.now(UTC)
        with connect(shop.addresses.app) as connection:
            connection.execute("UPDATE bookings SET updated_at = '2000-01-01' WHERE id = %s", [booking["id"]])
            (at,) = (
                connection.execute("SELECT updated_at FROM bookings WHERE id = %s", [booking["id"]]).fetchone() or ()
            )
        assert at >= began


def _elsewhere(ask: Any) -> Any:
    """Asked on another thread: on this one it would join the transaction that is open."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(ask).result(20)
