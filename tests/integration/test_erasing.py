"""The one function that may change what is written once, and what not even it may change (M4, S9)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.types.json import Jsonb

from application.privacy.erasure import CloseAccount, carry_out_erasure, close_account, due_erasures
from domain.messaging.notifications import LinkType, Notification, NotificationType
from domain.privacy.erasure import AccountErased, ErasureBlocked, ErasureNotFound
from domain.sales.booking_errors import CustomerNotFound
from domain.sales.bookings import Booking
from domain.shared.errors import Conflict
from infrastructure.clock import new_id
from infrastructure.database import migrations
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.conftest import MovableClock
from tests.integration.shop import Shop, all_at_once

DENIED = psycopg.errors.InsufficientPrivilege
REFUSED = "AL005"


def cancelled_booking(shop: Shop, addresses: DatabaseAddresses, customer: UUID) -> Booking:
    """A booking that is over, by hand: cancelling has no use case of the customer's yet."""
    booking = shop.book(customer, shop.a_departure(seats=5))
    with connect(addresses.owner) as connection:
        connection.execute("UPDATE bookings SET status = 'CANCELLED' WHERE id = %s", [booking.id])
    return booking


def leave(shop: Shop, customer: UUID) -> UUID:
    """Close the account: the erasure that is scheduled."""
    use = shop.use
    command = CloseAccount(user_id=customer, grace=timedelta(days=14))
    close_account(command, uow=use.new_uow(), clock=use.clock, new_id=new_id)
    return UUID(str(shop.row("SELECT id FROM erasures WHERE user_id = %s", customer)["id"]))


def look_open(addresses: DatabaseAddresses, customer: UUID) -> None:
    """As a sale saw the account that looked at it just before it was closed: what is behind that look has to hold."""
    with connect(addresses.owner) as connection:
        connection.execute("UPDATE users SET status = 'ACTIVE', deleted_at = NULL WHERE id = %s", [customer])


def carry_out(shop: Shop, erasure_id: UUID) -> bool:
    use = shop.use
    return carry_out_erasure(erasure_id, new_uow=use.new_uow, storage=use.storage, clock=use.clock, new_id=use.new_id)


def test_neither_role_changes_a_record_by_hand(shop: Shop, addresses: DatabaseAddresses) -> None:
    cancelled_booking(shop, addresses, shop.a_customer())
    statement = "UPDATE booking_status_history SET change_reason = 'erased'"

    with connect(addresses.app) as app, pytest.raises(DENIED):
        app.execute(statement)
    with connect(addresses.owner) as owner, pytest.raises(psycopg.Error) as refused:
        owner.execute(statement)
    assert refused.value.sqlstate == REFUSED


def test_a_forged_mark_gives_the_application_nothing(addresses: DatabaseAddresses) -> None:
    with connect(addresses.app) as app:
        app.execute("SELECT set_config('altayar.erasing', 'on', false)")
        for table in ("booking_status_history", "audit_logs", "ledger_entries", "invoice_items", "consents"):
            with pytest.raises(DENIED):
                app.execute(f"DELETE FROM {table}".encode())
        with pytest.raises(DENIED):
            app.execute("UPDATE audit_logs SET changes = '{}'")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE booking_status_history SET to_status = 'COMPLETED'",
        "UPDATE booking_status_history SET changed_at = now(), change_reason = 'x'",
        "DELETE FROM booking_status_history",
        "TRUNCATE booking_status_history",
        "UPDATE ledger_accounts SET provider = 'x'",
        "DELETE FROM ledger_accounts",
    ],
)
def test_a_forged_mark_gives_the_owner_the_personal_columns_and_no_others(
    shop: Shop, addresses: DatabaseAddresses, statement: str
) -> None:
    customer = shop.a_customer()
    cancelled_booking(shop, addresses, customer)
    with connect(addresses.owner) as owner:
        owner.execute(
            "INSERT INTO ledger_accounts (id, kind, currency, user_id, provider, is_chained, allows_debt, created_at)"
            " VALUES (gen_random_uuid(), 'WALLET', 'EGP', %s, '', true, false, now())",
            [customer],
        )
        owner.execute("SELECT set_config('altayar.erasing', 'on', false)")
        with pytest.raises(psycopg.Error) as refused:
            owner.execute(statement.encode())
        assert refused.value.sqlstate == REFUSED


def test_the_application_erases_only_who_is_due(shop: Shop, addresses: DatabaseAddresses, clock: MovableClock) -> None:
    customer = shop.a_customer()
    erasure_id = leave(shop, customer)

    with connect(addresses.app) as app:
        for unknown_or_early in (new_id(), erasure_id):
            with pytest.raises(psycopg.Error) as refused:
                app.execute("SELECT erase_person(%s, now())", [unknown_or_early])
            assert refused.value.sqlstate == "AL006"
        app.execute("SELECT erase_person(%s, now() + interval '15 days')", [erasure_id])
        assert app.execute("SELECT current_setting('altayar.erasing')").fetchone() == ("",)


def test_nobody_is_erased_before_the_grace_is_over_and_everybody_within_30_days(
    shop: Shop, clock: MovableClock
) -> None:
    erasure_id, use = leave(shop, shop.a_customer()), shop.use

    clock.offset = timedelta(days=13, hours=23)
    assert due_erasures(uow=use.new_uow(), clock=clock) == []
    clock.offset = timedelta(days=14, hours=1)
    assert due_erasures(uow=use.new_uow(), clock=clock) == [erasure_id]
    assert carry_out(shop, erasure_id)
    assert due_erasures(uow=use.new_uow(), clock=clock) == []
    assert carry_out(shop, erasure_id)


def test_open_money_holds_an_erasure_up_and_says_so(
    shop: Shop, addresses: DatabaseAddresses, clock: MovableClock
) -> None:
    customer = shop.a_customer()
    booking = shop.book(customer, shop.a_departure(seats=5))
    erasure_id = leave(shop, customer)
    clock.offset = timedelta(days=15)

    assert not carry_out(shop, erasure_id)
    row = shop.row("SELECT blocked_by, erased_at FROM erasures WHERE id = %s", erasure_id)
    assert (row["blocked_by"], row["erased_at"]) == (["BOOKINGS"], None)
    with pytest.raises(ErasureBlocked), shop.use.new_uow() as uow:
        uow.privacy.erase(erasure_id, at=clock.now())
        uow.commit()

    with connect(addresses.owner) as connection:
        connection.execute("UPDATE bookings SET status = 'CANCELLED' WHERE id = %s", [booking.id])
    assert carry_out(shop, erasure_id)


def test_an_erasure_that_was_killed_before_its_files_went_is_finished(
    shop: Shop, addresses: DatabaseAddresses, clock: MovableClock
) -> None:
    customer = shop.a_customer()
    erasure_id, use = leave(shop, customer), shop.use
    export_id = new_id()
    with connect(addresses.owner) as connection:
        connection.execute(
            "INSERT INTO personal_data_exports (id, user_id, requested_by_user_id, locale, status, requested_at)"
            " VALUES (%s, %s, %s, 'en', 'READY', now())",
            [export_id, customer, customer],
        )
    use.storage.put(f"exports/{export_id}", b"sealed", "application/octet-stream")
    clock.offset = timedelta(days=15)
    with use.new_uow() as uow:
        uow.privacy.erase(erasure_id, at=clock.now())
        uow.commit()
    assert use.storage.get(f"exports/{export_id}") is not None

    assert due_erasures(uow=use.new_uow(), clock=clock) == [erasure_id]
    assert carry_out(shop, erasure_id)
    assert use.storage.get(f"exports/{export_id}") is None
    assert shop.row("SELECT done_at IS NOT NULL AS done FROM erasures WHERE id = %s", erasure_id)["done"]


def test_what_a_family_shares_points_at_nobody(shop: Shop, addresses: DatabaseAddresses, clock: MovableClock) -> None:
    customer, relative = shop.a_customer(), shop.a_customer()
    shared, own = b'{"phone": "+201055555555"}', b'{"phone": "+201066666666"}'
    with connect(addresses.owner) as connection:
        connection.execute("UPDATE users SET phone = '+201055555555' WHERE id IN (%s, %s)", [customer, relative])
        connection.execute(
            "INSERT INTO idempotency_keys (scope, key, fingerprint, body, created_at)"
            " VALUES ('relative', '1', '', %s, now()), ('staff', '2', '', %s, now())",
            [shared, own],
        )
    erasure_id = leave(shop, customer)
    clock.offset = timedelta(days=15)
    assert carry_out(shop, erasure_id)
    assert shop.row("SELECT count(*) AS kept FROM idempotency_keys")["kept"] == 2

    with connect(addresses.owner) as connection:
        connection.execute("UPDATE users SET phone = '+201066666666' WHERE id = %s", [relative])
    other = leave(shop, relative)
    clock.offset = timedelta(days=30)
    assert carry_out(shop, other)
    assert shop.row("SELECT scope FROM idempotency_keys")["scope"] == "relative"


def test_a_late_payment_tells_nobody_and_still_goes_through(shop: Shop, clock: MovableClock) -> None:
    customer = shop.a_customer()
    erasure_id = leave(shop, customer)
    clock.offset = timedelta(days=15)
    assert carry_out(shop, erasure_id)

    with shop.use.new_uow() as uow:
        uow.notifications.add(
            Notification(
                id=new_id(),
                user_id=customer,
                notification_type=NotificationType.SYSTEM,
                title_ar="دفعة",
                title_en="A payment",
                message_ar="وصلت",
                message_en="It came in",
                link_type=LinkType.NONE,
                link_id=None,
                created_at=clock.now(),
            )
        )
        uow.commit()

    assert shop.row("SELECT count(*) AS told FROM notifications")["told"] == 0


def test_the_migration_goes_back_and_forth(addresses: DatabaseAddresses) -> None:
    migrations.downgrade(addresses, "20261123_01")
    with connect(addresses.owner) as connection:
        left = connection.execute("SELECT proname FROM pg_proc WHERE proname ~ 'eras|without_texts'").fetchall()
    assert left == []
    migrations.upgrade(addresses)
    with connect(addresses.app) as app, pytest.raises(psycopg.Error) as refused:
        app.execute("SELECT erase_person(%s, now())", [new_id()])
    assert refused.value.sqlstate == "AL006"


def test_workers_at_once_erase_somebody_once(shop: Shop, clock: MovableClock) -> None:
    erasure_id = leave(shop, shop.a_customer())
    clock.offset = timedelta(days=15)

    results = all_at_once([lambda: carry_out(shop, erasure_id)] * 6)

    # A worker that lost the race finds nothing due, or nothing left to do.
    assert all(result is True or isinstance(result, ErasureNotFound) for result in results), results
    events = shop.row("SELECT count(*) AS told FROM outbox_events WHERE name = 'privacy.person_erased'")
    assert events["told"] == 1


def test_who_books_while_they_are_being_erased_is_told_so(
    shop: Shop, addresses: DatabaseAddresses, clock: MovableClock
) -> None:
    customer, departure = shop.a_customer(), shop.a_departure(seats=5)
    erasure_id = leave(shop, customer)
    look_open(addresses, customer)
    clock.offset = timedelta(days=15)
    with ThreadPoolExecutor(1) as threads:
        with shop.use.new_uow() as uow:
            uow.privacy.erase(erasure_id, at=clock.now())
            # An answer: until here the statements before may wait to be sent.
            assert uow.privacy.is_erased(customer)
            booking = threads.submit(shop.book, customer, departure)
            with pytest.raises(TimeoutError):
                booking.result(0.5)
            uow.commit()
        assert isinstance(booking.exception(5), AccountErased)
    assert shop.row("SELECT count(*) AS booked FROM bookings")["booked"] == 0
    assert shop.row("SELECT seats_taken FROM departures WHERE id = %s", departure.id)["seats_taken"] == 0


def test_a_booking_during_the_erasure_leaves_nothing_personal(
    shop: Shop, addresses: DatabaseAddresses, clock: MovableClock
) -> None:
    departure = shop.a_departure(seats=50)
    for _ in range(4):
        customer = shop.a_customer()
        erasure_id = leave(shop, customer)
        look_open(addresses, customer)
        clock.offset = timedelta(days=15)
        works: list[Any] = [lambda e=erasure_id: carry_out(shop, e)]
        works += [lambda c=customer: shop.book(c, departure)] * 3

        results = all_at_once(works)

        bookings = shop.database.rows("SELECT customer_info FROM bookings WHERE user_id = %s", (customer,))
        if results[0] is True:
            # Erased first: everybody who booked was told so, by the sale or by what stands behind it.
            assert all(isinstance(result, AccountErased | CustomerNotFound) for result in results[1:]), results
            assert bookings == []
        else:
            # Booked first: that money is open, so the erasure waits, and says why.
            assert results[0] is False or isinstance(results[0], Conflict), results
            assert any(isinstance(result, Booking) for result in results[1:])
            assert shop.row("SELECT erased_at FROM users WHERE id = %s", customer)["erased_at"] is None
        clock.offset = timedelta()


def test_what_an_amendment_says_of_its_trip_goes_with_its_booking(
    shop: Shop, addresses: DatabaseAddresses, clock: MovableClock
) -> None:
    customer = shop.a_customer()
    booking = cancelled_booking(shop, addresses, customer)
    agreed = {
        "booking_details": {"wishes": "Mona's knee"},
        "items": [{"quantity": 2, "item_details": {"for": "Mona"}, "notes": "her knee"}],
        "final_amount_minor": 5,
    }
    with connect(addresses.owner) as connection:
        connection.execute(
            """INSERT INTO booking_amendments (id, booking_id, status, previous_start_date, start_date,
                   previous_travelers_count, travelers_count, previous_amount_minor, amount_minor, fee_minor,
                   refund_minor, points_restored, currency, seats_held, agreed, requested_by_user_id, requested_at,
                   resolved_at)
               VALUES (gen_random_uuid(), %s, 'APPLIED', now(), now(), 1, 1, 5, 5, 0, 0, 0, 'EGP', 0, %s, %s, now(),
                   now())""",
            [booking.id, Jsonb(agreed), customer],
        )
    erasure_id = leave(shop, customer)
    clock.offset = timedelta(days=15)
    assert carry_out(shop, erasure_id)

    assert shop.row("SELECT agreed FROM booking_amendments WHERE booking_id = %s", booking.id)["agreed"] == {
        "booking_details": {},
        "items": [{"quantity": 2, "item_details": {}, "notes": ""}],
        "final_amount_minor": 5,
    }
