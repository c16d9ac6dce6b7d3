"""Everything that can happen to a payment at a provider, and readings of it in any order and number (guarantee P9).

A gateway is driven through this by telling how each thing happens at its provider (`Provider`). A reading is taken
after each, and settled when the test says: early, late, twice, after newer ones. Whatever the order, `Outcome` is one.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import permutations
from typing import Final, Protocol
from uuid import UUID

from application.billing.ports import DisputeState, Reading, RefundState
from domain.shared.money import Money
from tests.integration.refunding import Counter
from tests.integration.shop import Shop

FIRST_REFUND: Final = 30_000
SECOND_REFUND: Final = 20_000
"""In minor units; neither is the whole charge."""


class Happening(StrEnum):
    """What happens at the provider; each at most once, and only after what it needs (`NEEDS`)."""

    CREATED = "CREATED"
    FAILED = "FAILED"
    """The first try with the card; the checkout can still be paid."""
    PAID = "PAID"
    PAID_AGAIN = "PAID_AGAIN"
    REFUNDED = "REFUNDED"
    """A part, at once."""
    REFUNDED_AGAIN = "REFUNDED_AGAIN"
    """Another part, that the bank still has to take."""
    REFUND_FAILED = "REFUND_FAILED"
    """The bank did not take that other part."""
    DISPUTE_OPENED = "DISPUTE_OPENED"
    DISPUTE_LOST = "DISPUTE_LOST"
    DISPUTE_WON = "DISPUTE_WON"


_H = Happening
NEEDS: Final = {
    _H.CREATED: set[Happening](),
    _H.FAILED: {_H.CREATED},
    _H.PAID: {_H.CREATED},
    _H.PAID_AGAIN: {_H.PAID},
    _H.REFUNDED: {_H.PAID},
    _H.REFUNDED_AGAIN: {_H.PAID},
    _H.REFUND_FAILED: {_H.REFUNDED_AGAIN},
    _H.DISPUTE_OPENED: {_H.PAID},
    _H.DISPUTE_LOST: {_H.DISPUTE_OPENED},
    _H.DISPUTE_WON: {_H.DISPUTE_OPENED},
}
EVERYTHING: Final = tuple(each for each in Happening if each is not Happening.DISPUTE_WON)


class Provider(Protocol):
    """A gateway's provider, as a test moves it."""

    def happens(self, payment_id: UUID, happening: Happening, charge: Money) -> None:
        """It happens there; nobody here is told."""
        ...

    def reading(self, payment_id: UUID) -> Reading:
        """What the gateway reads at this moment."""
        ...


@dataclass(frozen=True)
class ScriptedProvider:
    """Implements `Provider` over the scripted gateway."""

    counter: Counter

    def happens(self, payment_id: UUID, happening: Happening, charge: Money) -> None:
        book, unit = self.counter.book(payment_id), charge.currency.code
        match happening:
            case Happening.CREATED:
                book.is_over = False
            case Happening.FAILED:
                book.is_over = True
            case Happening.PAID | Happening.PAID_AGAIN:
                book.charges.append(charge)
            case Happening.REFUNDED:
                self.counter.on_dashboard(payment_id, Money.of(FIRST_REFUND, unit), name=f"re_1_{payment_id}")
            case Happening.REFUNDED_AGAIN | Happening.REFUND_FAILED:
                state = RefundState.PENDING if happening is Happening.REFUNDED_AGAIN else RefundState.FAILED
                amount = Money.of(SECOND_REFUND, unit)
                self.counter.on_dashboard(payment_id, amount, name=f"re_2_{payment_id}", state=state)
            case Happening.DISPUTE_OPENED | Happening.DISPUTE_LOST | Happening.DISPUTE_WON:
                state = DisputeState(happening.removeprefix("DISPUTE_").replace("OPENED", "OPEN"))
                self.counter.dispute(payment_id, charge, state, name=f"dp_{payment_id}")

    def reading(self, payment_id: UUID) -> Reading:
        return self.counter.reading(payment_id)


@dataclass(frozen=True)
class Outcome:
    """All that is known of a payment in the end; equal outcomes are one state and one Σ."""

    payment: tuple[object, ...]
    booking: tuple[object, ...]
    tenders: tuple[tuple[object, ...], ...]
    receipts: tuple[tuple[object, ...], ...]
    refunds: tuple[tuple[object, ...], ...]
    disputes: tuple[tuple[object, ...], ...]
    sums: tuple[tuple[object, ...], ...]
    """By kind of account and unit: what all journals of the payment moved."""


_OUTCOME: Final = {
    "payment": "SELECT status, refund_amount_minor FROM payments WHERE id = %(payment)s",
    "booking": "SELECT status, payment_status, paid_amount_minor, refunded_amount_minor FROM bookings"
               " WHERE id = %(booking)s",
    "tenders": "SELECT kind, status, refunding_minor, refunded_minor FROM payment_tenders"
               " WHERE payment_id = %(payment)s ORDER BY position",
    "receipts": "SELECT r.amount_minor, r.disposition, r.reason FROM payment_receipts r JOIN payment_attempts a"
                " ON a.id = r.attempt_id WHERE a.payment_id = %(payment)s ORDER BY r.position",
    "refunds": "SELECT r.amount_minor, r.status, r.origin FROM refunds r WHERE r.payment_id = %(payment)s"
               " ORDER BY r.amount_minor, r.status",
    "disputes": "SELECT status, amount_minor, taken_minor, taken_from_suspense_minor, taken_from_wallet_minor"
                " FROM disputes WHERE payment_id = %(payment)s ORDER BY provider_dispute_reference",
    "sums": """
        SELECT a.kind, a.currency, sum(e.amount_minor)::bigint FROM ledger_journals j
        JOIN ledger_entries e ON e.journal_id = j.id JOIN ledger_accounts a ON a.id = e.account_id
        WHERE j.reference_id IN (SELECT %(booking)s::uuid UNION ALL SELECT %(payment)s::uuid
                                 UNION ALL SELECT id FROM refunds WHERE payment_id = %(payment)s
                                 UNION ALL SELECT id FROM disputes WHERE payment_id = %(payment)s)
        GROUP BY a.kind, a.currency HAVING sum(e.amount_minor) <> 0 ORDER BY a.kind, a.currency""",
}  # fmt: skip


def outcome(shop: Shop, payment_id: UUID, booking_id: UUID) -> Outcome:
    values = {"payment": payment_id, "booking": booking_id}
    said = {
        name: tuple(tuple(row.values()) for row in shop.database.rows(sql, values)) for name, sql in _OUTCOME.items()
    }
    return Outcome(**said)


def is_feasible(order: Sequence[Happening]) -> bool:
    """Whether a provider could bring these about in this order."""
    return all(NEEDS[each] & set(order) <= set(order[:place]) for place, each in enumerate(order))


def feasible_orders(happenings: Sequence[Happening]) -> list[tuple[Happening, ...]]:
    return [order for order in permutations(happenings) if is_feasible(order)]


def feasible_sample(happenings: Sequence[Happening], *, how_many: int, seed: int) -> list[tuple[Happening, ...]]:
    """Orders of things of which there are too many to try all orders of."""
    chance = random.Random(seed)
    orders = []
    for _ in range(how_many):
        order: list[Happening] = []
        while len(order) < len(happenings):
            possible = [each for each in happenings if each not in order and NEEDS[each] <= set(order)]
            order.append(chance.choice(possible))
        orders.append(tuple(order))
    return orders


def snapshots(provider: Provider, payment_id: UUID, order: Sequence[Happening], charge: Money) -> list[Reading]:
    """Let everything happen in this order; what was read after each."""
    readings = []
    for happening in order:
        provider.happens(payment_id, happening, charge)
        readings.append(provider.reading(payment_id))
    return readings


def schedules(count: int, *, how_many: int, seed: int) -> Iterator[list[int]]:
    """In which order readings are settled: all of them at least once, some again, many after newer ones."""
    chance = random.Random(seed)
    for _ in range(how_many):
        places = [*range(count), *chance.choices(range(count), k=chance.randint(0, count // 2))]
        chance.shuffle(places)
        yield places
