"""Being forgotten: everywhere, with the books as they were (S9)."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from psycopg import sql
from pypdf import PdfReader

from application.billing.invoices import draw_invoice
from application.billing.ports import InvoiceDocument
from infrastructure.bootstrap import Running
from infrastructure.database.ledger.verification import verify_ledger
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.api.shop import Json, Shop, SignUp, for_booking, problem
from tests.conftest import MovableClock, Person
from workers.jobs import JOBS

CANARY = {
    "email": "wombat.canary.7731@example.com",
    "first_name": "Zanzibarina",
    "last_name": "Quokkasdottir",
    "phone": "+201099887766",
}
TRAVELER = {"first_name": "Pangolinus", "last_name": "Numbatov", "document_number": "PX7730021"}
WISH, AGENT, KEY = "Xylophone-beside-the-bed", "CanaryPhone/77.1", "key-of-wombat-7731"
PLANTED = (*CANARY.values(), *TRAVELER.values(), WISH, AGENT, KEY, "wombat", "returned-as-7731")
BOOKS = """
SELECT currency, account_id::text, sum(amount_minor)::bigint FROM ledger_entries GROUP BY currency, account_id
ORDER BY 1, 2
"""


def erase_due(running: Running) -> None:
    JOBS["privacy.erase_due"].run(running)


def every_row(addresses: DatabaseAddresses) -> str:
    """Every row of every table as text; what is bytes there is read as text, too."""
    told: list[str] = []
    with connect(addresses.owner) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        assert len(tables) > 30
        for (table,) in tables:
            rows = connection.execute(sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(table))).fetchall()
            told += [f"{table}: {row}" for (row,) in rows]
    text = "\n".join(told)
    decoded = [bytes.fromhex(found) for found in re.findall(r"\\x((?:[0-9a-f]{2})+)", text)]
    return text + "\n" + b"\n".join(decoded).decode("utf-8", "replace")


def every_file(running: Running) -> str:
    """Everything in storage; of a PDF also what it says."""
    folder = Path(running.settings.storage_url.removeprefix("file://"))
    told: list[str] = []
    for path in (path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        told += [path.name, content.decode("utf-8", "replace")]
        if content.startswith(b"%PDF"):
            told += [page.extract_text() for page in PdfReader(io.BytesIO(content)).pages]
    return "\n".join(told)


def every_key(running: Running) -> str:
    """Everything in Redis, keys and values."""
    redis: Any = running.redis
    read = {
        b"string": redis.get,
        b"hash": redis.hgetall,
        b"list": lambda key: redis.lrange(key, 0, -1),
        b"set": redis.smembers,
        b"zset": lambda key: redis.zrange(key, 0, -1),
    }
    return "\n".join(f"{key!r} {read[redis.type(key)](key)!r}" for key in redis.keys("*"))


def found_in(told: str) -> list[str]:
    return [word for word in PLANTED if word in told]


def live_a_life(shop: Shop, customer: Person) -> list[Json]:
    """Bookings with travellers and wishes, paid by card and from the wallet, travelled and written about."""
    headers = {"User_Agent": AGENT}
    bookings = []
    for number, method in enumerate(("CREDIT_CARD", "WALLET")):
        body = shop.offer().booking(2, travelers=[TRAVELER], special_requests=WISH)
        booking = shop.done(shop.post("/api/v1/bookings", customer, body, key=f"{KEY}-{number}", **headers), 201)
        asked = {"success_url": "https://shop.example/returned-as-7731", "cancel_url": "https://shop.example/"}
        if method == "WALLET":
            amount = {"amount": booking["final_amount"]["amount"], "currency": "EGP"}
            deposit = {"payable": {"type": "WALLET_DEPOSIT"}, "method": "CREDIT_CARD", "provider": "SANDBOX"}
            shop.take_payment(
                shop.done(shop.post("/api/v1/payments", customer, {**deposit, **asked, "amount": amount}), 201)
            )
            pay = {"payable": {"type": "BOOKING", "id": booking["id"]}, "method": "WALLET"}
            shop.done(shop.post("/api/v1/payments", customer, pay, key=f"{KEY}-pay"), 201)
        else:
            paid = for_booking(booking["id"], **asked)
            shop.take_payment(shop.done(shop.post("/api/v1/payments", customer, paid, key=f"{KEY}-card"), 201))
        bookings.append(booking)
    shop.done(shop.client.patch("/api/v1/users/me", json={"locale": "ar"}, headers=customer.headers))
    printed = f"/api/v1/departures/{bookings[0]['departure_id']}/manifest.pdf?lang=en"
    assert shop.get(printed, shop.admin).status_code == 202
    assert shop.get(f"/api/v1/bookings/export.csv?q={CANARY['first_name']}", shop.admin).status_code == 200
    return bookings


def travel(shop: Shop, bookings: list[Json]) -> None:
    for booking in bookings:
        for step in ("start", "complete"):
            body = {"override_reason": f"{CANARY['first_name']} called from {CANARY['phone']}"}
            shop.done(shop.post(f"/api/v1/bookings/{booking['id']}/{step}", shop.admin, body))


def webhooks_name_them(addresses: DatabaseAddresses, customer: Person) -> None:
    """Real providers send the customer along; the sandbox does not."""
    body = f'{{"customer": "{CANARY["first_name"]}", "phone": "{CANARY["phone"]}"}}'.encode()
    with connect(addresses.owner) as connection:
        named = connection.execute(
            "UPDATE payment_webhook_logs SET body = %s, payment_id = NULL WHERE merchant_reference IN ("
            " SELECT a.merchant_reference FROM payment_attempts a JOIN payments p ON p.id = a.payment_id"
            " WHERE p.user_id = %s)",
            [body, customer.user_id],
        )
        assert named.rowcount >= 2


def rows_of(addresses: DatabaseAddresses, person: Person) -> dict[str, list[str]]:
    """Every row that names somebody, and those of their bookings."""
    with connect(addresses.owner) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        ids = [str(person.user_id)]
        ids += [str(row[0]) for row in connection.execute("SELECT id FROM bookings WHERE user_id = %s", [ids[0]])]
        found = {}
        for (table,) in tables:
            told = sql.SQL("SELECT t::text FROM {} t WHERE t::text ~ %s ORDER BY 1").format(sql.Identifier(table))
            found[table] = [row for (row,) in connection.execute(told, ["|".join(ids)]).fetchall()]
        return {table: rows for table, rows in found.items() if rows and table != "idempotency_keys"}


def test_a_person_is_found_nowhere_afterwards_and_the_books_are_as_they_were(
    shop: Shop,
    sign_up: SignUp,
    running: Running,
    addresses: DatabaseAddresses,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    customer, other = sign_up(**CANARY), sign_up(first_name="Omar", last_name="Nabil")
    shop.done(
        shop.client.post(
            "/api/v1/auth/login",
            json={"email": CANARY["email"], "password": "correct horse 42"},
            headers={"User-Agent": AGENT},
        )
    )
    others_booking = shop.done(
        shop.post("/api/v1/bookings", other, shop.offer().booking(1, special_requests="a quiet room")), 201
    )
    shop.pay(other, others_booking)
    bookings = live_a_life(shop, customer)
    order = {"reason": f"asked by {CANARY['email']}", "immediately": True}
    path = f"/api/v1/admin/users/{customer.user_id}/erasure"
    assert "BOOKINGS" in problem(shop.post(path, shop.admin, order), 409, "erasure_blocked")["detail"]
    travel(shop, bookings)
    webhooks_name_them(addresses, customer)
    export = shop.done(shop.post("/api/v1/users/me/exports", customer), 202)
    shop.deliver_events(draw=True)
    assert shop.done(shop.get(f"/api/v1/users/me/exports/{export['id']}", customer))["status"] == "READY"
    planted = every_row(addresses) + every_file(running)
    # The document's number is encrypted in its row; the export is encrypted as a whole.
    assert found_in(planted) == [word for word in PLANTED if word != TRAVELER["document_number"]]
    theirs_before = rows_of(addresses, other)
    with connect(addresses.owner) as connection:
        books = connection.execute(BOOKS).fetchall()
        invoices = connection.execute("SELECT * FROM invoices ORDER BY id").fetchall()

    shop.done(shop.post(path, shop.admin, order), 202)
    erase_due(running)
    assert found_in(every_file(running)) == []
    # Everything that relays and workers still do about it, drawing the invoices anew above all.
    shop.deliver_events(draw=True)

    assert found_in(every_row(addresses)) == []
    assert found_in(every_file(running)) == []
    assert found_in(every_key(running)) == []
    logged = capfd.readouterr()
    assert found_in(logged.out + logged.err + caplog.text) == []
    with connect(addresses.owner) as connection:
        assert connection.execute(BOOKS).fetchall() == books
        assert connection.execute("SELECT * FROM invoices ORDER BY id").fetchall() == invoices
        drawn = connection.execute(
            "SELECT count(*) FROM invoice_documents d JOIN invoices i ON i.id = d.invoice_id WHERE i.user_id = %s",
            [customer.user_id],
        ).fetchone()
        names_kept = connection.execute("SELECT count(*) FROM booking_travelers WHERE first_name = 'Erased'").fetchone()
        told = connection.execute(
            "SELECT changes ->> 'override_reason', changes -> 'after' ->> 'status' FROM audit_logs"
            " WHERE action = 'bookings.complete'"
        ).fetchall()
    assert verify_ledger(addresses.owner).fault is None
    assert drawn == (6,)
    assert names_kept == (2,)
    assert told == [("erased", "COMPLETED")] * 2
    assert rows_of(addresses, other) == theirs_before


def test_an_account_that_was_closed_is_erased_after_the_grace(
    shop: Shop, sign_up: SignUp, running: Running, addresses: DatabaseAddresses, clock: MovableClock
) -> None:
    customer = sign_up(**CANARY)
    assert shop.client.delete("/api/v1/users/me", headers=customer.headers).status_code == 204
    erase_due(running)
    assert CANARY["email"] in every_row(addresses)
    assert shop.client.delete("/api/v1/users/me", headers=customer.headers).status_code == 401

    clock.offset = timedelta(days=14, minutes=1)
    erase_due(running)

    assert found_in(every_row(addresses)) == []
    gone = {"email": f"erased-{customer.user_id}@erased.invalid", "password": "correct horse 42"}
    problem(shop.client.post("/api/v1/auth/login", json=gone), 401, "wrong_credentials")
    again = sign_up(**CANARY)
    assert again.user_id != customer.user_id


class MeanwhileRenderer:
    """Draws the customer's name, and lets something happen while it draws the first document."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        self._meanwhile = [meanwhile]

    def invoice(self, document: InvoiceDocument, language: str) -> bytes:
        drawn = document.customer_name.encode()
        while self._meanwhile:
            self._meanwhile.pop()()
        return drawn


def test_an_invoice_that_is_drawn_during_the_erasure_does_not_bring_the_name_back(
    shop: Shop, sign_up: SignUp, running: Running, addresses: DatabaseAddresses
) -> None:
    customer, use = sign_up(**CANARY), running.dependencies
    booking = shop.book(customer, shop.offer())
    shop.take_payment(shop.pay(customer, booking))
    travel(shop, [booking])
    invoice = shop.done(shop.get("/api/v1/invoices", customer))["items"][0]

    def erase() -> None:
        path = f"/api/v1/admin/users/{customer.user_id}/erasure"
        shop.done(shop.post(path, shop.admin, {"reason": "by post", "immediately": True}), 202)
        erase_due(running)

    draw_invoice(
        UUID(invoice["id"]),
        documents=use.documents,
        renderer=MeanwhileRenderer(erase),
        storage=use.storage,
        clock=use.clock,
    )

    assert found_in(every_file(running)) == []
    assert every_file(running).count("Erased —") == 3
    assert found_in(every_row(addresses)) == []


def test_somebody_who_was_signing_in_when_they_were_erased_is_not(
    shop: Shop, sign_up: SignUp, running: Running, addresses: DatabaseAddresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer, passwords = sign_up(**CANARY), running.dependencies.passwords
    right = passwords.verify

    def erase() -> None:
        path = f"/api/v1/admin/users/{customer.user_id}/erasure"
        shop.done(shop.post(path, shop.admin, {"reason": "by post", "immediately": True}), 202)
        erase_due(running)

    def verify_slowly(password: str, hashes: Sequence[str]) -> int | None:
        monkeypatch.undo()
        # In a thread of its own: what else goes on has a context of its own, too.
        with ThreadPoolExecutor(1) as elsewhere:
            elsewhere.submit(erase).result()
        return right(password, hashes)

    assert shop.admin
    monkeypatch.setattr(type(passwords), "verify", lambda _, *given: verify_slowly(*given))
    answer = shop.client.post(
        "/api/v1/auth/login",
        json={"email": CANARY["email"], "password": "correct horse 42"},
        headers={"User-Agent": AGENT},
    )

    assert answer.status_code in (401, 409), answer.text
    assert found_in(every_row(addresses)) == []


class TestAsking:
    PATH = "/api/v1/users/me/erasure"

    def test_it_takes_the_password_and_may_be_withdrawn(
        self, shop: Shop, sign_up: SignUp, running: Running, clock: MovableClock
    ) -> None:
        customer = sign_up()
        problem(shop.post(self.PATH, customer, {"current_password": "another horse 43"}), 422, "wrong_current_password")
        problem(shop.get(self.PATH, customer), 404, "erasure_not_found")
        asked = shop.done(shop.post(self.PATH, customer, {"current_password": "correct horse 42"}), 202)
        assert (asked["user_id"], asked["blocked_by"]) == (str(customer.user_id), [])
        assert shop.done(shop.get(self.PATH, customer)) == asked
        problem(
            shop.post(self.PATH, customer, {"current_password": "correct horse 42"}), 409, "erasure_already_requested"
        )
        assert shop.client.delete(self.PATH, headers=customer.headers).status_code == 204
        problem(shop.client.delete(self.PATH, headers=customer.headers), 404, "erasure_not_found")

        clock.offset = timedelta(days=20)
        erase_due(running)
        assert shop.done(shop.get("/api/v1/users/me", shop.again(customer)))["first_name"] == "Mona"

    def test_open_money_is_named(self, shop: Shop, sign_up: SignUp) -> None:
        customer = sign_up()
        deposit = {
            "payable": {"type": "WALLET_DEPOSIT"},
            "method": "CREDIT_CARD",
            "provider": "SANDBOX",
            "amount": {"amount": "50.00", "currency": "EGP"},
        }
        payment = shop.done(shop.post("/api/v1/payments", customer, deposit), 201)
        password = {"current_password": "correct horse 42"}
        assert "PAYMENTS" in problem(shop.post(self.PATH, customer, password), 409, "erasure_blocked")["detail"]
        shop.take_payment(payment)
        shop.book(customer, shop.offer())
        detail = problem(shop.post(self.PATH, customer, password), 409, "erasure_blocked")["detail"]
        assert "WALLET, BOOKINGS" in detail
        order = {"reason": "the customer wrote", "immediately": True}
        path = f"/api/v1/admin/users/{customer.user_id}/erasure"
        problem(shop.post(path, shop.admin, order), 409, "erasure_blocked")

    def test_staff_hasten_it_and_that_is_on_record(
        self, shop: Shop, sign_up: SignUp, running: Running, addresses: DatabaseAddresses
    ) -> None:
        customer, path = sign_up(), "/api/v1/admin/users/{}/erasure"
        path = path.format(customer.user_id)
        shop.done(shop.post(path, shop.admin, {"reason": "by post"}), 202)
        problem(shop.post(path, shop.admin, {"reason": "by post"}), 409, "erasure_already_requested")
        assert shop.done(shop.get("/api/v1/users/me", customer))
        shop.done(shop.post(path, shop.admin, {"reason": "by post", "immediately": True}), 202)
        assert shop.client.delete("/api/v1/users/me", headers=customer.headers).status_code == 401
        erase_due(running)
        problem(shop.get(path, shop.admin), 404, "erasure_not_found")
        problem(shop.post(path, shop.admin, {"reason": "by post"}), 409, "account_erased")
        with connect(addresses.owner) as connection:
            record = connection.execute(
                """SELECT user_id, changes FROM audit_logs
                   WHERE action = 'privacy.erase' AND status = 'SUCCESS' ORDER BY id"""
            ).fetchall()
        after = {"immediately": False}
        assert record[0] == (shop.admin.user_id, {"after": after, "reason": "erased"})
        assert record[-1] == (None, {"after": {"erased": True}})

    def test_it_is_the_staffs_by_permission(self, shop: Shop, sign_up: SignUp) -> None:
        customer, employee = sign_up(), sign_up("EMPLOYEE")
        path = f"/api/v1/admin/users/{customer.user_id}/erasure"
        problem(shop.post(path, customer, {"reason": "for fun"}), 403, "wrong_surface")
        problem(shop.post(path, employee, {"reason": "for fun"}), 403, "forbidden")
        problem(shop.post(path, shop.admin, {"reason": "x"}), 422, "validation_failed", pointer="/reason")
        unknown = "/api/v1/admin/users/00000000-0000-0000-0000-000000000000/erasure"
        problem(shop.post(unknown, shop.admin, {"reason": "for fun"}), 404, "not_found")
