"""The sentences of every problem code, in English and Arabic: one module for each context."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from middlewares.messages import (
    billing,
    catalogue,
    identity,
    ledger,
    membership,
    messaging,
    operations,
    partners,
    payroll,
    pricing,
    privacy,
    requests,
    sales,
)
from middlewares.messages.sentences import Sentences

MESSAGES: Final[Sentences] = {
    **requests.MESSAGES,
    **identity.MESSAGES,
    **membership.MESSAGES,
    **catalogue.MESSAGES,
    **sales.MESSAGES,
    **billing.MESSAGES,
    **ledger.MESSAGES,
    **messaging.MESSAGES,
    **operations.MESSAGES,
    **partners.MESSAGES,
    **payroll.MESSAGES,
    **pricing.MESSAGES,
    **privacy.MESSAGES,
}

# What is wrong with one field; other details are the rule's own sentence.
FIELD_MESSAGES: Final[dict[str, tuple[str, str]]] = {
    "unknown_field": ("This field is not known here.", "هذا الحقل غير معروف هنا."),
    "required": ("This field is required.", "هذا الحقل مطلوب."),
    "staff_only": ("Only staff decide this.", "هذا الحقل يحدده الموظفون فقط."),
    "null": ("This field may not be null.", "لا يمكن أن يكون هذا الحقل فارغا."),
    "unknown_state": ("Choose open, won or lost.", "اختر open أو won أو lost."),
    "unknown_outcome": (
        "Choose paid, declined, late, twice, short or never.",
        "اختر paid أو declined أو late أو twice أو short أو never.",
    ),
    "in_the_future": ("This is still to come.", "هذا الوقت لم يأت بعد."),
    "unreadable_results": ("This is not a file of bank results.", "هذا ليس ملف نتائج من البنك."),
    "other_batch": ("This file speaks of another batch.", "هذا الملف يخص دفعة أخرى."),
    "no_transactions": ("This file names no transaction.", "لا يذكر هذا الملف أي تحويل."),
    "invalid_password": ("A password has 8 to 128 characters.", "تتكون كلمة المرور من 8 إلى 128 حرفا."),
    "common_password": ("This password is known to everybody.", "كلمة المرور هذه معروفة للجميع."),
    "personal_password": (
        "A password is not one's own name or address.",
        "لا تكون كلمة المرور اسم صاحبها أو بريده.",
    ),
    "wrong_password": ("This is not the current password.", "ليست هذه كلمة المرور الحالية."),
    "card_number_refused": (
        "This looks like a card number; never send one here.",
        "يبدو هذا رقم بطاقة؛ لا ترسله هنا أبدا.",
    ),
    "invalid_phone": ("This is not a telephone number.", "هذا ليس رقم هاتف."),
    "phone_code_invalid": ("The code is wrong, used or expired.", "الرمز خاطئ أو مستخدم أو منته."),
    "invalid_roles": (
        "Roles of staff, agents and vendors, at least one.",
        "أدوار الموظفين والوكلاء والموردين، واحد على الأقل.",
    ),
    "unknown_role": ("There is no such role.", "لا يوجد دور كهذا."),
    "invitation_invalid": (
        "The link is unknown, used, withdrawn or expired.",
        "الرابط غير معروف أو مستخدم أو مسحوب أو منته.",
    ),
    "unusable_image": ("Send a PNG, JPEG or WebP image.", "أرسل صورة PNG أو JPEG أو WebP."),
    "image_too_large": ("An image has at most 40 megapixels.", "لا تزيد الصورة على 40 ميجابكسل."),
    "too_much_for_a_code": ("This is more than a QR code holds.", "هذا أكثر مما يتسع له رمز QR."),
    "scope_unavailable": ("This is not yours to give a key.", "ليس لك أن تمنح هذا لمفتاح."),
    "invalid_voucher_code": (
        "A code has 3 to 40 letters A to Z, digits, - and _.",
        "يتكون الرمز من 3 إلى 40 من الحروف A إلى Z والأرقام و- و_.",
    ),
    "wrong_value": ("This does not go with the type.", "هذا لا يناسب النوع."),
    "voucher_redeemed": ("It was used; make another voucher instead.", "استخدمت القسيمة؛ أنشئ غيرها."),
    "voucher_code_taken": ("Another voucher has this code.", "لقسيمة أخرى هذا الرمز."),
    "duplicate_code": ("Another line has the same code.", "في سطر آخر الرمز نفسه."),
    "unknown_user": ("There is no open account with this id.", "لا يوجد حساب مفتوح بهذا المعرف."),
    "unknown_tier": ("There is no membership plan with this code.", "لا توجد باقة عضوية بهذا الرمز."),
    "unknown_item": ("There is no package or activity with this id.", "لا توجد باقة أو نشاط بهذا المعرف."),
    "currency_mismatch": ("Every amount is in one currency.", "كل المبالغ بعملة واحدة."),
    "not_of_the_departure": ("The departure has another date.", "للرحلة تاريخ آخر."),
    "not_on_request": (
        "This is booked from the catalogue: name its item and departure.",
        "يحجز هذا من الكتالوج: اذكر العنصر وموعد الرحلة.",
    ),
    "staff_priced": ("Staff and agents price this; leave it out.", "يسعر هذا الموظفون والوكلاء؛ لا ترسله."),
    "customers_points": ("They are the customer's to spend; leave them out.", "إنفاقها للعميل وحده؛ لا ترسلها."),
    "unknown_time_zone": ("This is no time zone.", "هذه ليست منطقة زمنية."),
    "one_of_two": ("Send this or the other, not both.", "أرسل هذا أو الآخر، لا كليهما."),
    "too_deep": ("This has too many levels.", "مستويات هذا كثيرة جدا."),
    "another_currency": ("All items are in one currency.", "كل العناصر بعملة واحدة."),
    "document_expires": (
        "The document is not valid long enough for this trip.",
        "مدة سريان الوثيقة لا تكفي هذه الرحلة.",
    ),
    "duplicate": ("This is there twice.", "هذا مكرر."),
    "invalid_iban": (
        "This is no IBAN: a character is wrong or missing.",
        "هذا ليس رقم IBAN صحيحا: حرف خاطئ أو ناقص.",
    ),
    "invalid_account_number": ("Send an IBAN, or 4 to 30 digits.", "أرسل رقم IBAN أو من 4 إلى 30 رقما."),
    "invalid_swift_code": (
        "A SWIFT code has 8 or 11 letters and digits.",
        "يتكون رمز SWIFT من 8 أو 11 من الحروف والأرقام.",
    ),
    "in_the_past": ("This is over.", "هذا في الماضي."),
    "document_expired": ("The paper is no longer valid.", "انتهت صلاحية المستند."),
    "amount_too_small": ("Half of this amount is no money.", "نصف هذا المبلغ لا يدفع."),
}


def sentences(code: str, language: str, facts: Mapping[str, object]) -> tuple[str, str]:
    """Title and detail of a code in `ar` or `en`."""
    title, detail = MESSAGES[code][1 if language == "ar" else 0]
    return title, detail.format_map(_Shown(facts))


class _Shown(dict[str, object]):
    """Facts that a sentence may name; one that is missing shows as a dash."""

    def __missing__(self, key: str) -> str:
        return "-"
