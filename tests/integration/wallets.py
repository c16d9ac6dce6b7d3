"""The use cases of wallets on a real database, in the words of a test."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from application.ledger import adjustments, holds, transfers, withdrawals
from application.ports import NewUnitOfWork
from domain.ledger import accounts
from domain.ledger.accounts import POINTS_UNIT, AccountKind, AccountRef
from domain.ledger.journal import Journal, transfer
from domain.shared.money import Money, currency
from infrastructure.clock import new_id
from infrastructure.database.transaction import Database, Row
from tests.builders import a_journal
from tests.conftest import MovableClock
from tests.integration.shop import a_stored_user


@dataclass
class Wallets:
    """Everybody here has a proved address and a wallet in EGP, unless a test says otherwise."""

    database: Database
    clock: MovableClock
    new_uow: NewUnitOfWork

    def somebody(self, balance: int = 0, unit: str = "EGP", *, verified: bool = True) -> UUID:
        """Somebody whose address is proved, with so much in their wallet."""
        person = a_stored_user(self.new_uow)
        if verified:
            with self.new_uow() as uow:
                uow.users.get(person).verify_email(at=self.clock.now())
                uow.commit()
        if balance:
            self.fill(person, balance, unit)
        return person

    def fill(self, person: UUID, balance: int, unit: str = "EGP") -> None:
        self.post(*transfer(accounts.clearing("ELSEWHERE", unit), accounts.wallet(person, unit), balance))

    def owe(self, person: UUID, amount: int, unit: str = "EGP") -> None:
        """What was taken back of somebody who had spent it."""
        lost = accounts.platform(AccountKind.ADJUSTMENTS, unit)
        self.post(*transfer(accounts.debt(person, unit), lost, amount))

    def post(self, *entries: Any) -> None:
        with self.new_uow() as uow:
            uow.ledger.post([a_journal(*entries)])
            uow.commit()

    def hold(self, person: UUID, amount: int, *, expires_in: timedelta | None = None) -> UUID:
        command = holds.SetAside(
            account=accounts.wallet(person, "EGP"),
            amount_minor=amount,
            reference_type="TEST",
            reference_id=new_id(),
            expires_at=self.clock.now() + expires_in if expires_in is not None else None,
        )
        with self.new_uow() as uow:
            hold_id = holds.hold(command, uow=uow, clock=self.clock, new_id=new_id)
            uow.commit()
        return hold_id

    def capture(self, hold_id: UUID, journal: Journal) -> None:
        with self.new_uow() as uow:
            holds.capture(hold_id, journal, uow=uow, clock=self.clock)
            uow.commit()

    def release(self, hold_id: UUID) -> None:
        with self.new_uow() as uow:
            holds.release(hold_id, uow=uow, clock=self.clock)
            uow.commit()

    def expire(self) -> int:
        return holds.expire_holds(uow=self.new_uow(), clock=self.clock)

    def ask(self, person: UUID, amount: int, least: int | None = None) -> UUID:
        command = withdrawals.RequestWithdrawal(
            user_id=person,
            amount=Money.of(amount, "EGP"),
            destination="EG380019000500000000263180002",
            least=Money.of(least, "EGP") if least is not None else None,
        )
        return withdrawals.request_withdrawal(command, uow=self.new_uow(), clock=self.clock, new_id=new_id)

    def approve(self, withdrawal: UUID, by: UUID) -> None:
        withdrawals.approve_withdrawal(decision(withdrawal, by), uow=self.new_uow(), clock=self.clock, new_id=new_id)

    def reject(self, withdrawal: UUID, by: UUID) -> None:
        withdrawals.reject_withdrawal(decision(withdrawal, by, "no"), uow=self.new_uow(), clock=self.clock)

    def cancel(self, withdrawal: UUID, owner: UUID) -> None:
        withdrawals.cancel_withdrawal(withdrawal, owner=owner, uow=self.new_uow(), clock=self.clock)

    def paid(self, withdrawal: UUID, by: UUID) -> None:
        command = decision(withdrawal, by, "FT26329X1")
        withdrawals.pay_withdrawal(command, uow=self.new_uow(), clock=self.clock, new_id=new_id)

    def returned(self, withdrawal: UUID, by: UUID) -> None:
        command = decision(withdrawal, by, "account closed")
        withdrawals.return_withdrawal(command, uow=self.new_uow(), clock=self.clock, new_id=new_id)

    def adjust(
        self,
        person: UUID,
        amount: int,
        by: UUID,
        *,
        limit: int = 10_000,
        unit: str = "EGP",
        account: AccountKind = AccountKind.WALLET,
    ) -> UUID:
        command = adjustments.Adjust(
            user_id=person,
            account=AccountKind.POINTS if unit == POINTS_UNIT else account,
            unit=unit,
            amount_minor=amount,
            reason="a test",
            limit_minor=limit,
            actor_id=by,
            permission="wallets.adjust",
        )
        return adjustments.adjust(command, uow=self.new_uow(), clock=self.clock, new_id=new_id)

    def agree(self, adjustment: UUID, by: UUID) -> None:
        command = adjustments.DecideAdjustment(adjustment_id=adjustment, actor_id=by)
        adjustments.approve_adjustment(command, uow=self.new_uow(), clock=self.clock, new_id=new_id)

    def disagree(self, adjustment: UUID, by: UUID) -> None:
        command = adjustments.DecideAdjustment(adjustment_id=adjustment, actor_id=by)
        adjustments.reject_adjustment(command, uow=self.new_uow(), clock=self.clock)

    def rate(self, source: str, target: str, rate: str, by: UUID, *, starts_in: timedelta | None = None) -> UUID:
        command = transfers.SetRate(
            source=currency(source),
            target=currency(target),
            rate=Decimal(rate),
            valid_from=self.clock.now() + starts_in if starts_in is not None else None,
            actor_id=by,
        )
        return transfers.set_rate(command, uow=self.new_uow(), clock=self.clock, new_id=new_id)

    def change(self, person: UUID, amount: Money, target: str, rate: UUID) -> UUID:
        command = transfers.TransferBetweenWallets(user_id=person, amount=amount, target=currency(target), rate_id=rate)
        return transfers.transfer_between_wallets(command, uow=self.new_uow(), clock=self.clock, new_id=new_id)

    def standing(self, account: AccountRef) -> tuple[int, int]:
        """Balance, and what of it is available."""
        with self.new_uow() as uow:
            [standing] = uow.ledger.lock([account]).values()
        return standing.balance_minor, standing.available_minor

    def wallet(self, person: UUID, unit: str = "EGP") -> tuple[int, int]:
        return self.standing(accounts.wallet(person, unit))

    def row(self, sql: str, *values: object) -> Row:
        found = self.database.row(sql, values)
        assert found is not None
        return found

    def status(self, table: str, row_id: UUID) -> str:
        return str(self.row(f"SELECT status FROM {table} WHERE id = %s", row_id)["status"])

    def moved(self, reference: UUID) -> dict[str, int]:
        """What the journals of one thing moved in all, by kind of account."""
        rows = self.database.rows(
            """SELECT a.kind, sum(e.amount_minor)::bigint AS sum FROM ledger_journals j
               JOIN ledger_entries e ON e.journal_id = j.id JOIN ledger_accounts a ON a.id = e.account_id
               WHERE j.reference_id = %s GROUP BY a.kind""",
            (reference,),
        )
        return {row["kind"]: row["sum"] for row in rows}


def decision(withdrawal: UUID, by: UUID, words: str = "") -> withdrawals.DecideWithdrawal:
    return withdrawals.DecideWithdrawal(withdrawal_id=withdrawal, actor_id=by, words=words)


def takes(person: UUID, amount: int) -> Journal:
    """A journal that takes an amount out of somebody's wallet."""
    prepaid = accounts.platform(AccountKind.CUSTOMER_PREPAYMENTS, "EGP")
    return a_journal(*transfer(accounts.wallet(person, "EGP"), prepaid, amount))


def outcomes(answers: list[Any]) -> tuple[int, set[type]]:
    """How many went through, and what the others were refused with."""
    refused = [type(answer) for answer in answers if isinstance(answer, BaseException)]
    return len(answers) - len(refused), set(refused)
