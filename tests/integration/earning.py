"""Earning in the words of a test, and the promises that must hold of it beside those of refunds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from application.payouts import earning_handlers
from application.payouts.books import account_of
from domain.ledger import accounts
from domain.ledger.accounts import AccountKind
from domain.ledger.journal import JournalType, transfer
from domain.payouts.earnings import Payee
from domain.sales.bookings import Booking
from domain.shared.payees import PayeeType
from infrastructure.clock import new_id
from infrastructure.database.roles import DatabaseAddresses
from infrastructure.database.transaction import Row
from tests.builders import a_journal
from tests.databases import as_owner
from tests.integration.refunding import broken_refund_promises
from tests.integration.shop import Shop

# Each of these finds nothing, whatever happened before (guarantees M6, M8, M9; decision 0021).
EARNING_PROMISES = {
    "what is owed to payees is what their payable entries say": """
        SELECT a.id FROM ledger_accounts a
        JOIN ledger_heads h ON h.account_id = a.id
        LEFT JOIN ledger_entries e ON e.journal_id = h.journal_id AND e.line = h.line
        WHERE a.kind IN ('VENDOR_PAYABLE', 'AGENT_PAYABLE') AND coalesce(e.balance_after_minor, 0) <> (
            SELECT coalesce(sum(p.amount_minor), 0) FROM payable_entries p WHERE p.account_id = a.id)
          - (SELECT coalesce(sum(o.amount_minor), 0) FROM payouts o
             WHERE o.account_id = a.id AND o.journal_id IS NOT NULL)""",
    "earnings stand at what their payable entries say": """
        SELECT e.booking_id FROM earnings e GROUP BY e.booking_id, e.payee_id, e.payee_type
        HAVING sum(e.amount_minor - e.reversed_amount_minor - e.tax_minor + e.reversed_tax_minor) <> (
            SELECT coalesce(sum(p.amount_minor), 0) FROM payable_entries p
            WHERE p.booking_id = e.booking_id AND p.payee_id = e.payee_id AND p.payee_type = e.payee_type)""",
    "no trip earns more than is paid for it": """
        SELECT b.id FROM bookings b JOIN earnings e ON e.booking_id = b.id GROUP BY b.id
        HAVING sum(e.amount_minor - e.reversed_amount_minor) > CASE WHEN b.status = 'COMPLETED'
            THEN b.paid_amount_minor - b.refunded_amount_minor ELSE 0 END""",
    "entries are of their journals and accounts": """
        SELECT p.id FROM payable_entries p LEFT JOIN ledger_entries e
            ON e.journal_id = p.journal_id AND e.account_id = p.account_id
        WHERE e.amount_minor IS DISTINCT FROM p.amount_minor OR e.currency IS DISTINCT FROM p.currency""",
    "nothing is earned or taken back without an entry": """
        SELECT e.journal_id FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id
        JOIN ledger_journals j ON j.id = e.journal_id AND j.journal_type IN ('EARNING', 'COMMISSION', 'REVERSAL')
        WHERE a.kind IN ('VENDOR_PAYABLE', 'AGENT_PAYABLE') AND NOT EXISTS (
            SELECT 1 FROM payable_entries p WHERE p.journal_id = e.journal_id AND p.account_id = e.account_id)""",
}


def broken_earning_promises(addresses: DatabaseAddresses) -> list[str]:
    """The names of the promises, of earnings or of anything else, that do not hold."""
    with as_owner(addresses) as connection:
        broken = [name for name, query in EARNING_PROMISES.items() if connection.execute(query).fetchone() is not None]
    return broken + broken_refund_promises(addresses)


@dataclass(frozen=True)
class Partners:
    """Vendors and agents of a shop, and what they earn."""

    shop: Shop

    def agreed(self, partner: UUID, payee_type: PayeeType, rate: str, *, days_ago: int = 1) -> None:
        """A rate that was agreed with somebody, as rows: the newest counts."""
        now, profile = self.shop.use.clock.now(), self.profile(partner, payee_type)
        with self.shop.database.transaction() as transaction:
            transaction.execute(
                """INSERT INTO partner_rates (id, profile_id, rate, valid_from, set_by_user_id, created_at)
                   VALUES (%s, %s, %s, %s, %s, %s)""",
                (new_id(), profile, Decimal(rate), now - timedelta(days=days_ago), self.shop.a_customer(), now),
            )
            transaction.commit()

    def profile(self, partner: UUID, payee_type: PayeeType) -> UUID:
        """Somebody's profile in a trade, made where there is none."""
        now, staff = self.shop.use.clock.now(), self.shop.a_customer()
        with self.shop.database.transaction() as transaction:
            row = transaction.row(
                """INSERT INTO partner_profiles (id, user_id, payee_type, status, company_name, payout_method,
                                                 approved_by_user_id, approved_at, created_at)
                   VALUES (%s, %s, %s, 'ACTIVE', 'Red Sea Diving', 'BANK_TRANSFER', %s, %s, %s)
                   ON CONFLICT (user_id, payee_type) DO UPDATE SET company_name = excluded.company_name
                   RETURNING id""",
                (new_id(), partner, payee_type, staff, now, now),
            )
            transaction.commit()
        assert row is not None
        profile_id: UUID = row["id"]
        return profile_id

    def complete(self, booking: Booking) -> None:
        """The trip is over; nobody has heard of it yet."""
        self.shop.travel(booking.id, self.shop.a_customer())

    def hear(self, booking: Booking) -> None:
        """What a worker does when it hears that the trip is over."""
        event = self.shop.row(
            "SELECT payload FROM outbox_events WHERE name = 'sales.booking_completed' AND payload->>'booking_id' = %s",
            str(booking.id),
        )
        earning_handlers.earn_completed_booking(event["payload"], self.shop.use)

    def travel(self, booking: Booking) -> None:
        """The trip is over, and shared."""
        self.complete(booking)
        self.hear(booking)

    def owed(self, partner: UUID, payee_type: PayeeType, unit: str = "EGP") -> int:
        """What stands in somebody's payable account."""
        return self.shop.balance(account_of(Payee(payee_type, partner), unit))

    def earnings(self, booking: Booking) -> list[Row]:
        sql = "SELECT * FROM earnings WHERE booking_id = %s ORDER BY booking_item_id, payee_type DESC"
        return self.shop.database.rows(sql, (booking.id,))

    def entries(self, partner: UUID) -> list[tuple[str, int]]:
        """Kind and minor units of what somebody's payouts take, in order."""
        sql = "SELECT kind, amount_minor FROM payable_entries WHERE payee_id = %s ORDER BY occurred_at, id"
        return [(row["kind"], row["amount_minor"]) for row in self.shop.database.rows(sql, (partner,))]

    def in_a_batch(self, partner: UUID, payee_type: PayeeType, unit: str = "EGP") -> UUID:
        """Somebody's free entries in a payout of a batch that is being drawn up, as rows; the payout's id."""
        now, payout, batch = self.shop.use.clock.now(), new_id(), new_id()
        account = account_of(Payee(payee_type, partner), unit)
        profile = self.profile(partner, payee_type)
        with self.shop.database.transaction() as transaction:
            transaction.execute(
                """INSERT INTO payout_batches (id, batch_number, period, payee_type, origin, period_start, cut_off,
                                               status, created_by_user_id, created_at)
                   SELECT %s, %s, 'WEEKLY', 'ALL', 'STAFF', %s, greatest(%s, max(e.released_at)), 'DRAFT', %s, %s
                   FROM payable_entries e WHERE e.account_id = %s""",
                (batch, batch.hex, now.date(), now, self.shop.a_customer(), now, account.id),
            )
            transaction.execute(
                """WITH free AS (
                       SELECT e.id, e.amount_minor FROM payable_entries e WHERE e.account_id = %(account)s
                         AND NOT EXISTS (SELECT 1 FROM payout_entries t WHERE t.payable_entry_id = e.id)),
                   made AS (
                       INSERT INTO payouts (id, payout_number, batch_id, payee_id, payee_type, profile_id, account_id,
                                            method, amount_minor, currency, status, created_at)
                       SELECT %(id)s, %(number)s, %(batch)s, %(payee)s, %(type)s, %(profile)s, %(account)s, 'WALLET',
                              sum(f.amount_minor), %(unit)s, 'PENDING', %(now)s FROM free f)
                   INSERT INTO payout_entries (payable_entry_id, payout_id) SELECT f.id, %(id)s FROM free f""",
                {"account": account.id, "id": payout, "number": payout.hex, "batch": batch, "payee": partner,
                 "type": payee_type, "profile": profile, "unit": unit, "now": now},
            )  # fmt: skip
            transaction.commit()
        return payout

    def approve(self, payout: UUID) -> None:
        """The batch of a payout is approved: its money leaves the account."""
        row = self.shop.row("SELECT batch_id, amount_minor, currency, account_id, payee_id, payee_type FROM payouts"
                            " WHERE id = %s", payout)  # fmt: skip
        owed = account_of(Payee(PayeeType(row["payee_type"]), row["payee_id"]), row["currency"])
        transit = accounts.platform(AccountKind.PAYOUTS_IN_TRANSIT, row["currency"])
        journal = a_journal(
            *transfer(owed, transit, row["amount_minor"]),
            journal_type=JournalType.PAYOUT,
            reference_type="PAYOUT",
            reference_id=payout,
        )
        now = self.shop.use.clock.now()
        with self.shop.use.new_uow() as uow:
            uow.ledger.post([journal])
            with self.shop.database.transaction() as transaction:
                transaction.execute("UPDATE payouts SET journal_id = %s WHERE id = %s", (journal.id, payout))
                transaction.execute(
                    """UPDATE payout_batches SET status = 'APPROVED', approved_at = %s, approved_by_user_id = %s,
                              debtor_name = 'AltayarVIP' WHERE id = %s""",
                    (now, self.shop.a_customer(), row["batch_id"]),
                )
            uow.commit()

    def arrive(self, payout: UUID) -> None:
        """A payout is paid."""
        row = self.shop.row("SELECT amount_minor, currency FROM payouts WHERE id = %s", payout)
        transit = accounts.platform(AccountKind.PAYOUTS_IN_TRANSIT, row["currency"])
        journal = a_journal(
            *transfer(transit, accounts.clearing("BANK", row["currency"]), row["amount_minor"]),
            journal_type=JournalType.PAYOUT,
            reference_type="PAYOUT",
            reference_id=payout,
        )
        with self.shop.use.new_uow() as uow:
            uow.ledger.post([journal])
            with self.shop.database.transaction() as transaction:
                transaction.execute(
                    "UPDATE payouts SET status = 'PAID', paid_journal_id = %s, closed_at = %s WHERE id = %s",
                    (journal.id, self.shop.use.clock.now(), payout),
                )
            uow.commit()

    def sums(self, partner: UUID) -> dict[str, int]:
        """What is more than nothing of what somebody reads of their earnings, in EGP."""
        rows = self.shop.use.queries.earnings.totals(partner, at=self.shop.use.clock.now())
        return {
            name.removesuffix("_minor"): value
            for row in rows
            for name, value in row.items()
            if name.endswith("_minor") and value
        }

    def states(self, partner: UUID) -> list[tuple[str, int]]:
        """Each entry's state and minor units, oldest first."""
        rows = self.shop.use.queries.earnings.entries(
            partner, None, at=self.shop.use.clock.now(), limit=100, after=None
        )
        return [(row["state"], row["amount_minor"]) for row in reversed(rows)]

    def told(self, name: str) -> list[dict[str, Any]]:
        """The events of a name."""
        rows = self.shop.database.rows("SELECT payload FROM outbox_events WHERE name = %s ORDER BY id", (name,))
        return [row["payload"] for row in rows]
