"""Any number of bookings, refunded before and after their payees are paid, over several payrolls: it all adds up.

Shares are made by the domain, posted by the ledger and paid by payroll; rows are written as the use cases write them,
some hundred bookings to a transaction. PAYROLL_BOOKINGS says how many, PAYROLL_SEED runs a failure again.
"""

from __future__ import annotations

import os
import random
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

from application.payouts.bank_files import pain_001, read_bank_file
from application.payouts.bank_messages import read_pain_002
from application.payouts.bank_results import ImportResults, import_results
from application.payouts.books import EARNED_BY, account_of, entries_of
from application.payouts.deciding import DecidePayout, cancel_payout
from domain.ledger.journal import Journal, JournalType
from domain.payouts.earnings import (
    Earning,
    Payee,
    Share,
    SharedItem,
    bring_in_line,
    by_payee,
    fallen,
    risen,
    split,
    taken_from,
)
from domain.payouts.payables import PayableEntry, PayableKind
from domain.shared.money import Money
from domain.shared.payees import PayeeType
from domain.shared.percentage import Percentage
from infrastructure.bootstrap import Running
from infrastructure.clock import new_id
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.conftest import MovableClock
from tests.fakes.bank import FakeBank
from tests.integration.earning import EARNING_PROMISES
from tests.integration.payroll import DEBTOR, PAYROLL_PROMISES, Payroll
from tests.integration.shop import PROMISES

BOOKINGS: Final = int(os.environ.get("PAYROLL_BOOKINGS") or 300)
PARTNERS: Final = max(6, min(120, BOOKINGS // 40))
"""Of each trade and way to be paid; many have little, and carry it."""
PERIODS: Final = 4
AT_ONCE: Final = 500
UNITS: Final = ("USD", "EGP", "KWD")
UNTAXED: Final = Percentage(0)

pytestmark = [pytest.mark.database, pytest.mark.slow, pytest.mark.timeout(max(120, BOOKINGS // 50))]

SELL: Final = """
INSERT INTO bookings (id, booking_number, user_id, agent_id, created_by_user_id, booking_source, booking_type, status,
                      payment_status, price_lines, base_amount_minor, discount_amount_minor, voucher_discount_minor,
                      tax_amount_minor, final_amount_minor, paid_amount_minor, currency, tax_rate, tier_code,
                      points_multiplier, cashback_rate, customer_info, special_requests, start_date, end_date,
                      travelers_count, created_at, updated_at)
SELECT r.id, r.number, %(customer)s, r.agent, %(customer)s, CASE WHEN r.agent IS NULL THEN 'SELF' ELSE 'AGENT' END,
       'HOTEL', 'COMPLETED', 'PAID', '[]', r.paid, 0, 0, 0, r.paid, r.paid, r.unit, 0, 'GUEST', 1, 0, '{}', '',
       %(today)s::date - 5, %(today)s::date - 1, 1, %(now)s, %(now)s
FROM jsonb_to_recordset(%(rows)s) AS r (id uuid, number text, agent uuid, paid bigint, unit text)
"""
SELL_ITEMS: Final = """
INSERT INTO booking_items (id, booking_id, booking_type, item_name_ar, item_name_en, quantity, unit_price_minor,
                           total_price_minor, currency, vendor_id, vendor_rate, agent_rate)
SELECT r.id, r.booking, 'HOTEL', 'رحلة', 'Trip', 1, r.price, r.price, r.unit, r.vendor, r.vendor_rate, r.agent_rate
FROM jsonb_to_recordset(%s) AS r (id uuid, booking uuid, price bigint, unit text, vendor uuid, vendor_rate numeric,
                                  agent_rate numeric)
"""
GIVE_BACK: Final = """
UPDATE bookings b SET refunded_amount_minor = r.back
FROM unnest(%s::uuid[], %s::bigint[]) AS r (id, back) WHERE b.id = r.id
"""

# Each of these finds nothing, whatever happened before.
SUMS: Final = {
    "what all earn is what was booked as costs": """
        SELECT e.booking_id FROM (
            SELECT booking_id, sum(amount_minor - reversed_amount_minor) AS stands FROM earnings GROUP BY 1) e
        LEFT JOIN (SELECT j.reference_id, sum(n.amount_minor) AS cost FROM ledger_journals j
                   JOIN ledger_entries n ON n.journal_id = j.id JOIN ledger_accounts a ON a.id = n.account_id
                   WHERE a.kind IN ('VENDOR_SHARES', 'AGENT_COMMISSIONS') GROUP BY 1) c
            ON c.reference_id = e.booking_id
        WHERE e.stands <> -coalesce(c.cost, 0)""",
    "who is paid, or about to be, has no more than was released, but for what was clawed back since": """
        SELECT e.account_id FROM payable_entries e
        LEFT JOIN payout_entries t ON t.payable_entry_id = e.id
        WHERE e.released_at <= %(now)s GROUP BY e.account_id
        HAVING (SELECT coalesce(sum(p.amount_minor), 0) FROM payouts p WHERE p.account_id = e.account_id
                  AND p.status IN ('PAID', 'PENDING', 'SENT', 'UNKNOWN'))
            <> sum(e.amount_minor) FILTER (WHERE e.kind <> 'RETURNED')
             - coalesce(sum(e.amount_minor) FILTER (WHERE t.payout_id IS NULL), 0)""",
    "nothing was paid before it was released": """
        SELECT t.payable_entry_id FROM payout_entries t JOIN payouts p ON p.id = t.payout_id
        JOIN payout_batches b ON b.id = p.batch_id JOIN payable_entries e ON e.id = t.payable_entry_id
        WHERE e.released_at > b.cut_off OR e.account_id <> p.account_id""",
    "nothing was paid twice": """
        SELECT payable_entry_id FROM payout_entries GROUP BY payable_entry_id HAVING count(*) > 1""",
    "the balance is what entries say less what was taken": """
        SELECT a.id FROM ledger_accounts a WHERE a.kind IN ('VENDOR_PAYABLE', 'AGENT_PAYABLE')
        AND (SELECT coalesce(sum(n.amount_minor), 0) FROM ledger_entries n WHERE n.account_id = a.id)
         <> (SELECT coalesce(sum(e.amount_minor), 0) FROM payable_entries e WHERE e.account_id = a.id)
          - (SELECT coalesce(sum(p.amount_minor), 0) FROM payouts p
             WHERE p.account_id = a.id AND p.journal_id IS NOT NULL)""",
    "the trial balance is zero": """
        SELECT currency FROM ledger_entries GROUP BY currency HAVING sum(amount_minor) <> 0""",
}
OF_THE_LEDGER: Final = ("journals sum to zero", "chains are unbroken", "heads of chains are their newest entries",
                        "journals reverse no more than there was")  # fmt: skip
# What a booking's money became: `platform` is what the domain leaves the company of what stays paid.
STAYED: Final = """
SELECT b.id FROM bookings b JOIN unnest(%s::uuid[], %s::bigint[]) AS r (id, platform) ON r.id = b.id
LEFT JOIN (SELECT booking_id, sum(amount_minor - reversed_amount_minor) AS stands FROM earnings GROUP BY 1) e
    ON e.booking_id = b.id
WHERE coalesce(e.stands, 0) + r.platform <> b.paid_amount_minor - b.refunded_amount_minor OR r.platform < 0
"""


@dataclass
class Sold:
    """A booking that is over; `left` of what was paid has not gone back."""

    id: UUID
    number: str
    items: list[SharedItem]
    payees: list[list[tuple[Payee, Percentage]]]
    agent: UUID | None
    tax: Percentage
    paid: Money
    left: Money
    earnings: list[Earning] = field(default_factory=list)
    journals: defaultdict[Payee, list[tuple[UUID, Share]]] = field(default_factory=lambda: defaultdict(list))
    """What is left of each, the newest first."""

    @property
    def platform(self) -> int:
        return sum(part.platform.minor for part in split(self.left, self.items, commission_tax=self.tax))


@dataclass
class Company:
    """Sells, shares, refunds and pays."""

    payroll: Payroll
    chance: random.Random
    vendors: list[UUID]
    agents: list[UUID]
    bank: FakeBank = field(default_factory=FakeBank)
    shared: list[Sold] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        return self.payroll.use.clock.now()

    def sell(self, first: int, many: int) -> list[Sold]:
        sold = [self._sold(number) for number in range(first, first + many)]
        values = {"customer": self.payroll.clerk, "now": self.now, "today": self.now.date()}
        rows = [
            {"id": str(one.id), "number": one.number, "agent": one.agent and str(one.agent), "paid": one.paid.minor,
             "unit": one.paid.currency.code}
            for one in sold
        ]  # fmt: skip
        with self.payroll.database.transaction() as transaction:
            transaction.execute(SELL, {**values, "rows": Jsonb(rows)})
            transaction.execute(SELL_ITEMS, (Jsonb([row for one in sold for row in self._item_rows(one)]),))
            transaction.commit()
        return sold

    def _sold(self, number: int) -> Sold:
        chance, unit = self.chance, self.chance.choice(UNITS)
        agent = chance.choice(self.agents) if chance.random() < 0.5 else None
        items, payees = [], []
        for _ in range(chance.choice((1, 1, 2, 3))):
            vendor = (Payee(PayeeType.VENDOR, chance.choice(self.vendors)), Percentage(chance.randrange(10_001)))
            of_item = [vendor] if chance.random() < 0.9 else []
            rate = Percentage(chance.randrange(3_001)) if agent is not None else None
            if agent is not None and rate is not None:
                of_item.append((Payee(PayeeType.AGENT, agent), rate))
            price = Money.of(chance.randrange(40_000), unit)
            has_vendor = vendor in of_item
            items.append(
                SharedItem(
                    item_id=new_id(), price=price, vendor_rate=vendor[1] if has_vendor else None, agent_rate=rate
                )
            )
            payees.append(of_item)
        paid = Money.of(sum(item.price.minor for item in items), unit)
        tax = Percentage(chance.choice((0, 500, 1_000)))
        return Sold(new_id(), f"BK-SUM-{number:07}", items, payees, agent, tax, paid, left=paid)

    @staticmethod
    def _item_rows(one: Sold) -> Iterator[dict[str, Any]]:
        for item, payees in zip(one.items, one.payees, strict=True):
            vendor = next((payee.id for payee, _ in payees if payee.payee_type is PayeeType.VENDOR), None)
            yield {"id": str(item.item_id), "booking": str(one.id), "price": item.price.minor,
                   "unit": item.price.currency.code, "vendor": vendor and str(vendor),
                   "vendor_rate": item.vendor_rate and str(item.vendor_rate),
                   "agent_rate": item.agent_rate and str(item.agent_rate)}  # fmt: skip

    def share(self, sold: Sequence[Sold]) -> None:
        """Trips are over: what they earn is held for some days, or not."""
        for part in _batched(sold, AT_ONCE):
            posting = Posting(self.now)
            for one in part:
                released = self.now + timedelta(days=self.chance.choice((0, 0, 0, 3, 20)))
                one.earnings = list(self._begun(one, released))
                posting.move(one, released, "accrued")
            with self.payroll.use.new_uow() as uow:
                uow.ledger.post(posting.journals)
                uow.earnings.add([earning for one in part for earning in one.earnings])
                uow.earnings.record(posting.entries)
                uow.commit()
        self.shared += sold

    def _begun(self, one: Sold, released: datetime) -> Iterator[Earning]:
        parts = split(one.left, one.items, commission_tax=one.tax)
        nothing = Money(0, one.paid.currency)
        for part, payees in zip(parts, one.payees, strict=True):
            for payee, rate in payees:
                tax = one.tax if payee.payee_type is PayeeType.AGENT else UNTAXED
                yield Earning(
                    id=new_id(), booking_id=one.id, booking_item_id=part.item_id, payee=payee, rate=rate, tax_rate=tax,
                    base=part.base, amount=nothing, tax=nothing, reversed_amount=nothing, reversed_tax=nothing,
                    journal_id=None, earned_at=self.now, released_at=released,
                )  # fmt: skip

    def refund(self, share: float) -> None:
        """Money of some trips goes back, of some all of it, and of some it comes again."""
        chosen = [one for one in self.shared if self.chance.random() < share]
        for part in _batched(chosen, AT_ONCE):
            posting = Posting(self.now)
            for one in part:
                one.left = Money(self._left(one), one.paid.currency)
                if one.earnings:
                    posting.move(one, max(self.now, one.earnings[0].released_at), f"refund:{new_id()}")
            ids = [one.id for one in part]
            back = [(one.paid - one.left).minor for one in part]
            with self.payroll.use.new_uow() as uow:
                uow.ledger.post(posting.journals)
                uow.earnings.save([earning for one in part for earning in one.earnings])
                uow.earnings.record(posting.entries)
                self.payroll.database.rows(f"{GIVE_BACK} RETURNING 1", (ids, back))
                uow.commit()

    def _left(self, one: Sold) -> int:
        kind = self.chance.random()
        if kind < 0.3:
            return 0
        if kind < 0.85:
            return self.chance.randrange(one.left.minor + 1)
        return self.chance.randrange(one.left.minor, one.paid.minor + 1)

    def pay(self) -> None:
        """A payroll from the draft to its end: some draft is thrown away first, refunds come in between."""
        payroll, chance = self.payroll, self.chance
        if chance.random() < 0.5:
            payroll.cancel(payroll.make().batch_id)
        batch_id = payroll.make().batch_id
        self.refund(0.02)
        payroll.approve(batch_id)
        payroll.process(batch_id)
        self._take_some_back(batch_id)
        while payroll.drive().due:
            pass
        self._visit_the_bank(batch_id)

    def _take_some_back(self, batch_id: UUID) -> None:
        use = self.payroll.use
        for row in self.payroll.payouts(batch_id):
            if row["status"] == "PENDING" and self.chance.random() < 0.1:
                command = DecidePayout(payout_id=row["id"], actor_id=self.payroll.clerk, reason="a test")
                cancel_payout(command, new_uow=use.new_uow, clock=use.clock, new_id=use.new_id)

    def _visit_the_bank(self, batch_id: UUID) -> None:
        """Brought twice: what is read again changes nothing."""
        use = self.payroll.use
        file = read_bank_file(
            batch_id, shape="pain.001", actor=self.payroll.clerk, debtor=DEBTOR, uow=use.new_uow(), clock=use.clock
        )
        report = self.bank.takes(pain_001(file))
        for _ in range(2):
            lines = read_pain_002(report, batch_number=file.batch.batch_number)
            command = ImportResults(batch_id, self.payroll.clerk, lines)
            import_results(command, new_uow=use.new_uow, clock=use.clock, new_id=use.new_id)


@dataclass
class Posting:
    """What many bookings move, as `application/payouts/earning.py` has it of one."""

    at: datetime
    journals: list[Journal] = field(default_factory=list)
    entries: list[PayableEntry] = field(default_factory=list)

    def move(self, one: Sold, released: datetime, key: str) -> None:
        splits = split(one.left, one.items, commission_tax=one.tax)
        for payee, change in bring_in_line(one.earnings, splits).items():
            more, less = risen(change), fallen(change)
            if less.amount.is_positive:
                self._fall(one, payee, less, released, key)
            if more.amount.is_positive:
                journal = self._post(
                    one, payee, more, EARNED_BY[payee.payee_type], f"earning:{one.id}:{payee.id}:{key}"
                )
                self._owe(one, payee, more.payable, journal, PayableKind.EARNED, released)
                one.journals[payee].insert(0, (journal.id, more))
                for earning in by_payee(one.earnings)[payee]:
                    earning.journal_id = earning.journal_id or journal.id

    def _fall(self, one: Sold, payee: Payee, less: Share, released: datetime, key: str) -> None:
        left = dict(one.journals[payee])
        for journal_id, part in taken_from(one.journals[payee], less):
            back = Share(amount=-part.amount, tax=-part.tax)
            journal = self._post(one, payee, back, JournalType.REVERSAL, f"reversal:{journal_id}:{key}", journal_id)
            self._owe(one, payee, back.payable, journal, PayableKind.REVERSED, released)
            left[journal_id] = left[journal_id] - part
        one.journals[payee] = list(left.items())

    def _post(
        self, one: Sold, payee: Payee, share: Share, kind: JournalType, key: str, reverses: UUID | None = None
    ) -> Journal:
        journal = Journal(
            id=new_id(), journal_type=kind, idempotency_key=key, reference_type="BOOKING", reference_id=one.id,
            description_ar=one.number, description_en=one.number, occurred_at=self.at,
            entries=entries_of(payee, share), reverses=reverses,
        )  # fmt: skip
        self.journals.append(journal)
        return journal

    def _owe(
        self, one: Sold, payee: Payee, amount: Money, journal: Journal, kind: PayableKind, released: datetime
    ) -> None:
        if not amount.is_zero:
            account = account_of(payee, amount.currency.code)
            self.entries.append(
                PayableEntry(
                    id=new_id(), payee_id=payee.id, payee_type=payee.payee_type, kind=kind, account_id=account.id,
                    journal_id=journal.id, booking_id=one.id, amount=amount, released_at=released, occurred_at=self.at,
                )
            )  # fmt: skip


def _batched(things: Sequence[Sold], size: int) -> Iterator[Sequence[Sold]]:
    return (things[start : start + size] for start in range(0, len(things), size))


def test_whatever_is_sold_refunded_and_paid_adds_up(
    running: Running, addresses: DatabaseAddresses, clock: MovableClock
) -> None:
    seed = int(os.environ.get("PAYROLL_SEED") or random.randrange(2**32))
    print(f"PAYROLL_SEED={seed} PAYROLL_BOOKINGS={BOOKINGS}")  # noqa: T201 - shown with a failure
    payroll, began = Payroll.of(running), time.monotonic()
    partners = {
        of: [payee.user_id for method in ("WALLET", "BANK_TRANSFER")
             for payee in payroll.payees([()] * PARTNERS, method=method, payee_type=of)]
        for of in ("VENDOR", "AGENT")
    }  # fmt: skip
    company = Company(payroll, random.Random(seed), partners["VENDOR"], partners["AGENT"])

    sold = 0
    for _ in range(PERIODS):
        many = BOOKINGS // PERIODS
        for start in range(0, many, AT_ONCE):
            company.share(company.sell(sold, min(AT_ONCE, many - start)))
            sold += min(AT_ONCE, many - start)
        print(f"{sold} bookings after {time.monotonic() - began:.0f} s")  # noqa: T201 - shown with a failure
        _analyzed(addresses)
        company.refund(0.1)
        company.pay()
        company.refund(0.05)
        clock.offset += timedelta(days=7)
        print(f"paid after {time.monotonic() - began:.0f} s")  # noqa: T201 - shown with a failure

    platform = [one.platform for one in company.shared]
    with connect(addresses.owner) as owner:
        # For the questions below alone: payroll itself asks by payee.
        owner.execute("CREATE INDEX ON payable_entries (account_id); CREATE INDEX ON payouts (account_id); ANALYZE")
        assert owner.execute(STAYED, ([one.id for one in company.shared], platform)).fetchall() == []
        promises = {**PAYROLL_PROMISES, **EARNING_PROMISES, **{name: PROMISES[name] for name in OF_THE_LEDGER}}
        broken = [name for name, query in promises.items() if owner.execute(query).fetchone() is not None]
        now = {"now": clock.now()}
        broken += [name for name, query in SUMS.items() if owner.execute(query, now).fetchone() is not None]
        assert broken == []
    print(f"looked at after {time.monotonic() - began:.0f} s")  # noqa: T201 - shown with a failure
    _assert_what_arrived_is_what_was_paid(company)
    _assert_everything_happened(company)


def _analyzed(addresses: DatabaseAddresses) -> None:
    """As autovacuum has it of a live system long before so much is added: plans made for empty tables are let go."""
    with connect(addresses.owner) as owner:
        owner.execute("ANALYZE")


def _assert_what_arrived_is_what_was_paid(company: Company) -> None:
    """The bank's own books and the wallets hold, together, what payouts say was paid."""
    rows = company.payroll.database.rows(
        """SELECT id, currency, amount_minor, method FROM payouts WHERE status = 'PAID' ORDER BY id"""
    )
    bank = {f"po-{row['id'].hex}": row for row in rows if row["method"] == "BANK_TRANSFER"}
    assert company.bank.paid == {key: _decimal(row) for key, row in bank.items()}
    assert not company.bank.paid.keys() & company.bank.refused.keys()
    arrived = company.payroll.database.rows(
        """SELECT a.currency, sum(e.amount_minor)::bigint AS minor FROM ledger_entries e
           JOIN ledger_accounts a ON a.id = e.account_id WHERE a.kind = 'WALLET' GROUP BY 1"""
    )
    wallets: defaultdict[str, int] = defaultdict(int)
    for row in rows:
        wallets[row["currency"]] += row["amount_minor"] if row["method"] == "WALLET" else 0
    assert {row["currency"]: row["minor"] for row in arrived} == {
        unit: minor for unit, minor in wallets.items() if minor
    }


def _decimal(row: dict[str, Any]) -> Decimal:
    return Decimal(Money.of(row["amount_minor"], row["currency"]).decimal())


def _assert_everything_happened(company: Company) -> None:
    """Else the sums prove nothing."""
    database = company.payroll.database
    statuses = {row["status"] for row in database.rows("SELECT DISTINCT status FROM payouts")}
    kinds = {row["kind"] for row in database.rows("SELECT DISTINCT kind FROM payable_entries")}
    clawed = database.rows(
        """SELECT 1 FROM payable_entries e JOIN payout_entries t ON t.payable_entry_id = e.id
           WHERE e.kind = 'REVERSED' LIMIT 1"""
    )
    assert {"PAID", "FAILED", "CANCELLED"} <= statuses
    assert {"EARNED", "REVERSED", "RETURNED"} <= kinds
    assert database.rows("SELECT 1 FROM payouts_left_out LIMIT 1") != []
    assert clawed != []
    counted = database.row(
        """SELECT (SELECT count(*) FROM bookings) AS bookings, (SELECT count(*) FROM earnings) AS earnings,
                  (SELECT count(*) FROM ledger_journals) AS journals, (SELECT count(*) FROM payable_entries) AS entries,
                  (SELECT count(*) FROM payout_entries) AS taken, (SELECT count(*) FROM payouts) AS payouts,
                  (SELECT count(*) FROM payouts WHERE status = 'PAID') AS paid,
                  (SELECT count(*) FROM payouts_left_out) AS left_out"""
    )
    print(counted)  # noqa: T201 - what was looked at, shown with `-s`
