"""Who travels on a departure: as JSON, as CSV, and drawn as PDF; who may see it, and what stays in the audit log."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from psycopg.types.json import Jsonb

from application.sales.manifests import drop_past_manifests
from domain.shared.clock import business_date
from infrastructure.database.roles import connect
from tests.api.shop import Json, Offer, Shop, SignUp, problem
from tests.conftest import MovableClock, Person

pytestmark = pytest.mark.database

DOCUMENT = "A1234567"


def on(days: int) -> str:
    return (business_date(datetime.now(UTC)) + timedelta(days=days)).isoformat()


def path(offer: Offer, form: str = "") -> str:
    return f"/api/v1/departures/{offer.departure_id}/manifest{form}"


def confirmed(shop: Shop, person: Person, offer: Offer, **others: object) -> Json:
    booking = shop.done(shop.post("/api/v1/bookings", person, offer.booking(**others)), 201)  # type: ignore[arg-type]
    shop.take_payment(shop.pay(person, booking))
    return booking


@pytest.fixture
def offer(shop: Shop, sign_up: SignUp) -> Offer:
    """A departure with a party of two, one of them named, and one that has not paid."""
    offer, customer = shop.offer(), sign_up()
    paper = {"birth_date": "1990-01-01", "document_number": DOCUMENT, "document_expires_on": on(900)}
    traveler = {"first_name": "=منى", "last_name": "عادل", **paper}
    confirmed(
        shop, customer, offer, travelers=[traveler], special_requests="غرفة هادئة, near the lift",
        customer_info={"first_name": "أحمد", "last_name": "علي", "phone": "+201001234567"},
    )  # fmt: skip
    shop.book(sign_up(), offer, 3)
    return offer


def read_log(shop: Shop) -> list[Json]:
    logs = shop.done(shop.get("/api/v1/admin/audit-logs?action=departures.manifest&status=SUCCESS", shop.admin))
    return [log["changes"] for log in logs["items"]]


def test_staff_read_who_travels_and_that_stays_on_record(shop: Shop, offer: Offer, sign_up: SignUp) -> None:
    answer = shop.get(path(offer), shop.admin)
    manifest = shop.done(answer)

    assert answer.headers["Cache-Control"] == "no-store"
    assert (manifest["name"], manifest["start_time"], manifest["status"]) == ("Nile cruise", "00:00", "OPEN")
    assert manifest["totals"] == {"parties": 1, "travelers": 2, "unnamed": 1, "capacity": 10}
    [party] = manifest["parties"]
    assert (party["first_name"], party["phone"], party["travelers_count"], party["unnamed"], party["status"]) == (
        "أحمد", "+201001234567", 2, 1, "CONFIRMED",
    )  # fmt: skip
    assert [traveler["document_number"] for traveler in party["travelers"]] == [DOCUMENT]

    masked = shop.done(shop.get(path(offer), sign_up("EMPLOYEE")))
    assert [traveler["document_number"] for traveler in masked["parties"][0]["travelers"]] == ["*****567"]
    first, second = read_log(shop)
    assert [(log["format"], log["travelers"], log["documents_shown"]) for log in (second, first)] == [
        ("json", 2, 1), ("json", 2, 0),
    ]  # fmt: skip
    assert DOCUMENT not in str(read_log(shop))


def test_a_vendor_reads_who_travels_on_its_own_departures(shop: Shop, offer: Offer, sign_up: SignUp) -> None:
    vendor, other, customer = sign_up("VENDOR"), sign_up("VENDOR"), sign_up()
    with connect(shop.addresses.owner) as connection:
        connection.execute("UPDATE packages SET vendor_id = %s WHERE id = %s", [vendor.user_id, offer.package_id])

    own = shop.done(shop.get(path(offer), vendor))

    assert [traveler["document_number"] for traveler in own["parties"][0]["travelers"]] == ["*****567"]
    problem(shop.get(path(offer), other), 404, "departure_not_found")
    problem(shop.get(path(offer, ".pdf"), other), 404, "departure_not_found")
    problem(shop.get(path(Offer("", str(uuid4()))), shop.admin), 404, "departure_not_found")
    problem(shop.get(path(offer), customer), 403, "forbidden")
    problem(shop.get(path(offer)), 401, "unauthorized")
    problem(shop.get(path(offer, ".pdf?lang=fr"), shop.admin), 422, "validation_failed", pointer="/lang")


def test_a_file_has_a_line_for_each_traveller_and_runs_nothing(shop: Shop, offer: Offer) -> None:
    answer = shop.get(path(offer, ".csv?bom=true"), shop.admin, Accept_Language="ar")
    assert answer.data.startswith(b"\xef\xbb\xbf")
    assert answer.content_type == "text/csv; charset=utf-8"
    named, unnamed, total = csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig")))
    assert (named["الاسم الأول"], named["الهاتف"], named["رقم الوثيقة"]) == ("'=منى", "'+201001234567", DOCUMENT)
    assert named["طلبات خاصة"] == "غرفة هادئة, near the lift"
    assert (unnamed["المسافر"], unnamed["الاسم الأول"]) == ("2", "")
    assert (total["رقم الحجز"], total["المسافر"]) == ("الإجمالي", "2")


def test_a_pdf_is_drawn_once_for_what_stands_there_and_dropped_after_an_hour(
    shop: Shop, offer: Offer, sign_up: SignUp, clock: MovableClock
) -> None:
    asked = path(offer, ".pdf?lang=both")
    waiting = shop.get(asked, shop.admin)
    assert (waiting.status_code, waiting.json, waiting.headers["Retry-After"]) == (202, {"status": "being_made"}, "2")
    shop.get(asked, shop.admin)
    assert shop.database.rows("SELECT count(*) AS many FROM departure_manifests") == [{"many": 1}]
    assert len(shop.database.rows("SELECT 1 FROM outbox_events WHERE name = 'sales.manifest_requested'")) == 1
    assert read_log(shop) == []

    shop.deliver_events(draw=True)

    drawn = shop.get(asked, shop.admin)
    assert (drawn.status_code, drawn.content_type, drawn.headers["Cache-Control"]) == (
        200, "application/pdf", "no-store",
    )  # fmt: skip
    assert drawn.data.startswith(b"%PDF")
    [log] = read_log(shop)
    assert (log["format"], log["documents_shown"]) == ("pdf", 0)

    # Another party: another document.
    confirmed(shop, sign_up(), offer)
    assert shop.get(asked, shop.admin).status_code == 202

    use = shop.running.dependencies
    clock.offset = timedelta(minutes=61)
    assert drop_past_manifests(new_uow=use.new_uow, storage=use.storage, clock=use.clock) == 2
    assert shop.database.rows("SELECT 1 FROM departure_manifests") == []


def test_more_people_than_a_pdf_holds_are_refused(shop: Shop, offer: Offer) -> None:
    with connect(shop.addresses.owner) as connection:
        connection.execute("UPDATE bookings SET travelers_count = 1001 WHERE status = 'CONFIRMED'")
    problem(shop.get(path(offer, ".pdf"), shop.admin), 422, "manifest_too_long")
    shop.done(shop.get(path(offer), shop.admin))


def test_words_go_with_the_names_that_they_were_taken_from(shop: Shop, offer: Offer) -> None:
    found = shop.database.rows("SELECT words FROM booking_words WHERE words LIKE %s", ("% احمد%",))
    assert len(found) == 1
    with connect(shop.addresses.owner) as connection:
        connection.execute("UPDATE bookings SET customer_info = %s", [Jsonb({})])
    assert shop.database.rows("SELECT words FROM booking_words WHERE words LIKE %s", ("% احمد%",)) == []
