"""The fixed words of statements of payouts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from domain.payouts.payables import PayableKind
from domain.payouts.payouts import PayoutStatus
from domain.shared.payees import PayeeType

PAYOUT_LABELS: Final[Mapping[str, Mapping[str, str]]] = {
    "ar": {
        "title": "كشف صرف مستحقات",
        "strapline": "السفر والعضويات",
        "payee": "صاحب المستحقات",
        "details": "بيانات الصرف",
        "number": "رقم الصرف",
        "batch": "ضمن دفعة",
        "cut_off": "مستحق حتى",
        "status": "الحالة",
        "closed": "بتاريخ",
        "destination": "إلى",
        "bank_reference": "مرجع البنك",
        "made_on": "تاريخ الإصدار",
        "sums": "ملخص الصرف",
        "total": "المصروف",
        "carried": "مرحل إلى صرف لاحق",
        "carried_note": "المرحل هو ما بقي لك بعد هذا الصرف: ما لم يحن موعد صرفه، أو أضيف بعد إعداد الدفعة.",
        "date": "التاريخ",
        "description": "البيان",
        "booking": "الحجز",
        "amount": "المبلغ",
        "page": "صفحة",
        "of": "من",
    },
    "en": {
        "title": "Payout statement",
        "strapline": "Travel & Membership",
        "payee": "Paid to",
        "details": "Details of the payout",
        "number": "Payout number",
        "batch": "Of batch",
        "cut_off": "Owed up to",
        "status": "Status",
        "closed": "On",
        "destination": "To",
        "bank_reference": "Bank reference",
        "made_on": "Made on",
        "sums": "Summary of the payout",
        "total": "Paid out",
        "carried": "Carried to a later payout",
        "carried_note": "Carried is what was left for you beside this payout: what is not due to be paid yet, or was "
        "added after the batch was drawn up.",
        "date": "Date",
        "description": "Description",
        "booking": "Booking",
        "amount": "Amount",
        "page": "Page",
        "of": "of",
    },
}

KINDS: Final[Mapping[str, Mapping[PayableKind, str]]] = {
    "ar": {
        PayableKind.EARNED: "المستحق عن الرحلات",
        PayableKind.REVERSED: "المسترد بعد رد مبالغ للعملاء",
        PayableKind.ADJUSTED: "التسويات",
        PayableKind.RETURNED: "العائد من صرف سابق لم يصل",
    },
    "en": {
        PayableKind.EARNED: "Earned by trips",
        PayableKind.REVERSED: "Clawed back after refunds to customers",
        PayableKind.ADJUSTED: "Adjusted",
        PayableKind.RETURNED: "Returned from earlier payouts that did not arrive",
    },
}

STATUSES: Final[Mapping[str, Mapping[PayoutStatus, str]]] = {
    "ar": {
        PayoutStatus.PENDING: "معتمد",
        PayoutStatus.SENT: "في الطريق",
        PayoutStatus.PAID: "صرف",
        PayoutStatus.FAILED: "لم يصل وعاد إلى الرصيد",
        PayoutStatus.UNKNOWN: "في الطريق",
        PayoutStatus.CANCELLED: "ألغي وعاد إلى الرصيد",
        PayoutStatus.RETURNED: "أعاده البنك وعاد إلى الرصيد",
    },
    "en": {
        PayoutStatus.PENDING: "Approved",
        PayoutStatus.SENT: "On its way",
        PayoutStatus.PAID: "Paid",
        PayoutStatus.FAILED: "Did not arrive; owed again",
        PayoutStatus.UNKNOWN: "On its way",
        PayoutStatus.CANCELLED: "Cancelled; owed again",
        PayoutStatus.RETURNED: "Sent back by the bank; owed again",
    },
}

TRADES: Final[Mapping[str, Mapping[PayeeType, str]]] = {
    "ar": {PayeeType.VENDOR: "مورد", PayeeType.AGENT: "وكيل"},
    "en": {PayeeType.VENDOR: "Vendor", PayeeType.AGENT: "Agent"},
}
