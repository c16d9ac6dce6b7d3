"""Payroll on a real database, in the words of a test, and the promises that must hold of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import orjson

from application.dependencies import Dependencies
from application.payouts import batches
from application.payouts.batches import BatchFilled, DecideBatch, MakeBatch
from application.payouts.sending import PayoutsDriven, Sending, drive_payouts, send_payout
from config.settings import Settings, StripeSettings
from domain.ledger import accounts
from domain.ledger.accounts import AccountKind, AccountRef
from domain.ledger.journal import Journal, JournalType, transfer
from domain.payouts.batches import BatchPayees, BatchPeriod, Debtor
from domain.payouts.payables import PayableEntry, PayableKind
from domain.payouts.payouts import PayoutDispatched
from domain.shared.money import Money
from domain.shared.payees import PayeeType
from fake_providers.stripe import StripeServer
from fake_providers.stripe.server import TEST_KEY, WEBHOOK_SECRET
from infrastructure.bootstrap import Running
from infrastructure.clock import new_id
from infrastructure.database.roles import DatabaseAddresses
from infrastructure.database.transaction import Database, Row
from tests.builders import a_journal, a_user
from tests.databases import as_owner
from tests.fakes.outside_transactions import OutsideTransactions
from tests.integration.shop import a_stored_user, broken_promises

IBAN: Final = "EG380019000500000000263180002"
DEBTOR: Final = Debtor("AltayarVIP Travel", "EG380019000500000000263180002", "NBEGEGCX")
MINIMA: Final = {"USD": 5_000}
_PAYABLE: Final = {"VENDOR": AccountKind.VENDOR_PAYABLE, "AGENT": AccountKind.AGENT_PAYABLE}
_COST: Final = {"VENDOR": AccountKind.VENDOR_SHARES, "AGENT": AccountKind.AGENT_COMMISSIONS}

# Each of these finds nothing, whatever happened before (guarantees J7, M5, M8, P3).
PAYROLL_PROMISES = {
    "payouts are the sum of their entries": """
        SELECT p.id FROM payouts p JOIN payout_batches b ON b.id = p.batch_id
        WHERE p.journal_id IS NOT NULL AND p.amount_minor IS DISTINCT FROM (
            SELECT sum(e.amount_minor) FROM payout_entries l JOIN payable_entries e ON e.id = l.payable_entry_id
            WHERE l.payout_id = p.id)""",
    "entries and books say the same of every payee": """
        SELECT a.id FROM ledger_accounts a JOIN ledger_heads h ON h.account_id = a.id
        LEFT JOIN ledger_entries n ON n.journal_id = h.journal_id AND n.line = h.line
        WHERE a.kind IN ('VENDOR_PAYABLE', 'AGENT_PAYABLE') AND coalesce(n.balance_after_minor, 0) <> (
            SELECT coalesce(sum(e.amount_minor), 0) FROM payable_entries e WHERE e.account_id = a.id) - (
            SELECT coalesce(sum(p.amount_minor), 0) FROM payouts p
            WHERE p.account_id = a.id AND p.journal_id IS NOT NULL)""",
    "what is in transit is what is open": """
        SELECT u.currency FROM (
            SELECT currency FROM payouts UNION
            SELECT currency FROM ledger_accounts WHERE kind = 'PAYOUTS_IN_TRANSIT') u
        WHERE (SELECT coalesce(sum(p.amount_minor), 0) FROM payouts p WHERE p.currency = u.currency
               AND p.journal_id IS NOT NULL AND p.status IN ('PENDING', 'SENT', 'UNKNOWN')) <> (
            SELECT coalesce(sum(e.amount_minor), 0) FROM ledger_entries e
            JOIN ledger_accounts a ON a.id = e.account_id AND a.kind = 'PAYOUTS_IN_TRANSIT'
            WHERE e.currency = u.currency)""",
    "no payout leaves a payable account below zero": """
        SELECT e.journal_id FROM ledger_entries e JOIN ledger_journals j ON j.id = e.journal_id
        JOIN ledger_accounts a ON a.id = e.account_id
        WHERE j.journal_type = 'PAYOUT' AND a.kind IN ('VENDOR_PAYABLE', 'AGENT_PAYABLE')
          AND e.balance_after_minor < 0""",
    "completed batches have no open payout": """
        SELECT b.id FROM payout_batches b JOIN payouts p ON p.batch_id = b.id
        WHERE b.status = 'COMPLETED' AND p.status IN ('PENDING', 'SENT', 'UNKNOWN')""",
    "cancelled drafts hold no entries": """
        SELECT l.payable_entry_id FROM payout_entries l JOIN payouts p ON p.id = l.payout_id
        WHERE p.status = 'CANCELLED' AND p.journal_id IS NULL""",
}


def broken_payroll_promises(addresses: DatabaseAddresses) -> list[str]:
    """The names of the promises, of payroll or of anything else, that do not hold."""
    with as_owner(addresses) as connection:
        broken = [name for name, query in PAYROLL_PROMISES.items() if connection.execute(query).fetchone() is not None]
    return broken + broken_promises(addresses)


@dataclass(frozen=True)
class Payee:
    """Somebody who earns."""

    user_id: UUID
    payee_type: str
    profile_id: UUID
    currency: str = "USD"

    @property
    def account(self) -> AccountRef:
        return AccountRef(_PAYABLE[self.payee_type], self.currency, self.user_id)


def _calling_outside_transactions(running: Running) -> Dependencies:
    use = running.dependencies
    return replace(use, gateways=OutsideTransactions(use.gateways, running.database))


@dataclass(frozen=True)
class Payroll:
    """A company with payees; amounts are minor units."""

    use: Dependencies
    database: Database
    clerk: UUID
    manager: UUID

    @classmethod
    def of(cls, running: Running) -> Payroll:
        use = _calling_outside_transactions(running)
        return cls(use, running.database, a_stored_user(use.new_uow), a_stored_user(use.new_uow))

    def in_process(self, running: Running) -> Payroll:
        """The same company, in another process."""
        return Payroll(_calling_outside_transactions(running), running.database, self.clerk, self.manager)

    def a_payee(
        self,
        earned: int | Sequence[int] = (),
        *,
        method: str = "WALLET",
        payee_type: str = "VENDOR",
        status: str = "ACTIVE",
        currency: str = "USD",
        holder: str = "Mona Adel",
        account_number: str = IBAN,
        usable_in: timedelta = timedelta(),
        with_account: bool = True,
        stripe_account: str = "acct_1Vendor",
        user_id: UUID | None = None,
    ) -> Payee:
        """Somebody with a profile, and for bank transfers an account, who has earned these amounts."""
        user_id, profile_id = user_id or a_stored_user(self.use.new_uow), new_id()
        now = self.use.clock.now()
        self._execute(
            """INSERT INTO partner_profiles (id, user_id, payee_type, status, company_name, payout_method,
                   stripe_account, approved_at, suspension_reason, created_at)
               VALUES (%s, %s, %s, %s, 'Nile Cruises', %s, %s, %s, %s, %s)""",
            (profile_id, user_id, payee_type, status, method, stripe_account if method == "STRIPE" else None, now,
             "a test" if status == "SUSPENDED" else None, now),
        )  # fmt: skip
        payee = Payee(user_id, payee_type, profile_id, currency)
        if method == "BANK_TRANSFER" and with_account:
            self.add_account(payee, holder=holder, account_number=account_number, usable_in=usable_in)
        for minor in (earned,) if isinstance(earned, int) else earned:
            self.earn(payee, minor)
        return payee

    def payees(
        self, earned: Sequence[Sequence[int]], *, method: str = "WALLET", payee_type: str = "VENDOR"
    ) -> list[Payee]:
        """Any number at once, each of whom has earned these amounts; at Stripe they are `acct_<place>`."""
        with self.use.new_uow() as uow:
            users = [a_user() for _ in earned]
            for user in users:
                uow.users.add(user)
            uow.commit()
        payees = [Payee(user.id, payee_type, new_id()) for user in users]
        self._execute(
            """INSERT INTO partner_profiles (id, user_id, payee_type, status, company_name, payout_method,
                   stripe_account, approved_at, created_at)
               SELECT r.id, r.user_id, %(type)s, 'ACTIVE', 'Nile Cruises', %(method)s,
                   CASE WHEN %(method)s = 'STRIPE' THEN 'acct_' || (r.place - 1) END, %(now)s, %(now)s
               FROM unnest(%(ids)s::uuid[], %(users)s::uuid[]) WITH ORDINALITY AS r (id, user_id, place)""",
            {"ids": [payee.profile_id for payee in payees], "users": [payee.user_id for payee in payees],
             "type": payee_type, "method": method, "now": self.use.clock.now()},
        )  # fmt: skip
        if method == "BANK_TRANSFER":
            for payee in payees:
                self.add_account(payee)
        self.earn_each([(payee, minor) for payee, amounts in zip(payees, earned, strict=True) for minor in amounts])
        return payees

    def earn_each(self, movements: Sequence[tuple[Payee, int]]) -> None:
        """Many movements of what payees are owed, some hundred journals in a posting."""
        now = self.use.clock.now()
        for start in range(0, len(movements), 200):
            part = movements[start : start + 200]
            journals = [self._journal(payee, minor) for payee, minor in part]
            entries = [
                PayableEntry(id=new_id(), payee_id=payee.user_id, payee_type=PayeeType(payee.payee_type),
                             kind=PayableKind.EARNED if minor > 0 else PayableKind.REVERSED,
                             account_id=payee.account.id, journal_id=journal.id, booking_id=None,
                             amount=Money.of(minor, payee.currency), released_at=now, occurred_at=now)
                for (payee, minor), journal in zip(part, journals, strict=True)
            ]  # fmt: skip
            with self.use.new_uow() as uow:
                uow.ledger.post(journals)
                uow.earnings.record(entries)
                uow.commit()

    def add_account(
        self, payee: Payee, *, holder: str = "Mona Adel", account_number: str = IBAN, usable_in: timedelta = timedelta()
    ) -> None:
        """Another bank account: the newest counts."""
        now = self.use.clock.now()
        details = {"holder_name": holder, "account_number": account_number, "bank_name": "National Bank of Egypt",
                   "bank_branch": "", "swift_code": "NBEGEGCX"}  # fmt: skip
        with self.use.new_uow() as uow:
            sealed = uow._encryption.encrypt(orjson.dumps(details).decode())  # type: ignore[attr-defined]
        self._execute(
            """INSERT INTO partner_bank_accounts (id, profile_id, details_encrypted, masked, added_by_user_id,
                   created_at, usable_from) VALUES (%s, %s, %s, %s, %s, %s, %s)""",
            (new_id(), payee.profile_id, sealed, f"National Bank of Egypt •••• {account_number[-4:]}", payee.user_id,
             now, now + usable_in),
        )  # fmt: skip

    def set_status(self, payee: Payee, status: str) -> None:
        reason = "a test" if status == "SUSPENDED" else None
        self._execute(
            "UPDATE partner_profiles SET status = %s, suspension_reason = %s WHERE id = %s",
            (status, reason, payee.profile_id),
        )

    def earn(self, payee: Payee, minor: int, *, kind: str = "", released_in: timedelta = timedelta()) -> UUID:
        """A movement of what the payee is owed, with its journal; below zero it is a reversal."""
        with self.use.new_uow() as uow:
            entry_id = self.enter(payee, self.post(payee, minor), minor, kind=kind, released_in=released_in)
            uow.commit()
        return entry_id

    def post(self, payee: Payee, minor: int) -> UUID:
        """The journal alone."""
        journal = self._journal(payee, minor)
        with self.use.new_uow() as uow:
            uow.ledger.post([journal])
            uow.commit()
        return journal.id

    def _journal(self, payee: Payee, minor: int) -> Journal:
        cost = accounts.platform(_COST[payee.payee_type], payee.currency)
        legs = transfer(cost, payee.account, minor) if minor > 0 else transfer(payee.account, cost, -minor)
        return a_journal(*legs, journal_type=JournalType.EARNING, occurred_at=self.use.clock.now())

    def enter(
        self, payee: Payee, journal_id: UUID, minor: int, *, kind: str = "", released_in: timedelta = timedelta()
    ) -> UUID:
        """The payable entry alone."""
        now, entry_id = self.use.clock.now(), new_id()
        self._execute(
            """INSERT INTO payable_entries (id, payee_id, payee_type, kind, account_id, journal_id, amount_minor,
                   currency, released_at, occurred_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
            (entry_id, payee.user_id, payee.payee_type, kind or ("EARNED" if minor > 0 else "REVERSED"),
             payee.account.id, journal_id, minor, payee.currency, now + released_in, now),
        )  # fmt: skip
        return entry_id

    def make(self, payees: BatchPayees = BatchPayees.ALL, **changes: Any) -> BatchFilled:
        """The clerk makes a batch of everything that is released."""
        values: dict[str, Any] = {
            "period": BatchPeriod.WEEKLY,
            "payees": payees,
            "actor_id": self.clerk,
            "minima": MINIMA,
        }
        command = MakeBatch(**values | changes)
        made = batches.make_batch(command, uow=self.use.new_uow(), clock=self.use.clock, new_id=self.use.new_id)
        assert made is not None
        return made

    def approve(self, batch_id: UUID, by: UUID | None = None, *, debtor: Debtor = DEBTOR) -> None:
        command = DecideBatch(batch_id=batch_id, actor_id=by or self.manager)
        batches.approve_batch(
            command, debtor=debtor, uow=self.use.new_uow(), clock=self.use.clock, new_id=self.use.new_id
        )

    def cancel(self, batch_id: UUID) -> None:
        command = DecideBatch(batch_id=batch_id, actor_id=self.clerk)
        batches.cancel_batch(command, uow=self.use.new_uow(), clock=self.use.clock)

    def process(self, batch_id: UUID) -> None:
        command = DecideBatch(batch_id=batch_id, actor_id=self.clerk)
        batches.process_batch(command, uow=self.use.new_uow(), clock=self.use.clock, new_id=self.use.new_id)

    def approved(self) -> UUID:
        """A batch of everything, approved and being processed; nothing of it is sent but to the bank."""
        batch_id = self.make().batch_id
        self.approve(batch_id)
        self.process(batch_id)
        return batch_id

    @property
    def sending(self) -> Sending:
        return Sending(self.use.new_uow, self.use.gateways, self.use.clock, self.use.new_id)

    def send(self) -> None:
        """The jobs of every payout that was dispatched run, as the relay would have them."""
        for row in self.database.rows(
            "SELECT payload FROM outbox_events WHERE name = %s ORDER BY id", (PayoutDispatched.name,)
        ):
            send_payout(UUID(row["payload"]["payout_id"]), self.sending)

    def drive(self) -> PayoutsDriven:
        return drive_payouts(self.sending)

    def batch(self, batch_id: UUID) -> Row:
        row = self.database.row("SELECT * FROM payout_batches WHERE id = %s", (batch_id,))
        assert row is not None
        return row

    def payouts(self, batch_id: UUID | None = None) -> list[Row]:
        return self.database.rows(
            "SELECT * FROM payouts WHERE %(id)s::uuid IS NULL OR batch_id = %(id)s ORDER BY payout_number",
            {"id": batch_id},
        )

    def payout_of(self, payee: Payee, batch_id: UUID | None = None) -> Row:
        (row,) = [row for row in self.payouts(batch_id) if row["payee_id"] == payee.user_id]
        return row

    def statuses(self, batch_id: UUID | None = None) -> list[str]:
        return [row["status"] for row in self.payouts(batch_id)]

    def left_out(self, batch_id: UUID) -> Mapping[UUID, str]:
        rows = self.database.rows("SELECT payee_id, reason FROM payouts_left_out WHERE batch_id = %s", (batch_id,))
        return {row["payee_id"]: row["reason"] for row in rows}

    def owed(self, payee: Payee) -> int:
        """The payable account's balance."""
        return self.balance(payee.account)

    def balance(self, account: AccountRef) -> int:
        with self.use.new_uow() as uow:
            return uow.ledger.lock([account])[account].balance_minor

    def summed(self, account: AccountRef) -> int:
        """What one of the platform's accounts sums to."""
        row = self.database.row(
            "SELECT coalesce(sum(amount_minor), 0)::bigint AS minor FROM ledger_entries WHERE account_id = %s",
            (account.id,),
        )
        return int(row["minor"]) if row else 0

    def wallet_of(self, payee: Payee) -> int:
        return self.balance(accounts.wallet(payee.user_id, payee.currency))

    def events(self, name: str) -> list[UUID]:
        rows = self.database.rows("SELECT payload FROM outbox_events WHERE name = %s ORDER BY id", (name,))
        return [UUID(row["payload"]["payout_id"]) for row in rows]

    def _execute(self, sql: str, values: Sequence[object] | Mapping[str, object]) -> None:
        with self.database.transaction() as transaction:
            transaction.execute(sql, values)
            transaction.commit()


@contextlib.contextmanager
def funded_stripe(folder: Path) -> Iterator[StripeServer]:
    """A fake Stripe with books of its own, and money to pay out."""
    with StripeServer(folder / "stripe.sqlite") as server:
        fund(server)
        yield server


def paying_by(stripe: StripeServer, settings: Settings) -> Settings:
    """The settings with this Stripe as the only provider."""
    account = StripeSettings(stripe.address, TEST_KEY, (WEBHOOK_SECRET,))
    return replace(settings, payment_gateways=("stripe",), stripe=account)


def fund(stripe: StripeServer, minor: int = 100_000_000) -> None:
    """The company's account at the fake Stripe holds money to send on."""
    stripe.provider.book("topup", "topup", minor, {"id": "tu_1", "currency": "usd"})


def transfers(stripe: StripeServer) -> list[tuple[str, int]]:
    """What the provider sent on, by its own books."""
    return sorted((it["destination"], it["amount"]) for it in stripe.books.all("transfer"))


@contextlib.contextmanager
def moved(clock: Any, by: timedelta) -> Iterator[datetime]:
    """Within the block it is later."""
    clock.offset += by
    yield clock.now()
    clock.offset -= by
