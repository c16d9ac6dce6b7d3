"""Where people land from the mails about their account."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, request

from api.context import use
from api.pages.html import Pages, page_language
from application.identity import passwords
from application.identity.accounts import verify_email
from domain.identity.passwords import WrongResetToken
from domain.identity.users import EmailTaken, WrongVerification
from domain.shared.errors import InvalidValue
from middlewares.auth_middleware import public
from middlewares.messages import FIELD_MESSAGES

blueprint = Blueprint("pages", __name__)

_PAGES: Final = Pages()

_VERIFY: Final = {
    "ar": {
        "ask": {"title": "تأكيد بريدك الإلكتروني", "text": "اضغط الزر لتأكيد عنوانك.", "button": "تأكيد"},
        "done": {"title": "تم تأكيد بريدك", "text": "يمكنك إغلاق هذه الصفحة والعودة إلى التطبيق."},
        "failed": {"title": "الرابط غير صالح", "text": "غير معروف أو مستخدم أو منته."},
        "taken": {
            "title": "هذا العنوان مؤكد لحساب آخر",
            "text": "سجّل الدخول إلى ذلك الحساب في التطبيق أو استعد كلمة مروره.",
        },
    },
    "en": {
        "ask": {
            "title": "Confirm your e-mail",
            "text": "Press the button to confirm your address.",
            "button": "Confirm",
        },
        "done": {"title": "Your e-mail is confirmed", "text": "You can close this page and go back to the app."},
        "failed": {
            "title": "The link is not valid",
            "text": "It is unknown, used or expired.",
        },
        "taken": {
            "title": "Another account has this address",
            "text": "Sign in to that one in the app, or reset its password.",
        },
    },
}


@blueprint.get("/verify-email")
@public
def ask_to_verify() -> Response:
    """The mail's link. It only asks: programs that look at links in mails must not spend the token."""
    return _verify_page("ask", token=request.args.get("token", "")[:200])


@blueprint.post("/verify-email")
@public
def verify() -> Response:
    """The button: proves the address."""
    try:
        verify_email(request.form.get("token", "")[:200], uow=use().new_uow(), clock=use().clock)
    except WrongVerification:
        return _verify_page("failed", status=422)
    except EmailTaken:
        return _verify_page("taken", status=409)
    return _verify_page("done")


def _verify_page(state: str, *, token: str = "", status: int = 200) -> Response:
    language = page_language()
    words = _VERIFY[language][state]
    facts = {"title": words["title"], "words": words, "token": token}
    return _PAGES.answer("verify.html.jinja", language, facts, status=status)


_RESET: Final = {
    "ar": {
        "ask": {
            "title": "كلمة مرور جديدة",
            "text": "بعد تعيينها تُسجَّل كل الأجهزة خروجًا.",
            "label": "كلمة المرور الجديدة (8 أحرف على الأقل)",
            "button": "تعيين",
        },
        "done": {"title": "تم تعيين كلمة المرور", "text": "سجّل الدخول بها في التطبيق."},
        "failed": {
            "title": "الرابط غير صالح",
            "text": "غير معروف أو مستخدم أو منته أو حل محله رابط أحدث. اطلب رابطًا آخر من التطبيق.",
        },
    },
    "en": {
        "ask": {
            "title": "A new password",
            "text": "When it is set, every device is signed out.",
            "label": "New password (at least 8 characters)",
            "button": "Set it",
        },
        "done": {"title": "The password is set", "text": "Sign in with it in the app."},
        "failed": {
            "title": "The link is not valid",
            "text": "It is unknown, used, expired or replaced by a newer one. Ask for another in the app.",
        },
    },
}


@blueprint.get("/reset-password")
@public
def ask_for_password() -> Response:
    """The mail's link: asks for the new password."""
    token = request.args.get("token", "")[:200]
    return _reset_page("ask", token=token) if token else _reset_page("failed", status=422)


@blueprint.post("/reset-password")
@public
def reset_password() -> Response:
    """The form: sets the password, or says what is wrong with it and asks again."""
    token = request.form.get("token", "")[:200]
    command = passwords.ResetPassword(
        token=token, password=request.form.get("password", "")[:1024], address=request.remote_addr or ""
    )
    try:
        passwords.reset_password(command, uow=use().new_uow(), passwords=use().passwords, clock=use().clock)
    except WrongResetToken:
        return _reset_page("failed", status=422)
    except InvalidValue as error:
        return _reset_page("ask", token=token, fault=error.faults[0].code, status=422)
    return _reset_page("done")


def _reset_page(state: str, *, token: str = "", fault: str = "", status: int = 200) -> Response:
    language = page_language()
    words = _RESET[language][state]
    told = FIELD_MESSAGES[fault][1 if language == "ar" else 0] if fault else ""
    facts = {"title": words["title"], "words": words, "token": token, "fault": told}
    return _PAGES.answer("reset.html.jinja", language, facts, status=status)
