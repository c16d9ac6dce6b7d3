"""Wallets in PostgreSQL: holds, withdrawals, adjustments and transfers, at once and out of order (M5, M7, Q3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
import pytest

from application.ledger import holds
from domain.billing.manual import NEXT as RECEIPT_NEXT
from domain.ledger import accounts
from domain.ledger.accounts import AccountKind
from domain.ledger.adjustments import NEXT as ADJUSTMENT_NEXT
from domain.ledger.debts import MoneyOwed
from domain.ledger.journal import InsufficientBalance, transfer
from domain.ledger.withdrawals import NEXT as WITHDRAWAL_NEXT
from domain.ledger.withdrawals import EmailNotVerified
from domain.pricing.exchange import RateMoved, RateNotFound
from domain.privacy.erasure import AccountErased, Erasure
from domain.shared.errors import IllegalTransition, InvalidValue, OwnRequest
from domain.shared.money import Money
from infrastructure.clock import new_id
from infrastructure.database.refusals import DatabaseUnavailable
from infrastructure.database.roles import DatabaseAddresses, connect
from infrastructure.database.transaction import Database
from tests.builders import a_journal, a_lot
from tests.conftest import MovableClock
from tests.integration.meeting import one_behind_the_other
from tests.integration.shop import PROMISES, all_at_once, units_of_work
from tests.integration.wallets import Wallets, outcomes, takes

KEPT = (
    "journals sum to zero",
    "journals have entries",
    "chains are unbroken",
    "nobody is below zero",
    "heads of chains are their newest entries",
    "journals reverse no more than there was",
    "holds are covered",
    "lots hold what the points account says",
    "lots are what their entries left",
)
NEVER_CHANGED = "AL005"
WAITING = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.fixture(scope="module")
def database(module_addresses: DatabaseAddresses) -> Iterator[Database]:
    opened = Database(module_addresses.app, pool_size=24)
    yield opened
    opened.dispose()


@pytest.fixture
def wallets(database: Database, clock: MovableClock) -> Wallets:
    return Wallets(database, clock, units_of_work(database))


@pytest.fixture
def staff(wallets: Wallets) -> UUID:
    return wallets.somebody()


@pytest.fixture
def colleague(wallets: Wallets) -> UUID:
    return wallets.somebody()


@pytest.fixture(autouse=True)
def the_books_are_right_afterwards(module_addresses: DatabaseAddresses) -> Iterator[None]:
    yield
    with connect(module_addresses.owner) as connection:
        for name in KEPT:
            assert connection.execute(PROMISES[name]).fetchall() == [], name


class TestHolds:
    def test_what_is_held_is_there_and_not_available(self, wallets: Wallets) -> None:
        person = wallets.somebody(100)

        wallets.hold(person, 70)

        assert wallets.wallet(person) == (100, 30)
        with pytest.raises(InsufficientBalance):
            wallets.hold(person, 31)
        with pytest.raises(InsufficientBalance):
            wallets.post(*takes(person, 31).entries)

    def test_a_capture_takes_all_of_it(self, wallets: Wallets) -> None:
        person = wallets.somebody(100)
        hold = wallets.hold(person, 100)

        wallets.capture(hold, takes(person, 100))

        assert wallets.wallet(person) == (0, 0)

    def test_what_a_capture_leaves_is_available_again(self, wallets: Wallets) -> None:
        person = wallets.somebody(100)
        hold = wallets.hold(person, 80)

        wallets.capture(hold, takes(person, 50))

        assert wallets.wallet(person) == (50, 50)
        assert wallets.row("SELECT captured_minor FROM balance_holds WHERE id = %s", hold)["captured_minor"] == 50

    def test_a_capture_of_more_than_was_held_takes_nothing(self, wallets: Wallets) -> None:
        person = wallets.somebody(100)
        hold = wallets.hold(person, 50)

        with pytest.raises(ValueError, match="no more than was set aside"):
            wallets.capture(hold, takes(person, 51))

        assert wallets.wallet(person) == (100, 50)

    def test_an_expired_hold_is_given_back_once(self, wallets: Wallets) -> None:
        person = wallets.somebody(100)
        wallets.hold(person, 60, expires_in=timedelta(minutes=5))
        lasting = wallets.hold(person, 10)

        assert wallets.expire() == 0
        wallets.clock.offset += timedelta(minutes=6)

        assert wallets.expire() == 1
        assert wallets.expire() == 0
        assert wallets.wallet(person) == (100, 90)
        assert wallets.status("balance_holds", lasting) == "ACTIVE"

    def test_workers_at_once_expire_each_hold_once(self, wallets: Wallets) -> None:
        people = [wallets.somebody(100) for _ in range(4)]
        made = {wallets.hold(person, 20, expires_in=timedelta()) for person in people for _ in range(5)}

        assert outcomes(all_at_once([wallets.expire] * 3)) == (3, set())

        told = wallets.database.rows(
            """SELECT (payload ->> 'hold_id')::uuid AS hold, count(*) AS times FROM outbox_events
               WHERE name = 'ledger.hold_expired' GROUP BY 1"""
        )
        assert {row["hold"]: row["times"] for row in told if row["hold"] in made} == dict.fromkeys(made, 1)
        assert [wallets.wallet(person) for person in people] == [(100, 100)] * 4

    def test_expiry_waits_for_accounts_in_the_order_of_everybody_else(
        self, wallets: Wallets, module_addresses: DatabaseAddresses
    ) -> None:
        first, second = sorted(
            (wallets.somebody(100) for _ in range(2)), key=lambda person: accounts.wallet(person, "EGP").id
        )
        # The later account's hold is due earlier.
        holds_made = [wallets.hold(person, 10, expires_in=timedelta()) for person in (second, first)]

        with (
            connect(module_addresses.app) as other,
            connect(module_addresses.app) as watcher,
            ThreadPoolExecutor(1) as thread,
        ):
            other.execute("BEGIN")
            other.execute("SELECT ledger_lock(ARRAY[%s])", (accounts.wallet(first, "EGP").id,))
            expired = thread.submit(wallets.expire)
            while watcher.execute(WAITING).fetchone() is None:
                assert not expired.done()
            other.execute("SET LOCAL lock_timeout = '500ms'")
            other.execute("SELECT ledger_lock(ARRAY[%s])", (accounts.wallet(second, "EGP").id,))
            other.execute("COMMIT")

        assert expired.result() == 2
        assert [wallets.status("balance_holds", hold) for hold in holds_made] == ["EXPIRED"] * 2

    def test_of_capture_release_and_expiry_at_once_exactly_one_wins(self, wallets: Wallets) -> None:
        for _ in range(6):
            person = wallets.somebody(100)
            hold = wallets.hold(person, 100, expires_in=timedelta())

            captured, released, expired = all_at_once(
                [partial(wallets.capture, hold, takes(person, 100)), partial(wallets.release, hold), wallets.expire]
            )

            won = [captured is None, released is None, expired == 1]
            assert sum(won) == 1, (captured, released, expired)
            assert outcomes([captured, released, expired])[1] <= {IllegalTransition}
            assert wallets.wallet(person)[0] == (0 if captured is None else 100)
            assert wallets.status("balance_holds", hold) == ("CAPTURED", "RELEASED", "EXPIRED")[won.index(True)]

    def test_holds_at_once_never_hold_more_than_there_is(self, wallets: Wallets) -> None:
        person = wallets.somebody(100)

        done, refused = outcomes(all_at_once([lambda: wallets.hold(person, 100)] * 8))

        assert (done, refused) == (1, {InsufficientBalance})
        assert wallets.wallet(person) == (100, 0)

    def test_who_is_killed_between_hold_and_commit_leaves_nothing(
        self, wallets: Wallets, module_addresses: DatabaseAddresses
    ) -> None:
        person = wallets.somebody(100)
        wallet = accounts.wallet(person, "EGP")
        aside = holds.SetAside(
            account=wallet, amount_minor=100, reference_type="TEST", reference_id=new_id(), expires_at=None
        )

        with pytest.raises(DatabaseUnavailable), wallets.new_uow() as uow:
            holds.hold(aside, uow=uow, clock=wallets.clock, new_id=new_id)
            assert uow.ledger.lock([wallet])[wallet].available_minor == 0
            with connect(module_addresses.app) as killer:
                killer.execute(
                    """SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity
                       WHERE datname = current_database() AND usename = current_user AND xact_start IS NOT NULL
                         AND pid <> pg_backend_pid()"""
                )
            uow.commit()

        assert wallets.wallet(person) == (100, 100)


class TestWithdrawals:
    def test_from_the_request_to_the_bank(self, wallets: Wallets, staff: UUID) -> None:
        person = wallets.somebody(500)

        withdrawal = wallets.ask(person, 300)
        asked = wallets.wallet(person)
        wallets.approve(withdrawal, staff)
        approved = wallets.wallet(person)
        wallets.paid(withdrawal, staff)

        assert (asked, approved) == ((500, 200), (200, 200))
        assert wallets.wallet(person) == (200, 200)
        assert wallets.moved(withdrawal) == {"WALLET": -300, "PAYOUTS_IN_TRANSIT": 0, "PROVIDER_CLEARING": 300}

    def test_what_the_bank_returns_is_in_the_wallet_again_by_a_reversal(self, wallets: Wallets, staff: UUID) -> None:
        person = wallets.somebody(500)
        withdrawal = wallets.ask(person, 500)
        wallets.approve(withdrawal, staff)

        wallets.returned(withdrawal, staff)

        assert wallets.wallet(person) == (500, 500)
        assert wallets.moved(withdrawal) == {"WALLET": 0, "PAYOUTS_IN_TRANSIT": 0}
        row = wallets.row(
            """SELECT j.journal_type, j.reverses_journal_id = w.journal_id AS linked
               FROM withdrawals w JOIN ledger_journals j ON j.id = w.return_journal_id WHERE w.id = %s""",
            withdrawal,
        )
        assert (row["journal_type"], row["linked"]) == ("REVERSAL", True)

    def test_what_the_bank_sends_back_after_it_was_paid_is_in_the_wallet_once(
        self, wallets: Wallets, staff: UUID
    ) -> None:
        person = wallets.somebody(500)
        withdrawal = wallets.ask(person, 300)
        wallets.approve(withdrawal, staff)
        wallets.paid(withdrawal, staff)

        done, refused = outcomes(all_at_once([partial(wallets.returned, withdrawal, staff)] * 3))

        assert (done, refused) == (1, {IllegalTransition})
        assert wallets.wallet(person) == (500, 500)
        assert wallets.moved(withdrawal) == {"WALLET": 0, "PAYOUTS_IN_TRANSIT": 0, "PROVIDER_CLEARING": 0}
        assert wallets.row("SELECT * FROM withdrawals WHERE id = %s", withdrawal)["bank_reference"] == "FT26329X1"

    @pytest.mark.parametrize("how", ["reject", "cancel"])
    def test_what_is_refused_or_taken_back_is_available_again(self, wallets: Wallets, staff: UUID, how: str) -> None:
        person = wallets.somebody(500)
        withdrawal = wallets.ask(person, 500)

        getattr(wallets, how)(withdrawal, person if how == "cancel" else staff)

        assert wallets.wallet(person) == (500, 500)
        assert wallets.moved(withdrawal) == {}

    def test_what_its_owner_owes_is_not_asked_for(self, wallets: Wallets, staff: UUID) -> None:
        person = wallets.somebody(500)
        wallets.owe(person, 200)

        with pytest.raises(MoneyOwed):
            wallets.ask(person, 301)
        with pytest.raises(InsufficientBalance):
            wallets.ask(person, 501)
        wallets.approve(wallets.ask(person, 300), staff)
        with pytest.raises(MoneyOwed):
            wallets.ask(person, 1)

        assert wallets.wallet(person) == (200, 200)

    def test_what_its_owner_owes_since_the_request_is_not_let_out(self, wallets: Wallets, staff: UUID) -> None:
        person = wallets.somebody(500)
        withdrawal = wallets.ask(person, 400)
        wallets.owe(person, 101)

        with pytest.raises(MoneyOwed):
            wallets.approve(withdrawal, staff)
        assert (wallets.status("withdrawals", withdrawal), wallets.wallet(person)) == ("REQUESTED", (500, 100))
        wallets.fill(person, 1)
        wallets.approve(withdrawal, staff)

        assert wallets.wallet(person) == (101, 101)

    def test_an_approval_that_waits_for_a_debt_knows_of_it(
        self, wallets: Wallets, staff: UUID, module_addresses: DatabaseAddresses
    ) -> None:
        person = wallets.somebody(500)
        wallets.owe(person, 1)
        withdrawal = wallets.ask(person, 400)

        answer = one_behind_the_other(
            lambda: wallets.owe(person, 100),
            lambda: wallets.approve(withdrawal, staff),
            database=wallets.database,
            addresses=module_addresses,
        )

        assert isinstance(answer, MoneyOwed)
        assert wallets.wallet(person) == (500, 100)

    def test_an_unproved_address_is_paid_nothing(self, wallets: Wallets) -> None:
        person = wallets.somebody(500, verified=False)

        with pytest.raises(EmailNotVerified):
            wallets.ask(person, 100)

        assert wallets.wallet(person) == (500, 500)

    def test_the_owner_does_not_approve_it_in_code_or_in_the_database(
        self, wallets: Wallets, module_addresses: DatabaseAddresses
    ) -> None:
        person = wallets.somebody(500)
        withdrawal = wallets.ask(person, 100)

        with pytest.raises(OwnRequest):
            wallets.approve(withdrawal, person)

        with connect(module_addresses.app) as app, pytest.raises(psycopg.errors.CheckViolation) as refused:
            app.execute(
                """UPDATE withdrawals SET status = 'REJECTED', reason = 'x', decided_by_user_id = user_id,
                          decided_at = now() WHERE id = %s""",
                (withdrawal,),
            )
        assert refused.value.diag.constraint_name == "ck_withdrawals_decided_by_another"

    def test_what_waits_to_be_approved_cannot_be_spent_meanwhile(self, wallets: Wallets, staff: UUID) -> None:
        person = wallets.somebody(100)
        withdrawal = wallets.ask(person, 100)

        with pytest.raises(InsufficientBalance):
            wallets.post(*takes(person, 1).entries)

        wallets.approve(withdrawal, staff)
        assert wallets.wallet(person) == (0, 0)

    def test_twenty_withdrawals_and_payments_at_once_are_one(self, wallets: Wallets) -> None:
        person = wallets.somebody(100)
        works: list[Callable[[], object]] = [lambda: wallets.ask(person, 100)] * 10
        works += [lambda: wallets.post(*takes(person, 100).entries)] * 10

        done, refused = outcomes(all_at_once(works))

        assert (done, refused) == (1, {InsufficientBalance})
        assert wallets.wallet(person)[1] == 0

    def test_of_decisions_at_once_one_holds(self, wallets: Wallets, staff: UUID, colleague: UUID) -> None:
        for _ in range(4):
            person = wallets.somebody(100)
            withdrawal = wallets.ask(person, 100)

            done, refused = outcomes(
                all_at_once(
                    [
                        partial(wallets.approve, withdrawal, staff),
                        partial(wallets.approve, withdrawal, colleague),
                        partial(wallets.reject, withdrawal, colleague),
                        partial(wallets.cancel, withdrawal, person),
                    ]
                )
            )

            assert (done, refused) == (1, {IllegalTransition})
            gone = wallets.status("withdrawals", withdrawal) == "APPROVED"
            assert wallets.wallet(person) == ((0, 0) if gone else (100, 100))

    def test_the_bank_answers_once(self, wallets: Wallets, staff: UUID) -> None:
        person = wallets.somebody(100)
        withdrawal = wallets.ask(person, 100)
        wallets.approve(withdrawal, staff)

        done, refused = outcomes(
            all_at_once([lambda: wallets.paid(withdrawal, staff), lambda: wallets.returned(withdrawal, staff)])
        )

        assert (done, refused) == (1, {IllegalTransition})
        assert wallets.moved(withdrawal)["PAYOUTS_IN_TRANSIT"] == 0

    def test_each_step_is_in_the_audit_log_and_an_event(self, wallets: Wallets, staff: UUID) -> None:
        person = wallets.somebody(100)
        withdrawal = wallets.ask(person, 100)
        wallets.approve(withdrawal, staff)
        wallets.paid(withdrawal, staff)

        steps = wallets.database.rows(
            """SELECT user_id, changes -> 'after' ->> 'status' AS status FROM audit_logs
               WHERE resource_id = %s ORDER BY id""",
            (withdrawal,),
        )
        assert [(row["user_id"], row["status"]) for row in steps] == [
            (person, "REQUESTED"), (staff, "APPROVED"), (staff, "PAID"),
        ]  # fmt: skip
        told = wallets.database.rows(
            "SELECT name FROM outbox_events WHERE payload ->> 'withdrawal_id' = %s ORDER BY id", (str(withdrawal),)
        )
        assert [row["name"] for row in told] == [
            "ledger.withdrawal_requested", "ledger.withdrawal_approved", "ledger.withdrawal_paid",
        ]  # fmt: skip

    def test_where_the_money_goes_cannot_be_read_from_the_rows(self, wallets: Wallets) -> None:
        withdrawal = wallets.ask(wallets.somebody(100), 100)

        row = wallets.row("SELECT destination_encrypted AS sealed, w::text AS said FROM withdrawals w WHERE id = %s",
                          withdrawal)  # fmt: skip

        assert b"263180002" not in bytes(row["sealed"])
        with wallets.new_uow() as uow:
            assert uow.withdrawals.get(withdrawal).destination == "EG380019000500000000263180002"

    def test_an_open_withdrawal_keeps_its_person(self, wallets: Wallets, staff: UUID) -> None:
        person = wallets.somebody(100)
        withdrawal = wallets.ask(person, 100)

        def blockers() -> list[str]:
            return list(wallets.row("SELECT erasure_blockers(%s, now()) AS found", person)["found"])

        assert blockers() == ["WALLET", "WITHDRAWALS"]
        wallets.approve(withdrawal, staff)
        assert blockers() == ["WITHDRAWALS"]
        wallets.paid(withdrawal, staff)
        assert blockers() == []
        adjustment = wallets.adjust(person, 100, staff, limit=0)
        assert blockers() == ["ADJUSTMENTS"]
        wallets.disagree(adjustment, wallets.somebody())
        assert blockers() == []

    def test_of_somebody_who_is_forgotten_only_amounts_and_numbers_stay(self, wallets: Wallets, staff: UUID) -> None:
        person, now = wallets.somebody(300), wallets.clock.now()
        returned, paid = wallets.ask(person, 100), wallets.ask(person, 300 - 100)
        for withdrawal in (returned, paid):
            wallets.approve(withdrawal, staff)
        wallets.returned(returned, staff)
        wallets.adjust(person, -100, staff)
        wallets.paid(paid, staff)
        erasure = Erasure(
            id=new_id(), user_id=person, requested_by_user_id=None, reason="", requested_at=now, due_at=now
        )

        with wallets.new_uow() as uow:
            uow.privacy.add_erasure(erasure)
            uow.privacy.erase(erasure.id, at=now)
            uow.commit()

        kept = wallets.database.rows(
            """SELECT amount_minor, destination_encrypted, reason, bank_reference FROM withdrawals
               WHERE user_id = %s ORDER BY amount_minor""",
            (person,),
        )
        assert [tuple(row.values()) for row in kept] == [
            (100, None, "erased", None), (200, None, None, "FT26329X1"),
        ]  # fmt: skip
        assert wallets.row("SELECT reason FROM adjustments WHERE user_id = %s", person)["reason"] == "erased"
        with pytest.raises(AccountErased):
            wallets.adjust(person, 1, staff)


class TestAdjustments:
    def test_within_the_limit_one_person_is_enough(self, wallets: Wallets, staff: UUID) -> None:
        person = wallets.somebody(100)

        given = wallets.adjust(person, 900, staff, limit=900)
        wallets.adjust(person, -300, staff, limit=900)

        assert wallets.wallet(person) == (700, 700)
        assert wallets.moved(given) == {"ADJUSTMENTS": -900, "WALLET": 900}

    def test_what_was_done_alone_counts_for_a_day_and_on_its_account(
        self, wallets: Wallets, staff: UUID, clock: MovableClock
    ) -> None:
        person = wallets.somebody()
        kinds = (AccountKind.WALLET, AccountKind.VOUCHER_CREDIT)

        first = [wallets.adjust(person, 600, staff, limit=1_000, account=kind) for kind in kinds]
        clock.offset += timedelta(hours=23)
        soon = wallets.adjust(person, 401, staff, limit=1_000)
        clock.offset += timedelta(hours=2)
        later = wallets.adjust(person, 401, staff, limit=1_000)

        assert [wallets.status("adjustments", one) for one in first] == ["APPROVED", "APPROVED"]
        assert (wallets.status("adjustments", soon), wallets.status("adjustments", later)) == ("PENDING", "APPROVED")

    def test_two_at_once_do_not_both_find_the_limit_untouched(
        self, wallets: Wallets, staff: UUID, module_addresses: DatabaseAddresses
    ) -> None:
        person = wallets.somebody()

        second = one_behind_the_other(
            lambda: wallets.adjust(person, 600, staff, limit=1_000),
            lambda: wallets.adjust(person, 600, staff, limit=1_000),
            database=wallets.database,
            addresses=module_addresses,
        )

        assert isinstance(second, UUID)
        assert wallets.status("adjustments", second) == "PENDING"
        assert wallets.wallet(person) == (600, 600)

    @pytest.mark.parametrize("amount", [901, -901])
    def test_above_the_limit_nothing_moves_until_another_agrees(
        self, wallets: Wallets, staff: UUID, colleague: UUID, amount: int
    ) -> None:
        person = wallets.somebody(1000)
        adjustment = wallets.adjust(person, amount, staff, limit=900)
        before = wallets.wallet(person)

        wallets.agree(adjustment, colleague)

        assert before == (1000, 1000)
        assert wallets.wallet(person) == (1000 + amount, 1000 + amount)

    def test_whoever_made_it_or_gains_by_it_does_not_approve_it(
        self, wallets: Wallets, staff: UUID, module_addresses: DatabaseAddresses
    ) -> None:
        person = wallets.somebody()
        adjustment = wallets.adjust(person, 100, staff, limit=0)

        for nobody in (staff, person):
            with pytest.raises(OwnRequest):
                wallets.agree(adjustment, nobody)
            with connect(module_addresses.app) as app, pytest.raises(psycopg.errors.CheckViolation) as refused:
                app.execute(
                    """UPDATE adjustments SET status = 'REJECTED', decided_by_user_id = %s, decided_at = now()
                       WHERE id = %s""",
                    (nobody, adjustment),
                )
            assert refused.value.diag.constraint_name == "ck_adjustments_decided_by_another"

        assert wallets.wallet(person) == (0, 0)

    def test_nobody_adjusts_their_own_wallet(self, wallets: Wallets, staff: UUID) -> None:
        with pytest.raises(OwnRequest):
            wallets.adjust(staff, 1, staff)

    def test_the_database_approves_nothing_that_needs_a_second_person_without_one(
        self, wallets: Wallets, staff: UUID, module_addresses: DatabaseAddresses
    ) -> None:
        person = wallets.somebody(1)
        adjustment = wallets.adjust(person, 100, staff, limit=0)
        journal = wallets.row("SELECT id FROM ledger_journals LIMIT 1")["id"]

        with connect(module_addresses.app) as app, pytest.raises(psycopg.errors.CheckViolation) as refused:
            app.execute(
                "UPDATE adjustments SET status = 'APPROVED', decided_at = now(), journal_id = %s WHERE id = %s",
                (journal, adjustment),
            )

        assert refused.value.diag.constraint_name == "ck_adjustments_approved_by_somebody"

    def test_two_who_agree_at_once_post_it_once(self, wallets: Wallets, staff: UUID) -> None:
        others = [wallets.somebody() for _ in range(4)]
        for _ in range(4):
            person = wallets.somebody()
            adjustment = wallets.adjust(person, 100, staff, limit=0)

            done, refused = outcomes(all_at_once([partial(wallets.agree, adjustment, other) for other in others]))

            assert (done, refused) == (1, {IllegalTransition})
            assert wallets.wallet(person) == (100, 100)

    def test_what_is_spent_by_the_time_of_approval_is_not_taken(
        self, wallets: Wallets, staff: UUID, colleague: UUID
    ) -> None:
        person = wallets.somebody(100)
        adjustment = wallets.adjust(person, -100, staff, limit=0)
        wallets.post(*takes(person, 60).entries)

        with pytest.raises(InsufficientBalance):
            wallets.agree(adjustment, colleague)

        assert wallets.wallet(person) == (40, 40)
        assert wallets.status("adjustments", adjustment) == "PENDING"

    def test_nothing_is_taken_that_a_hold_sets_aside(self, wallets: Wallets, staff: UUID) -> None:
        person = wallets.somebody(100)
        wallets.hold(person, 60)

        with pytest.raises(InsufficientBalance):
            wallets.adjust(person, -41, staff)

        assert wallets.wallet(person) == (100, 40)

    def test_a_rejected_one_moves_nothing_and_is_final(self, wallets: Wallets, staff: UUID, colleague: UUID) -> None:
        person = wallets.somebody()
        adjustment = wallets.adjust(person, 100, staff, limit=0)

        wallets.disagree(adjustment, colleague)

        with pytest.raises(IllegalTransition):
            wallets.agree(adjustment, colleague)
        assert wallets.wallet(person) == (0, 0)

    def test_points_given_are_a_lot_and_points_taken_come_from_the_soonest_to_expire(
        self, wallets: Wallets, staff: UUID
    ) -> None:
        person = wallets.somebody()
        late = wallets.adjust(person, 50, staff, unit="PTS")
        soon = self._a_lot_that_expires_soon(wallets, person, 30)

        taken = wallets.adjust(person, -40, staff, unit="PTS")

        assert wallets.standing(accounts.points(person)) == (40, 40)
        assert self._left(wallets, person) == {soon: 0, self._lot_of(wallets, late): 40}
        rows = wallets.database.rows(
            """SELECT p.points FROM points_lot_entries p JOIN ledger_journals j ON j.id = p.journal_id
               WHERE j.reference_id = %s ORDER BY p.points""",
            (taken,),
        )
        assert [row["points"] for row in rows] == [-30, -10]

    def test_more_points_than_there_are_cannot_be_taken(self, wallets: Wallets, staff: UUID) -> None:
        person = wallets.somebody()
        wallets.adjust(person, 50, staff, unit="PTS")

        with pytest.raises(InsufficientBalance):
            wallets.adjust(person, -51, staff, unit="PTS")
        done, refused = outcomes(all_at_once([lambda: wallets.adjust(person, -50, staff, unit="PTS")] * 5))

        assert (done, refused) == (1, {InsufficientBalance})
        assert wallets.standing(accounts.points(person)) == (0, 0)

    def test_who_takes_points_at_the_same_time_takes_from_other_lots(
        self, wallets: Wallets, staff: UUID, colleague: UUID
    ) -> None:
        for _ in range(3):
            person = wallets.somebody()
            for _ in range(4):
                wallets.adjust(person, 30, staff, unit="PTS")
            waiting = [wallets.adjust(person, -30, staff, unit="PTS", limit=0) for _ in range(4)]

            done = outcomes(all_at_once([partial(wallets.agree, adjustment, colleague) for adjustment in waiting]))

            assert done == (4, set())
            assert wallets.standing(accounts.points(person)) == (0, 0)

    def _a_lot_that_expires_soon(self, wallets: Wallets, person: UUID, points: int) -> UUID:
        issued = accounts.platform(AccountKind.POINTS_ISSUED, "PTS")
        journal = a_journal(*transfer(issued, accounts.points(person), points))
        soon = wallets.clock.now() + timedelta(days=1)
        lot = a_lot(user_id=person, journal_id=journal.id, points=points, expires_at=soon)
        with wallets.new_uow() as uow:
            uow.ledger.post([journal])
            uow.ledger.add_lot(lot)
            uow.commit()
        return lot.id

    def _lot_of(self, wallets: Wallets, adjustment: UUID) -> UUID:
        found = wallets.row(
            "SELECT l.id FROM points_lots l JOIN adjustments a ON a.journal_id = l.journal_id WHERE a.id = %s",
            adjustment,
        )
        return UUID(str(found["id"]))

    def _left(self, wallets: Wallets, person: UUID) -> dict[UUID, int]:
        rows = wallets.database.rows("SELECT id, remaining FROM points_lots WHERE user_id = %s", (person,))
        return {row["id"]: row["remaining"] for row in rows}


class TestTransfers:
    def test_each_currency_sums_to_zero_and_the_rest_stays_with_the_company(
        self, wallets: Wallets, staff: UUID
    ) -> None:
        person = wallets.somebody(10_000)
        rate = wallets.rate("EGP", "KWD", "0.006329", staff)

        made = wallets.change(person, Money.of(9_999, "EGP"), "KWD", rate)

        assert (wallets.wallet(person), wallets.wallet(person, "KWD")) == ((1, 1), (632, 632))
        row = wallets.row("SELECT * FROM wallet_transfers WHERE id = %s", made)
        assert (row["amount_minor"], row["received_minor"], row["rate_id"]) == (9_999, 632, rate)
        legs = wallets.database.rows(
            """SELECT a.kind, e.currency, e.amount_minor FROM ledger_entries e
               JOIN ledger_accounts a ON a.id = e.account_id WHERE e.journal_id = %s ORDER BY e.line""",
            (row["journal_id"],),
        )
        assert [tuple(leg.values()) for leg in legs] == [
            ("WALLET", "EGP", -9_999), ("EXCHANGE", "EGP", 9_999), ("EXCHANGE", "KWD", -632), ("WALLET", "KWD", 632),
        ]  # fmt: skip

    def test_a_rate_that_is_no_longer_the_newest_changes_nothing_and_names_the_new_one(
        self, wallets: Wallets, staff: UUID
    ) -> None:
        person = wallets.somebody(10_000)
        seen = wallets.rate("EGP", "USD", "0.0204", staff)
        newest = wallets.rate("EGP", "USD", "0.0200", staff)

        with pytest.raises(RateMoved) as refused:
            wallets.change(person, Money.of(5_000, "EGP"), "USD", seen)

        assert refused.value.facts["current_rate"]["id"] == str(newest)  # type: ignore[index]
        assert wallets.wallet(person) == (10_000, 10_000)
        wallets.change(person, Money.of(5_000, "EGP"), "USD", newest)
        assert wallets.wallet(person, "USD") == (100, 100)

    def test_a_rate_of_tomorrow_counts_from_tomorrow_on(self, wallets: Wallets, staff: UUID) -> None:
        person = wallets.somebody(10_000)
        today = wallets.rate("EGP", "AED", "0.07", staff)
        tomorrow = wallets.rate("EGP", "AED", "0.08", staff, starts_in=timedelta(days=1))

        wallets.change(person, Money.of(1_000, "EGP"), "AED", today)
        wallets.clock.offset += timedelta(days=2)
        wallets.change(person, Money.of(1_000, "EGP"), "AED", tomorrow)

        assert wallets.wallet(person, "AED") == (150, 150)

    def test_a_rate_is_never_dated_back_and_never_of_one_currency(self, wallets: Wallets, staff: UUID) -> None:
        for source, target, starts_in in (("EGP", "USD", timedelta(days=-1)), ("EGP", "EGP", None)):
            with pytest.raises(InvalidValue):
                wallets.rate(source, target, "1", staff, starts_in=starts_in)

    def test_the_other_direction_has_a_rate_of_its_own(self, wallets: Wallets, staff: UUID) -> None:
        person = wallets.somebody(100, "GBP")
        rate = wallets.rate("EGP", "GBP", "0.016", staff)

        with pytest.raises(RateNotFound):
            wallets.change(person, Money.of(100, "GBP"), "EGP", rate)

    def test_what_is_held_is_not_changed(self, wallets: Wallets, staff: UUID) -> None:
        person = wallets.somebody(1_000)
        rate = wallets.rate("EGP", "SAR", "0.077", staff)
        wallets.hold(person, 1)

        with pytest.raises(InsufficientBalance):
            wallets.change(person, Money.of(1_000, "EGP"), "SAR", rate)

        assert wallets.wallet(person, "SAR") == (0, 0)

    def test_what_its_owner_owes_is_not_changed(self, wallets: Wallets, staff: UUID) -> None:
        person = wallets.somebody(1_000)
        rate = wallets.rate("EGP", "OMR", "0.008", staff)
        wallets.owe(person, 400)

        with pytest.raises(MoneyOwed):
            wallets.change(person, Money.of(601, "EGP"), "OMR", rate)
        wallets.change(person, Money.of(600, "EGP"), "OMR", rate)

        assert wallets.wallet(person) == (400, 400)

    def test_opposite_ways_at_once_do_not_lock_each_other_out(self, wallets: Wallets, staff: UUID) -> None:
        person = wallets.somebody(10_000)
        wallets.fill(person, 10_000, "QAR")
        there = wallets.rate("EGP", "QAR", "1", staff)
        back = wallets.rate("QAR", "EGP", "1", staff)
        works: list[Callable[[], object]] = []
        for _ in range(8):
            works += [
                lambda: wallets.change(person, Money.of(100, "EGP"), "QAR", there),
                lambda: wallets.change(person, Money.of(100, "QAR"), "EGP", back),
            ]

        assert outcomes(all_at_once(works)) == (16, set())
        assert (wallets.wallet(person), wallets.wallet(person, "QAR")) == ((10_000,) * 2, (10_000,) * 2)


class TestTheSecondWall:
    """What PostgreSQL refuses to the application's role, and to the owner."""

    @pytest.fixture(params=["app", "owner"])
    def session(self, request: pytest.FixtureRequest, module_addresses: DatabaseAddresses) -> Iterator[Any]:
        with connect(getattr(module_addresses, request.param)) as opened:
            yield opened

    @pytest.mark.parametrize(
        "change",
        [
            "amount_minor = amount_minor + 1", "user_id = gen_random_uuid()", "status = 'REQUESTED'",
            "status = 'PAID', bank_reference = 'x', closed_at = now()", "withdrawal_number = 'WD-1'",
            "bank_reference = 'x'", "decided_at = now()", "status = 'CANCELLED', amount_minor = 1",
        ],
    )  # fmt: skip
    def test_a_rejected_withdrawal_stays_as_it_is(
        self, wallets: Wallets, staff: UUID, session: Any, change: str
    ) -> None:
        withdrawal = wallets.ask(wallets.somebody(100), 100)
        wallets.reject(withdrawal, staff)

        if change == "status = 'REQUESTED'":
            change = "status = 'REQUESTED', decided_at = NULL, decided_by_user_id = NULL"
        with pytest.raises(psycopg.Error) as refused:
            session.execute(f"UPDATE withdrawals SET {change} WHERE id = %s", (withdrawal,))
        assert refused.value.sqlstate == NEVER_CHANGED

    def test_nothing_is_deleted_or_begun_in_the_middle(self, wallets: Wallets, staff: UUID, session: Any) -> None:
        wallets.ask(wallets.somebody(100), 100)
        wallets.adjust(wallets.somebody(), 1, staff)

        for table in ("withdrawals", "adjustments"):
            for statement in (
                f"DELETE FROM {table}",
                f"INSERT INTO {table} (id, status) VALUES (gen_random_uuid(), 'REJECTED')",
            ):
                with pytest.raises(psycopg.Error) as refused:
                    session.execute(statement)
                assert refused.value.sqlstate == NEVER_CHANGED

    @pytest.mark.parametrize(
        ("table", "following"),
        [("withdrawals", WITHDRAWAL_NEXT), ("adjustments", ADJUSTMENT_NEXT), ("manual_receipts", RECEIPT_NEXT)],
    )
    def test_its_steps_are_those_of_the_domain(self, wallets: Wallets, table: str, following: dict[Any, Any]) -> None:
        row = wallets.row(
            """SELECT tgargs FROM pg_trigger WHERE tgrelid = %s::regclass AND tgname = 'goes_forward'""", table
        )
        steps = bytes(row["tgargs"]).split(b"\x00")[0].decode().strip("{}").split(",")

        assert {step for step in steps if not step.startswith(">")} == {
            f"{before}>{after}" for before, afters in following.items() for after in afters
        }
