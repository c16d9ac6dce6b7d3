"""Pictures of packages over HTTP: cleaned, kept, arranged, seen by whoever sees the package, and gone when deleted."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from PIL import Image
from werkzeug.test import TestResponse

from application.catalogue.images import LONGEST_UPLOAD
from domain.catalogue.images import MOST_IMAGES
from infrastructure.bootstrap import Running
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.api.shop import Json, Shop, SignUp, problem
from tests.api.test_manual_payments import bomb, picture
from tests.api.test_packages import ENOUGH, PACKAGES
from tests.conftest import MovableClock, Person
from tests.integration.shop import all_at_once
from workers.jobs import JOBS

pytestmark = pytest.mark.database


@pytest.fixture
def package(shop: Shop) -> Json:
    return shop.package(**ENOUGH)


def send(shop: Shop, package: Json, content: bytes, person: Person | None = None, kind: str = "image/png"):  # type: ignore[no-untyped-def]
    headers = (person or shop.admin).headers
    return shop.client.post(f"{PACKAGES}/{package['id']}/images", data=content, content_type=kind, headers=headers)


@pytest.fixture
def sent(shop: Shop, package: Json) -> Callable[[int], Json]:
    """Sends a picture that is unlike the others."""
    return lambda number: shop.done(send(shop, package, picture(size=(60, 40 + number))), 201)


def files(running: Running) -> list[Path]:
    folder = Path(running.settings.storage_url.removeprefix("file://")) / "packages"
    return [path for path in folder.glob("*") if not path.name.startswith(".")] if folder.is_dir() else []


def images(shop: Shop, package: Json, person: Person | None = None) -> list[Json]:
    found: list[Json] = shop.done(shop.get(f"{PACKAGES}/{package['id']}", person))["images"]
    return found


class TestSeeing:
    def test_everybody_sees_what_was_sent_small_and_large(self, shop: Shop, package: Json) -> None:
        content = picture("JPEG", (1200, 800), comment=b"<script>alert(1)</script>")
        one = shop.done(send(shop, package, content, kind="image/jpeg"), 201)
        assert (one["width"], one["height"], one["is_featured"], one["display_order"]) == (1200, 800, True, 0)
        shown = shop.done(shop.get(f"{PACKAGES}/{package['slug']}"))
        assert shown["images"] == [one]
        assert shown["featured_image"] == one["url"] == shop.done(shop.get(PACKAGES))["items"][0]["featured_image"]
        for url, size in ((one["url"], (1200, 800)), (one["thumbnail_url"], (480, 320))):
            answer = shop.get(url)
            assert (answer.status_code, answer.content_type) == (200, "image/jpeg")
            assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert b"script" not in answer.data
            assert Image.open(io.BytesIO(answer.data)).size == size
            again = shop.get(url, If_None_Match=answer.headers["ETag"])
            assert (again.status_code, again.data) == (304, b"")

    def test_it_is_seen_by_whoever_sees_the_package(self, shop: Shop, sign_up: SignUp) -> None:
        vendor, rival = sign_up("VENDOR"), sign_up("VENDOR")
        draft = shop.done(shop.post(PACKAGES, vendor, ENOUGH), 201)
        one = shop.done(send(shop, draft, picture(), vendor), 201)
        for who in (None, rival, sign_up()):
            problem(shop.get(one["url"], who), 404, "image_not_found")
        for who in (vendor, shop.admin):
            answer = shop.get(one["url"], who)
            assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "private, no-store")
        elsewhere = f"{PACKAGES}/{shop.package()['id']}/images/{one['id']}"
        problem(shop.get(elsewhere, shop.admin), 404, "image_not_found")

    def test_a_form_and_a_name_that_lies_are_taken_for_what_they_are(
        self, shop: Shop, running: Running, package: Json
    ) -> None:
        form = {"image": (io.BytesIO(picture("WEBP")), "../../etc/passwd.html")}
        answer = shop.client.post(f"{PACKAGES}/{package['id']}/images", data=form, headers=shop.admin.headers)
        assert shop.get(shop.done(answer, 201)["url"]).content_type == "image/jpeg"
        (row,) = shop.database.rows("SELECT storage_key, size_bytes, digest FROM package_images")
        assert {path.name for path in files(running)} == {
            row["storage_key"].removeprefix("packages/"),
            f"{row['storage_key'].removeprefix('packages/')}-small",
        }
        assert row["size_bytes"] == next(path for path in files(running) if "small" not in path.name).stat().st_size


class TestRefusals:
    @pytest.mark.parametrize(
        ("content", "code"),
        [
            (b"", "unusable_image"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unusable_image"),
            (picture()[:60], "unusable_image"),
            (bomb(30_000, 30_000), "image_too_large"),
            # More than 40 megapixels, and fewer than the library itself refuses.
            (bomb(8_001, 5_000), "image_too_large"),
        ],
    )
    def test_what_is_no_usable_picture_leaves_nothing(
        self, shop: Shop, running: Running, package: Json, content: bytes, code: str
    ) -> None:
        refused = problem(send(shop, package, content), 422, "validation_failed", pointer="/image")
        assert refused["errors"][0]["code"] == code
        assert (files(running), shop.database.rows("SELECT 1 FROM package_images")) == ([], [])

    def test_other_kinds_and_too_much_are_refused(self, shop: Shop, package: Json) -> None:
        problem(send(shop, package, b"%PDF", kind="application/pdf"), 415, "unsupported_media_type")
        assert send(shop, package, b"x" * (10 * 1024 * 1024 + 1)).status_code == 413

    def test_who_may_not_change_a_package_changes_none_of_its_pictures(
        self, shop: Shop, sign_up: SignUp, package: Json, sent: Callable[[int], Json]
    ) -> None:
        one, rival, customer = sent(0), sign_up("VENDOR"), sign_up()
        before = shop.state()
        for person, status in ((rival, 404), (customer, 403)):
            assert send(shop, package, picture(), person).status_code == status
            for method, path in (
                ("PATCH", one["url"]),
                ("DELETE", one["url"]),
                ("PUT", f"{PACKAGES}/{package['id']}/images/order"),
            ):
                body = {"image_ids": [one["id"]]} if method == "PUT" else {}
                answer = shop.client.open(path, method=method, json=body, headers=person.headers)
                assert answer.status_code == status, (method, answer.text)
        assert shop.state() == before

    def test_there_are_so_many_and_no_more(
        self, shop: Shop, package: Json, sent: Callable[[int], Json], addresses: DatabaseAddresses
    ) -> None:
        sent(0)
        with connect(addresses.owner) as connection:
            connection.execute(
                """INSERT INTO package_images (id, package_id, storage_key, content_type, size_bytes, digest, width,
                       height, caption_ar, caption_en, display_order, is_featured, state, created_at, changed_at)
                   SELECT gen_random_uuid(), package_id, 'packages/' || n, content_type, size_bytes,
                       sha256(n::text::bytea), 1, 1, '', '', n, false, 'STORED', now(), now()
                   FROM package_images, generate_series(1, %s) n""",
                [MOST_IMAGES - 1],
            )
        problem(send(shop, package, picture(size=(9, 9))), 409, "too_many_images")
        assert sent(0)["display_order"] == 0


class TestArranging:
    def test_they_are_described_ordered_and_one_of_them_stands_for_the_package(
        self, shop: Shop, package: Json, sent: Callable[[int], Json]
    ) -> None:
        first, second, third = sent(0), sent(1), sent(2)
        path = f"{PACKAGES}/{package['id']}/images"
        headers = shop.admin.headers
        body = {"caption_ar": "كثبان", "caption_en": "Dunes", "is_featured": True}
        changed = shop.done(shop.client.patch(third["url"], json=body, headers=headers))
        assert changed == {**third, **body, "caption": "Dunes"}
        order = [third["id"], first["id"], second["id"]]
        arranged = shop.done(shop.client.put(f"{path}/order", json={"image_ids": order}, headers=headers))
        assert [image["id"] for image in arranged["items"]] == order
        assert [image["is_featured"] for image in images(shop, package)] == [True, False, False]
        for wrong in (order[:2], [*order, order[0]], [*order[:2], str(uuid4())]):
            refused = shop.client.put(f"{path}/order", json={"image_ids": wrong}, headers=headers)
            problem(refused, 422, "validation_failed", pointer="/image_ids")
        shop.done(shop.client.patch(third["url"], json={"is_featured": False}, headers=headers))
        assert shop.done(shop.get(f"{PACKAGES}/{package['id']}"))["featured_image"] is None

    def test_the_next_one_stands_for_the_package_when_one_is_deleted(
        self, shop: Shop, running: Running, package: Json, sent: Callable[[int], Json]
    ) -> None:
        first, second = sent(0), sent(1)
        assert shop.client.delete(first["url"], headers=shop.admin.headers).status_code == 204
        assert [(image["id"], image["is_featured"]) for image in images(shop, package)] == [(second["id"], True)]
        problem(shop.get(first["url"]), 404, "image_not_found")
        problem(shop.client.delete(first["url"], headers=shop.admin.headers), 404, "image_not_found")
        assert len(files(running)) == 2
        assert shop.client.delete(second["url"], headers=shop.admin.headers).status_code == 204
        assert (files(running), images(shop, package)) == ([], [])
        assert shop.database.rows("SELECT 1 FROM package_images") == []

    def test_a_vendors_pictures_are_looked_at_again(self, shop: Shop, sign_up: SignUp) -> None:
        vendor = sign_up("VENDOR")
        draft = shop.done(shop.post(PACKAGES, vendor, ENOUGH), 201)
        path = f"{PACKAGES}/{draft['id']}"
        shop.done(shop.post(f"{path}/publish", shop.admin))
        one = shop.done(send(shop, draft, picture(), vendor), 201)
        assert shop.done(shop.get(path, vendor))["approval"] == "PENDING"
        assert shop.get(one["url"]).status_code == 200


class TestTwiceAndCrashes:
    def test_the_same_picture_sent_again_and_at_once_is_one(
        self, app: Flask, shop: Shop, running: Running, package: Json
    ) -> None:
        headers, content = shop.admin.headers, picture()

        def one() -> TestResponse:
            path = f"{PACKAGES}/{package['id']}/images"
            return app.test_client().post(path, data=content, content_type="image/png", headers=headers)

        answers: list[Any] = all_at_once([one] * 4)
        answers.append(one())
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.json["id"] for answer in answers}) == 1
        assert len(shop.database.rows("SELECT 1 FROM package_images")) == 1
        assert len(files(running)) == 2

    def test_who_dies_while_it_is_written_leaves_what_the_sweep_finds(
        self, shop: Shop, running: Running, package: Json, clock: MovableClock
    ) -> None:
        storage, killed = running.dependencies.storage, []

        def put(_: Any, key: str, content: bytes, content_type: str) -> None:
            if killed:
                raise KeyboardInterrupt
            killed.append(key)
            original(storage, key, content, content_type)

        original = type(storage).put
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(type(storage), "put", put)
            with pytest.raises(KeyboardInterrupt):
                send(shop, package, picture())
        assert len(files(running)) == 1
        JOBS["catalogue.drop_images"].run(running)
        assert len(files(running)) == 1, "the upload may still be going on"
        assert images(shop, package) == []
        clock.offset = LONGEST_UPLOAD + timedelta(minutes=1)
        JOBS["catalogue.drop_images"].run(running)
        assert (files(running), shop.database.rows("SELECT 1 FROM package_images")) == ([], [])

    def test_who_dies_while_it_is_deleted_leaves_what_the_sweep_finds(
        self, shop: Shop, running: Running, package: Json, sent: Callable[[int], Json]
    ) -> None:
        one = sent(0)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(type(running.dependencies.storage), "delete", _die)
            with pytest.raises(KeyboardInterrupt):
                shop.client.delete(one["url"], headers=shop.admin.headers)
        problem(shop.get(one["url"]), 404, "image_not_found")
        assert len(files(running)) == 2
        JOBS["catalogue.drop_images"].run(running)
        assert (files(running), shop.database.rows("SELECT 1 FROM package_images")) == ([], [])

    def test_what_the_sweep_gave_up_meanwhile_leaves_no_file(
        self, shop: Shop, running: Running, package: Json, addresses: DatabaseAddresses
    ) -> None:
        storage = running.dependencies.storage
        original = type(storage).put

        def swept_first(_: Any, key: str, content: bytes, content_type: str) -> None:
            with connect(addresses.owner) as connection:
                connection.execute("DELETE FROM package_images")
            original(storage, key, content, content_type)

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(type(storage), "put", swept_first)
            problem(send(shop, package, picture()), 404, "image_not_found")
        assert files(running) == []


def _die(*_: object) -> None:
    raise KeyboardInterrupt
