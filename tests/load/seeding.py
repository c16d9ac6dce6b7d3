"""A company that has run for a year: customers, 100,000 bookings, 1,000,000 ledger entries, made set by set.

Rows are such that everything `tests/e2e/invariants.py` asks holds from the first request on.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from multiprocessing.process import BaseProcess
from typing import Any, Final
from uuid import UUID

import psycopg

from config.settings import Settings
from domain.ledger import accounts
from domain.ledger.accounts import AccountKind
from domain.ledger.journal import Entry, Journal, JournalType, transfer
from infrastructure.bootstrap import bootstrap
from infrastructure.clock import new_id
from infrastructure.database.roles import connect
from tests.benchmarks.catalogues import fill_catalogue
from tests.benchmarks.data import CURRENCY, Shop, let_sign_in, open_shop
from tests.benchmarks.servers import System

PASSWORD: Final = "a-loaded-journey-1"
PRICE = 299_800
"""Of every seeded booking, in minor units, and the tax in it."""

_JOURNALS_A_BATCH: Final = 500
_POSTERS: Final = 2
_WALLET_MINOR: Final = 100_000_000


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is. Of ten bookings of a customer seven are over, two to come, and one was never paid."""

    customers: int = 10_000
    packages: int = 2_000
    """To be searched; another 50 have seats for everybody."""
    top_ups: int = 35
    """Of each wallet. A trip that is over has 4 entries, one to come 2, a top-up 2: 102 for each customer."""

    @property
    def bookings(self) -> int:
        return self.customers * 10


Report = Callable[[str], None]

# Trips that were, beside those that `open_shop` makes: their days are over.
_PAST_DEPARTURES: Final = """
INSERT INTO departures (id, package_id, starts_on, ends_on, capacity, seats_taken, status, created_at)
SELECT uuidv7(), package_id, current_date - 20 - n * 7, current_date - 16 - n * 7, 100000, 0, 'OPEN',
       now() - interval '1 year'
FROM unnest(%(packages)s::uuid[]) AS package_id, generate_series(1, 40) AS n
RETURNING id
"""
_BOOKINGS: Final = """
INSERT INTO bookings (id, booking_number, user_id, created_by_user_id, booking_source, booking_type, package_id,
                      departure_id, status, payment_status, price_lines, base_amount_minor, discount_amount_minor,
                      voucher_discount_minor, tax_amount_minor, final_amount_minor, paid_amount_minor, currency,
                      tax_rate, tier_code, points_multiplier, cashback_rate, customer_info, special_requests,
                      start_date, end_date, travelers_count, cancellation_reason, cancelled_at, created_at, updated_at)
SELECT uuidv7(), 'BK-2026-' || lpad(nextval('booking_numbers')::text, 6, '0'), c.id, c.id, 'SELF', 'PACKAGE',
       d.package_id, d.id, %(status)s, %(payment_status)s, %(lines)s::jsonb, 262982, 0, 0, 36818, 299800, %(paid)s,
       'EGP', 14, 'GUEST', 1, 0, %(who)s::jsonb,
       '', d.starts_on, d.ends_on, 2, %(reason)s, CASE WHEN %(status)s = 'CANCELLED' THEN at END, at, at
FROM generate_series(1, %(each)s) AS n
CROSS JOIN unnest(%(customers)s::uuid[]) WITH ORDINALITY AS c(id, place)
JOIN unnest(%(departures)s::uuid[]) WITH ORDINALITY AS chosen(id, place)
  ON chosen.place = 1 + (c.place * 7 + n * 13) %% cardinality(%(departures)s::uuid[])
JOIN departures d ON d.id = chosen.id
CROSS JOIN LATERAL (
    SELECT now() - interval '20 days' - (c.place %% 300) * interval '1 day' - n * interval '1 hour' AS at) AS made
"""
_ITEMS: Final = """
INSERT INTO booking_items (id, booking_id, booking_type, item_name_ar, item_name_en, quantity, unit_price_minor,
                           total_price_minor, currency)
SELECT uuidv7(), id, 'PACKAGE', 'رحلة نيلية', 'Nile cruise', 2, 149900, 299800, 'EGP' FROM bookings
"""
_HOLDS: Final = """
INSERT INTO holds (booking_id, departure_id, seats, status, expires_at)
SELECT id, departure_id, 2, CASE WHEN status = 'CANCELLED' THEN 'EXPIRED' ELSE 'CAPTURED' END,
       created_at + interval '30 minutes'
FROM bookings
"""
_SEATS: Final = """
UPDATE departures d SET seats_taken = coalesce(h.seats, 0)
FROM departures every LEFT JOIN (
    SELECT departure_id, sum(seats) AS seats FROM holds WHERE status = 'CAPTURED' GROUP BY 1
) AS h ON h.departure_id = every.id
WHERE every.id = d.id
"""
# Step after step: the history is read in the order in which its rows came.
_STEPS: Final = (
    ("PENDING_PAYMENT", "placed", "true"),
    ("CONFIRMED", "paid", "status <> 'CANCELLED'"),
    ("IN_PROGRESS", "started", "status = 'COMPLETED'"),
    ("COMPLETED", "completed", "status = 'COMPLETED'"),
    ("CANCELLED", "not paid in time", "status = 'CANCELLED'"),
)
_HISTORY: Final = """
INSERT INTO booking_status_history (booking_id, to_status, changed_by_user_id, change_reason, changed_at)
SELECT id, %(to)s, user_id, %(why)s, created_at + %(minutes)s * interval '1 minute' FROM bookings WHERE {which}
"""


@dataclass(frozen=True, slots=True)
class _Kind:
    """So many bookings of each customer, which all became the same."""

    each: int
    status: str
    payment_status: str
    paid: int
    reason: str | None = None


_OVER: Final = _Kind(7, "COMPLETED", "PAID", PRICE)
_TO_COME: Final = _Kind(2, "CONFIRMED", "PAID", PRICE)
_UNPAID: Final = _Kind(1, "CANCELLED", "UNPAID", 0, "it was not paid in time")


def seed_company(system: System, size: Size, report: Report) -> Shop:
    """Fill an empty, migrated system; who may book and what, for whoever sends load."""
    report(f"{size.packages:,} packages to search")
    fill_catalogue(system, size.packages)
    report(f"{size.customers:,} customers, {size.bookings:,} bookings")
    shop = open_shop(system, name="load", customers=size.customers, bookings_each=0)
    with connect(system.addresses.owner) as owner, owner.transaction():
        _book(owner, shop)
    report("their money, through the ledger's own posting")
    _post_everything(system, [user for user, _ in shop.customers], size)
    let_sign_in(system, shop, PASSWORD)
    with closing(bootstrap(system.settings, pool_size=1)) as running:
        running.dependencies.ledger_totals.fold()
    with connect(system.addresses.owner) as owner:
        owner.execute("VACUUM (ANALYZE)")
    return shop


def _book(owner: psycopg.Connection[Any], shop: Shop) -> None:
    packages = list({package for package, _ in shop.departures})
    past = [row[0] for row in owner.execute(_PAST_DEPARTURES, {"packages": packages}).fetchall()]
    to_come = [departure for _, departure in shop.departures]
    for kind, departures in ((_OVER, past), (_TO_COME, to_come), (_UNPAID, to_come)):
        owner.execute(
            _BOOKINGS,
            {
                "each": kind.each,
                "status": kind.status,
                "payment_status": kind.payment_status,
                "paid": kind.paid,
                "reason": kind.reason,
                "lines": _price_lines(),
                "who": '{"email": "mona@example.com", "phone": "", "last_name": "Adel", "first_name": "Mona"}',
                "customers": [user for user, _ in shop.customers],
                "departures": departures,
            },
        )
    for statement in (_ITEMS, _HOLDS, "ANALYZE bookings, holds, departures", _SEATS):
        owner.execute(statement.encode())
    for minutes, (to, why, which) in enumerate(_STEPS):
        owner.execute(_HISTORY.format(which=which).encode(), {"to": to, "why": why, "minutes": minutes})


def _price_lines() -> str:
    return (
        '[{"kind": "BASE", "description_ar": "رحلة نيلية", "description_en": "Nile cruise", "quantity": 2,'
        ' "amount_minor": 262982, "currency": "EGP"}, {"kind": "TAX", "description_ar": "ضريبة القيمة المضافة 14.00%",'
        ' "description_en": "Value added tax 14.00%", "quantity": 1, "amount_minor": 36818, "currency": "EGP"}]'
    )


# ── money ──────────────────────────────────────────────────────────────────────────────────────────────────


def _post_everything(system: System, customers: Sequence[UUID], size: Size) -> None:
    """Two processes, each for its own customers: they wait for each other nowhere."""
    context = multiprocessing.get_context("spawn")
    shares = [customers[number::_POSTERS] for number in range(_POSTERS)]
    posting = [context.Process(target=_post_share, args=(system.settings, share, size)) for share in shares]
    for process in posting:
        process.start()
    _look_while_it_grows(system, posting)
    if any(process.exitcode for process in posting):
        raise RuntimeError("the ledger was not filled")


def _look_while_it_grows(system: System, posting: Sequence[BaseProcess]) -> None:
    """Plans that were made while tables were empty would be kept: statistics make PostgreSQL think again."""
    pause = 1.0
    with connect(system.addresses.owner) as owner:
        for process in posting:
            while process.is_alive():
                owner.execute("ANALYZE ledger_accounts, ledger_heads, ledger_journals, ledger_entries, bookings")
                process.join(pause)
                pause *= 2


def _post_share(settings: Settings, customers: Sequence[UUID], size: Size) -> None:
    with closing(bootstrap(settings, pool_size=1)) as running:
        database, now = running.database, running.dependencies.clock.now()
        journals = (one for user in customers for one in _journals_of(user, _trips(database, user), size, now))
        while batch := list(islice(journals, _JOURNALS_A_BATCH)):
            with running.dependencies.new_uow() as uow:
                uow.ledger.post(batch)
                uow.commit()


def _trips(database: Any, user: UUID) -> list[tuple[UUID, str, datetime]]:
    rows = database.rows(
        "SELECT id, status, created_at FROM bookings WHERE user_id = %s AND paid_amount_minor > 0", (user,)
    )
    return [(row["id"], row["status"], row["created_at"]) for row in rows]


def _journals_of(
    user: UUID, trips: Sequence[tuple[UUID, str, datetime]], size: Size, now: datetime
) -> Iterator[Journal]:
    """A wallet that was filled, the trips that were paid from it, and what the company earned of those."""
    wallet = accounts.wallet(user, CURRENCY)
    prepaid = accounts.platform(AccountKind.CUSTOMER_PREPAYMENTS, CURRENCY)
    earned = accounts.platform(AccountKind.BOOKING_REVENUE, CURRENCY)
    given = accounts.platform(AccountKind.ADJUSTMENTS, CURRENCY)
    for number in range(size.top_ups):
        at = now - timedelta(days=330 - number)
        yield _journal(JournalType.DEPOSIT, "USER", user, f"{number}", at, transfer(given, wallet, _WALLET_MINOR))
    for booking, status, at in trips:
        yield _journal(JournalType.PAYMENT, "BOOKING", booking, "paid", at, transfer(wallet, prepaid, PRICE))
        if status == _OVER.status:
            over = at + timedelta(days=9)
            yield _journal(JournalType.REVENUE, "BOOKING", booking, "over", over, transfer(prepaid, earned, PRICE))


def _journal(
    kind: JournalType, of: str, reference: UUID, word: str, at: datetime, entries: tuple[Entry, ...]
) -> Journal:
    return Journal(
        id=new_id(),
        journal_type=kind,
        idempotency_key=f"seed:{kind}:{reference}:{word}",
        reference_type=of,
        reference_id=reference,
        description_ar="من عام مضى",
        description_en="Of the year before",
        occurred_at=at,
        entries=entries,
    )
