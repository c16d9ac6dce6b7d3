"""The rows that the benchmarks work on, made set-wise: customers with bookings, departures, wallets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.ledger import accounts
from domain.ledger.accounts import AccountKind
from domain.ledger.journal import Journal, JournalType, transfer
from infrastructure.bootstrap import bootstrap
from infrastructure.clock import new_id
from infrastructure.database.roles import connect
from tests.benchmarks.servers import System

CURRENCY = "EGP"
WALLETS = 10_000
FULL_WALLET = 10**12
"""Minor units in every wallet: no run empties one."""

_WALLETS_A_BATCH = 1_000

_ADD_USERS = """
INSERT INTO users (id, email, password_hash, first_name, last_name, phone, locale, status, roles, email_verified_at,
                   created_at)
SELECT uuidv7(), %(prefix)s || n || '@example.com', '$2b$12$cannot.be.used.to.sign.in', 'Mona', 'Adel',
       '+201000000000', 'en', 'ACTIVE', '{CUSTOMER}', now(), now()
FROM generate_series(1, %(many)s) AS n
RETURNING id
"""
_ADD_SESSIONS = """
INSERT INTO sessions (id, user_id, user_agent, created_at, expires_at)
SELECT uuidv7(), id, 'benchmark', now(), now() + interval '1 day' FROM unnest(%s::uuid[]) AS id
RETURNING user_id, id
"""
_ADD_PACKAGES = """
INSERT INTO packages (id, slug, name_ar, name_en, description_ar, description_en, category, base_price_minor, currency,
                      tax_rate, tax_inclusive, duration_days, duration_nights, min_travelers, max_travelers,
                      destinations, inclusions_ar, inclusions_en, exclusions_ar, exclusions_en, itinerary,
                      is_featured, display_order, status, created_by_user_id, created_at, updated_at)
SELECT uuidv7(), %(name)s || '-trip-' || n, 'رحلة نيلية ' || n, 'Nile cruise ' || n, 'أسوان والأقصر', 'Aswan and Luxor',
       'LUXURY', 149900 + n, 'EGP', 14, true, 5, 4, 1, 20, '{Aswan,Luxor}', '{}', '{}', '{}', '{}', '[]', false, n,
       'ACTIVE', %(creator)s, now(), now()
FROM generate_series(1, %(many)s) AS n
RETURNING id
"""
_ADD_DEPARTURES = """
INSERT INTO departures (id, package_id, starts_on, ends_on, capacity, seats_taken, status, created_at)
SELECT uuidv7(), package_id, current_date + 30 + n, current_date + 34 + n, 10000, 0, 'OPEN', now()
FROM unnest(%(packages)s::uuid[]) AS package_id, generate_series(1, %(each)s) AS n
RETURNING package_id, id
"""
# As the use case writes them: an item, a hold and a first step beside each.
_ADD_BOOKINGS = """
WITH made AS (
    INSERT INTO bookings (id, booking_number, user_id, created_by_user_id, booking_source, booking_type, package_id,
                          departure_id, status, payment_status, price_lines, base_amount_minor, discount_amount_minor,
                          voucher_discount_minor, tax_amount_minor, final_amount_minor, paid_amount_minor, currency,
                          tax_rate, tier_code, points_multiplier, cashback_rate, customer_info, special_requests,
                          start_date, end_date, travelers_count, created_at, updated_at)
    SELECT uuidv7(), 'BK-2026-' || lpad(nextval('booking_numbers')::text, 6, '0'), c.id, c.id, 'SELF', 'PACKAGE',
           d.package_id, d.id, 'PENDING_PAYMENT', 'UNPAID', %(lines)s::jsonb, 262982, 0, 0, 36818, 299800, 0, 'EGP', 14,
           'GUEST', 1, 0, '{"email": "mona@example.com", "phone": "", "last_name": "Adel", "first_name": "Mona"}', '',
           d.starts_on, d.ends_on, 2, now() - n * interval '1 hour', now() - n * interval '1 hour'
    FROM generate_series(1, %(each)s) AS n
    CROSS JOIN unnest(%(customers)s::uuid[]) WITH ORDINALITY AS c(id, place)
    JOIN unnest(%(departures)s::uuid[]) WITH ORDINALITY AS chosen(id, place)
      ON chosen.place = 1 + (c.place * %(each)s + n) %% cardinality(%(departures)s::uuid[])
    JOIN departures d ON d.id = chosen.id
    RETURNING id, user_id, departure_id, created_at
), held AS (
    INSERT INTO holds (booking_id, departure_id, seats, status, expires_at)
    SELECT id, departure_id, 2, 'ACTIVE', now() + interval '1 day' FROM made
), stepped AS (
    INSERT INTO booking_status_history (booking_id, to_status, changed_by_user_id, change_reason, changed_at)
    SELECT id, 'PENDING_PAYMENT', user_id, 'placed', created_at FROM made
)
INSERT INTO booking_items (id, booking_id, booking_type, item_name_ar, item_name_en, quantity, unit_price_minor,
                           total_price_minor, currency)
SELECT uuidv7(), id, 'PACKAGE', 'رحلة نيلية', 'Nile cruise', 2, 149900, 299800, 'EGP' FROM made
"""
_PRICE_LINES = """[
  {"kind": "BASE", "description_ar": "رحلة نيلية", "description_en": "Nile cruise", "quantity": 2,
   "amount_minor": 262982, "currency": "EGP"},
  {"kind": "TAX", "description_ar": "ضريبة القيمة المضافة 14.00%", "description_en": "Value added tax 14.00%",
   "quantity": 1, "amount_minor": 36818, "currency": "EGP"}
]"""


@dataclass(frozen=True, slots=True)
class Shop:
    """A catalogue with seats for all, and customers who are signed in: (user, session) each."""

    customers: list[tuple[UUID, UUID]]
    departures: list[tuple[UUID, UUID]]
    """(package, departure) each."""


def open_shop(
    system: System,
    *,
    name: str,
    customers: int = 500,
    bookings_each: int = 40,
    packages: int = 50,
    departures_each: int = 40,
) -> Shop:
    """Customers with `bookings_each` bookings that wait for their money, spread over all departures.

    `name` keeps the shops of one system apart; the customers' addresses are `<name>1@example.com` and so on.
    """
    with connect(system.addresses.owner) as connection, connection.transaction():
        people = _ids(connection.execute(_ADD_USERS, {"prefix": name, "many": customers}))
        creator = people[0]
        trips = _ids(connection.execute(_ADD_PACKAGES, {"creator": creator, "many": packages, "name": name}))
        dates = connection.execute(_ADD_DEPARTURES, {"packages": trips, "each": departures_each}).fetchall()
        connection.execute(
            _ADD_BOOKINGS,
            {
                "customers": people,
                "departures": [departure for _, departure in dates],
                "each": bookings_each,
                "lines": _PRICE_LINES,
            },
        )
        sessions = connection.execute(_ADD_SESSIONS, (people,)).fetchall()
    look_at_statistics(system)
    return Shop(sessions, dates)


def let_sign_in(system: System, shop: Shop, password: str) -> None:
    """Give every customer of a shop the same password, hashed as the product does."""
    running = bootstrap(system.settings, pool_size=1)
    password_hash = running.dependencies.passwords.hash(password)
    running.close()
    with connect(system.addresses.owner) as connection:
        customers = [user for user, _ in shop.customers]
        connection.execute("UPDATE users SET password_hash = %s WHERE id = ANY(%s)", (password_hash, customers))


def fill_wallets(system: System, *, name: str, many: int = WALLETS) -> list[UUID]:
    """The owners of `many` full wallets, paid in by the product's own posting path, batch by batch.

    `name` keeps the owners of one system apart, as in `open_shop`.
    """
    with connect(system.addresses.owner) as connection:
        owners = _ids(connection.execute(_ADD_USERS, {"prefix": f"{name}-wallet", "many": many}))
    running = bootstrap(system.settings, pool_size=1)
    at = running.dependencies.clock.now()
    for start in range(0, many, _WALLETS_A_BATCH):
        with running.dependencies.new_uow() as uow:
            uow.ledger.post([_deposit(owner, at) for owner in owners[start : start + _WALLETS_A_BATCH]])
            uow.commit()
    running.close()
    look_at_statistics(system)
    return owners


def _deposit(owner: UUID, at: datetime) -> Journal:
    return Journal(
        id=new_id(),
        journal_type=JournalType.DEPOSIT,
        idempotency_key=f"deposit:{owner}",
        reference_type="USER",
        reference_id=owner,
        description_ar="إيداع",
        description_en="Deposit",
        occurred_at=at,
        entries=transfer(
            accounts.platform(AccountKind.CUSTOMER_PREPAYMENTS, CURRENCY), accounts.wallet(owner, CURRENCY), FULL_WALLET
        ),
    )


def _ids(rows: object) -> list[UUID]:
    return [row[0] for row in rows]  # type: ignore[attr-defined]


def look_at_statistics(system: System) -> None:
    """Plans as they are in a database that has run for a while."""
    with connect(system.addresses.owner) as connection:
        connection.execute("ANALYZE")
