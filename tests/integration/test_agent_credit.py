"""Agents' deposit accounts on PostgreSQL: never below the credit limit, and what is refunded goes back exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from application.ledger.reversals import Reverse, ReverseByHand, reverse_by_hand
from application.partners.decisions import DecidePartner, reinstate_partner, suspend_partner
from application.partners.deposits import GrantCredit, MoveDeposit, grant_credit, pay_in, take_out
from domain.billing.payments import PaymentMethod, PaymentType
from domain.billing.refunds import Destination, Way
from domain.billing.tenders import RefundAboveCapture
from domain.ledger import accounts
from domain.ledger.accounts import AccountKind, AccountRef
from domain.ledger.journal import AgentCreditExceeded, InsufficientBalance, JournalKeyReused, JournalType, transfer
from domain.ledger.reversals import NotReversedByHand
from domain.partners.partners import AgentNotActive, PartnerNotFound, PartnerSuspendedNow
from domain.sales.booking_errors import BookingNotFound
from domain.sales.bookings import Booking
from domain.shared.errors import InvalidValue, OwnRequest
from domain.shared.money import Money
from domain.shared.payees import PayeeType
from infrastructure.bootstrap import Running
from infrastructure.clock import new_id
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.builders import a_journal
from tests.conftest import MovableClock
from tests.integration.cancelling import Desk
from tests.integration.refunding import Counter, broken_refund_promises
from tests.integration.shop import Shop, all_at_once
from tests.integration.tenders import Killed, killed_at
from tests.integration.test_erasing import carry_out, leave
from tests.integration.test_partners import a_partner

pytestmark = pytest.mark.database

PREPAID = accounts.platform(AccountKind.CUSTOMER_PREPAYMENTS, "EGP")
PRICE = 100_000

# Each of these finds nothing, whatever happened before.
CREDIT_PROMISES = {
    "an agent's tender moved its account, and no other": """
        SELECT t.id FROM payment_tenders t WHERE t.kind = 'AGENT_CREDIT' AND t.status = 'CAPTURED' AND (
            SELECT coalesce(sum(e.amount_minor), 0) FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id
            WHERE e.journal_id = t.journal_id AND a.kind = 'AGENT_DEPOSIT' AND a.user_id = t.owner_id
        ) <> -t.amount_minor""",
    "what was refunded of it is back there": """
        SELECT t.id FROM payment_tenders t WHERE t.kind = 'AGENT_CREDIT' AND t.refunded_minor <> (
            SELECT coalesce(sum(e.amount_minor), 0) FROM refund_parts n
            JOIN ledger_entries e ON e.journal_id = n.journal_id JOIN ledger_accounts a ON a.id = e.account_id
            WHERE n.tender_id = t.id AND n.status = 'SUCCEEDED' AND a.kind = 'AGENT_DEPOSIT' AND a.user_id = t.owner_id)
        """,
}


@dataclass(frozen=True)
class Agency:
    """One agent with an active profile, its customer, and what it does."""

    shop: Shop
    agent: UUID
    partner_id: UUID
    customer: UUID

    @property
    def account(self) -> AccountRef:
        return accounts.agent_deposit(self.agent, "EGP")

    @property
    def wallet(self) -> AccountRef:
        return accounts.wallet(self.agent, "EGP")

    @property
    def balance(self) -> int:
        return self.shop.balance(self.account)

    def credit(self, minor: int, *, by: UUID | None = None) -> UUID:
        command = GrantCredit(
            partner_id=self.partner_id, actor_id=by or self.shop.a_customer(), limit=_egp(minor), reason="agreed"
        )
        use = self.shop.use
        return grant_credit(command, uow=use.new_uow(), clock=use.clock, new_id=new_id)

    def book(self, minor: int = PRICE) -> Booking:
        """A booking that the agent makes for its customer."""
        return self.shop.book(self.customer, self.shop.a_departure(price=_egp(minor)), agent=self.agent)

    def pay(self, booking_id: UUID, *, by: UUID | None = None, key: str | None = None) -> UUID:
        return self.shop.pay(by or self.agent, booking_id, method=PaymentMethod.AGENT_CREDIT, key=key)

    def top_up(self, minor: int) -> None:
        """Into the wallet, and from there into the account."""
        self.shop.fill_wallet(self.agent, _egp(minor))
        self.move(pay_in, minor)

    def move(self, how: Callable[..., None], minor: int, *, key: str | None = None) -> None:
        command = MoveDeposit(
            partner_id=self.partner_id, user_id=self.agent, amount=_egp(minor), key=key or new_id().hex
        )
        use = self.shop.use
        how(command, uow=use.new_uow(), clock=use.clock, new_id=new_id)

    def decide(self, how: Callable[..., None]) -> None:
        command = DecidePartner(
            partner_id=self.partner_id, payee_type=PayeeType.AGENT, actor_id=self.shop.a_customer(),
            expected_version=None, reason="a test",
        )  # fmt: skip
        how(command, uow=self.shop.use.new_uow(), clock=self.shop.use.clock)


def _egp(minor: int) -> Money:
    return Money.of(minor, "EGP")


def an_agency(shop: Shop) -> Agency:
    agent = shop.a_customer()
    return Agency(shop, agent, a_partner(shop, agent), shop.a_customer())


@pytest.fixture
def agency(shop: Shop) -> Agency:
    return an_agency(shop)


@pytest.fixture(autouse=True)
def every_promise_holds_afterwards(addresses: DatabaseAddresses) -> Iterator[None]:
    yield
    with connect(addresses.owner) as connection:
        broken = [name for name, query in CREDIT_PROMISES.items() if connection.execute(query).fetchone() is not None]
    assert broken + broken_refund_promises(addresses) == []


class TestPaying:
    def test_the_agent_pays_and_the_booking_is_the_customers(self, shop: Shop, agency: Agency) -> None:
        agency.top_up(30_000)
        agency.credit(70_000)
        booking = agency.book()

        payment_id = agency.pay(booking.id)

        assert agency.balance == -70_000
        assert shop.balance(PREPAID) == PRICE
        payment = shop.row("SELECT user_id, status, payment_method, provider FROM payments WHERE id = %s", payment_id)
        assert payment == {
            "user_id": agency.customer, "status": "PAID", "payment_method": "AGENT_CREDIT", "provider": None,
        }  # fmt: skip
        tender = shop.row("SELECT kind, owner_id, status FROM payment_tenders WHERE payment_id = %s", payment_id)
        assert tender == {"kind": "AGENT_CREDIT", "owner_id": agency.agent, "status": "CAPTURED"}
        assert shop.row("SELECT status FROM bookings WHERE id = %s", booking.id)["status"] == "CONFIRMED"
        assert shop.balance(accounts.points(agency.customer)) > 0
        assert shop.balance(accounts.points(agency.agent)) == 0

    def test_without_enough_nothing_is_paid(self, shop: Shop, agency: Agency) -> None:
        agency.credit(PRICE - 1)
        booking = agency.book()

        with pytest.raises(AgentCreditExceeded):
            agency.pay(booking.id)

        assert (agency.balance, shop.balance(PREPAID)) == (0, 0)

    def test_the_same_key_twice_is_one_payment(self, agency: Agency) -> None:
        agency.credit(2 * PRICE)
        booking = agency.book()

        assert agency.pay(booking.id, key="once") == agency.pay(booking.id, key="once")
        assert agency.balance == -PRICE

    def test_of_20_at_once_on_a_limit_for_one_exactly_one_succeeds(self, shop: Shop, agency: Agency) -> None:
        agency.credit(PRICE)
        bookings = [agency.book().id for _ in range(20)]

        results = all_at_once([partial(agency.pay, booking_id) for booking_id in bookings])

        refused = [type(result) for result in results if isinstance(result, BaseException)]
        assert refused == [AgentCreditExceeded] * 19
        assert (agency.balance, shop.balance(PREPAID)) == (-PRICE, PRICE)

    def test_a_limit_that_is_lowered_meanwhile_stops_what_comes_after_it(self, agency: Agency) -> None:
        agency.credit(3 * PRICE)
        agency.pay(agency.book().id)
        bookings = [agency.book().id for _ in range(4)]

        results = all_at_once([*(partial(agency.pay, booking) for booking in bookings), partial(agency.credit, 0)])

        paid = sum(isinstance(result, UUID) for result in results) - 1
        assert {type(result) for result in results if not isinstance(result, UUID)} <= {
            AgentCreditExceeded, InsufficientBalance,
        }  # fmt: skip
        assert agency.balance == -PRICE * (1 + paid) >= -3 * PRICE
        with pytest.raises(AgentCreditExceeded):
            agency.pay(agency.book(1).id)
        agency.top_up(PRICE * (1 + paid) + 1)
        agency.pay(agency.book(1).id)
        assert agency.balance == 0

    def test_another_agents_booking_and_ones_own_are_not_there(self, shop: Shop, agency: Agency) -> None:
        other = an_agency(shop)
        other.credit(PRICE)
        agency.credit(PRICE)
        booking, own = agency.book(), shop.book(agency.agent)

        for somebody, booking_id in (
            (other.agent, booking.id), (agency.customer, booking.id), (shop.a_customer(), booking.id),
            (agency.agent, own.id),
        ):  # fmt: skip
            with pytest.raises(BookingNotFound):
                agency.pay(booking_id, by=somebody)
        assert (other.balance, agency.balance) == (0, 0)

    def test_nothing_but_bookings_is_paid(self, shop: Shop, agency: Agency) -> None:
        agency.credit(PRICE)
        for kind, payable in (
            (PaymentType.MEMBERSHIP_PURCHASE, shop.subscribe(agency.agent)), (PaymentType.WALLET_DEPOSIT, None),
        ):  # fmt: skip
            with pytest.raises(InvalidValue):
                shop.pay(agency.agent, payable, kind=kind, method=PaymentMethod.AGENT_CREDIT, amount=_egp(PRICE))

    def test_a_suspended_agent_pays_nothing_until_it_is_back(self, agency: Agency) -> None:
        agency.credit(PRICE)
        booking = agency.book()
        agency.decide(suspend_partner)
        with pytest.raises(AgentNotActive):
            agency.pay(booking.id)

        agency.decide(reinstate_partner)
        agency.pay(booking.id)
        assert agency.balance == -PRICE

    @pytest.mark.slow
    def test_killed_anywhere_it_is_paid_or_not_at_all(self, shop: Shop, agency: Agency) -> None:
        agency.credit(10**9)
        for step in range(1, 100):
            booking, before = agency.book(), agency.balance
            try:
                with killed_at(step) as called:
                    agency.pay(booking.id)
            except Killed:
                assert agency.balance == before, called[-1]
                continue
            assert agency.balance == before - PRICE
            return
        raise AssertionError("it never came to an end")


class TestRefunds:
    def test_in_parts_they_give_back_exactly_what_was_paid(self, shop: Shop, agency: Agency, counter: Counter) -> None:
        agency.credit(PRICE)
        payment_id = agency.pay(agency.book().id)

        counter.refund(payment_id, _egp(33_333))
        assert agency.balance == -PRICE + 33_333
        counter.refund(payment_id, _egp(1), destination=Destination.WALLET)
        counter.refund(payment_id)

        assert agency.balance == 0
        assert shop.balance(PREPAID) == 0
        assert counter.balances(accounts.wallet(agency.customer, "EGP"), agency.wallet) == [0, 0]
        assert shop.balance(accounts.points(agency.customer)) == 0
        with pytest.raises(RefundAboveCapture):
            counter.refund(payment_id, _egp(1))

    @pytest.mark.parametrize("destination", Destination)
    def test_whatever_destination_is_chosen_it_is_the_agents(
        self, agency: Agency, counter: Counter, destination: Destination
    ) -> None:
        agency.credit(PRICE)
        payment_id = agency.pay(agency.book().id)

        plan = counter.preview(payment_id, destination=destination)
        counter.refund(payment_id, destination=destination)

        assert [(part.share.tender.owner_id, part.way) for part in plan.parts] == [(agency.agent, Way.OWN)]
        assert (agency.balance, counter.shop.balance(accounts.wallet(agency.customer, "EGP"))) == (0, 0)

    def test_10_at_once_give_back_no_more_than_was_paid(self, agency: Agency, counter: Counter) -> None:
        agency.credit(PRICE)
        payment_id = agency.pay(agency.book().id)

        results = all_at_once([partial(counter.refund, payment_id, _egp(40_000))] * 10)

        assert sum(isinstance(result, UUID) for result in results) == 2
        assert agency.balance == -20_000

    def test_a_cancellation_gives_it_back_to_the_agent(self, shop: Shop, agency: Agency) -> None:
        agency.credit(PRICE)
        booking = agency.book()
        agency.pay(booking.id)

        Desk(shop).cancel(booking.id, by=agency.customer)

        told = shop.row("SELECT payload FROM outbox_events WHERE name = 'sales.booking_cancelled'")["payload"]
        assert (told["to_agent_minor"], told["to_wallet_minor"], told["kept_minor"]) == (
            PRICE + agency.balance, 0, -agency.balance,
        )  # fmt: skip
        assert shop.balance(accounts.wallet(agency.customer, "EGP")) == 0

    @pytest.mark.parametrize("is_agent_first", [True, False])
    def test_payments_refunds_and_cancellations_of_both_persons_wait_for_each_other(
        self, shop: Shop, counter: Counter, is_agent_first: bool
    ) -> None:
        """In one order of locks, whichever of the two has the lower id."""
        people = sorted([shop.a_customer(), shop.a_customer()], reverse=not is_agent_first)
        agency = Agency(shop, people[0], a_partner(shop, people[0]), people[1])
        agency.credit(100 * PRICE)
        paid = [agency.book().id for _ in range(8)]
        payments = [agency.pay(booking) for booking in paid]
        unpaid = [agency.book().id for _ in range(4)]

        results = all_at_once([
            *(partial(counter.refund, payment) for payment in payments[:4]),
            *(partial(Desk(shop).cancel, booking, share=100) for booking in paid[4:]),
            *(partial(agency.pay, booking) for booking in unpaid),
        ])  # fmt: skip

        assert [result for result in results if isinstance(result, BaseException)] == []
        assert agency.balance == -4 * PRICE

    def test_it_goes_back_even_where_the_agent_is_suspended_and_without_credit(
        self, agency: Agency, counter: Counter
    ) -> None:
        agency.credit(PRICE)
        payment_id = agency.pay(agency.book().id)
        agency.credit(0)
        agency.decide(suspend_partner)

        counter.refund(payment_id, _egp(1_000))

        assert agency.balance == -PRICE + 1_000


class TestMoney:
    def test_in_and_out_again(self, shop: Shop, agency: Agency) -> None:
        agency.top_up(50_000)
        assert (shop.balance(agency.wallet), agency.balance) == (0, 50_000)
        agency.move(take_out, 20_000)
        assert (shop.balance(agency.wallet), agency.balance) == (20_000, 30_000)

    @pytest.mark.parametrize("how", [pay_in, take_out])
    def test_the_same_key_moves_nothing_twice(self, shop: Shop, agency: Agency, how: Callable[..., None]) -> None:
        agency.top_up(50_000)
        shop.fill_wallet(agency.agent, _egp(50_000))

        all_at_once([partial(agency.move, how, 50_000, key="once")] * 5)

        assert {shop.balance(agency.wallet), agency.balance} == {0, 100_000}
        with pytest.raises(JournalKeyReused):
            agency.move(how, 1, key="once")

    def test_only_what_is_there_goes_in(self, shop: Shop, agency: Agency) -> None:
        shop.fill_wallet(agency.agent, _egp(100))
        with pytest.raises(InsufficientBalance):
            agency.move(pay_in, 101)
        assert (shop.balance(agency.wallet), agency.balance) == (100, 0)

    def test_credit_is_never_taken_out(self, shop: Shop, agency: Agency) -> None:
        agency.credit(PRICE)
        agency.top_up(500)
        for minor in (501, PRICE):
            with pytest.raises(InsufficientBalance):
                agency.move(take_out, minor)

        results = all_at_once([partial(agency.move, take_out, 100) for _ in range(10)])

        assert [type(result) for result in results if result is not None] == [InsufficientBalance] * 5
        assert (shop.balance(agency.wallet), agency.balance) == (500, 0)

    def test_nor_by_reversing_what_went_in(self, shop: Shop, agency: Agency) -> None:
        agency.top_up(500)
        journal = shop.row("SELECT id FROM ledger_journals WHERE reference_type = 'AGENT_DEPOSIT'")["id"]
        command = ReverseByHand(
            reversal=Reverse(journal_id=journal, idempotency_key="back"),
            reason="a test",
            actor_id=shop.a_customer(),
            limits={"EGP": 10_000},
        )
        with pytest.raises(NotReversedByHand):
            reverse_by_hand(command, uow=shop.use.new_uow(), clock=shop.use.clock, new_id=new_id)

    def test_whoever_is_suspended_pays_in_and_takes_nothing_out(self, agency: Agency) -> None:
        agency.top_up(500)
        agency.decide(suspend_partner)
        agency.top_up(500)
        with pytest.raises(PartnerSuspendedNow):
            agency.move(take_out, 1)
        assert agency.balance == 1_000

    def test_who_is_no_agent_has_no_account(self, shop: Shop) -> None:
        vendor = shop.a_customer()
        agency = Agency(shop, vendor, a_partner(shop, vendor, PayeeType.VENDOR), shop.a_customer())
        for how in (pay_in, take_out):
            with pytest.raises(PartnerNotFound):
                agency.move(how, 1)
        with pytest.raises(PartnerNotFound):
            agency.credit(1)

    def test_less_than_something_is_not_moved(self, agency: Agency) -> None:
        for how in (pay_in, take_out):
            for minor in (0, -1):
                with pytest.raises(InvalidValue):
                    agency.move(how, minor)


class TestLimits:
    def test_nobody_grants_themselves_credit(self, agency: Agency) -> None:
        with pytest.raises(OwnRequest):
            agency.credit(PRICE, by=agency.agent)

    def test_each_is_kept_and_audited(self, shop: Shop, agency: Agency) -> None:
        for minor in (PRICE, 0, 500):
            agency.credit(minor)

        rows = shop.use.queries.partners.credit_limits(agency.partner_id, limit=10, after=None)
        assert [row["limit_minor"] for row in rows] == [500, 0, PRICE]
        changes = shop.database.rows("SELECT changes FROM audit_logs WHERE action = 'agents.credit' ORDER BY id")
        assert [(row["changes"]["before"], row["changes"]["after"]) for row in changes] == [
            ({"limit": "EGP 0.00"}, {"limit": "EGP 1000.00"}),
            ({"limit": "EGP 1000.00"}, {"limit": "EGP 0.00"}),
            ({"limit": "EGP 0.00"}, {"limit": "EGP 5.00"}),
        ]

    def test_rows_are_only_added(self, agency: Agency, addresses: DatabaseAddresses) -> None:
        agency.credit(PRICE)
        for address in (addresses.app, addresses.owner):
            with connect(address) as session:
                for statement in (
                    b"UPDATE agent_credit_limits SET limit_minor = 10", b"DELETE FROM agent_credit_limits",
                    b"TRUNCATE agent_credit_limits",
                ):  # fmt: skip
                    with pytest.raises(Exception, match=r"denied|refused|changed|permission"):
                        session.execute(statement)
                    session.rollback()


class TestGuards:
    def test_plain_sql_below_the_floor_is_refused(self, shop: Shop, agency: Agency) -> None:
        agency.credit(1_000)
        for minor, kind in ((1_001, JournalType.PAYMENT), (1, JournalType.TRANSFER)):
            with pytest.raises(InsufficientBalance), shop.use.new_uow() as uow:
                uow.ledger.post([a_journal(*transfer(agency.account, PREPAID, minor), journal_type=kind)])
                uow.commit()
        shop.post(*transfer(agency.account, PREPAID, 1_000))
        with pytest.raises(InsufficientBalance):
            shop.post(*transfer(agency.account, PREPAID, 1))
        assert agency.balance == -1_000

    def test_without_a_limit_or_a_profile_the_floor_is_zero(self, shop: Shop) -> None:
        with pytest.raises(InsufficientBalance):
            shop.post(*transfer(accounts.agent_deposit(shop.a_customer(), "EGP"), PREPAID, 1))

    def test_a_limit_is_of_one_currency(self, shop: Shop, agency: Agency) -> None:
        agency.credit(1_000)
        dollars = accounts.platform(AccountKind.CUSTOMER_PREPAYMENTS, "USD")
        with pytest.raises(InsufficientBalance):
            shop.post(*transfer(accounts.agent_deposit(agency.agent, "USD"), dollars, 1))


class TestErasing:
    @pytest.mark.parametrize("minor", [-500, 500])
    def test_whoever_has_something_there_or_owes_it_is_not_erased(
        self, shop: Shop, agency: Agency, clock: MovableClock, minor: int
    ) -> None:
        agency.credit(500)
        shop.post(*transfer(PREPAID, agency.account, minor) if minor > 0 else transfer(agency.account, PREPAID, -minor))
        erasure = leave(shop, agency.agent)
        clock.offset += timedelta(days=15)

        assert not carry_out(shop, erasure)
        assert shop.row("SELECT blocked_by FROM erasures")["blocked_by"] == ["AGENT_DEPOSIT"]

        shop.post(*transfer(PREPAID, agency.account, -minor) if minor < 0 else transfer(agency.account, PREPAID, minor))
        assert carry_out(shop, erasure)


_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("limit"), st.integers(0, 1_000)),
        st.tuples(st.just("pay"), st.integers(1, 800)),
        st.tuples(st.just("in"), st.integers(1, 500)),
        st.tuples(st.just("out"), st.integers(1, 500)),
        st.tuples(st.just("refund"), st.integers(1, 300)),
    ),
    min_size=1,
    max_size=12,
)


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_STEPS)
def test_no_sequence_takes_the_account_below_its_limit(running: Running, steps: list[tuple[str, int]]) -> None:
    """The model: a payment up to balance and limit, out up to what is above zero; a lower limit takes nothing back."""
    shop = Shop.opened(running)
    agency = an_agency(shop)
    shop.fill_wallet(agency.agent, _egp(10_000))
    balance, limit, paid = 0, 0, 0
    for step, minor in steps:
        room = {"pay": balance + limit, "out": balance, "refund": paid}.get(step, minor)
        # One that is refused is refused, and changes nothing.
        if minor > room and step != "refund":
            with pytest.raises(InsufficientBalance):
                _do(agency, step, minor)
        elif step == "limit":
            agency.credit(minor)
            limit = minor
        else:
            moved = min(minor, room)
            if moved:
                _do(agency, step, moved)
            balance += moved if step in ("in", "refund") else -moved
            paid += {"pay": moved, "refund": -moved}.get(step, 0)
            if step in ("pay", "out"):
                assert balance >= -limit
        assert agency.balance == balance


def _do(agency: Agency, step: str, minor: int) -> None:
    """By the ledger alone where a booking would say no more of it."""
    if step in ("in", "out"):
        agency.move(pay_in if step == "in" else take_out, minor)
    elif step == "pay":
        agency.shop.post(*transfer(agency.account, PREPAID, minor))
    else:
        agency.shop.post(*transfer(PREPAID, agency.account, minor))
