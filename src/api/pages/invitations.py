"""Where the link in an invitation's mail leads: a form that accepts it, without scripts."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Response, request

from api.context import device, use
from api.pages.html import Pages, page_language
from application.identity.invitations import AcceptInvitation, accept_invitation
from application.identity.tokens import digest
from application.messaging.texts import ROLE_LABELS
from application.queries import Row
from domain.shared.errors import DomainError
from middlewares.auth_middleware import public
from middlewares.messages import FIELD_MESSAGES, sentences

blueprint = Blueprint("invitation_pages", __name__)

_PAGES: Final = Pages()
_LONGEST: Final = 1024
_SHOWN_AGAIN: Final = ("first_name", "last_name", "phone")

_WORDS: Final = {
    "ar": {
        "title": "دعوة للانضمام إلى AltayarVIP",
        "text": "أكمل بياناتك لقبول الدعوة.",
        "known": "لهذا العنوان حساب لدينا: أدخل كلمة مروره لإضافة الدور إليه.",
        "email": "البريد الإلكتروني",
        "role": "الدور",
        "first_name": "الاسم الأول",
        "last_name": "اسم العائلة",
        "phone": "رقم الهاتف (اختياري)",
        "password": "كلمة المرور",
        "code": "رمز تطبيق المصادقة أو رمز استرداد",
        "button": "قبول الدعوة",
    },
    "en": {
        "title": "You are invited to AltayarVIP",
        "text": "Tell us who you are to accept the invitation.",
        "known": "This address has an account with us: give its password to add the role to it.",
        "email": "E-mail",
        "role": "Role",
        "first_name": "First name",
        "last_name": "Last name",
        "phone": "Telephone (optional)",
        "password": "Password",
        "code": "Code of the authenticator app, or a recovery code",
        "button": "Accept the invitation",
    },
}
_DONE: Final = {
    "ar": {"title": "تم قبول الدعوة", "text": "يمكنك الآن تسجيل الدخول في التطبيق ببريدك وكلمة المرور."},
    "en": {"title": "The invitation is accepted", "text": "You can now sign in to the app with e-mail and password."},
}
_OVER: Final = {
    "ar": {"title": "الرابط غير صالح", "text": "غير معروف أو مستخدم أو مسحوب أو منته. اطلب دعوة أخرى."},
    "en": {"title": "The link is not valid", "text": "It is unknown, used, withdrawn or expired. Ask for another one."},
}


@blueprint.get("/invitations/accept")
@public
def ask_to_accept() -> Response:
    """The mail's link. It only asks: programs that look at links in mails must not accept anything."""
    return _form(request.args.get("token", "")[:_LONGEST])


@blueprint.post("/invitations/accept")
@public
def accept() -> Response:
    """The form: opens the account, or adds the roles to the one that there is; signing in is the app's business."""
    given = {name: value[:_LONGEST] for name, value in request.form.items()}
    token = given.get("token", "")
    try:
        accept_invitation(
            AcceptInvitation(
                token=token,
                password=given.get("password", ""),
                first_name=given.get("first_name"),
                last_name=given.get("last_name"),
                phone=given.get("phone", "").strip() or None,
                second_factor_code=given.get("second_factor_code", "").strip() or None,
                **device(),
            ),
            uow=use().new_uow(),
            passwords=use().passwords,
            codes=use().one_time_codes,
            tokens=use().tokens,
            clock=use().clock,
            new_id=use().new_id,
        )
    except DomainError as refusal:
        return _form(token, given, refusal)
    language = page_language()
    return _PAGES.answer("message.html.jinja", language, _DONE[language])


def _form(token: str, given: dict[str, str] | None = None, refusal: DomainError | None = None) -> Response:
    invitation = use().queries.identity.open_invitation(digest(token.strip()), now=use().clock.now())
    if invitation is None:
        language = page_language()
        return _PAGES.answer("message.html.jinja", language, _OVER[language], status=422)
    language = page_language(invitation["locale"])
    facts = {
        **_WORDS[language],
        "words": _WORDS[language],
        "token": token,
        "invitation": invitation,
        "roles": _labels(invitation, language),
        "fields": _fields(invitation),
        "given": {name: value for name, value in (given or {}).items() if name in _SHOWN_AGAIN},
        "fault": _told(refusal, language) if refusal is not None else "",
    }
    return _PAGES.answer("invitation.html.jinja", language, facts, status=200 if refusal is None else 422)


def _fields(invitation: Row) -> list[dict[str, Any]]:
    """What is asked: names of a new account, a code where the known one has a second factor."""
    password = {"name": "password", "kind": "password", "label": "password", "required": True}
    if not invitation["has_account"]:
        names = [
            {"name": name, "kind": "text", "label": name, "required": True, "hint": hint}
            for name, hint in (("first_name", "given-name"), ("last_name", "family-name"))
        ]
        phone = {"name": "phone", "kind": "tel", "label": "phone", "required": False, "hint": "tel"}
        return [*names, phone, {**password, "hint": "new-password"}]
    code = {
        "name": "second_factor_code",
        "kind": "text",
        "label": "code",
        "required": True,
        "hint": "one-time-code",
    }
    known = {**password, "hint": "current-password"}
    return [known, code] if invitation["has_second_factor"] else [known]


def _labels(invitation: Row, language: str) -> str:
    labels = ROLE_LABELS[language]
    return ", ".join(labels.get(role, role) for role in invitation["roles"])


def _told(refusal: DomainError, language: str) -> str:
    """The refusal as a person reads it: what is wrong with the field, else the problem's own sentence."""
    for fault in refusal.faults:
        known = FIELD_MESSAGES.get(fault.code)
        return known[1 if language == "ar" else 0] if known else fault.detail
    return " · ".join(sentences(refusal.code, language, refusal.facts))
