"""What the checkout page says, in Arabic and English."""

from collections.abc import Mapping
from typing import Final

from domain.billing.sandbox import Outcome

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "ar": {
        "title": "صفحة الدفع التجريبية",
        "test": "هذه صفحة دفع تجريبية: لا تُخصم أي أموال، ولا تُطلب بيانات بطاقة. "
        "اختر ما يحدث للدفعة لترى كيف يتصرف النظام.",
        "amount": "المبلغ",
        "description": "البيان",
        "merchant": "التاجر",
        "until": "صالحة حتى",
        "zone": "بتوقيت القاهرة",
        "question": "ماذا يحدث لهذه الدفعة؟",
        "submit": "متابعة",
        "switch": "English",
        "back": "العودة إلى التاجر",
        "footer": "مزود دفع تجريبي داخل النظام، للعرض والاختبار فقط.",
        "not_found_title": "لا توجد صفحة دفع هنا",
        "not_found": "هذا العنوان غير معروف. عد إلى التطبيق وابدأ الدفع من جديد.",
        "decided_title": "انتهت صفحة الدفع هذه",
        "decided": "سبق اختيار النتيجة: {outcome}. لا يمكن تغييرها، ولن يُخصم شيء آخر.",
        "expired_title": "انتهت مهلة هذه الصفحة",
        "expired": "لم يعد الدفع في الموعد ممكنًا. يمكنك فقط أن تجعل المبلغ يصل متأخرًا، "
        "كما يحدث أحيانًا مع أكواد الدفع النقدي.",
        "unavailable_title": "الصفحة غير متاحة الآن",
        "unavailable": "لم يتغير شيء. حاول مرة أخرى بعد قليل.",
        "fault": "اختر إحدى النتائج أدناه (outcome).",
        "fault_amount_too_small": "نصف هذا المبلغ لا يُدفع؛ اختر نتيجة أخرى (outcome).",
    },
    "en": {
        "title": "Sandbox checkout",
        "test": "This is a practice checkout: no money is taken and no card is asked for. "
        "Choose what becomes of the payment, and see how the system answers.",
        "amount": "Amount",
        "description": "For",
        "merchant": "Merchant",
        "until": "Open until",
        "zone": "Cairo time",
        "question": "What happens to this payment?",
        "submit": "Continue",
        "switch": "العربية",
        "back": "Back to the merchant",
        "footer": "A payment provider for demonstrations and tests, part of this installation.",
        "not_found_title": "There is no checkout here",
        "not_found": "This address is not known. Go back to the app and start the payment again.",
        "decided_title": "This checkout is over",
        "decided": "The outcome was chosen before: {outcome}. It cannot be changed, and nothing else will be charged.",
        "expired_title": "This checkout has expired",
        "expired": "It cannot be paid in time any more. You can only let the money arrive late, "
        "as sometimes happens with cash codes.",
        "unavailable_title": "The page is not available now",
        "unavailable": "Nothing has changed. Please try again in a moment.",
        "fault": "Choose one of the outcomes below (outcome).",
        "fault_amount_too_small": "Half of this amount cannot be paid; choose another outcome (outcome).",
    },
}

# outcome: (label, what follows)
OUTCOMES: Final[Mapping[str, Mapping[Outcome, tuple[str, str]]]] = {
    "ar": {
        Outcome.PAID: ("تُدفع الآن", "يُخصم المبلغ كاملًا مرة واحدة ويُبلَّغ التاجر فورًا."),
        Outcome.DECLINED: ("تُرفض", "يرفض البنك العملية ولا يُخصم شيء."),
        Outcome.LATE: ("تُدفع متأخرة", "يصل المبلغ بعد انتهاء المهلة، ويُبلَّغ التاجر عندها."),
        Outcome.TWICE: ("تُدفع مرتين", "يُخصم المبلغ كاملًا مرتين بالخطأ."),
        Outcome.SHORT: ("يُدفع نصفها", "يُخصم نصف المبلغ فقط."),
        Outcome.NEVER: ("لا شيء", "يغادر العميل دون دفع، ولا يُبلَّغ التاجر؛ وتبقى الصفحة مفتوحة حتى نهاية المهلة."),
    },
    "en": {
        Outcome.PAID: ("It is paid now", "The whole amount is charged once, and the merchant is told at once."),
        Outcome.DECLINED: ("It is declined", "The bank refuses; nothing is charged."),
        Outcome.LATE: ("It is paid late", "The money comes after the time to pay is over; the merchant is told then."),
        Outcome.TWICE: ("It is paid twice", "The whole amount is charged two times by mistake."),
        Outcome.SHORT: ("It is paid short", "Only half of the amount is charged."),
        Outcome.NEVER: (
            "Nothing happens",
            "The customer leaves without paying and the merchant hears nothing; the page stays open until its end.",
        ),
    },
}
