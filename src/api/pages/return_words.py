"""What the return page says, in Arabic and English."""

from collections.abc import Mapping
from typing import Final

from application.billing.returns import ReturnState

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "ar": {
        "amount": "المبلغ",
        "number": "رقم الدفعة",
        "switch": "English",
        "to_app": "العودة إلى AltayarVIP",
        "to_host": "المتابعة إلى {host}",
        "close": "يمكنك إغلاق هذه الصفحة والعودة إلى التطبيق.",
        "refreshes": "تتحدث هذه الصفحة وحدها.",
        "again": "تحقق مرة أخرى",
    },
    "en": {
        "amount": "Amount",
        "number": "Payment number",
        "switch": "العربية",
        "to_app": "Back to AltayarVIP",
        "to_host": "Continue to {host}",
        "close": "You can close this page and go back to the app.",
        "refreshes": "This page refreshes itself.",
        "again": "Check again",
    },
}
STATES: Final[Mapping[str, Mapping[ReturnState, Mapping[str, str]]]] = {
    "ar": {
        ReturnState.PAID: {"title": "تم الدفع", "text": "وصل المبلغ وسُجل. شكرًا لك."},
        ReturnState.WAITING: {
            "title": "ننتظر تأكيد الدفع",
            "text": "نسأل مزود الدفع الآن. لا تدفع مرة أخرى.",
        },
        ReturnState.REVIEW: {
            "title": "وصل مبلغ ونراجعه",
            "text": "وصلنا مبلغ لا يطابق هذه الدفعة. سيراجعه أحد موظفينا، ومبلغك محفوظ. لا تدفع مرة أخرى.",
        },
        ReturnState.LEFT: {
            "title": "لم يكتمل الدفع",
            "text": "غادرت صفحة الدفع قبل إتمامه. يمكنك المحاولة مرة أخرى من التطبيق.",
        },
        ReturnState.FAILED: {
            "title": "لم يتم الدفع",
            "text": "لم يُقبل الدفع ولم يُسجل أي مبلغ. يمكنك المحاولة مرة أخرى من التطبيق.",
        },
        ReturnState.CANCELLED: {
            "title": "أُلغيت هذه الدفعة",
            "text": "لم تعد هذه الدفعة مطلوبة. إن خُصم مبلغ فهو محفوظ لك.",
        },
    },
    "en": {
        ReturnState.PAID: {"title": "It is paid", "text": "The money is in and booked. Thank you."},
        ReturnState.WAITING: {
            "title": "We are waiting for your payment",
            "text": "We are asking the payment provider. Do not pay again.",
        },
        ReturnState.REVIEW: {
            "title": "Money came, and we are looking at it",
            "text": "It does not match this payment. One of us will decide; your money is safe. Do not pay again.",
        },
        ReturnState.LEFT: {
            "title": "The payment was not completed",
            "text": "You left the payment page before it was done. You can try again in the app.",
        },
        ReturnState.FAILED: {
            "title": "It was not paid",
            "text": "The payment was declined, and nothing was booked. You can try again in the app.",
        },
        ReturnState.CANCELLED: {
            "title": "This payment was cancelled",
            "text": "It is not wanted any more. If something was charged, it is kept safe for you.",
        },
    },
}

# Where nothing is known of a payment: what the provider's word in the address suggests, and no more.
RETURNED: Final[Mapping[str, Mapping[str, str]]] = {
    "ar": {
        "title": "نتحقق من الدفع",
        "text": "شكرًا لك. نتأكد الآن من الدفع لدى مزود الخدمة، وستظهر النتيجة في التطبيق بعد قليل.",
        "next": "يمكنك إغلاق هذه الصفحة والعودة إلى التطبيق.",
    },
    "en": {
        "title": "We are checking your payment",
        "text": "Thank you. We are asking the payment provider now; the app shows the result in a moment.",
        "next": "You can close this page and go back to the app.",
    },
}
CANCELLED: Final[Mapping[str, Mapping[str, str]]] = {
    "ar": {
        "title": "لم يكتمل الدفع",
        "text": "أُلغي الدفع أو لم يُقبل. إن كان الدفع لحجز، فالحجز محفوظ لك حتى انتهاء المهلة الظاهرة في التطبيق.",
        "next": "يمكنك العودة إلى التطبيق والمحاولة مرة أخرى.",
    },
    "en": {
        "title": "The payment was not completed",
        "text": "It was cancelled or declined. A booking is kept for you until the deadline shown in the app.",
        "next": "You can go back to the app and try again.",
    },
}
