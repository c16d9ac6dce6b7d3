"""Disks that are full: told as problems, nothing is half done, and business goes on when there is room again (A6)."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from config.settings import Settings
from infrastructure.bootstrap import Running, bootstrap
from infrastructure.database.idempotency import LEASE
from infrastructure.database.roles import DatabaseAddresses, connect
from infrastructure.database.transaction import Database
from tests.api.shop import Shop, SignUp
from tests.api.test_manual_payments import picture
from tests.api.test_packages import ENOUGH, PACKAGES
from tests.conftest import MovableClock, _settings
from tests.e2e.invariants import STATES, broken, missing
from tests.faults.own_servers import own_postgres
from tests.faults.waiting import until
from tests.faults.whole import whole

DATABASE_MIB, STORAGE_MIB = 320, 8
REFUSED = 5


def _may_mount() -> bool:
    if os.geteuid() != 0 or shutil.which("mount") is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], capture_output=True, check=False)
        if done.returncode == 0:
            subprocess.run(["umount", folder], check=True)
        return done.returncode == 0


pytestmark = [
    pytest.mark.database,
    pytest.mark.slow,
    pytest.mark.timeout(300),
    whole,
    pytest.mark.skipif(not _may_mount(), reason="a small disk can be mounted by root alone, where that is allowed"),
]


@contextlib.contextmanager
def small_disk(mebibytes: int) -> Iterator[Path]:
    """A disk of this size, in memory, for a block."""
    folder = Path(tempfile.mkdtemp(prefix="altayar-disk-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=755", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
        folder.rmdir()


def fill(folder: Path) -> Path:
    """Use up whatever room there is; the file that has it."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"\0" * 4096)
    return ballast


def register(client: FlaskClient, number: int) -> TestResponse:
    body = {
        "email": f"customer{number}@disks.example",
        "password": "correct horse 42",
        "first_name": "Mona" * 20,
        "last_name": "Adel" * 20,
    }
    headers = {"Idempotency-Key": f"customer-{number}-{'k' * 20}"}
    return client.post("/api/v1/auth/register", json=body, headers=headers)


def test_a_full_disk_of_the_database_is_told_as_unavailable_and_leaves_nothing_half_done(
    redis_url: str, tmp_path: Path, clock: MovableClock, record_property: Callable[[str, object], None]
) -> None:
    with small_disk(DATABASE_MIB) as disk, own_postgres(disk) as (server, addresses):
        url = addresses.owner.render_as_string(hide_password=False)
        running = bootstrap(_settings(url, redis_url, tmp_path), database=Database(addresses.app), clock=clock)
        client = create_app(running=running).test_client()
        acknowledged = [("USER", register(client, 0).json["user"]["id"])]
        ballast = fill(disk)
        refused = list[int]()
        for number in range(1, 4_000):
            answer = register(client, number)
            if answer.status_code == 201:
                acknowledged.append(("USER", answer.json["user"]["id"]))
                continue
            assert (answer.status_code, answer.content_type) == (503, "application/problem+json"), answer.text
            assert answer.json["code"] == "database_unavailable"
            refused.append(number)
            if len(refused) == REFUSED:
                break
        assert len(refused) == REFUSED, "the disk was never full"
        ballast.unlink()
        # Where the log of the database found no room, it has stopped, as an operator sees, and is started again.
        if not server.is_alive():
            server.stop()
            server.start()
        # What had begun counts as under way until its lease is over.
        clock.offset += LEASE + timedelta(seconds=1)
        for number in refused:
            again = until(lambda number=number: _answered(register(client, number)))  # type: ignore[misc]
            assert again.status_code == 201, again.text
            acknowledged.append(("USER", again.json["user"]["id"]))
        assert missing(addresses, acknowledged) == []
        with connect(addresses.owner) as session:
            query = "SELECT count(*) FROM users WHERE email LIKE '%@disks.example'"
            assert session.execute(query).fetchone() == (len(set(acknowledged)),), "one account each, and no half one"
        record_property("invariants", len(STATES) + 1)
        assert broken(addresses, STATES) == []
        running.close()


def _answered(answer: TestResponse) -> TestResponse | None:
    return None if answer.status_code == 503 else answer


@pytest.fixture
def storage() -> Iterator[Path]:
    with small_disk(STORAGE_MIB) as disk:
        yield disk


@pytest.fixture
def settings(settings: Settings, storage: Path) -> Settings:
    return replace(settings, storage_url=f"file://{storage}")


def test_a_full_disk_of_the_storage_folder_leaves_no_picture_and_no_row(
    running: Running, client: FlaskClient, addresses: DatabaseAddresses, sign_up: SignUp, storage: Path
) -> None:
    shop = Shop(client, running, addresses, sign_up)
    package = shop.package(**ENOUGH)

    def send() -> TestResponse:
        headers = {**shop.admin.headers, "Idempotency-Key": uuid4().hex}
        path = f"{PACKAGES}/{package['id']}/images"
        return client.post(path, data=picture("JPEG", (1500, 1500)), content_type="image/jpeg", headers=headers)

    ballast = fill(storage)
    refused = send()
    assert (refused.status_code, refused.content_type) == (503, "application/problem+json"), refused.text
    assert int(refused.headers["Retry-After"]) > 0
    assert shop.done(shop.get(f"{PACKAGES}/{package['id']}"))["images"] == []
    ballast.unlink()
    taken = shop.done(send(), 201)
    assert shop.get(taken["url"]).status_code == 200
    shown = shop.done(shop.get(f"{PACKAGES}/{package['id']}"))["images"]
    assert [one["id"] for one in shown] == [taken["id"]], "what was refused waits for the sweep, and is seen by nobody"
