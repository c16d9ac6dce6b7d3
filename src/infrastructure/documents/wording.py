"""The fixed words of printed documents and mails, and how dates and amounts are written in them."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import Final

from domain.shared.money import Money

LANGUAGES: Final = ("ar", "en")

DIRECTIONS: Final[Mapping[str, str]] = {"ar": "rtl", "en": "ltr"}

# The strong classes of UAX #9, table 4.
_STRONG: Final[Mapping[str, str]] = {"L": "ltr", "R": "rtl", "AL": "rtl"}

# Egypt's names of the months; the Levant's (tammuz, ab …) would be read as another calendar there.
_MONTHS: Final[Mapping[str, tuple[str, ...]]] = {
    "ar": (
        "يناير", "فبراير", "مارس", "أبريل", "مايو", "يونيو",
        "يوليو", "أغسطس", "سبتمبر", "أكتوبر", "نوفمبر", "ديسمبر",
    ),
    "en": (
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    ),
}  # fmt: skip

LABELS: Final[Mapping[str, Mapping[str, str]]] = {
    "ar": {
        "strapline": "السفر والعضويات",
        "number": "رقم المستند",
        "issue_date": "تاريخ الإصدار",
        "paid_date": "تاريخ السداد",
        "billed_to": "فاتورة إلى",
        "booking": "رقم الحجز",
        "payment": "رقم الدفعة",
        "method": "طريقة الدفع",
        "details": "بيانات المستند",
        "description": "البيان",
        "quantity": "الكمية",
        "unit_price": "سعر الوحدة",
        "line_total": "الإجمالي",
        "subtotal": "المجموع قبل الخصم والضريبة",
        "discount": "الخصم",
        "tax": "ضريبة القيمة المضافة",
        "total": "الإجمالي",
        "thanks": "شكرًا لاختياركم AltayarVIP، ونتمنى لكم رحلة سعيدة.",
        "page": "صفحة",
        "of": "من",
    },
    "en": {
        "strapline": "Travel & Membership",
        "number": "Document number",
        "issue_date": "Issue date",
        "paid_date": "Paid on",
        "billed_to": "Billed to",
        "booking": "Booking",
        "payment": "Payment",
        "method": "Payment method",
        "details": "Document details",
        "description": "Description",
        "quantity": "Qty",
        "unit_price": "Unit price",
        "line_total": "Amount",
        "subtotal": "Subtotal before discount and tax",
        "discount": "Discount",
        "tax": "Value added tax",
        "total": "Total",
        "thanks": "Thank you for choosing AltayarVIP. We wish you a pleasant journey.",
        "page": "Page",
        "of": "of",
    },
}

INVOICE_TYPES: Final[Mapping[str, Mapping[str, str]]] = {
    "ar": {"STANDARD": "فاتورة", "PROFORMA": "فاتورة مبدئية", "CREDIT_NOTE": "إشعار دائن"},
    "en": {"STANDARD": "Invoice", "PROFORMA": "Proforma invoice", "CREDIT_NOTE": "Credit note"},
}

INVOICE_STATUSES: Final[Mapping[str, Mapping[str, str]]] = {
    "ar": {
        "DRAFT": "مسودة",
        "ISSUED": "صادرة",
        "PAID": "مدفوعة",
        "OVERDUE": "متأخرة السداد",
        "CANCELLED": "ملغاة",
        "REFUNDED": "مستردة",
    },
    "en": {
        "DRAFT": "Draft",
        "ISSUED": "Issued",
        "PAID": "Paid",
        "OVERDUE": "Overdue",
        "CANCELLED": "Cancelled",
        "REFUNDED": "Refunded",
    },
}

PAYMENT_METHODS: Final[Mapping[str, Mapping[str, str]]] = {
    "ar": {
        "CREDIT_CARD": "بطاقة ائتمان",
        "DEBIT_CARD": "بطاقة خصم مباشر",
        "WALLET": "المحفظة",
        "BANK_TRANSFER": "تحويل بنكي",
        "CASH": "نقدًا",
        "FAWRY": "فوري",
        "MEEZA": "ميزة",
        "VODAFONE_CASH": "فودافون كاش",
        "AMAN": "أمان",
        "MASARY": "مصاري",
        "AGENT_CREDIT": "رصيد الوكيل",
        "MIXED": "أكثر من طريقة",
        "OTHER": "طريقة أخرى",
    },
    "en": {
        "CREDIT_CARD": "Credit card",
        "DEBIT_CARD": "Debit card",
        "WALLET": "Wallet",
        "BANK_TRANSFER": "Bank transfer",
        "CASH": "Cash",
        "FAWRY": "Fawry",
        "MEEZA": "Meeza",
        "VODAFONE_CASH": "Vodafone Cash",
        "AMAN": "Aman",
        "MASARY": "Masary",
        "AGENT_CREDIT": "Agent's credit",
        "MIXED": "Several methods",
        "OTHER": "Other",
    },
}


def direction_of(text: str, language: str) -> str:
    """Which way a field runs inside a page of that language: `rtl` or `ltr`.

    The page's own way where the text has a letter of it, so that "VIP جناح" stays Arabic in an Arabic
    page; else the way of its letters, so that the bracket of "Omar (Jr.)" stays at its right end.
    """
    ways = {_STRONG[bidi] for bidi in map(unicodedata.bidirectional, text) if bidi in _STRONG}
    return DIRECTIONS[language] if not ways or DIRECTIONS[language] in ways else ways.pop()


def written_amount(money: Money) -> str:
    """`EGP 1,499.00`: code first, Latin digits, grouped by thousands, in both languages alike."""
    whole, point, decimals = money.decimal().removeprefix("-").partition(".")
    return f"{money.currency.code} {'-' if money.minor < 0 else ''}{int(whole):,}{point}{decimals}"


def written_rate(percent: str) -> str:
    """`14%` for "14.00" and `14.5%` for "14.50"."""
    return f"{percent.rstrip('0').rstrip('.') if '.' in percent else percent}%"


def written_date(day: date, language: str) -> str:
    """`21 July 2026`, `21 يوليو 2026`: the month as a word, so that no reader takes it for the day."""
    return f"{day.day} {_MONTHS[language][day.month - 1]} {day.year}"
