"""Cash and bank transfers by HTTP: numbers to quote, confirmation by staff, four eyes above the limit, slips."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from PIL import Image
from werkzeug.test import TestResponse

from application.billing.ports import ProviderIdentity
from domain.billing.manual import is_reference_number
from domain.shared.clock import business_date
from infrastructure.bootstrap import Running
from infrastructure.clock import SystemClock
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.api.personas import Personas
from tests.api.shop import Json, Shop, SignUp, for_booking, problem
from tests.conftest import MovableClock, Person
from workers.jobs import JOBS

pytestmark = pytest.mark.database

V1 = "/api/v1"
RECEIPTS = f"{V1}/admin/manual-receipts"


def egp(amount: str) -> Json:
    return {"amount": amount, "currency": "EGP"}


@pytest.fixture
def customer(sign_up: SignUp) -> Person:
    return sign_up()


@pytest.fixture
def finance(personas: Personas) -> Person:
    return personas.named("finance").person


@pytest.fixture
def colleague(personas: Personas) -> Person:
    return personas.named("finance").person


@pytest.fixture
def payment(shop: Shop, customer: Person) -> Json:
    """EGP 2,000.00 for a booking, to be transferred."""
    return owed(shop, customer)


def owed(shop: Shop, person: Person, *, travelers: int = 2, method: str = "BANK_TRANSFER", **details: Any) -> Json:
    booking = shop.book(person, shop.offer(**details), travelers)
    return shop.pay(person, booking, provider="MANUAL", method=method)


def today() -> str:
    return business_date(SystemClock().now()).isoformat()


def confirm(
    shop: Shop, staff: Person, payment: Mapping[str, Any], reference: str = "FT2026-0042", key: str = "", **said: Any
) -> TestResponse:
    body = {"reference": reference, "received_on": today(), **said}
    return shop.post(f"{V1}/payments/{payment['id']}/confirm", staff, body, key=key)


def shown(shop: Shop, payment: Json, person: Person) -> Json:
    return shop.done(shop.get(f"{V1}/payments/{payment['id']}", person))


def receipts(shop: Shop) -> list[tuple[int, str, str | None]]:
    rows = shop.database.rows(
        "SELECT amount_minor, disposition, reason FROM payment_receipts ORDER BY received_at, position"
    )
    return [(row["amount_minor"], row["disposition"], row["reason"]) for row in rows]


class TestOpening:
    @pytest.mark.parametrize("method", ["CASH", "BANK_TRANSFER", "OTHER"])
    def test_a_customer_gets_a_number_to_quote_and_no_page(self, shop: Shop, customer: Person, method: str) -> None:
        payment = owed(shop, customer, method=method)

        assert set(payment["checkout"]) == {"url", "reference_number", "qr_code", "expires_at"}
        assert payment["checkout"]["url"] is None
        assert is_reference_number(payment["checkout"]["reference_number"])
        assert (payment["status"], payment["attempt_status"]) == ("PENDING", "OPEN")

    def test_a_card_is_not_for_the_desk(self, shop: Shop, customer: Person) -> None:
        booking = shop.book(customer, shop.offer())
        body = for_booking(booking["id"], provider="MANUAL", method="CREDIT_CARD")

        problem(shop.post(f"{V1}/payments", customer, body), 422, "validation_failed", pointer="/method")

    def test_staff_find_the_payment_by_what_the_customer_quotes(
        self, shop: Shop, customer: Person, finance: Person, payment: Json
    ) -> None:
        other = owed(shop, customer)
        number = payment["checkout"]["reference_number"]

        found = shop.done(shop.get(f"{V1}/payments?reference_number={number}", finance))["items"]

        assert [row["id"] for row in found] == [payment["id"]] != [other["id"]]

    def test_a_number_that_was_copied_wrongly_is_refused(self, shop: Shop, finance: Person, payment: Json) -> None:
        number = payment["checkout"]["reference_number"]
        wrong = number[:-1] + str((int(number[-1]) + 1) % 10)

        problem(
            shop.get(f"{V1}/payments?reference_number={wrong}", finance),
            422,
            "validation_failed",
            pointer="/reference_number",
        )

    @pytest.mark.parametrize("body", [b"", b"{}", b"\x00\xff", b'{"id": "1"}'])
    def test_nobody_signs_for_it(self, shop: Shop, body: bytes) -> None:
        before = shop.state()

        answer = shop.client.post(f"{V1}/payments/webhooks/manual_json", data=body, content_type="application/json")

        problem(answer, 401, "bad_signature")
        assert shop.state() == before


class TestConfirming:
    def test_what_staff_confirm_settles_as_any_providers_payment(
        self, shop: Shop, customer: Person, finance: Person, payment: Json
    ) -> None:
        confirmed = shop.done(confirm(shop, finance, payment))

        assert (confirmed["status"], confirmed["attempt_status"]) == ("PAID", "PAID")
        assert confirmed["receipt"]["status"] == "APPROVED"
        assert confirmed["receipt"]["amount"] == egp("2000.00")
        assert confirmed["receipt"]["made_by_user_id"] == str(finance.user_id)
        assert receipts(shop) == [(200_000, "SETTLED", None)]
        booking = shop.done(shop.get(f"{V1}/bookings/{payment['booking_id']}", customer))
        assert booking["status"] == "CONFIRMED"
        (clearing,) = shop.database.rows(
            """SELECT sum(e.amount_minor)::bigint AS minor FROM ledger_entries e
               JOIN ledger_accounts a ON a.id = e.account_id
               WHERE a.kind = 'PROVIDER_CLEARING' AND a.provider = 'MANUAL'"""
        )
        assert abs(clearing["minor"]) == 200_000

    def test_it_is_on_record(self, shop: Shop, finance: Person, payment: Json) -> None:
        shop.done(confirm(shop, finance, payment))

        (entry,) = shop.database.rows("SELECT * FROM audit_logs WHERE action = 'payments.confirm'")
        assert (entry["user_id"], str(entry["resource_id"])) == (finance.user_id, payment["id"])
        assert entry["changes"]["reference"] == "FT2026-0042"
        assert entry["changes"]["after"] == {"status": "APPROVED"}

    def test_the_same_key_answers_the_same_and_books_once(self, shop: Shop, finance: Person, payment: Json) -> None:
        first, again = (confirm(shop, finance, payment, key="one-key-0001") for _ in range(2))

        assert first.data == again.data
        assert again.headers["Idempotent-Replayed"] == "true"
        assert receipts(shop) == [(200_000, "SETTLED", None)]

    def test_the_same_key_at_another_payment_is_another_request(
        self, shop: Shop, customer: Person, finance: Person, payment: Json
    ) -> None:
        other = owed(shop, customer)
        for number, each in enumerate((payment, other)):
            confirmed = shop.done(confirm(shop, finance, each, f"FT-{number}", key="one-key-0001"))
            assert (confirmed["id"], confirmed["receipt"]["payment_id"]) == (each["id"], each["id"])

        assert receipts(shop) == [(200_000, "SETTLED", None)] * 2

    def test_a_key_is_required(self, shop: Shop, finance: Person, payment: Json) -> None:
        body = {"reference": "FT2026-0042", "received_on": today()}
        answer = shop.client.post(f"{V1}/payments/{payment['id']}/confirm", json=body, headers=finance.headers)

        problem(answer, 400, "idempotency_key_missing")

    @pytest.mark.parametrize("who", ["customer", "employee", "agent", "vendor"])
    def test_only_those_who_may_confirm(self, shop: Shop, personas: Personas, payment: Json, who: str) -> None:
        problem(confirm(shop, personas.named(who).person, payment), 403, "forbidden")
        assert receipts(shop) == []

    def test_nobody_confirms_their_own(self, shop: Shop, finance: Person) -> None:
        payment = owed(shop, finance)

        problem(confirm(shop, finance, payment), 403, "own_request")

    def test_short_money_is_kept_in_suspense(
        self, shop: Shop, customer: Person, finance: Person, payment: Json
    ) -> None:
        confirmed = shop.done(confirm(shop, finance, payment, amount=egp("1500.00")))

        assert (confirmed["status"], confirmed["attempt_status"]) == ("PENDING", "PAID")
        assert receipts(shop) == [(150_000, "SUSPENSE", "SHORT")]

    def test_a_reference_counts_once_however_it_is_written(
        self, shop: Shop, customer: Person, finance: Person, payment: Json
    ) -> None:
        other = owed(shop, customer)
        shop.done(confirm(shop, finance, payment, "FT 2026-0042"))

        problem(confirm(shop, finance, other, "ft2026-0042"), 409, "receipt_reference_used")
        assert shown(shop, other, customer)["status"] == "PENDING"

    def test_more_money_is_named_as_such_and_goes_to_suspense(self, shop: Shop, finance: Person, payment: Json) -> None:
        shop.done(confirm(shop, finance, payment))
        problem(confirm(shop, finance, payment, "FT-2"), 409, "already_confirmed")

        shop.done(confirm(shop, finance, payment, "FT-2", additional=True))

        assert receipts(shop) == [(200_000, "SETTLED", None), (200_000, "SUSPENSE", "TWICE")]

    def test_money_for_what_was_cancelled_is_kept_in_suspense(
        self, shop: Shop, customer: Person, finance: Person, payment: Json
    ) -> None:
        shop.done(shop.post(f"{V1}/payments/{payment['id']}/cancel", customer))

        shop.done(confirm(shop, finance, payment))

        assert receipts(shop) == [(200_000, "SUSPENSE", "LATE")]

    def test_a_providers_payment_is_not_confirmed_by_hand(self, shop: Shop, customer: Person, finance: Person) -> None:
        payment = shop.pay(customer, shop.book(customer, shop.offer()))

        problem(confirm(shop, finance, payment), 409, "not_confirmed_by_hand")

    @pytest.mark.parametrize(
        ("said", "pointer"),
        [
            ({"received_on": (date.fromisoformat(today()) + timedelta(days=2)).isoformat()}, "/received_on"),
            ({"received_on": "2020-01-01"}, "/received_on"),
            ({"received_on": "tomorrow"}, "/received_on"),
            ({"reference": "x"}, "/reference"),
            ({"reference": "a\u0000bc"}, "/reference"),
            ({"amount": egp("0.00")}, "/amount"),
            ({"amount": egp("-5.00")}, "/amount"),
            ({"additional": "yes"}, "/additional"),
            ({"status": "PAID"}, "/status"),
        ],
    )
    def test_what_cannot_be_is_refused(
        self, shop: Shop, finance: Person, payment: Json, said: Json, pointer: str
    ) -> None:
        problem(confirm(shop, finance, payment, **said), 422, "validation_failed", pointer=pointer)
        assert receipts(shop) == []

    def test_no_such_payment(self, shop: Shop, finance: Person) -> None:
        problem(confirm(shop, finance, {"id": uuid4()}), 404, "payment_not_found")

    @pytest.mark.parametrize("references", [("FT-1", "FT-1"), ("FT-1", "FT-2")])
    def test_two_who_confirm_at_once_are_one_receipt(
        self, shop: Shop, finance: Person, colleague: Person, payment: Json, references: tuple[str, str]
    ) -> None:
        start = Barrier(2)

        def at_once(staff: Person, reference: str) -> int:
            start.wait()
            return confirm(shop, staff, payment, reference).status_code

        with ThreadPoolExecutor(2) as threads:
            answers = sorted(threads.map(at_once, (finance, colleague), references))

        assert answers == [200, 409]
        assert receipts(shop) == [(200_000, "SETTLED", None)]

    def test_what_a_crash_left_unsettled_is_settled_by_its_event(
        self, shop: Shop, customer: Person, finance: Person, payment: Json, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def dies(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as cut, pytest.raises(KeyboardInterrupt):
            cut.setattr("application.billing.manual.read_payment_back", dies)
            confirm(shop, finance, payment)
        assert shown(shop, payment, customer)["status"] == "PENDING"

        shop.deliver_events()

        assert shown(shop, payment, customer)["status"] == "PAID"


class TestFourEyes:
    @pytest.fixture
    def dear(self, shop: Shop, customer: Person) -> Json:
        """EGP 12,000.00: above what one person confirms."""
        return owed(shop, customer, travelers=12, seats=20)

    @pytest.fixture
    def waiting(self, shop: Shop, finance: Person, dear: Json) -> Json:
        return shop.done(confirm(shop, finance, dear), 202)

    def test_above_the_limit_a_second_person_decides(
        self, shop: Shop, customer: Person, finance: Person, colleague: Person, dear: Json, waiting: Json
    ) -> None:
        assert (waiting["status"], waiting["receipt"]["status"]) == ("PENDING", "PENDING")
        assert receipts(shop) == []
        listed = shop.done(shop.get(f"{RECEIPTS}?status=PENDING", finance))["items"]
        assert [row["id"] for row in listed] == [waiting["receipt"]["id"]]

        approved = shop.done(shop.post(f"{RECEIPTS}/{waiting['receipt']['id']}/approve", colleague))

        assert (approved["status"], approved["payment_status"]) == ("APPROVED", "PAID")
        assert approved["decided_by_user_id"] == str(colleague.user_id)
        assert receipts(shop) == [(1_200_000, "SETTLED", None)]
        assert shown(shop, dear, customer)["status"] == "PAID"
        assert shop.done(shop.get(f"{RECEIPTS}?status=PENDING", finance))["items"] == []
        again = shop.done(shop.post(f"{RECEIPTS}/{waiting['receipt']['id']}/approve", colleague))
        assert again == approved
        assert receipts(shop) == [(1_200_000, "SETTLED", None)]

    @pytest.mark.parametrize("verb", ["approve", "reject"])
    def test_the_maker_does_not_decide(self, shop: Shop, finance: Person, waiting: Json, verb: str) -> None:
        problem(shop.post(f"{RECEIPTS}/{waiting['receipt']['id']}/{verb}", finance), 403, "own_request")
        assert receipts(shop) == []

    def test_a_rejected_one_frees_payment_and_reference(
        self, shop: Shop, finance: Person, colleague: Person, dear: Json, waiting: Json
    ) -> None:
        problem(confirm(shop, colleague, dear, "FT-OTHER"), 409, "already_confirmed")
        path = f"{RECEIPTS}/{waiting['receipt']['id']}"
        assert shop.done(shop.post(f"{path}/reject", colleague))["status"] == "REJECTED"
        problem(shop.post(f"{path}/approve", colleague), 409, "illegal_transition")

        again = shop.done(confirm(shop, finance, dear), 202)

        assert again["receipt"]["id"] != waiting["receipt"]["id"]

    def test_two_who_approve_at_once_settle_once(self, shop: Shop, personas: Personas, waiting: Json) -> None:
        staff = [personas.named("finance").person for _ in range(2)]
        start = Barrier(2)

        def at_once(person: Person) -> int:
            start.wait()
            return shop.post(f"{RECEIPTS}/{waiting['receipt']['id']}/approve", person).status_code

        with ThreadPoolExecutor(2) as threads:
            answers = sorted(threads.map(at_once, staff))

        assert answers == [200, 409]
        assert receipts(shop) == [(1_200_000, "SETTLED", None)]

    def test_it_stays_open_while_it_waits(
        self, shop: Shop, customer: Person, colleague: Person, clock: MovableClock, dear: Json, waiting: Json
    ) -> None:
        gateway = shop.running.dependencies.gateways.get("MANUAL")
        clock.offset = timedelta(days=2)
        assert gateway.read(ProviderIdentity(dear["provider_reference"])).status == "OPEN"

    def test_no_limit_for_a_currency_means_two_people(
        self, shop: Shop, finance: Person, payment: Json, sign_up: SignUp
    ) -> None:
        path, root = f"{V1}/admin/settings/payment.manual_confirmation_limit", sign_up("SUPER_ADMIN")
        answer = shop.client.put(path, json={"value": []}, headers=root.headers)
        shop.done(answer)

        shop.done(confirm(shop, finance, payment), 202)

    def test_the_database_refuses_what_no_two_people_agreed_to(
        self, addresses: DatabaseAddresses, waiting: Json
    ) -> None:
        with connect(addresses.owner) as connection:
            for change in (
                "status = 'APPROVED', decided_at = now(), position = 0",
                "status = 'APPROVED', decided_at = now(), position = 0, decided_by_user_id = made_by_user_id",
                "amount_minor = amount_minor + 1",
                "payment_id = payment_id, reference = 'OTHER'",
            ):
                with pytest.raises(psycopg.Error):
                    connection.execute(f"UPDATE manual_receipts SET {change}")
            with pytest.raises(psycopg.Error):
                connection.execute("DELETE FROM manual_receipts")


def picture(kind: str = "PNG", size: tuple[int, int] = (60, 40), **options: Any) -> bytes:
    encoded = io.BytesIO()
    Image.new("RGB", size, (10, 120, 200)).save(encoded, kind, **options)
    return encoded.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few kilobytes that says to be this large."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(b"\x00" * 1_000_000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def send(
    shop: Shop, person: Person, payment: Mapping[str, Any], content: bytes, kind: str = "image/png"
) -> TestResponse:
    path = f"{V1}/payments/{payment['id']}/slip"
    return shop.client.post(path, data=content, content_type=kind, headers=person.headers)


def stored(running: Running) -> list[Path]:
    folder = Path(running.settings.storage_url.removeprefix("file://")) / "slips"
    return [path for path in folder.glob("*") if not path.name.startswith(".")] if folder.is_dir() else []


class TestSlips:
    def test_a_payers_picture_is_shown_to_them_and_to_staff(
        self, shop: Shop, customer: Person, finance: Person, payment: Json
    ) -> None:
        sent = shop.done(send(shop, customer, payment, picture()), 201)

        assert sent["content_type"] == "image/jpeg"
        for reader in (customer, finance):
            answer = shop.get(f"{V1}/payments/{payment['id']}/slip", reader)
            assert (answer.status_code, answer.content_type) == (200, "image/jpeg")
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cache-Control"] == "private, no-store"
            assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
            assert Image.open(io.BytesIO(answer.data)).size == (60, 40)

    def test_nobody_elses(self, shop: Shop, sign_up: SignUp, customer: Person, payment: Json) -> None:
        shop.done(send(shop, customer, payment, picture()), 201)
        other = sign_up()

        problem(send(shop, other, payment, picture()), 404, "payment_not_found")
        problem(shop.get(f"{V1}/payments/{payment['id']}/slip", other), 404, "slip_not_found")

    def test_as_a_form_too(self, shop: Shop, customer: Person, payment: Json) -> None:
        path = f"{V1}/payments/{payment['id']}/slip"
        form = {"slip": (io.BytesIO(picture("WEBP")), "../../etc/passwd.html")}

        shop.done(shop.client.post(path, data=form, headers=customer.headers), 201)

        assert "passwd" not in shop.get(path, customer).headers["Content-Disposition"]

    def test_the_next_one_replaces_it(self, shop: Shop, running: Running, customer: Person, payment: Json) -> None:
        for size in ((60, 40), (30, 30)):
            shop.done(send(shop, customer, payment, picture(size=size)), 201)

        answer = shop.get(f"{V1}/payments/{payment['id']}/slip", customer)
        assert Image.open(io.BytesIO(answer.data)).size == (30, 30)
        assert len(stored(running)) == 1
        assert len(shop.database.rows("SELECT 1 FROM payment_slips")) == 1

    def test_nothing_but_what_is_seen_is_kept(
        self, shop: Shop, running: Running, customer: Person, payment: Json
    ) -> None:
        exif = Image.Exif()
        exif[0x010E] = "wombat was here"
        exif[0x0112] = 6
        content = picture("JPEG", exif=exif, comment=b"<script>alert(1)</script>")

        shop.done(send(shop, customer, payment, content + b"<html>wombat</html>PK\x03\x04", "image/jpeg"), 201)

        (path,) = stored(running)
        kept = path.read_bytes()
        assert b"wombat" not in kept
        assert b"script" not in kept
        assert b"PK\x03\x04" not in kept
        # Turned as its orientation said, since that is gone.
        assert Image.open(io.BytesIO(kept)).size == (40, 60)
        assert not Image.open(io.BytesIO(kept)).getexif()

    @pytest.mark.parametrize(
        ("content", "code"),
        [
            (bomb(30_000, 30_000), "image_too_large"),
            (bomb(8_001, 5_000), "image_too_large"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "unusable_image"),
            (b"<!DOCTYPE html><script>alert(1)</script>", "unusable_image"),
            (b"GIF89a/*" + b"\x00" * 40 + b"*/=1;alert(1)", "unusable_image"),
            (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "unusable_image"),
            (picture()[:60], "unusable_image"),
            (picture("JPEG")[:-200], "unusable_image"),
            (b"\x89PNG\r\n\x1a\n" + b"\x00" * 100, "unusable_image"),
            (b"", "unusable_image"),
        ],
        ids=[
            "30000x30000",
            "40 MP and a row",
            "svg",
            "html",
            "gif and script",
            "pdf",
            "cut",
            "cut jpeg",
            "junk",
            "empty",
        ],
    )
    def test_bombs_and_what_is_no_picture_are_refused(
        self, shop: Shop, running: Running, customer: Person, payment: Json, content: bytes, code: str
    ) -> None:
        refused = problem(send(shop, customer, payment, content), 422, "validation_failed", pointer="/slip")

        assert [error["code"] for error in refused["errors"]] == [code]
        assert stored(running) == []
        problem(shop.get(f"{V1}/payments/{payment['id']}/slip", customer), 404, "slip_not_found")

    @pytest.mark.parametrize("kind", ["image/svg+xml", "text/html", "application/pdf", "image/gif", "application/json"])
    def test_other_media_are_refused(self, shop: Shop, customer: Person, payment: Json, kind: str) -> None:
        problem(send(shop, customer, payment, picture(), kind), 415, "unsupported_media_type")

    @pytest.mark.parametrize("form", [False, True])
    def test_more_than_ten_mebibytes_are_refused(self, shop: Shop, customer: Person, payment: Json, form: bool) -> None:
        content = b"\x00" * (10 * 1024 * 1024 + 1)
        if form:
            # Written by hand: the test client leaves its own temporary file open.
            part = b'--x\r\nContent-Disposition: form-data; name="slip"; filename="a.png"\r\n\r\n'
            content = part + content + b"\r\n--x--\r\n"

        answer = send(shop, customer, payment, content, "multipart/form-data; boundary=x" if form else "image/png")

        assert answer.status_code == 413

    def test_a_settled_payment_wants_none(self, shop: Shop, customer: Person, finance: Person, payment: Json) -> None:
        shop.done(confirm(shop, finance, payment))

        problem(send(shop, customer, payment, picture()), 409, "slip_not_wanted")

    def test_a_providers_payment_wants_none(self, shop: Shop, customer: Person) -> None:
        payment = shop.pay(customer, shop.book(customer, shop.offer()))

        problem(send(shop, customer, payment, picture()), 409, "slip_not_wanted")

    def test_who_is_erased_while_it_is_written_leaves_no_file(
        self, shop: Shop, running: Running, customer: Person, payment: Json, addresses: DatabaseAddresses
    ) -> None:
        storage = running.dependencies.storage
        put = storage.put

        def erase_first(key: str, content: bytes, content_type: str) -> None:
            with connect(addresses.owner) as connection:
                connection.execute("DELETE FROM payment_slips")
            put(key, content, content_type)

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(type(storage), "put", lambda _, *asked: erase_first(*asked))
            problem(send(shop, customer, payment, picture()), 404, "payment_not_found")

        assert stored(running) == []

    def test_an_erased_persons_slips_are_deleted(
        self, shop: Shop, running: Running, customer: Person, clock: MovableClock
    ) -> None:
        deposit = {"method": "BANK_TRANSFER", "provider": "MANUAL", "amount": egp("500.00")}
        payment = shop.done(shop.post(f"{V1}/wallet/deposits", customer, deposit), 201)
        shop.done(send(shop, customer, payment, picture()), 201)
        admin, clock.offset = shop.admin, timedelta(days=2)
        order = {"reason": "they asked for it", "immediately": True}
        path = f"{V1}/admin/users/{customer.user_id}/erasure"
        shop.done(shop.post(path, shop.again(admin), order), 202)

        JOBS["privacy.erase_due"].run(running)

        assert shop.database.rows("SELECT 1 FROM payment_slips") == []
        assert stored(running) == []


class TestQrCodes:
    def test_the_code_is_drawn_for_its_payer_and_for_staff(
        self, shop: Shop, customer: Person, finance: Person, sign_up: SignUp
    ) -> None:
        payment = shop.pay(customer, shop.book(customer, shop.offer()), method="MEEZA")
        path = f"{V1}/payments/{payment['id']}/qr.png"

        for reader in (customer, finance):
            answer = shop.get(path, reader)
            assert (answer.status_code, answer.content_type) == (200, "image/png")
            assert answer.headers["Cache-Control"] == "private, no-store"
            assert Image.open(io.BytesIO(answer.data)).format == "PNG"
        problem(shop.get(path, sign_up()), 404, "payment_not_found")

    def test_other_ways_to_pay_have_none(self, shop: Shop, customer: Person, payment: Json) -> None:
        problem(shop.get(f"{V1}/payments/{payment['id']}/qr.png", customer), 404, "no_qr_code")


class TestMethods:
    def test_every_enabled_gateway_says_what_it_offers(self, shop: Shop, customer: Person) -> None:
        path = f"{V1}/admin/settings/payment.bank_transfer_instructions_ar"
        words = "بنك القاهرة\nEG380019000500000000263180002"
        shop.done(shop.client.put(path, json={"value": words}, headers=shop.admin.headers))

        offered = shop.done(shop.get(f"{V1}/payments/methods?currency=EGP", customer))["items"]

        by_way = {(row["provider"], row["method"]): row for row in offered}
        assert {("SANDBOX", "CREDIT_CARD"), ("MANUAL", "CASH"), ("MANUAL", "BANK_TRANSFER")} <= by_way.keys()
        assert by_way["MANUAL", "BANK_TRANSFER"]["instructions_ar"] == words
        assert by_way["MANUAL", "BANK_TRANSFER"]["instructions_en"] is None
        assert by_way["MANUAL", "CASH"]["instructions_ar"] is None
        assert by_way["SANDBOX", "CREDIT_CARD"]["name_en"] == "Credit card"
        assert all(row["name_ar"] for row in offered)

    def test_a_currency_that_nobody_uses_is_refused(self, shop: Shop, customer: Person) -> None:
        problem(shop.get(f"{V1}/payments/methods?currency=XXX", customer), 422, "validation_failed")

    def test_only_for_who_is_signed_in(self, shop: Shop) -> None:
        problem(shop.get(f"{V1}/payments/methods"), 401, "unauthorized")
