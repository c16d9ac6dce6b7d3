"""Every query that closes a fault bites: a violation is planted for each promise of the catalogue, and found.

The database is one of its own, with all its guards taken away; each plant is taken back.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from fake_providers.fawaterk import FawaterkServer
from infrastructure.bootstrap import Running, bootstrap
from infrastructure.database.roles import DatabaseAddresses, connect
from infrastructure.database.transaction import Database
from tests.conftest import MovableClock, _settings
from tests.e2e.invariants import (
    GUARANTEED,
    INVARIANTS,
    MONEY_ONCE,
    STATES,
    broken_of,
    missing,
    unlike_books,
    unlike_transfers,
)
from tests.faults import perturbing
from tests.faults.story import lay_bare, tell
from tests.faults.whole import whole
from tests.integration.earning import EARNING_PROMISES
from tests.integration.payroll import PAYROLL_PROMISES
from tests.integration.promotions import PROMISES as PROMOTION_PROMISES
from tests.integration.refunding import REFUND_PROMISES
from tests.integration.shop import PROMISES, Shop

pytestmark = pytest.mark.database

A_COPY = "INSERT INTO {0} SELECT (jsonb_populate_record({0}, {1})).* FROM {0} WHERE {2} LIMIT 1"
NEW_ID = "jsonb_build_object('id', gen_random_uuid())"

PLANTS = {
    "journals sum to zero": "UPDATE ledger_entries SET amount_minor = amount_minor + 1 WHERE line = 1",
    "journals have entries": "DELETE FROM ledger_entries WHERE journal_id IN (SELECT id FROM ledger_journals LIMIT 1)",
    "chains are unbroken": "UPDATE ledger_entries SET balance_before_minor = 7 WHERE sequence = 1",
    "heads of chains are their newest entries": "UPDATE ledger_heads SET sequence = sequence + 1 WHERE sequence > 0",
    "nobody is below zero": "UPDATE ledger_entries SET balance_after_minor = -1 WHERE sequence IS NOT NULL",
    "debts are debts": "UPDATE ledger_accounts SET kind = 'CUSTOMER_DEBT' WHERE kind = 'WALLET'",
    "holds are covered": "UPDATE balance_holds SET status = 'ACTIVE', amount_minor = 1000000000",
    "confirmed bookings have their money": "UPDATE bookings SET paid_amount_minor = 0 WHERE status = 'CONFIRMED'",
    "what bookings say is paid is what journals brought": """
        UPDATE bookings SET paid_amount_minor = paid_amount_minor + 1""",
    "a booking is REFUNDED when all that was paid is back": """
        UPDATE bookings SET refunded_amount_minor = paid_amount_minor WHERE status = 'CONFIRMED'""",
    "a payment is credited once": A_COPY.format("payment_receipts", NEW_ID, "disposition = 'SETTLED'"),
    "receipts are in the ledger to the minor unit": "UPDATE payment_receipts SET amount_minor = amount_minor + 1",
    "no tender gives back more than it took": "UPDATE payment_tenders SET refunded_minor = amount_minor + 1",
    "tenders count what parts and disputes did": "UPDATE payment_tenders SET refunded_minor = refunded_minor + 1",
    "an attempt gives back no more than it brought": """
        UPDATE refund_parts SET amount_minor = 1000000000 WHERE attempt_id IS NOT NULL""",
    "a payout leaves, arrives and returns once": A_COPY.format("ledger_journals", NEW_ID, "reference_type = 'PAYOUT'"),
    "an entry is paid out once": """
        ALTER TABLE payout_entries DROP CONSTRAINT pk_payout_entries;
        INSERT INTO payout_entries SELECT l.payable_entry_id, p.id FROM payout_entries l
        JOIN payouts p ON p.id <> l.payout_id LIMIT 1""",
    "payouts are the sum of their entries": "UPDATE payouts SET amount_minor = amount_minor + 1",
    "nobody is paid out more than was released to them": A_COPY.format("payouts", NEW_ID, "journal_id IS NOT NULL"),
    "no payout leaves a payable account below zero": """
        UPDATE ledger_entries SET balance_after_minor = -1
        WHERE journal_id IN (SELECT id FROM ledger_journals WHERE journal_type = 'PAYOUT')""",
    "verified webhooks are done, dead or young": "UPDATE payment_webhook_logs SET status = 'RECEIVED'",
    "events are handed on": """
        UPDATE outbox_events SET published_at = NULL, occurred_at = now() - interval '121 seconds'""",
    "a balance hold is resolved once, by one journal": A_COPY.format("balance_holds", NEW_ID, "journal_id IS NOT NULL"),
    "holds of tenders end as their tenders do": "UPDATE balance_holds SET status = 'EXPIRED', journal_id = NULL",
    "payments that are over hold nothing": """
        UPDATE balance_holds SET status = 'ACTIVE' WHERE reference_id IN (SELECT id FROM payments)""",
    "holds follow their bookings": "UPDATE holds SET status = 'EXPIRED' WHERE status = 'CAPTURED'",
    "no hold is stale": "UPDATE holds SET status = 'ACTIVE', expires_at = now() - interval '11 minutes'",
    "nothing is oversold": "UPDATE departures SET seats_taken = capacity + 1",
    "seats taken are those of holds and of offers to who waited": "UPDATE departures SET seats_taken = seats_taken + 1",
    "pools give what their departures have taken": "UPDATE pools SET seats_taken = 1",
    "nothing is used beyond its limit": "UPDATE vouchers SET usage_count = usage_limit_total + 1",
    "counts of vouchers are their redemptions": "UPDATE vouchers SET usage_count = usage_count + 1",
    "uses of people are their redemptions": "UPDATE voucher_uses SET used = used + 1",
}
FURTHER = {
    "what is REFUNDED has given its voucher and its offers back": "UPDATE bookings SET status = 'REFUNDED'",
    "a confirmation is told once": """
        INSERT INTO notifications (id, user_id, notification_type, title_ar, title_en, message_ar, message_en,
                                   link_type, link_id, is_read, created_at)
        SELECT gen_random_uuid(), user_id, 'BOOKING_CONFIRMED', '', '', '', '', 'BOOKING', id, false, now()
        FROM bookings, generate_series(1, 2)""",
    "a booking is replaced when it expired unpaid, by one of the same trip and price that is paid": """
        UPDATE bookings SET replaces_booking_id = (SELECT id FROM bookings LIMIT 1)""",
    "cancelled drafts hold no entries": "UPDATE payouts SET status = 'CANCELLED', journal_id = NULL",
    "earnings stand at what their payable entries say": (
        AN_EARNING := """
        INSERT INTO earnings (id, booking_id, booking_item_id, payee_type, payee_id, rate, tax_rate, base_minor,
            amount_minor, tax_minor, reversed_amount_minor, reversed_tax_minor, currency, earned_at, released_at)
        SELECT gen_random_uuid(), b.id, gen_random_uuid(), 'VENDOR', b.user_id, 10, 0, 1000000000, 1000000000, 0, 0, 0,
            'EGP', now(), now() FROM bookings b"""
    ),
    "no trip earns more than is paid for it": AN_EARNING,
    "holds are kept no longer than agreed, or by a code": """
        UPDATE holds SET agreed_until = expires_at + interval '1 second'""",
    "holds of refunds end with their parts": """
        UPDATE refund_parts SET hold_id = (SELECT id FROM balance_holds WHERE status = 'ACTIVE' LIMIT 1)
        WHERE journal_id IS NOT NULL""",
    "invoice numbers have no gaps": "INSERT INTO document_series VALUES ('INV', 2026, 7)",
    "journals reverse no more than there was": """
        UPDATE ledger_journals SET reverses_journal_id = (SELECT id FROM ledger_journals WHERE journal_type = 'PAYMENT'
                                                          LIMIT 1) WHERE journal_type = 'PAYMENT'""",
    "late money has a choice, or pays what replaces its booking, and never both": """
        INSERT INTO late_money (receipt_id, booking_id, hindrance, offered_at, choose_until, choice)
        SELECT r.id, b.id, 'SEATS', now(), now(), 'WALLET' FROM payment_receipts r, bookings b LIMIT 1;
        INSERT INTO suspense_items (receipt_id, payment_id, provider, amount_minor, currency, reason, status, opened_at,
                                    decision_reason)
        SELECT l.receipt_id, p.id, 'SCRIPTED', 1, 'EGP', 'LATE', 'OPEN', now(), '' FROM late_money l, payments p
        LIMIT 1""",
    "no delivery was given up": """
        INSERT INTO processed_events (event_id, handler, enqueued_at, due_at, attempts, dead_at)
        SELECT id, 'x', now(), now(), 10, now() FROM outbox_events LIMIT 1""",
    "money of the sandbox is in our books": """
        INSERT INTO sandbox_checkouts SELECT gen_random_uuid(), 'x', 1, 'EGP', '', 'en', '', '', '', now(), 'paid',
                                             now(), now();
        INSERT INTO sandbox_charges SELECT gen_random_uuid(), id, 1, 1, 'EGP', now() - interval '3 minutes'
        FROM sandbox_checkouts""",
}
"""Plants for what is not of the catalogue's list, where the story has no row to change."""

OTHERS = sorted(set(INVARIANTS) - set(PLANTS) - set(FURTHER))


@pytest.fixture(scope="module")
def bare(module_addresses: DatabaseAddresses, tmp_path_factory: pytest.TempPathFactory) -> DatabaseAddresses:
    """The story, told once; nothing guards it any more."""
    url = module_addresses.owner.render_as_string(hide_password=False)
    settings = _settings(url, "redis://unused", tmp_path_factory.mktemp("story"))
    running = bootstrap(settings, database=Database(module_addresses.app), clock=MovableClock())
    try:
        tell(running)
    finally:
        running.close()
    with connect(module_addresses.owner) as connection:
        assert broken_of(connection, INVARIANTS) == [], "an honest company breaks nothing"
    lay_bare(module_addresses)
    return module_addresses


def test_every_promise_of_the_catalogue_has_queries_and_each_its_plant() -> None:
    named = [name for names in GUARANTEED.values() for name in names]
    assert set(named) <= set(INVARIANTS)
    assert len(named) == len(set(named))
    assert set(named) == set(PLANTS)
    parts = (PROMISES, REFUND_PROMISES, EARNING_PROMISES, PROMOTION_PROMISES, PAYROLL_PROMISES, MONEY_ONCE)
    assert sum(map(len, parts)) == len(STATES), "no two promises have one name"


def test_what_is_planted_is_found(bare: DatabaseAddresses, subtests: pytest.Subtests) -> None:
    for name, plant in (PLANTS | FURTHER).items():
        with (
            subtests.test(name),
            connect(bare.owner) as connection,
            connection.transaction(force_rollback=True),
        ):
            assert broken_of(connection, {name: INVARIANTS[name]}) == []
            connection.execute(plant.encode())
            assert broken_of(connection, {name: INVARIANTS[name]}) == [name]


@whole
@pytest.mark.slow
def test_every_other_query_can_find_something_too(bare: DatabaseAddresses, subtests: pytest.Subtests) -> None:
    """Rows that it speaks of are changed, doubled and taken away, one thing after the other, until it finds one."""
    for name in OTHERS:
        with subtests.test(name), connect(bare.owner) as connection:
            assert perturbing.finds(connection, INVARIANTS[name]) is not None


def test_an_acknowledged_write_that_is_missing_is_named(running: Running, addresses: DatabaseAddresses) -> None:
    shop = Shop.opened(running)
    customer = shop.a_customer()
    booking = shop.book(customer)
    there = [("USER", str(customer)), ("BOOKING", str(booking.id)), ("PAYMENT", str(shop.pay(customer, booking.id)))]
    gone = [(kind, str(uuid4())) for kind in ("USER", "BOOKING", "PAYMENT", "WEBHOOK")]
    assert missing(addresses, [*there, *gone]) == gone


@pytest.fixture
def fawaterk(tmp_path: Path) -> Iterator[FawaterkServer]:
    with FawaterkServer(tmp_path / "books.sqlite", automatic_webhooks=False) as server:
        yield server


def test_a_charge_that_only_the_provider_knows_is_named(addresses: DatabaseAddresses, fawaterk: FawaterkServer) -> None:
    assert unlike_books(fawaterk, addresses) == {}
    charged = [{"amount": "12.50", "paying": True}]
    fawaterk.books.add({"generation": "v2", "transactions": charged}, 77)
    assert unlike_books(fawaterk, addresses) == {"77": (1250, 0)}


def test_a_transfer_that_was_sent_twice_is_named(addresses: DatabaseAddresses) -> None:
    class Books:
        @staticmethod
        def all(_kind: str) -> list[dict[str, object]]:
            return [{"transfer_group": "po-1", "amount": 5_000}] * 2

    class Stripe:
        books = Books()

    assert unlike_transfers(Stripe(), addresses) == {"po-1": (10_000, 0)}  # type: ignore[arg-type]
