"""A small travel shop on a real database, and the promises that must hold of it whatever happened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from threading import Barrier
from typing import Any, TypeVar
from uuid import UUID

from application.billing.attention_ports import UNKNOWN_IS_OLD_AFTER, AttentionSearch
from application.billing.inbox import OpenAttempt
from application.billing.payments import OpenPayment, open_payment
from application.billing.ports import Reading
from application.billing.reconciliation import Reconciled, ReconcilePayments, reconcile_payments
from application.billing.settlement import SettleAttempt, settle_attempt
from application.billing.splits import WantedPart
from application.billing.webhooks import read_back
from application.dependencies import Dependencies
from application.membership.memberships import Subscribe, subscribe
from application.ports import NewUnitOfWork
from application.sales.bookings import PlaceBooking, place_booking
from application.sales.late_money import TakeLateMoney, take_late_money
from application.sales.pricing import Chosen, PricingSettings, pricing_settings
from application.sales.trips import AdvanceBooking, CompleteBooking, complete_booking, start_booking
from domain.billing.payments import PaymentMethod, PaymentType
from domain.catalogue.departures import Departure
from domain.catalogue.items import Item, ItemKind
from domain.ledger import accounts
from domain.ledger.accounts import AccountRef
from domain.ledger.journal import transfer
from domain.ledger.points import PointsTerms
from domain.operations.settings import CASHBACK_ELIGIBLE_AFTER_DAYS, LATE_CHOICE_DAYS
from domain.pricing.price_lists import Party
from domain.sales.bookings import Booking
from domain.sales.instalments import PlanTerms, PlanWanted
from domain.shared.clock import business_date
from domain.shared.money import Money
from domain.shared.percentage import Percentage
from infrastructure.bootstrap import Running
from infrastructure.clock import new_id
from infrastructure.database.roles import DatabaseAddresses
from infrastructure.database.transaction import Database, Row
from infrastructure.database.unit_of_work import SqlUnitOfWork
from security.field_encryption import FernetEncryption
from security.keyed_digests import HmacDigests
from tests.builders import a_departure, a_journal, a_package, a_user, egp
from tests.databases import as_owner
from tests.fakes.outside_transactions import OutsideTransactions
from tests.fakes.scripted_gateway import ScriptedGateway, ScriptedGateways

KEY = "a key of the tests"
WHOLE = Percentage(10_000)
HOLD_FOR = timedelta(minutes=15)
Answer = TypeVar("Answer")


def units_of_work(database: Database, *, terms: PointsTerms = PointsTerms()) -> NewUnitOfWork:  # noqa: B008 - frozen
    """What opens units of work on this database."""
    return lambda: SqlUnitOfWork(
        database,
        encryption=FernetEncryption([KEY]),
        digests=HmacDigests([KEY]),
        new_id=new_id,
        points_terms=lambda: terms,
    )


def a_stored_user(new_uow: NewUnitOfWork) -> UUID:
    with new_uow() as uow:
        user = a_user()
        uow.users.add(user)
        uow.commit()
    return user.id


def all_at_once(works: Sequence[Callable[[], Answer]]) -> list[Answer | BaseException]:
    """Run each in a thread of its own, all at the same time; what each answered or raised."""
    start = Barrier(len(works))

    def started(work: Callable[[], Answer]) -> Answer:
        start.wait()
        return work()

    with ThreadPoolExecutor(len(works)) as threads:
        futures = [threads.submit(started, work) for work in works]
    return [future.exception() or future.result() for future in futures]


@dataclass(frozen=True)
class Shop:
    """Use cases with the scripted gateway behind them, in the words of a test."""

    use: Dependencies
    database: Database
    gateway: ScriptedGateway
    provider: str = ScriptedGateway.name
    """Where checkouts are opened."""

    @classmethod
    def opened(cls, running: Running) -> Shop:
        gateway = ScriptedGateway()
        gateways = OutsideTransactions(ScriptedGateways(gateway), running.database)
        return cls(replace(running.dependencies, gateways=gateways), running.database, gateway)

    @classmethod
    def selling_through(cls, running: Running, provider: str) -> Shop:
        """With the gateways that are configured, instead of the scripted one."""
        gateways = OutsideTransactions(running.dependencies.gateways, running.database)
        return cls(replace(running.dependencies, gateways=gateways), running.database, ScriptedGateway(), provider)

    def a_customer(self) -> UUID:
        return a_stored_user(self.use.new_uow)

    def a_departure(
        self,
        *,
        seats: int = 50,
        price: Money | None = None,
        tax_rate: str = "14",
        days_ahead: int = 30,
        vendor: UUID | None = None,
    ) -> Departure:
        """A departure of a new package on sale, a month ahead; the company's own unless it has a vendor."""
        with self.use.new_uow() as uow:
            staff = a_user()
            uow.users.add(staff)
            package = a_package(price=price, tax_rate=tax_rate, created_by=staff.id, vendor_id=vendor)
            uow.flush()
            uow.packages.add(package)
            uow.flush()
            departure = a_departure(
                package_id=package.id,
                capacity=seats,
                starts_on=business_date(self.use.clock.now()) + timedelta(days=days_ahead),
            )
            uow.departures.add(departure)
            uow.commit()
        return departure

    def book(
        self,
        customer: UUID,
        departure: Departure | None = None,
        *,
        travelers: int = 1,
        deposit: Percentage = WHOLE,
        fee: Money | None = None,
        price_token: str | None = None,
        plan: PlanWanted = PlanWanted(),  # noqa: B008 - frozen
        waiting_list_entry_id: UUID | None = None,
        agent: UUID | None = None,
        **chosen: Any,
    ) -> Booking:
        """Where a deposit confirms it, the rest is due two weeks before the trip; `plan` asks for something else."""
        departure = departure or self.a_departure()
        command = PlaceBooking(
            actor_id=agent or customer,
            actor_is_staff=False,
            user_id=customer,
            agent_id=agent,
            item=self.item_of(departure),
            departure_id=departure.id,
            chosen=self.chosen(travelers, **chosen),
            travelers=(),
            special_requests="",
            hold_for=HOLD_FOR,
            plan=plan,
            plan_terms=PlanTerms(deposit=deposit, due_days_before=14, most_parts=3),
            settings=self.pricing(fee),
            price_token=price_token,
            waiting_list_entry_id=waiting_list_entry_id,
        )
        use = self.use
        return place_booking(command, uow=use.new_uow(), clock=use.clock, new_id=use.new_id, digests=use.digests)

    @staticmethod
    def item_of(departure: Departure) -> Item:
        """What a departure is of."""
        if departure.package_id is not None:
            return Item(ItemKind.PACKAGE, departure.package_id)
        assert departure.activity_id is not None
        return Item(ItemKind.ACTIVITY, departure.activity_id)

    @staticmethod
    def chosen(travelers: int, **others: Any) -> Chosen:
        return Chosen(party=Party(count=travelers), **others)

    def pricing(self, fee: Money | None = None) -> PricingSettings:
        """The settings as they are, with a fee where a test wants one."""
        settings = pricing_settings(self.use.system_settings)
        return settings if fee is None else replace(settings, fees={fee.currency.code: fee})

    def subscribe(self, customer: UUID, plan: str = "GOLD") -> UUID:
        command = Subscribe(user_id=customer, plan_code=plan)
        return subscribe(command, uow=self.use.new_uow(), clock=self.use.clock, new_id=self.use.new_id)

    def pay(
        self,
        customer: UUID,
        payable_id: UUID | None,
        *,
        kind: PaymentType = PaymentType.BOOKING,
        method: PaymentMethod = PaymentMethod.CREDIT_CARD,
        amount: Money | None = None,
        parts: tuple[WantedPart, ...] = (),
        key: str | None = None,
    ) -> UUID:
        """Open a checkout at the scripted provider, or pay from the wallet at once."""
        command = OpenPayment(
            user_id=customer,
            agent_id=customer if method is PaymentMethod.AGENT_CREDIT else None,
            payment_type=kind,
            payable_id=payable_id,
            method=method,
            provider=None if method is PaymentMethod.WALLET else self.provider,
            amount=amount,
            parts=parts,
            success_url=None,
            cancel_url=None,
            idempotency_key=key or new_id().hex,
            locale="en",
            public_url="https://shop.example",
        )
        return open_payment(
            command,
            new_uow=self.use.new_uow,
            gateways=self.use.gateways,
            returns=self.use.returns,
            clock=self.use.clock,
            new_id=self.use.new_id,
        )

    def attempt_of(self, payment_id: UUID) -> OpenAttempt:
        row = self.row(
            """SELECT id AS attempt_id, payment_id, provider, merchant_reference, provider_key,
                      coalesce(provider_reference, '') AS provider_reference,
                      coalesce(charge_reference, '') AS charge_reference
               FROM payment_attempts WHERE payment_id = %s ORDER BY id DESC LIMIT 1""",
            payment_id,
        )
        return OpenAttempt(**row)

    def charge(self, payment_id: UUID, *charges: Money) -> None:
        """The customer is charged at the provider; nobody here knows of it yet."""
        self.gateway.books[self.attempt_of(payment_id).provider_reference].charges.extend(charges)

    def look(self, payment_id: UUID) -> None:
        """Read back from the provider and settle, as webhook, return page and reconciler do."""
        read_back(
            self.attempt_of(payment_id),
            new_uow=self.use.new_uow,
            gateways=self.use.gateways,
            clock=self.use.clock,
            new_id=self.use.new_id,
            live=self.use.live,
        )

    def reconcile(self, *, limit: int = 200, budget: timedelta = timedelta(minutes=1)) -> Reconciled:
        """One run of the reconciler; its pauses are half of the longest."""
        return reconcile_payments(
            ReconcilePayments(live=self.use.live, public_url="https://shop.example", limit=limit, budget=budget),
            new_uow=self.use.new_uow,
            gateways=self.use.gateways,
            returns=self.use.returns,
            clock=self.use.clock,
            new_id=self.use.new_id,
            draw=lambda longest: longest / 2,
        )

    def settle(self, payment_id: UUID, reading: Reading) -> None:
        """Settle what a reading said, however old it is."""
        command = SettleAttempt(
            payment_id=payment_id,
            attempt_id=self.attempt_of(payment_id).attempt_id,
            reading=reading,
            expects_live=self.use.live,
        )
        settle_attempt(command, uow=self.use.new_uow(), clock=self.use.clock, new_id=self.use.new_id)

    def a_paid_booking(self, customer: UUID, departure: Departure | None = None, **how: Any) -> Booking:
        booking = self.book(customer, departure, **how)
        payment_id = self.pay(customer, booking.id)
        self.charge(payment_id, booking.final_amount)
        self.look(payment_id)
        return booking

    def travel(self, booking_id: UUID, staff: UUID) -> None:
        """The trip begins and is over, ahead of its dates."""
        self.start(booking_id, staff)
        self.complete(booking_id, staff)

    def start(self, booking_id: UUID, staff: UUID) -> None:
        start_booking(AdvanceBooking(booking_id=booking_id, actor_id=staff, override_reason="a test"),
                      uow=self.use.new_uow(), clock=self.use.clock)  # fmt: skip

    def complete(self, booking_id: UUID, staff: UUID) -> None:
        command = CompleteBooking(
            booking_id=booking_id,
            actor_id=staff,
            override_reason="a test",
            cashback_eligible_after=timedelta(days=CASHBACK_ELIGIBLE_AFTER_DAYS.default),
        )
        complete_booking(command, uow=self.use.new_uow(), clock=self.use.clock, new_id=self.use.new_id)

    def fill_wallet(self, customer: UUID, amount: Money | None = None) -> None:
        amount = amount or egp("5000.00")
        source = accounts.clearing(self.gateway.name, amount.currency.code)
        self.post(*transfer(source, accounts.wallet(customer, amount.currency.code), amount))

    def post(self, *entries: Any, key: str | None = None) -> None:
        with self.use.new_uow() as uow:
            uow.ledger.post([a_journal(*entries, key=key)])
            uow.commit()

    def balance(self, account: AccountRef) -> int:
        """What an account holds in minor units, summed from its entries."""
        row = self.row("SELECT coalesce(sum(amount_minor), 0) AS sum FROM ledger_entries WHERE account_id = %s",
                       account.id)  # fmt: skip
        return int(row["sum"])

    def row(self, sql: str, *values: object) -> Row:
        found = self.database.row(sql, values)
        assert found is not None
        return found

    def take_late_money(self, *, times: int = 1) -> None:
        """What a worker does about each receipt in suspense; so often, all at once."""
        events = self.database.rows("SELECT payload FROM outbox_events WHERE name = 'billing.money_suspended'")
        receipts = [UUID(event["payload"]["receipt_id"]) for event in events]
        works = [partial(self.take_late, receipt) for receipt in receipts * times]
        for answer in all_at_once(works) if works else ():
            if isinstance(answer, BaseException):
                raise answer

    def take_late(self, receipt_id: UUID) -> None:
        """The same about one receipt."""
        command = TakeLateMoney(receipt_id=receipt_id, choose_within=timedelta(days=LATE_CHOICE_DAYS.default))
        use = self.use
        take_late_money(command, new_uow=use.new_uow, clock=use.clock, new_id=use.new_id)

    def replacement(self, booking_id: UUID) -> Row | None:
        """What stands in an expired booking's place."""
        row = self.database.row("SELECT id FROM bookings WHERE replaces_booking_id = %s", (booking_id,))
        return self.booking(row["id"]) if row is not None else None

    def booking(self, booking_id: UUID) -> Row:
        return self.row(
            """SELECT b.*, h.status AS hold_status, d.seats_taken
               FROM bookings b JOIN holds h ON h.booking_id = b.id JOIN departures d ON d.id = b.departure_id
               WHERE b.id = %s""",
            booking_id,
        )

    def status_of(self, payment_id: UUID) -> str:
        return str(self.row("SELECT status FROM payments WHERE id = %s", payment_id)["status"])

    def receipts(self, payment_id: UUID) -> list[tuple[int, str, str, str | None]]:
        """Each receipt of a payment: minor units, currency, disposition, reason."""
        rows = self.database.rows(
            """SELECT r.amount_minor, r.currency, r.disposition, r.reason FROM payment_receipts r
               JOIN payment_attempts a ON a.id = r.attempt_id WHERE a.payment_id = %s ORDER BY r.position""",
            (payment_id,),
        )
        return [(row["amount_minor"], row["currency"], row["disposition"], row["reason"]) for row in rows]

    def attention(self) -> list[str]:
        """Why a person has to look at something, oldest first; no relay runs here, so invoices are never there."""
        soon = AttentionSearch(at=self.use.clock.now() + UNKNOWN_IS_OLD_AFTER)
        rows = self.use.queries.attention.waiting(soon, limit=100, after=None)
        return [row["reason"] for row in reversed(rows) if row["reason"] != "UNFULFILLED"]


# Each of these finds nothing, whatever happened before (docs: the guarantees' fault catalogue).
PROMISES = {
    "journals sum to zero": """
        SELECT journal_id FROM ledger_entries GROUP BY journal_id, currency HAVING sum(amount_minor) <> 0""",
    "journals have entries": """
        SELECT id FROM ledger_journals j WHERE NOT EXISTS (SELECT 1 FROM ledger_entries e WHERE e.journal_id = j.id)""",
    "chains are unbroken": """
        SELECT account_id FROM (
            SELECT account_id, sequence, balance_before_minor,
                   lag(sequence, 1, 0) OVER chain AS last_sequence,
                   lag(balance_after_minor, 1, 0) OVER chain AS last_balance
            FROM ledger_entries WHERE sequence IS NOT NULL
            WINDOW chain AS (PARTITION BY account_id ORDER BY sequence)) e
        WHERE sequence <> last_sequence + 1 OR balance_before_minor <> last_balance""",
    "nobody is below zero": """
        SELECT account_id FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id
        WHERE NOT a.allows_debt AND e.balance_after_minor < 0""",
    "debts are debts": """
        SELECT account_id FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id
        WHERE a.kind = 'CUSTOMER_DEBT' AND e.balance_after_minor > 0""",
    "heads of chains are their newest entries": """
        SELECT h.account_id FROM ledger_heads h LEFT JOIN ledger_entries e
            ON e.journal_id = h.journal_id AND e.line = h.line AND e.account_id = h.account_id
        WHERE h.sequence <> coalesce(e.sequence, 0) OR h.sequence <> (
            SELECT count(*) FROM ledger_entries n WHERE n.account_id = h.account_id)""",
    "heads say what entries and holds say": """
        SELECT h.account_id FROM ledger_heads h JOIN ledger_accounts a ON a.id = h.account_id
        LEFT JOIN ledger_entries e ON e.journal_id = h.journal_id AND e.line = h.line
        WHERE (h.balance_minor, h.hash, h.kind, h.currency) IS DISTINCT FROM (
                coalesce(e.balance_after_minor, 0), e.hash, a.kind, a.currency)
           OR h.held_minor IS DISTINCT FROM (SELECT coalesce(sum(b.amount_minor), 0) FROM balance_holds b
                                             WHERE b.account_id = h.account_id AND b.status = 'ACTIVE')""",
    "journals reverse no more than there was": """
        SELECT o.id FROM ledger_journals o JOIN ledger_entries e ON e.journal_id = o.id
        JOIN ledger_accounts a ON a.id = e.account_id AND a.kind <> 'CUSTOMER_DEBT'
        WHERE EXISTS (SELECT 1 FROM ledger_journals r WHERE r.reverses_journal_id = o.id)
        GROUP BY o.id, e.account_id HAVING abs(sum(e.amount_minor)) < (
            SELECT coalesce(abs(sum(t.amount_minor)), 0) FROM ledger_journals r
            JOIN ledger_entries t ON t.journal_id = r.id AND t.account_id = e.account_id
            WHERE r.reverses_journal_id = o.id)""",
    "holds are covered": """
        SELECT b.account_id FROM balance_holds b JOIN ledger_heads h ON h.account_id = b.account_id
        JOIN ledger_entries e ON e.journal_id = h.journal_id AND e.line = h.line WHERE b.status = 'ACTIVE'
        GROUP BY b.account_id, e.balance_after_minor HAVING sum(b.amount_minor) > e.balance_after_minor""",
    "lots hold what the points account says": """
        SELECT a.id FROM ledger_accounts a JOIN ledger_heads h ON h.account_id = a.id
        LEFT JOIN ledger_entries e ON e.journal_id = h.journal_id AND e.line = h.line
        WHERE a.kind = 'POINTS' AND coalesce(e.balance_after_minor, 0) <> (
            SELECT coalesce(sum(l.remaining), 0) FROM points_lots l WHERE l.user_id = a.user_id)""",
    "lots are what their entries left": """
        SELECT id FROM points_lots l WHERE l.remaining <> l.points + (
            SELECT coalesce(sum(t.points), 0) FROM points_lot_entries t WHERE t.lot_id = l.id)""",
    "confirmed bookings have their money": """
        SELECT id FROM bookings WHERE status IN ('CONFIRMED', 'IN_PROGRESS', 'COMPLETED')
        AND paid_amount_minor < coalesce(deposit_amount_minor, final_amount_minor)""",
    "what bookings say is paid is what journals brought": """
        SELECT b.id FROM bookings b WHERE b.paid_amount_minor <> (
            SELECT coalesce(sum(e.amount_minor), 0) FROM ledger_journals j
            JOIN ledger_entries e ON e.journal_id = j.id JOIN ledger_accounts a ON a.id = e.account_id
            WHERE j.reference_id = b.id AND j.journal_type IN ('PAYMENT', 'REDEEMED')
              AND a.kind = 'CUSTOMER_PREPAYMENTS')""",
    "instalments are the price, and the first the deposit": """
        SELECT b.id FROM bookings b JOIN booking_instalments i ON i.booking_id = b.id GROUP BY b.id
        HAVING sum(i.amount_minor) <> b.final_amount_minor OR count(*) <> max(i.position)
            OR max(i.due_on) > b.start_date - 2 OR bool_or(i.currency <> b.currency)
            OR min(i.amount_minor) FILTER (WHERE i.position = 1) IS DISTINCT FROM b.deposit_amount_minor""",
    "instalments follow each other": """
        SELECT i.booking_id FROM booking_instalments i JOIN booking_instalments n
            ON n.booking_id = i.booking_id AND n.position = i.position + 1 WHERE n.due_on <= i.due_on""",
    "nobody pays more than the price": """
        SELECT id FROM bookings WHERE paid_amount_minor > final_amount_minor + overpaid_amount_minor""",
    "money for bookings that are not confirmed is in suspense": """
        SELECT b.id FROM bookings b JOIN ledger_journals j
            ON j.reference_id = b.id AND j.journal_type IN ('PAYMENT', 'REDEEMED')
        JOIN ledger_entries e ON e.journal_id = j.id
        JOIN ledger_accounts a ON a.id = e.account_id AND a.kind = 'CUSTOMER_PREPAYMENTS'
        WHERE NOT EXISTS (SELECT 1 FROM booking_status_history s
                          WHERE s.booking_id = b.id AND s.to_status = 'CONFIRMED')""",
    "points that a price counts on are taken while the booking lives, and back when it is over": """
        SELECT b.id FROM bookings b WHERE b.status <> 'REFUNDED' AND b.points_redeemed
            * CASE WHEN b.status = 'CANCELLED' AND b.paid_amount_minor = 0 AND b.final_amount_minor > 0
              THEN 0 ELSE 1 END <> (
            SELECT coalesce(-sum(e.amount_minor), 0) FROM ledger_journals r
            JOIN ledger_journals j ON j.id = r.id OR j.reverses_journal_id = r.id
            JOIN ledger_entries e ON e.journal_id = j.id JOIN ledger_accounts a ON a.id = e.account_id
            WHERE r.idempotency_key = 'points:redeemed:booking:' || b.id AND a.kind = 'POINTS')
          AND (b.status <> 'CANCELLED' OR b.paid_amount_minor = 0)""",
    "parts are the whole, and taken together": """
        SELECT p.id FROM payments p JOIN payment_tenders t ON t.payment_id = p.id GROUP BY p.id
        HAVING sum(t.amount_minor) <> p.amount_minor OR bool_or(t.status <> CASE
            WHEN p.paid_at IS NOT NULL THEN 'CAPTURED' WHEN p.status = 'CANCELLED' THEN 'RELEASED'
            ELSE 'PLANNED' END)""",
    "payments that are over hold nothing": """
        SELECT b.id FROM balance_holds b JOIN payments p ON p.id = b.reference_id
        WHERE b.status = 'ACTIVE' AND p.status <> 'PENDING'""",
    "a payment is credited once": """
        SELECT a.payment_id FROM payment_receipts r JOIN payment_attempts a ON a.id = r.attempt_id
        WHERE r.disposition = 'SETTLED' GROUP BY a.payment_id HAVING count(*) > 1""",
    "receipts are in the ledger to the minor unit": """
        SELECT r.id FROM payment_receipts r WHERE r.amount_minor <> (
            SELECT -sum(e.amount_minor) FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id
            WHERE e.journal_id = r.journal_id AND a.kind = 'PROVIDER_CLEARING')""",
    "seats taken are those of holds and of offers to who waited": """
        SELECT d.id FROM departures d LEFT JOIN (
            SELECT h.departure_id, sum(h.seats) AS seats FROM holds h JOIN bookings b ON b.id = h.booking_id
            WHERE h.status IN ('ACTIVE', 'CAPTURED') AND b.cancelled_at IS NULL GROUP BY 1) held
            ON held.departure_id = d.id
        WHERE d.seats_taken <> coalesce(held.seats, 0) + (
            SELECT coalesce(sum(w.seats), 0) FROM waiting_list_entries w
            WHERE w.departure_id = d.id AND w.status = 'OFFERED') + (
            SELECT coalesce(sum(a.seats_held), 0) FROM booking_amendments a
            WHERE a.departure_id = d.id AND a.status = 'PENDING')""",
    "nothing is oversold": "SELECT id FROM departures WHERE seats_taken > capacity",
    "pools give what their departures have taken": """
        SELECT p.id FROM pools p
        LEFT JOIN departure_pools s ON s.pool_id = p.id LEFT JOIN departures d ON d.id = s.departure_id
        GROUP BY p.id HAVING p.seats_taken <> coalesce(sum(d.seats_taken), 0)""",
    "holds follow their bookings": """
        SELECT b.id FROM bookings b JOIN holds h ON h.booking_id = b.id WHERE NOT CASE
            WHEN b.status = 'PENDING_PAYMENT' THEN h.status = 'ACTIVE'
            WHEN EXISTS (SELECT 1 FROM booking_status_history s WHERE s.booking_id = b.id
                         AND s.to_status = 'CONFIRMED') THEN h.status = 'CAPTURED'
            ELSE h.status IN ('EXPIRED', 'RELEASED') END""",
    "a booking is replaced when it expired unpaid, by one of the same trip and price that is paid": """
        SELECT n.id FROM bookings n JOIN bookings o ON o.id = n.replaces_booking_id JOIN holds h ON h.booking_id = o.id
        WHERE (o.status, h.status, o.paid_amount_minor) <> ('CANCELLED', 'EXPIRED', 0)
           OR n.status IN ('DRAFT', 'PENDING_PAYMENT') OR n.paid_amount_minor = 0
           OR (n.user_id, n.final_amount_minor, n.currency, n.departure_id, n.start_date, n.travelers_count)
              IS DISTINCT FROM
              (o.user_id, o.final_amount_minor, o.currency, o.departure_id, o.start_date, o.travelers_count)
           OR (SELECT count(*) FROM booking_travelers t WHERE t.booking_id = n.id)
              <> (SELECT count(*) FROM booking_travelers t WHERE t.booking_id = o.id)""",
    "what came for a booking that expired is in suspense, or left it as somebody decided": """
        SELECT r.id FROM payment_receipts r JOIN payment_attempts a ON a.id = r.attempt_id
        JOIN payments p ON p.id = a.payment_id JOIN holds h ON h.booking_id = p.booking_id
        LEFT JOIN suspense_items s ON s.receipt_id = r.id
        WHERE h.status = 'EXPIRED'
          AND (r.disposition <> 'SUSPENSE' OR s.receipt_id IS NULL OR p.paid_at IS NOT NULL)""",
    "late money has a choice, or pays what replaces its booking, and never both": """
        SELECT l.receipt_id FROM late_money l JOIN suspense_items s ON s.receipt_id = l.receipt_id
        WHERE (l.choice IS NULL AND s.decided_by_user_id IS NULL AND s.status = 'RESOLVED')
           OR (l.choice = 'WALLET' AND s.resolution IS DISTINCT FROM 'WALLET')""",
    "holds are kept no longer than agreed, or by a code": """
        SELECT booking_id FROM holds WHERE expires_at < agreed_until""",
    "promised cashback is on its owner's account": """
        SELECT a.id FROM ledger_accounts a WHERE a.kind = 'CASHBACK'
        AND (SELECT coalesce(sum(e.amount_minor), 0) FROM ledger_entries e WHERE e.account_id = a.id) <> (
            SELECT coalesce(sum(c.cashback_amount_minor - c.clawed_back_minor), 0) FROM cashback_records c
            WHERE c.user_id = a.user_id AND c.currency = a.currency AND c.status IN ('PENDING', 'APPROVED'))""",
    "the status history is whole": """
        SELECT b.id FROM bookings b WHERE b.status <> (
            SELECT h.to_status FROM booking_status_history h WHERE h.booking_id = b.id ORDER BY h.id DESC LIMIT 1)""",
}


def broken_promises(addresses: DatabaseAddresses) -> list[str]:
    """The names of the promises that do not hold."""
    with as_owner(addresses) as connection:
        return [name for name, query in PROMISES.items() if connection.execute(query).fetchone() is not None]
