"""Rotating the keys of encrypted fields: afterwards the old key is needed for nothing."""

from __future__ import annotations

from uuid import UUID

import pytest
from click.testing import CliRunner

from cli import main
from domain.sales.bookings import Booking
from infrastructure.bootstrap import Running
from infrastructure.database.key_rotation import BATCH, UnreadableField, count_encrypted, rotate_keys
from infrastructure.database.roles import DatabaseAddresses, connect
from security.field_encryption import FernetEncryption
from tests.integration.shop import Shop, all_at_once

OLD, NEW, OTHER = "an old secret of some length", "a new secret of some length", "somebody else's secret"


def seal(shop: Shop, addresses: DatabaseAddresses, secret: str, *, count: int) -> Booking:
    """A booking whose travellers' documents are sealed with a secret; one has none."""
    booking = shop.book(shop.a_customer(), shop.a_departure(seats=5))
    encryption = FernetEncryption([secret])
    with connect(addresses.owner) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO booking_travelers (booking_id, position, first_name, last_name, document_number_encrypted)"
            " VALUES (%s, %s, 'A', 'B', %s)",
            [(booking.id, n, encryption.encrypt(f"DOC-{n}") if n else None) for n in range(count + 1)],
        )
    return booking


def documents(shop: Shop, booking_id: UUID, secret: str) -> list[str]:
    rows = shop.database.rows(
        "SELECT document_number_encrypted AS sealed FROM booking_travelers"
        " WHERE booking_id = %s AND document_number_encrypted IS NOT NULL ORDER BY position",
        (booking_id,),
    )
    encryption = FernetEncryption([secret])
    return [encryption.decrypt(bytes(row["sealed"])) for row in rows]


def test_after_a_rotation_the_old_key_can_go(shop: Shop, addresses: DatabaseAddresses) -> None:
    count = BATCH + 3
    booking = seal(shop, addresses, OLD, count=count)
    seen: list[int] = []
    renewed = FernetEncryption([NEW, OLD]).renewed

    assert count_encrypted(shop.database) == count
    assert rotate_keys(shop.database, renewed, seen.append) == count
    assert sum(seen) == count
    assert documents(shop, booking.id, NEW) == [f"DOC-{n}" for n in range(1, count + 1)]
    assert rotate_keys(shop.database, renewed, seen.append) == 0
    assert rotate_keys(shop.database, FernetEncryption([NEW]).renewed, seen.append) == 0


def test_a_rotation_that_was_stopped_goes_on_where_it_was(shop: Shop, addresses: DatabaseAddresses) -> None:
    count = BATCH + 3
    booking = seal(shop, addresses, OLD, count=count)
    renewed = FernetEncryption([NEW, OLD]).renewed

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotate_keys(shop.database, renewed, stop)
    assert rotate_keys(shop.database, renewed, lambda _: None) == 3
    assert len(documents(shop, booking.id, NEW)) == count


def test_several_rotate_at_once(shop: Shop, addresses: DatabaseAddresses) -> None:
    booking = seal(shop, addresses, OLD, count=60)
    renewed = FernetEncryption([NEW, OLD]).renewed

    results = all_at_once([lambda: rotate_keys(shop.database, renewed, lambda _: None)] * 4)

    assert sum(result for result in results if isinstance(result, int)) == 60
    assert len(documents(shop, booking.id, NEW)) == 60


def test_a_key_that_is_missing_is_said_with_the_row_that_needs_it(shop: Shop, addresses: DatabaseAddresses) -> None:
    booking = seal(shop, addresses, OTHER, count=1)

    with pytest.raises(UnreadableField, match=f"document_number_encrypted of booking_id {booking.id}, position 1"):
        rotate_keys(shop.database, FernetEncryption([NEW, OLD]).renewed, lambda _: None)
    assert documents(shop, booking.id, OTHER) == ["DOC-1"]


def test_the_command_says_what_it_did(
    running: Running, shop: Shop, addresses: DatabaseAddresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    from contextlib import contextmanager

    (secret,) = running.settings.field_encryption_keys
    booking = seal(shop, addresses, secret, count=2)
    from dataclasses import replace

    @contextmanager
    def system():  # type: ignore[no-untyped-def]
        yield replace(running, settings=replace(running.settings, field_encryption_keys=keys))

    monkeypatch.setattr("cli._system", system)
    keys: tuple[str, ...] = (NEW, secret)
    done = CliRunner().invoke(main, ["keys", "rotate"])
    assert (done.exit_code, "2 fields were put under the first key" in done.output) == (0, True)
    assert documents(shop, booking.id, NEW) == ["DOC-1", "DOC-2"]
    keys = (OTHER,)
    refused = CliRunner().invoke(main, ["keys", "rotate"])
    assert refused.exit_code == 1
    assert "none of FIELD_ENCRYPTION_KEYS opens it" in refused.output
