"""Where customers land after a provider's page; it proves nothing, reads nothing and changes nothing."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, request

from api.pages.html import DIRECTIONS, Pages, page_language
from middlewares.auth_middleware import public

blueprint = Blueprint("pages", __name__)

_PAGES: Final = Pages()

_RETURNED: Final = {
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
_CANCELLED: Final = {
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


@blueprint.get("/payments/return")
@public
def returned_from_payment() -> Response:
    """In both languages, the reader's first: who comes back may have no language set with us."""
    words = _CANCELLED if request.args.get("outcome") == "cancel" else _RETURNED
    language = page_language()
    languages = (language, "en" if language == "ar" else "ar")
    messages = [{"language": it, "direction": DIRECTIONS[it], **words[it]} for it in languages]
    return _PAGES.answer("return.html.jinja", language, {"title": words[language]["title"], "messages": messages})
