"""The fixed words of statements of account, and how their amounts are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from domain.ledger.statements import Cause

STATEMENT_LABELS: Final[Mapping[str, Mapping[str, str]]] = {
    "ar": {
        "title": "كشف حساب",
        "strapline": "السفر والعضويات",
        "holder": "صاحب الحساب",
        "account": "الحساب",
        "unit": "العملة",
        "points_unit": "الوحدة",
        "from": "من",
        "until": "إلى",
        "made_on": "تاريخ الإصدار",
        "details": "بيانات الكشف",
        "date": "التاريخ",
        "description": "البيان",
        "reference": "المرجع",
        "debit": "مدين",
        "credit": "دائن",
        "balance": "الرصيد",
        "opening": "الرصيد الافتتاحي",
        "closing": "الرصيد الختامي",
        "nothing": "لا توجد حركات في هذه الفترة.",
        "note": "الدائن ما أضيف إلى الحساب، والمدين ما خصم منه.",
        "page": "صفحة",
        "of": "من",
        "sums": "ملخص الفترة",
    },
    "en": {
        "title": "Statement of account",
        "strapline": "Travel & Membership",
        "holder": "Account holder",
        "account": "Account",
        "unit": "Currency",
        "points_unit": "Unit",
        "from": "From",
        "until": "To",
        "made_on": "Made on",
        "details": "Details",
        "date": "Date",
        "description": "Description",
        "reference": "Reference",
        "debit": "Debit",
        "credit": "Credit",
        "balance": "Balance",
        "opening": "Opening balance",
        "closing": "Closing balance",
        "nothing": "Nothing moved in this period.",
        "note": "Credits were added to the account, debits were taken from it.",
        "page": "Page",
        "of": "of",
        "sums": "Summary of the period",
    },
}

REFERENCES: Final[Mapping[str, Mapping[str, str]]] = {
    "ar": {
        "BOOKING": "حجز",
        "PAYMENT": "دفعة",
        "MEMBERSHIP": "عضوية",
        "REFUND": "رد مبلغ",
        "DISPUTE": "نزاع",
        "SUSPENSE": "مبلغ معلق",
        "CASHBACK": "استرداد نقدي",
        "WITHDRAWAL": "سحب",
        "ADJUSTMENT": "تسوية",
        "PAYOUT": "دفعة مستحقات",
        "WALLET_TRANSFER": "تحويل",
        "AGENT_DEPOSIT": "إيداع الوكيل",
        "POINTS_LOT": "نقاط",
        "CLEARING_BREAK": "فرق مطابقة",
        "ERASURE": "محو البيانات",
    },
    "en": {
        "BOOKING": "Booking",
        "PAYMENT": "Payment",
        "MEMBERSHIP": "Membership",
        "REFUND": "Refund",
        "DISPUTE": "Dispute",
        "SUSPENSE": "Money in suspense",
        "CASHBACK": "Cashback",
        "WITHDRAWAL": "Withdrawal",
        "ADJUSTMENT": "Adjustment",
        "PAYOUT": "Payout",
        "WALLET_TRANSFER": "Transfer",
        "AGENT_DEPOSIT": "Agent's deposit",
        "POINTS_LOT": "Points",
        "CLEARING_BREAK": "Difference",
        "ERASURE": "Erasure",
    },
}


CAUSES: Final[Mapping[str, Mapping[Cause, str]]] = {
    "ar": {
        Cause.EARNED: "المستحق المكتسب",
        Cause.REVERSED: "المسترد بعد رد مبالغ",
        Cause.ADJUSTED: "التسويات",
        Cause.PAID_OUT: "المدفوع إليك",
    },
    "en": {
        Cause.EARNED: "Earned",
        Cause.REVERSED: "Reversed by refunds",
        Cause.ADJUSTED: "Adjusted",
        Cause.PAID_OUT: "Paid out",
    },
}


def reference_word(reference_type: str, language: str) -> str:
    """What a movement refers to in the reader's language; a type without a word of its own is read as it stands."""
    return REFERENCES[language].get(reference_type, reference_type.replace("_", " ").capitalize())


def short_id(reference_id: UUID) -> str:
    """The end of an id, which tells neighbours apart; its beginning is the time."""
    return reference_id.hex[-8:].upper()


def written_units(minor: int, decimals: int) -> str:
    """`1,499.00` for 149900 and 2 decimals: Latin digits, grouped by thousands, in both languages alike."""
    digits = str(abs(minor)).zfill(decimals + 1)
    whole, fraction = (digits[:-decimals], f".{digits[-decimals:]}") if decimals else (digits, "")
    return f"{'-' if minor < 0 else ''}{int(whole):,}{fraction}"
