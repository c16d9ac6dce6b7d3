"""The chart of accounts: every kind there is, whose it is, and how it may stand.

Credits are positive: what the company owes, or has earned. An asset or an expense therefore sums below zero.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Final
from uuid import UUID

import uuid_utils

from domain.shared.money import currency

POINTS_UNIT: Final = "PTS"
"""The unit of points in the ledger, beside the ISO 4217 currencies; it has no decimals."""

_NAMESPACE: Final = uuid_utils.UUID("6c3a3f0e-6b8d-5d0b-9a55-1c1f5f0e7a10")


class AccountKind(StrEnum):
    """The kinds of account, in the order of the chart (`CHART`)."""

    WALLET = "WALLET"
    VOUCHER_CREDIT = "VOUCHER_CREDIT"
    POINTS = "POINTS"
    CASHBACK = "CASHBACK"
    CUSTOMER_DEBT = "CUSTOMER_DEBT"
    VENDOR_PAYABLE = "VENDOR_PAYABLE"
    AGENT_PAYABLE = "AGENT_PAYABLE"
    AGENT_DEPOSIT = "AGENT_DEPOSIT"

    PROVIDER_CLEARING = "PROVIDER_CLEARING"
    PAYOUTS_IN_TRANSIT = "PAYOUTS_IN_TRANSIT"
    SUSPENSE = "SUSPENSE"
    CUSTOMER_PREPAYMENTS = "CUSTOMER_PREPAYMENTS"
    TAX_OWED = "TAX_OWED"
    EXCHANGE = "EXCHANGE"

    BOOKING_REVENUE = "BOOKING_REVENUE"
    MEMBERSHIP_REVENUE = "MEMBERSHIP_REVENUE"
    EXPIRY_INCOME = "EXPIRY_INCOME"

    DISCOUNTS = "DISCOUNTS"
    CASHBACK_COST = "CASHBACK_COST"
    VENDOR_SHARES = "VENDOR_SHARES"
    AGENT_COMMISSIONS = "AGENT_COMMISSIONS"
    PROVIDER_FEES = "PROVIDER_FEES"
    ADJUSTMENTS = "ADJUSTMENTS"
    BAD_DEBTS = "BAD_DEBTS"

    POINTS_ISSUED = "POINTS_ISSUED"
    POINTS_REDEEMED = "POINTS_REDEEMED"


class Nature(StrEnum):
    """What a balance of the kind is in the company's books."""

    LIABILITY = "LIABILITY"
    ASSET = "ASSET"
    INCOME = "INCOME"
    EXPENSE = "EXPENSE"
    MEMORANDUM = "MEMORANDUM"
    """Counts points against their owners; no money."""


class Standing(StrEnum):
    """How an owned account may stand; the platform's own are only summed."""

    NEVER_BELOW_ZERO = "NEVER_BELOW_ZERO"
    EITHER_SIDE = "EITHER_SIDE"
    NEVER_ABOVE_ZERO = "NEVER_ABOVE_ZERO"


@dataclass(frozen=True, slots=True)
class ChartLine:
    """One kind. An owned account (with a `standing`) has a chain of entries; one of the platform is only summed."""

    kind: AccountKind
    nature: Nature
    standing: Standing | None
    name_ar: str
    name_en: str
    meaning: str

    @property
    def is_owned(self) -> bool:
        return self.standing is not None


_GUARDED, _OPEN, _OWED = Standing.NEVER_BELOW_ZERO, Standing.EITHER_SIDE, Standing.NEVER_ABOVE_ZERO
_K, _N = AccountKind, Nature

_LINES: Final = (
    # People's own.
    ChartLine(_K.WALLET, _N.LIABILITY, _GUARDED, "المحفظة", "Wallet", "Money its owner may spend or ask back."),
    ChartLine(_K.VOUCHER_CREDIT, _N.LIABILITY, _GUARDED, "رصيد قسائم", "Voucher credit",
              "Credit that the company gave; it pays, and is never paid out."),
    ChartLine(_K.POINTS, _N.MEMORANDUM, _GUARDED, "النقاط", "Points", "Loyalty points; each belongs to a lot."),
    ChartLine(_K.CASHBACK, _N.LIABILITY, _GUARDED, "استرداد نقدي مستحق", "Cashback owed",
              "Promised for completed trips, not yet in the wallet."),
    ChartLine(_K.CUSTOMER_DEBT, _N.ASSET, _OWED, "مديونية العميل", "Customer's debt",
              "Clawed back after it was spent; later earnings pay it off."),
    ChartLine(_K.VENDOR_PAYABLE, _N.LIABILITY, _OPEN, "مستحقات المورد", "Vendor payable",
              "Shares of completed trips; below zero after a refund, carried into the next payout."),
    ChartLine(_K.AGENT_PAYABLE, _N.LIABILITY, _OPEN, "مستحقات الوكيل", "Agent payable", "Commissions, the same way."),
    ChartLine(_K.AGENT_DEPOSIT, _N.LIABILITY, _OPEN, "حساب إيداع الوكيل", "Agent's deposit account",
              "What an agent paid in to pay bookings with; below zero no further than its credit limit."),
    # Where money is, and whom it waits for.
    ChartLine(_K.PROVIDER_CLEARING, _N.ASSET, None, "أرصدة لدى مقدمي الدفع", "Provider clearing",
              "Money that a payment provider or a bank holds for the company; one account per provider."),
    ChartLine(_K.PAYOUTS_IN_TRANSIT, _N.LIABILITY, None, "مدفوعات في الطريق", "Payouts in transit",
              "Taken from its owner's account, not yet said to have arrived."),
    ChartLine(_K.SUSPENSE, _N.LIABILITY, None, "مبالغ معلقة", "Suspense",
              "Came in and belongs to nothing yet: late, twice, short or unknown."),
    ChartLine(_K.CUSTOMER_PREPAYMENTS, _N.LIABILITY, None, "دفعات مقدمة من العملاء", "Customer prepayments",
              "Paid for trips that are not completed."),
    ChartLine(_K.TAX_OWED, _N.LIABILITY, None, "ضرائب مستحقة", "Tax owed", "Withheld or collected for the state."),
    ChartLine(_K.EXCHANGE, _N.ASSET, None, "مركز الصرف", "Exchange position",
              "What transfers between currencies took in and gave out."),
    # Income.
    ChartLine(_K.BOOKING_REVENUE, _N.INCOME, None, "إيرادات الحجوزات", "Booking revenue", "Completed trips."),
    ChartLine(_K.MEMBERSHIP_REVENUE, _N.INCOME, None, "إيرادات العضويات", "Membership revenue", "Memberships sold."),
    ChartLine(_K.EXPIRY_INCOME, _N.INCOME, None, "إيرادات ما انتهت صلاحيته", "Expiry income",
              "What its owner let expire, in its unit."),
    # Expenses.
    ChartLine(_K.DISCOUNTS, _N.EXPENSE, None, "خصومات", "Discounts",
              "What points and vouchers paid in their owners' stead."),
    ChartLine(_K.CASHBACK_COST, _N.EXPENSE, None, "تكلفة الاسترداد النقدي", "Cashback cost", "Cashback promised."),
    ChartLine(_K.VENDOR_SHARES, _N.EXPENSE, None, "حصص الموردين", "Vendor shares", "Vendors' part of trips."),
    ChartLine(_K.AGENT_COMMISSIONS, _N.EXPENSE, None, "عمولات الوكلاء", "Agent commissions", "Agents' part of trips."),
    ChartLine(_K.PROVIDER_FEES, _N.EXPENSE, None, "رسوم مقدمي الدفع", "Provider fees", "What providers keep."),
    ChartLine(_K.ADJUSTMENTS, _N.EXPENSE, None, "تسويات", "Adjustments", "What staff gave or took by hand."),
    ChartLine(_K.BAD_DEBTS, _N.EXPENSE, None, "ديون معدومة", "Bad debts", "Debts that nobody pays."),
    # Points' other side.
    ChartLine(_K.POINTS_ISSUED, _N.MEMORANDUM, None, "نقاط مصدرة", "Points issued", "Given to their owners."),
    ChartLine(_K.POINTS_REDEEMED, _N.MEMORANDUM, None, "نقاط مستبدلة", "Points redeemed", "Spent by their owners."),
)  # fmt: skip

CHART: Final = {line.kind: line for line in _LINES}
"""The chart of accounts. The database holds the same lines (`ledger_account_kinds`), and its guards go by them."""

USER_KINDS: Final = frozenset(line.kind for line in _LINES if line.is_owned)
PAYEE_KINDS: Final = frozenset({AccountKind.VENDOR_PAYABLE, AccountKind.AGENT_PAYABLE})
"""What is owed to vendors and agents: whatever moves it leaves a payable entry, which a payout takes."""


@dataclass(frozen=True, slots=True)
class AccountRef:
    """Names one account; `owner` for a person's, `provider` for a clearing account.

    `id` is derived from the name (UUIDv5), so that an account is found without looking it up.
    """

    kind: AccountKind
    currency: str
    owner: UUID | None = None
    provider: str = ""
    id: UUID = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if (self.kind in USER_KINDS) != (self.owner is not None):
            raise ValueError(f"{self.kind} {'needs' if self.kind in USER_KINDS else 'has no'} owner")
        derive = _remembered_id if self.owner is None else _account_id
        object.__setattr__(self, "id", derive(self.kind, self.currency, self.owner, self.provider))


def _account_id(kind: AccountKind, currency: str, owner: UUID | None, provider: str) -> UUID:
    return UUID(int=uuid_utils.uuid5(_NAMESPACE, f"{kind}|{currency}|{owner or ''}|{provider}").int)


_remembered_id = lru_cache(maxsize=512)(_account_id)


def wallet(owner: UUID, currency: str) -> AccountRef:
    return AccountRef(AccountKind.WALLET, currency, owner)


def voucher_credit(owner: UUID, currency: str) -> AccountRef:
    return AccountRef(AccountKind.VOUCHER_CREDIT, currency, owner)


def agent_deposit(owner: UUID, currency: str) -> AccountRef:
    return AccountRef(AccountKind.AGENT_DEPOSIT, currency, owner)


def points(owner: UUID) -> AccountRef:
    return AccountRef(AccountKind.POINTS, POINTS_UNIT, owner)


def cashback(owner: UUID, currency: str) -> AccountRef:
    return AccountRef(AccountKind.CASHBACK, currency, owner)


def debt(owner: UUID, unit: str) -> AccountRef:
    """What a customer owes in a currency, or in points."""
    return AccountRef(AccountKind.CUSTOMER_DEBT, unit, owner)


def customers_own(owner: UUID, currency: str) -> frozenset[AccountRef]:
    """All that a customer may have, or owe, in one currency and in points."""
    return frozenset(
        {
            wallet(owner, currency),
            voucher_credit(owner, currency),
            cashback(owner, currency),
            debt(owner, currency),
            points(owner),
            debt(owner, POINTS_UNIT),
        }
    )


def clearing(provider: str, currency: str) -> AccountRef:
    return AccountRef(AccountKind.PROVIDER_CLEARING, currency, provider=provider)


def platform(kind: AccountKind, currency: str) -> AccountRef:
    return AccountRef(kind, currency)


def decimals_of(unit: str) -> int:
    """How many decimals amounts of a currency, or points, are written with. Raises InvalidValue for another unit."""
    return 0 if unit == POINTS_UNIT else currency(unit).exponent
