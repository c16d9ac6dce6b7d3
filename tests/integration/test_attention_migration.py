"""The migration that made items of suspense: receipts of the release before have theirs afterwards."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from infrastructure.bootstrap import Running
from infrastructure.database import migrations
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.builders import egp
from tests.integration.shop import Shop

FILE = Path(__file__).resolve().parents[2] / "migrations" / "versions" / "20261128_05_attention.py"


def this_migration() -> Any:
    spec = importlib.util.spec_from_file_location("attention_migration", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_suspended_receipts_get_items_and_open_attempts_are_due(running: Running, addresses: DatabaseAddresses) -> None:
    shop, migration = Shop.opened(running), this_migration()
    customer = shop.a_customer()
    suspended, waiting = (shop.pay(customer, shop.book(customer).id) for _ in range(2))
    shop.charge(suspended, egp("1.00"))
    shop.look(suspended)
    shop.a_paid_booking(customer)
    running.database.dispose()

    migrations.downgrade(addresses, migration.down_revision)
    migrations.upgrade(addresses)

    with connect(addresses.owner) as connection:
        items = connection.execute("SELECT payment_id, amount_minor, reason, status FROM suspense_items").fetchall()
        assert items == [(suspended, 100, "SHORT", "OPEN")]
        due = connection.execute(
            """SELECT payment_id FROM payment_attempts
               WHERE status IN ('CREATED', 'OPEN', 'UNKNOWN') AND read_again_at <= now()"""
        ).fetchall()
        assert due == [(waiting,)]
        assert connection.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid").fetchone() == (0,)
        # The release before does not name the new columns.
        connection.execute(
            """INSERT INTO payment_attempts (id, payment_id, provider, status, merchant_reference, provider_key,
                   receipts_count, created_at, updated_at)
               VALUES (gen_random_uuid(), %s, 'SCRIPTED', 'OPEN', 'pa_old', '', 0, now(), now())""",
            [waiting],
        )
    assert shop.reconcile().asked == 2
