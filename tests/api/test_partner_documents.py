"""Papers of vendors and agents: pictures made clean, seen by their owner and staff, verified, and over one day (S7)."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from domain.partners.documents import MOST_DOCUMENTS
from domain.shared.clock import business_date
from infrastructure.bootstrap import Running
from tests.api.partners import PARTNERS, apply, desk
from tests.api.shop import Json, Shop, SignUp, problem
from tests.api.test_manual_payments import bomb, picture
from tests.conftest import MovableClock, Person

pytestmark = pytest.mark.database


@pytest.fixture
def vendor(sign_up: SignUp) -> Person:
    return sign_up("VENDOR")


@pytest.fixture
def profile(shop: Shop, vendor: Person) -> Json:
    return apply(shop, vendor)


def send(shop: Shop, person: Person, profile: Json, content: bytes | None = None, **asked: Any):  # type: ignore[no-untyped-def]
    kind = asked.pop("content_type", "image/png")
    return shop.client.post(
        f"{PARTNERS}/{profile['id']}/documents",
        query_string={"kind": "LICENSE", **asked},
        data=picture() if content is None else content,
        content_type=kind,
        headers=person.headers,
    )


def day(clock: MovableClock, days: int) -> str:
    return (business_date(clock.now()) + timedelta(days=days)).isoformat()


def files(running: Running) -> list[Path]:
    folder = Path(running.settings.storage_url.removeprefix("file://")) / "partners"
    return [path for path in folder.glob("*") if not path.name.startswith(".")] if folder.is_dir() else []


def test_a_paper_is_seen_by_its_owner_and_by_staff_alone(
    shop: Shop, vendor: Person, profile: Json, sign_up: SignUp, clock: MovableClock
) -> None:
    sent = send(shop, vendor, profile, picture("JPEG", comment=b"<script>alert(1)</script>"), expires_on=day(clock, 30))
    paper = shop.done(sent, 201)
    assert (paper["kind"], paper["expires_on"], paper["is_expired"]) == ("LICENSE", day(clock, 30), False)
    own = sent.headers["Location"]
    seen = shop.get(own, vendor)
    assert seen.headers["Cache-Control"] == "private, no-store"
    assert b"script" not in seen.data
    assert Image.open(io.BytesIO(seen.data)).format == "JPEG"
    theirs = f"{desk('VENDOR')}/{profile['id']}/documents/{paper['id']}"
    assert shop.get(theirs, shop.admin).data == seen.data
    for person in (sign_up("VENDOR"), sign_up()):
        assert shop.get(own, person).status_code == 404
        assert shop.get(theirs, person).status_code == 403
        assert send(shop, person, profile).status_code == 404
    # Nor under the profile of another.
    elsewhere = apply(shop, sign_up("VENDOR"))
    path = f"{desk('VENDOR')}/{elsewhere['id']}/documents/{paper['id']}"
    problem(shop.get(path, shop.admin), 404, "partner_document_not_found")
    problem(shop.post(f"{path}/verify", shop.admin), 404, "partner_document_not_found")


def test_what_is_no_usable_picture_is_refused_and_nothing_is_kept(
    shop: Shop, vendor: Person, profile: Json, running: Running, clock: MovableClock
) -> None:
    problem(send(shop, vendor, profile, b"%PDF-1.7"), 422, "validation_failed", pointer="/document")
    problem(send(shop, vendor, profile, bomb(30_000, 30_000)), 422, "validation_failed", pointer="/document")
    assert send(shop, vendor, profile, b"%PDF-1.7", content_type="application/pdf").status_code == 415
    problem(send(shop, vendor, profile, kind="DIARY"), 422, "validation_failed", pointer="/kind")
    problem(send(shop, vendor, profile, expires_on=day(clock, -1)), 422, "validation_failed", pointer="/expires_on")
    assert (files(running), running.database.rows("SELECT 1 FROM partner_documents")) == ([], [])


def test_staff_verify_it_once(shop: Shop, vendor: Person, profile: Json) -> None:
    paper = shop.done(send(shop, vendor, profile), 201)
    path = f"{desk('VENDOR')}/{profile['id']}/documents/{paper['id']}/verify"
    assert shop.post(path, vendor).status_code == 403
    verified = shop.done(shop.post(path, shop.admin))
    assert (verified["verified_by_user_id"], verified["verified_at"] is None) == (str(shop.admin.user_id), False)
    problem(shop.post(path, shop.admin), 409, "document_verified")


def test_nobody_verifies_their_own(shop: Shop, sign_up: SignUp) -> None:
    both = sign_up("VENDOR", "ADMIN")
    profile = apply(shop, both)
    paper = shop.done(send(shop, both, profile), 201)
    problem(shop.post(f"{desk('VENDOR')}/{profile['id']}/documents/{paper['id']}/verify", both), 403, "own_request")


def test_what_is_over_is_listed_until_a_newer_one_takes_its_place(
    shop: Shop, vendor: Person, profile: Json, clock: MovableClock, sign_up: SignUp
) -> None:
    shop.done(send(shop, vendor, profile, expires_on=day(clock, 10)), 201)
    shop.done(send(shop, vendor, profile, kind="CONTRACT"), 201)
    agents = apply(shop, sign_up("AGENT"), "AGENT")
    listed = f"{desk('VENDOR')}/expiring-documents"
    admin = shop.admin
    assert shop.done(shop.get(listed, admin))["items"] == []
    (soon,) = shop.done(shop.get(f"{listed}?until={day(clock, 10)}", admin))["items"]
    assert (soon["partner_id"], soon["company_name"], soon["is_expired"]) == (profile["id"], "Nile Voyages", False)

    clock.offset += timedelta(days=11)
    vendor, admin = shop.again(vendor), shop.again(admin)

    (over,) = shop.done(shop.get(listed, admin))["items"]
    assert (over["kind"], over["is_expired"]) == ("LICENSE", True)
    path = f"{desk('VENDOR')}/{profile['id']}/documents/{over['id']}/verify"
    problem(shop.post(path, admin), 422, "validation_failed", pointer="/expires_on")
    assert shop.done(shop.get(f"{desk('AGENT')}/expiring-documents", admin))["items"] == []
    shop.done(send(shop, vendor, profile, expires_on=day(clock, 365)), 201)
    assert shop.done(shop.get(listed, admin))["items"] == []
    papers = shop.done(shop.get(f"{PARTNERS}/{profile['id']}/documents", vendor))["items"]
    assert [(one["kind"], one["is_newest"]) for one in papers] == [
        ("LICENSE", True), ("CONTRACT", True), ("LICENSE", False),
    ]  # fmt: skip
    assert agents["payee_type"] == "AGENT"


def test_a_long_list_is_walked_page_by_page(shop: Shop, vendor: Person, profile: Json, clock: MovableClock) -> None:
    kinds = ("LICENSE", "TAX_CARD", "CONTRACT", "OTHER")
    for number, kind in enumerate(kinds):
        shop.done(send(shop, vendor, profile, kind=kind, expires_on=day(clock, 10 + number // 2)), 201)
    path, cursor, found = f"{desk('VENDOR')}/expiring-documents?until={day(clock, 20)}&limit=1", "", []
    while cursor is not None:
        page = shop.done(shop.get(f"{path}&cursor={cursor}" if cursor else path, shop.admin))
        found += [one["kind"] for one in page["items"]]
        cursor = page["next_cursor"]
    assert found == list(kinds)


def test_there_is_an_end_to_them(shop: Shop, vendor: Person, profile: Json, running: Running) -> None:
    paper = shop.done(send(shop, vendor, profile), 201)
    with running.database.transaction() as statements:
        statements.execute(
            """INSERT INTO partner_documents (id, profile_id, kind, storage_key, content_type, size_bytes, uploaded_at)
               SELECT gen_random_uuid(), profile_id, kind, n::text, content_type, 1, uploaded_at
               FROM partner_documents, generate_series(2, %s) n WHERE id = %s""",
            (MOST_DOCUMENTS, paper["id"]),
        )
        statements.commit()
    problem(send(shop, vendor, profile), 409, "too_many_documents")
    assert len(files(running)) == 1
