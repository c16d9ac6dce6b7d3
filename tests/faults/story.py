"""A company with a row of every sort that matters to money: what violations are planted in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg

from domain.billing.payments import PaymentMethod
from domain.shared.percentage import Percentage
from infrastructure.bootstrap import Running
from infrastructure.clock import new_id
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.integration.payroll import Payroll
from tests.integration.promotions import Till, from_offer, from_voucher
from tests.integration.refunding import Counter
from tests.integration.shop import Shop
from tests.integration.tenders import SPLITS, a_rich_customer, egp, pay_card

_TABLES = """
SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') ORDER BY c.relispartition, 1
"""
_CONSTRAINTS = """
SELECT conrelid::regclass::text, quote_ident(conname) FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND k.contype IN ('f', 'c', 'u') AND k.conislocal AND k.conparentid = 0
ORDER BY k.contype = 'u'
"""


def tell(running: Running) -> None:
    """People buy in every way, get some of it back, partners are paid out, vouchers are used, a webhook came."""
    shop = Shop.opened(running)
    _buy(shop)
    _travel(running)
    _redeem(running)
    payroll = Payroll.of(running)
    payroll.a_payee([6_000, 3_000])
    payroll.a_payee([7_000], method="BANK_TRANSFER")
    payroll.approved()
    payroll.send()
    _hand_on(running)


def _hand_on(running: Running) -> None:
    """As a relay would: builders' events are of a noon that is long over."""
    with running.database.transaction() as statements:
        statements.execute("UPDATE outbox_events SET published_at = now()")
        statements.commit()


def _buy(shop: Shop) -> None:
    counter, customer = Counter(shop), a_rich_customer(shop, wallet=200_000, credit=200_000, points=200_000)
    paid = [shop.pay(customer, shop.book(customer).id, parts=parts) for parts in SPLITS.values()]
    for payment_id in paid[:3]:
        pay_card(shop, payment_id)
    counter.refund(paid[0], egp(40_000))
    counter.refund(paid[2], egp(10_000))
    wallet = a_rich_customer(shop, wallet=200_000)
    shop.pay(wallet, shop.book(wallet).id, method=PaymentMethod.WALLET)
    shop.book(customer, deposit=Percentage.parse("30"))


def _travel(running: Running) -> None:
    """A trip that is over, with its points and its cashback."""
    shop = Shop.opened(running)
    customer = shop.a_customer()
    booking = shop.a_paid_booking(customer)
    shop.travel(booking.id, shop.a_customer())


def _redeem(running: Running) -> None:
    till = Till.opened(running)
    voucher, offer = till.voucher(usage_limit_total=3, usage_limit_per_user=2), till.offer(usage_limit_total=3)
    (one, other) = till.bookings(2)
    till.redeem(one, from_voucher(voucher), from_offer(offer))
    till.redeem(other, from_voucher(voucher))
    with till.shop.database.transaction() as statements:
        statements.execute(
            """INSERT INTO pools (id, name_ar, name_en, capacity, seats_taken, created_at, version)
               VALUES (%s, 'أسرة', 'Beds', 5, 0, %s, 1)""",
            (new_id(), till.now),
        )
        statements.execute(
            """INSERT INTO payment_webhook_logs (id, provider, webhook_event_id, event_type, provider_reference,
                   provider_key, merchant_reference, reference_number, body, content_type, status, ip_address,
                   received_at, charge_reference, is_about_refund)
               VALUES (%s, 'SCRIPTED', 'evt', 'paid', 'x', 'x', '', '', '', '', 'PROCESSED', '', %s, '', false)""",
            (new_id(), till.now - timedelta(hours=1)),
        )
        statements.commit()


def lay_bare(addresses: DatabaseAddresses) -> None:
    """Take away the guards of a throw-away database: triggers, references, checks, all that is unique.

    Primary keys stay: what a query may group by follows from them.
    """
    with connect(addresses.owner) as connection, connection.transaction():
        for (table,) in connection.execute(_TABLES.encode()).fetchall():
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER".encode())
        for table, name in connection.execute(_CONSTRAINTS.encode()).fetchall():
            connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name} CASCADE".encode())
        _drop_unique_indexes(connection)


def _drop_unique_indexes(connection: psycopg.Connection[Any]) -> None:
    rows = connection.execute(
        """SELECT i.indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
           JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND i.indisunique
           AND NOT i.indisprimary AND NOT c.relispartition"""
    ).fetchall()
    for (index,) in rows:
        connection.execute(f"DROP INDEX IF EXISTS {index} CASCADE".encode())
