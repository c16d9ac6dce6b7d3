"""What is asked of wallets, as rows: withdrawals, adjustments, rates and transfers."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from application.ports import Encryption
from domain.ledger.accounts import POINTS_UNIT, AccountKind, AccountRef
from domain.ledger.adjustments import Adjustment, AdjustmentNotFound, AdjustmentStatus
from domain.ledger.transfers import WalletTransfer
from domain.ledger.withdrawals import Withdrawal, WithdrawalNotFound, WithdrawalStatus
from domain.pricing.exchange import ExchangeRate, RateNotFound
from domain.shared.money import Money, currency
from infrastructure.database.transaction import Row, Statements

_ADD_WITHDRAWAL = """
INSERT INTO withdrawals (id, withdrawal_number, user_id, amount_minor, currency, destination_encrypted, status, hold_id,
                         created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_WITHDRAWAL = """
SELECT * FROM withdrawals WHERE id = %(id)s AND (%(owner)s::uuid IS NULL OR user_id = %(owner)s) FOR NO KEY UPDATE
"""
_SAVE_WITHDRAWAL = """
UPDATE withdrawals SET status = %s, journal_id = %s, return_journal_id = %s, bank_reference = %s, reason = %s,
    decided_by_user_id = %s, decided_at = %s, closed_by_user_id = %s, closed_at = %s
WHERE id = %s
"""
_ADD_ADJUSTMENT = """
INSERT INTO adjustments (id, adjustment_number, user_id, account_kind, amount_minor, currency, reason, status,
                         needs_approval, made_by_user_id, created_at, decided_at, journal_id)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_DONE_ALONE = """
SELECT coalesce(abs(sum(amount_minor)), 0)::bigint AS minor FROM adjustments
WHERE user_id = %s AND account_kind = %s AND currency = %s AND made_by_user_id = %s AND (amount_minor > 0) = %s
  AND created_at > %s AND NOT needs_approval
"""
_ADJUSTMENT = "SELECT * FROM adjustments WHERE id = %s FOR NO KEY UPDATE"
_SAVE_ADJUSTMENT = """
UPDATE adjustments SET status = %s, decided_by_user_id = %s, decided_at = %s, journal_id = %s WHERE id = %s
"""
_ADD_RATE = """
INSERT INTO exchange_rates (id, from_currency, to_currency, rate, valid_from, created_by_user_id, created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s)
"""
_NEWEST_RATE = """
SELECT * FROM exchange_rates WHERE from_currency = %s AND to_currency = %s AND valid_from <= %s
ORDER BY valid_from DESC, id DESC LIMIT 1
"""
_ADD_TRANSFER = """
INSERT INTO wallet_transfers (id, transfer_number, user_id, amount_minor, currency, received_minor,
                              received_currency, rate_id, journal_id, created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


_POINTS = AccountKind.POINTS


def _next(statements: Statements, sequence: str) -> int:
    row = statements.row(f"SELECT nextval('{sequence}') AS serial")
    return int(row["serial"]) if row else 0


class SqlWithdrawals:
    """Implements `application.ledger.ports.Withdrawals`."""

    def __init__(self, statements: Statements, encryption: Encryption) -> None:
        self._statements = statements
        self._encryption = encryption
        self.seen: list[Withdrawal] = []

    def next_serial(self) -> int:
        return _next(self._statements, "withdrawal_numbers")

    def add(self, withdrawal: Withdrawal) -> None:
        self._statements.execute(
            _ADD_WITHDRAWAL,
            (withdrawal.id, withdrawal.withdrawal_number, withdrawal.user_id, withdrawal.amount.minor,
             withdrawal.amount.currency.code, self._encryption.encrypt(withdrawal.destination), withdrawal.status,
             withdrawal.hold_id, withdrawal.created_at),
        )  # fmt: skip
        self.seen.append(withdrawal)

    def get(self, withdrawal_id: UUID, *, owner: UUID | None = None) -> Withdrawal:
        row = self._statements.row(_WITHDRAWAL, {"id": withdrawal_id, "owner": owner})
        if row is None:
            raise WithdrawalNotFound()
        withdrawal = self._withdrawal(row)
        self.seen.append(withdrawal)
        return withdrawal

    def save(self, withdrawal: Withdrawal) -> None:
        self._statements.execute(
            _SAVE_WITHDRAWAL,
            (withdrawal.status, withdrawal.journal_id, withdrawal.return_journal_id, withdrawal.bank_reference,
             withdrawal.reason, withdrawal.decided_by, withdrawal.decided_at, withdrawal.closed_by,
             withdrawal.closed_at, withdrawal.id),
        )  # fmt: skip

    def _withdrawal(self, row: Row) -> Withdrawal:
        sealed = row["destination_encrypted"]
        return Withdrawal(
            id=row["id"],
            withdrawal_number=row["withdrawal_number"],
            user_id=row["user_id"],
            amount=Money.of(row["amount_minor"], row["currency"]),
            destination="" if sealed is None else self._encryption.decrypt(bytes(sealed)),
            status=WithdrawalStatus(row["status"]),
            hold_id=row["hold_id"],
            created_at=row["created_at"],
            journal_id=row["journal_id"],
            return_journal_id=row["return_journal_id"],
            bank_reference=row["bank_reference"],
            reason=row["reason"],
            decided_by=row["decided_by_user_id"],
            decided_at=row["decided_at"],
            closed_by=row["closed_by_user_id"],
            closed_at=row["closed_at"],
        )


class SqlAdjustments:
    """Implements `application.ledger.ports.Adjustments`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self.seen: list[Adjustment] = []

    def next_serial(self) -> int:
        return _next(self._statements, "adjustment_numbers")

    def add(self, adjustment: Adjustment) -> None:
        self._statements.execute(
            _ADD_ADJUSTMENT,
            (adjustment.id, adjustment.adjustment_number, adjustment.user_id, adjustment.account_kind,
             adjustment.amount_minor, adjustment.unit, adjustment.reason, adjustment.status,
             adjustment.needs_approval, adjustment.made_by, adjustment.created_at, adjustment.decided_at,
             adjustment.journal_id),
        )  # fmt: skip
        self.seen.append(adjustment)

    def done_alone(self, account: AccountRef, *, by: UUID, gives: bool, since: datetime) -> int:
        row = self._statements.row(_DONE_ALONE, (account.owner, account.kind, account.currency, by, gives, since))
        return int(row["minor"]) if row else 0

    def get(self, adjustment_id: UUID) -> Adjustment:
        row = self._statements.row(_ADJUSTMENT, (adjustment_id,))
        if row is None:
            raise AdjustmentNotFound()
        adjustment = Adjustment(
            id=row["id"],
            adjustment_number=row["adjustment_number"],
            user_id=row["user_id"],
            # Written before accounts were named, points say WALLET.
            account_kind=_POINTS if row["currency"] == POINTS_UNIT else AccountKind(row["account_kind"]),
            unit=row["currency"],
            amount_minor=row["amount_minor"],
            reason=row["reason"],
            status=AdjustmentStatus(row["status"]),
            needs_approval=row["needs_approval"],
            made_by=row["made_by_user_id"],
            created_at=row["created_at"],
            decided_by=row["decided_by_user_id"],
            decided_at=row["decided_at"],
            journal_id=row["journal_id"],
        )
        self.seen.append(adjustment)
        return adjustment

    def save(self, adjustment: Adjustment) -> None:
        self._statements.execute(
            _SAVE_ADJUSTMENT,
            (adjustment.status, adjustment.decided_by, adjustment.decided_at, adjustment.journal_id, adjustment.id),
        )


class SqlExchange:
    """Implements `application.ledger.ports.Exchange`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def add_rate(self, rate: ExchangeRate, *, by: UUID, at: datetime) -> None:
        self._statements.execute(
            _ADD_RATE, (rate.id, rate.source.code, rate.target.code, rate.rate, rate.valid_from, by, at)
        )

    def newest_rate(self, source: str, target: str, *, at: datetime) -> ExchangeRate:
        row = self._statements.row(_NEWEST_RATE, (source, target, at))
        if row is None:
            raise RateNotFound()
        return ExchangeRate(
            id=row["id"],
            source=currency(row["from_currency"]),
            target=currency(row["to_currency"]),
            rate=row["rate"],
            valid_from=row["valid_from"],
            set_by=row["created_by_user_id"],
        )

    def next_transfer_serial(self) -> int:
        return _next(self._statements, "wallet_transfer_numbers")

    def add_transfer(self, transfer: WalletTransfer) -> None:
        self._statements.execute(
            _ADD_TRANSFER,
            (transfer.id, transfer.transfer_number, transfer.user_id, transfer.sent.minor,
             transfer.sent.currency.code, transfer.received.minor, transfer.received.currency.code, transfer.rate_id,
             transfer.journal_id, transfer.created_at),
        )  # fmt: skip
