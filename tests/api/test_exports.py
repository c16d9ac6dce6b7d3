"""A copy of everything that is held about a person."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path

from infrastructure.bootstrap import Running
from infrastructure.database.personal_data import PERSONAL_DATA
from tests.api.shop import Json, Shop, SignUp, problem
from tests.conftest import MovableClock, Person
from workers.jobs import JOBS

OWN = "/api/v1/users/me/exports"
TRAVELER = {"first_name": "Laila", "last_name": "Adel", "document_number": "A7654321"}


def exported(shop: Shop, person: Person) -> Json:
    export = shop.done(shop.post(OWN, person), 202)
    shop.deliver_events(draw=True)
    return shop.done(shop.get(f"{OWN}/{export['id']}", person))


def stored_files(running: Running) -> list[Path]:
    folder = Path(running.settings.storage_url.removeprefix("file://")) / "exports"
    return list(folder.glob("[!.]*"))


def test_everything_is_in_it_for_machines_and_for_readers(shop: Shop, sign_up: SignUp, running: Running) -> None:
    customer, other = sign_up(locale="ar", marketing_consent=True), sign_up(first_name="Stranger")
    shop.book(other, shop.offer())
    body = shop.offer().booking(2, travelers=[TRAVELER], special_requests="<b>quiet</b>")
    booking = shop.done(shop.post("/api/v1/bookings", customer, body), 201)
    shop.take_payment(shop.pay(customer, booking))

    export = exported(shop, customer)

    assert export["status"] == "READY"
    answer = shop.get(f"{OWN}/{export['id']}/download", customer)
    assert (answer.status_code, answer.content_type) == (200, "application/zip")
    assert answer.headers["Cache-Control"] == "no-store"
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        names = set(archive.namelist())
        data, page = json.loads(archive.read("data.json")), archive.read("index.html").decode()
        pdfs = [archive.read(name) for name in names if name.endswith(".pdf")]
    assert shop.get(f"{OWN}/{export['id']}/download?format=json", customer).json == data
    assert set(data) == {holding.exported_as for holding in PERSONAL_DATA if holding.exported_as}
    assert data["profile"][0]["email"] == customer.email
    (traveler,) = data["travelers"]
    assert traveler["document_number"] == "A7654321"
    assert [row["final_amount"] for row in data["bookings"]] == [{"amount": "2000.00", "currency": "EGP"}]
    assert [row["status"] for row in data["payments"]] == ["PAID"]
    assert data["points"][0]["points"] == data["account_entries"][0]["amount"]
    assert len(data["invoices"]) == len(data["invoice_items"]) == 1
    assert [(row["channel"], row["granted"]) for row in data["consents"]] == [("EMAIL", True)]
    assert data["notifications"]
    assert data["sessions"]
    assert "Stranger" not in json.dumps(data)
    assert len(pdfs) == 3
    assert all(pdf.startswith(b"%PDF") for pdf in pdfs)
    assert '<html lang="ar" dir="rtl">' in page
    assert "&lt;b&gt;quiet&lt;/b&gt;" in page
    assert "<script" not in page
    (file,) = stored_files(running)
    assert b"PK" not in file.read_bytes()[:4]
    assert customer.email.encode() not in file.read_bytes()


def test_one_at_a_time_and_three_a_day(shop: Shop, sign_up: SignUp, clock: MovableClock) -> None:
    customer = sign_up()
    first = shop.done(shop.post(OWN, customer, key="one"), 202)
    assert shop.done(shop.post(OWN, customer, key="one"), 202) == first
    problem(shop.post(OWN, customer), 409, "export_in_progress")
    problem(shop.get(f"{OWN}/{first['id']}/download", customer), 409, "export_not_ready")
    shop.deliver_events(draw=True)
    for _ in range(2):
        assert exported(shop, customer)["status"] == "READY"
    problem(shop.post(OWN, customer), 429, "export_limit_reached")
    listed = shop.done(shop.get(f"{OWN}?limit=2", customer))
    assert len(listed["items"]) == 2
    assert listed["next_cursor"]
    clock.offset = timedelta(days=1, minutes=1)
    assert shop.done(shop.post(OWN, shop.again(customer)), 202)["status"] == "REQUESTED"


def test_it_is_the_persons_own(shop: Shop, sign_up: SignUp) -> None:
    customer, other = sign_up(), sign_up()
    export = exported(shop, customer)

    for path in (f"{OWN}/{export['id']}", f"{OWN}/{export['id']}/download"):
        problem(shop.get(path, other), 404, "export_not_found")
        problem(shop.get(path), 401, "unauthorized")
    problem(
        shop.get(f"{OWN}/{export['id']}/download?format=xml", customer), 422, "validation_failed", pointer="/format"
    )


def test_staff_have_one_made_and_that_is_on_record(shop: Shop, sign_up: SignUp) -> None:
    customer, employee = sign_up(), sign_up("EMPLOYEE")
    path = f"/api/v1/admin/users/{customer.user_id}/exports"

    problem(shop.post(path, employee), 403, "forbidden")
    export = shop.done(shop.post(path, shop.admin), 202)
    shop.deliver_events(draw=True)

    assert shop.done(shop.get(f"{OWN}/{export['id']}", customer))["status"] == "READY"
    problem(shop.get(f"{OWN}/{export['id']}", shop.admin), 404, "export_not_found")
    record = shop.database.row(
        """SELECT user_id, resource_id, changes FROM audit_logs
           WHERE action = 'privacy.export' AND status = 'SUCCESS'"""
    )
    assert record == {
        "user_id": shop.admin.user_id,
        "resource_id": customer.user_id,
        "changes": {"after": {"export_id": export["id"]}},
    }


def test_it_expires_and_is_deleted(shop: Shop, sign_up: SignUp, running: Running, clock: MovableClock) -> None:
    customer = sign_up()
    export = exported(shop, customer)
    clock.offset = timedelta(days=6, hours=23)
    JOBS["privacy.retain"].run(running)
    assert len(stored_files(running)) == 1

    clock.offset = timedelta(days=7, minutes=1)
    customer = shop.again(customer)
    assert shop.done(shop.get(f"{OWN}/{export['id']}", customer))["status"] == "EXPIRED"
    problem(shop.get(f"{OWN}/{export['id']}/download", customer), 409, "export_not_ready")
    JOBS["privacy.retain"].run(running)
    assert stored_files(running) == []
    problem(shop.get(f"{OWN}/{export['id']}", customer), 404, "export_not_found")


def test_one_that_cannot_be_made_is_given_up_and_another_may_be_asked_for(
    shop: Shop, sign_up: SignUp, running: Running, clock: MovableClock
) -> None:
    customer = sign_up()
    export = shop.done(shop.post(OWN, customer), 202)
    clock.offset = timedelta(days=1, minutes=1)
    JOBS["privacy.retain"].run(running)
    customer = shop.again(customer)
    assert shop.done(shop.get(f"{OWN}/{export['id']}", customer))["status"] == "FAILED"
    shop.done(shop.post(OWN, customer), 202)
    clock.offset = timedelta(days=8)
    JOBS["privacy.retain"].run(running)
    problem(shop.get(f"{OWN}/{export['id']}", shop.again(customer)), 404, "export_not_found")


def test_accounts_that_nobody_ever_used_are_erased(
    shop: Shop, sign_up: SignUp, running: Running, clock: MovableClock
) -> None:
    unused, buyer, proven, staff = sign_up(), sign_up(), sign_up(), sign_up("EMPLOYEE")
    shop.book(buyer, shop.offer())
    with shop.database.transaction() as transaction:
        transaction.execute("UPDATE users SET email_verified_at = now() WHERE id = %s", (proven.user_id,))
        transaction.commit()

    def erased() -> set[object]:
        return {row["id"] for row in shop.database.rows("SELECT id FROM users WHERE erased_at IS NOT NULL")}

    clock.offset = timedelta(days=89)
    for job in ("privacy.retain", "privacy.erase_due"):
        JOBS[job].run(running)
    assert erased() == set()
    clock.offset = timedelta(days=91)
    for job in ("privacy.retain", "privacy.retain", "privacy.erase_due"):
        JOBS[job].run(running)
    assert erased() == {unused.user_id}
    assert staff.user_id not in erased()
