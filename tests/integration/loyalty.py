"""Customers who earn and spend points on a real database, in the words of a test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from application.ledger.expiry import Expired, expire_points, remind_of_expiry
from application.ledger.points import (
    AdjustPoints,
    ClawBackPoints,
    EarnPoints,
    adjust_points,
    claw_back_points,
    earn_points,
)
from application.ledger.redemptions import PointsPayment, RedeemPoints, pay_with_points
from application.ledger.reversals import Reverse, reverse
from application.ports import NewUnitOfWork
from domain.ledger import accounts
from domain.ledger.accounts import POINTS_UNIT, AccountKind, AccountRef
from domain.ledger.holds import BalanceHold
from domain.shared.money import Money
from infrastructure.clock import new_id
from infrastructure.database.ledger.points_queries import SqlPointsQueries
from infrastructure.database.ledger.queries import SqlLedgerQueries
from infrastructure.database.transaction import Database, Row
from tests.builders import NOON
from tests.integration.outbox import SetClock
from tests.integration.shop import a_stored_user, units_of_work

YEAR, DAY = timedelta(days=365), timedelta(days=1)
PREPAID = accounts.platform(AccountKind.CUSTOMER_PREPAYMENTS, "EGP")


@dataclass
class Loyalty:
    """The use cases of points, on a clock that stands still."""

    database: Database
    clock: SetClock = field(default_factory=lambda: SetClock(NOON))

    def __post_init__(self) -> None:
        self.new_uow: NewUnitOfWork = units_of_work(self.database)
        self.queries = SqlPointsQueries(self.database)
        self.ledger = SqlLedgerQueries(self.database)

    def a_customer(self, *lots: int) -> UUID:
        """Somebody new who earned these lots, a day after one another; the first ends a year from now."""
        person = a_stored_user(self.new_uow)
        for day, points in enumerate(lots):
            self.earn(person, points, at=self.clock.now() + day * DAY)
        return person

    def earn(self, person: UUID, points: int, *, key: str = "", at: datetime | None = None) -> UUID | None:
        command = EarnPoints(points=points, **_said(person, key))
        with self.new_uow() as uow:
            journal_id = earn_points(command, uow=uow, at=at or self.clock.now(), new_id=new_id)
            uow.commit()
        return journal_id

    def redeem(
        self, person: UUID, points: int, *, worth: Money | None = None, hold: BalanceHold | None = None, key: str = ""
    ) -> UUID:
        command = RedeemPoints(
            points=points,
            pays=PointsPayment(worth, PREPAID) if worth is not None else None,
            hold_id=hold.id if hold is not None else None,
            **_said(person, key),
        )
        return pay_with_points(command, uow=self.new_uow(), clock=self.clock, new_id=new_id)

    def reverse(self, journal_id: UUID, part: Money | None = None, *, key: str = "", allows_debt: bool = False) -> UUID:
        command = Reverse(
            journal_id=journal_id, idempotency_key=key or new_id().hex, part=part, allows_debt=allows_debt
        )
        return reverse(command, uow=self.new_uow(), clock=self.clock, new_id=new_id)

    def claw_back(self, person: UUID, earned_key: str, *, paid: Money, refunded: Money, key: str = "") -> int:
        command = ClawBackPoints(earned_keys=(earned_key,), paid=paid, refunded=refunded, **_said(person, key))
        with self.new_uow() as uow:
            taken = claw_back_points(command, uow=uow, at=self.clock.now(), new_id=new_id)
            uow.commit()
        return taken

    def adjust(self, person: UUID, points: int, *, key: str = "") -> UUID:
        command = AdjustPoints(points=points, **_said(person, key))
        with self.new_uow() as uow:
            journal_id = adjust_points(command, uow=uow, at=self.clock.now(), new_id=new_id)
            uow.commit()
        return journal_id

    def hold(self, person: UUID, points: int) -> BalanceHold:
        hold = BalanceHold(
            id=new_id(),
            account=accounts.points(person),
            amount_minor=points,
            reference_type="TEST",
            reference_id=new_id(),
            created_at=self.clock.now(),
            expires_at=None,
        )
        with self.new_uow() as uow:
            uow.ledger.add_hold(hold)
            uow.commit()
        return hold

    def release(self, hold: BalanceHold) -> None:
        with self.new_uow() as uow:
            held = uow.ledger.get_hold(hold.id)
            held.release(at=self.clock.now())
            uow.ledger.resolve_hold(held)
            uow.commit()

    def expire(self, *, people_at_once: int = 200) -> Expired:
        return expire_points(new_uow=self.new_uow, clock=self.clock, new_id=new_id, people_at_once=people_at_once)

    def remind(self, *, people_at_once: int = 200) -> int:
        return remind_of_expiry(new_uow=self.new_uow, clock=self.clock, people_at_once=people_at_once)

    def balance(self, person: UUID) -> int:
        return self.ledger.balance(accounts.points(person).id)

    def debt(self, person: UUID) -> int:
        return -self.ledger.balance(accounts.debt(person, POINTS_UNIT).id)

    def total(self, account: AccountRef, journal_id: UUID) -> int:
        """What one journal did to an account."""
        row = self.database.row(
            """SELECT coalesce(sum(amount_minor), 0)::bigint AS sum FROM ledger_entries
               WHERE account_id = %s AND journal_id = %s""",
            (account.id, journal_id),
        )
        return int(row["sum"]) if row else 0

    def lots(self, person: UUID) -> list[int]:
        """What is left of each lot of a person's, in the order they were earned."""
        rows = self.database.rows("SELECT remaining FROM points_lots WHERE user_id = %s ORDER BY earned_at", (person,))
        return [row["remaining"] for row in rows]

    def took(self, journal_id: UUID) -> list[int]:
        """What a journal did to lots, in the order they were earned."""
        rows = self.database.rows(
            """SELECT e.points FROM points_lot_entries e JOIN points_lots l ON l.id = e.lot_id
               WHERE e.journal_id = %s ORDER BY l.earned_at""",
            (journal_id,),
        )
        return [row["points"] for row in rows]

    def told(self, person: UUID, name: str) -> Sequence[Row]:
        """What events of a name say about a person, oldest first."""
        rows = self.database.rows(
            "SELECT payload FROM outbox_events WHERE name = %s AND payload ->> 'user_id' = %s ORDER BY id",
            (name, str(person)),
        )
        return [row["payload"] for row in rows]


def _said(person: UUID, key: str) -> dict[str, Any]:
    return {
        "user_id": person,
        "key": key or f"test:{new_id()}",
        "reference_type": "BOOKING",
        "reference_id": UUID(int=1),
        "description_ar": "اختبار",
        "description_en": "Test",
    }
