"""The sentences of every problem code, in English and Arabic; `{names}` are filled from the error's facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# code: ((title, detail) in English, (title, detail) in Arabic)
MESSAGES: Final[dict[str, tuple[tuple[str, str], tuple[str, str]]]] = {
    "validation_failed": (
        ("The request is not valid", "Look at `errors`: each names a field and what is wrong with it."),
        ("الطلب غير صالح", "راجع `errors`: كل عنصر يسمي حقلا وما به من خطأ."),
    ),
    "malformed_request": (
        ("The request cannot be read", "The body is not well-formed JSON."),
        ("تعذرت قراءة الطلب", "المحتوى ليس JSON سليما."),
    ),
    "unsupported_media_type": (
        ("Unsupported content type", "Send JSON with Content-Type: application/json."),
        ("نوع المحتوى غير مدعوم", "أرسل JSON مع Content-Type: application/json."),
    ),
    "payload_too_large": (
        ("The body is too large", "A body has at most {limit} bytes."),
        ("المحتوى كبير جدا", "الحد الأقصى {limit} بايت."),
    ),
    "not_found": (
        ("Not found", "There is nothing here that you may see."),
        ("غير موجود", "لا يوجد هنا ما يمكنك رؤيته."),
    ),
    "method_not_allowed": (
        ("Method not allowed", "This address does not answer this method."),
        ("الطريقة غير مسموحة", "هذا العنوان لا يقبل هذه الطريقة."),
    ),
    "unauthorized": (
        ("Sign in first", "This needs a valid access token."),
        ("سجل الدخول أولا", "يتطلب هذا رمز دخول صالحا."),
    ),
    "invalid_token": (
        ("The access token is not valid", "It is expired, revoked or not ours; sign in or refresh."),
        ("رمز الدخول غير صالح", "انتهت صلاحيته أو ألغي أو ليس منا؛ سجل الدخول أو جدده."),
    ),
    "session_ended": (
        ("The session has ended", "The refresh token is unknown, used or expired; sign in again."),
        ("انتهت الجلسة", "رمز التجديد غير معروف أو مستخدم أو منته؛ سجل الدخول مجددا."),
    ),
    "wrong_credentials": (
        ("Wrong e-mail or password", "They do not fit together."),
        ("البريد أو كلمة المرور غير صحيحة", "لا يتطابقان."),
    ),
    "forbidden": (
        ("Not allowed", "Your role does not permit this."),
        ("غير مسموح", "دورك لا يسمح بهذا."),
    ),
    "conflict": (
        ("Not possible now", "It is no longer in the state that the request supposes."),
        ("غير ممكن الآن", "لم يعد في الحالة التي يفترضها الطلب."),
    ),
    "rule_broken": (
        ("A rule refuses this", "The request is well formed, but may not be carried out."),
        ("قاعدة تمنع ذلك", "الطلب سليم الشكل لكن لا يمكن تنفيذه."),
    ),
    "unavailable": (
        ("Not available now", "Try the same request again in a moment."),
        ("غير متاح الآن", "أعد الطلب نفسه بعد قليل."),
    ),
    "database_unavailable": (
        ("Not available now", "The database cannot be reached; try again in a moment."),
        ("غير متاح الآن", "تعذر الوصول إلى قاعدة البيانات؛ حاول بعد قليل."),
    ),
    "busy": (
        ("Busy", "Another request holds what this one needs; try again."),
        ("مشغول", "طلب آخر يشغل ما يحتاجه هذا الطلب؛ أعد المحاولة."),
    ),
    "internal_error": (
        ("Something went wrong", "It is our fault, and it is recorded under this request id."),
        ("حدث خطأ", "الخطأ من جانبنا وسجل برقم هذا الطلب."),
    ),
    "rate_limited": (
        ("Too many requests", "Wait as long as Retry-After says."),
        ("طلبات كثيرة جدا", "انتظر المدة المذكورة في Retry-After."),
    ),
    "idempotency_key_missing": (
        ("Idempotency-Key is missing", "This request moves money: send a key of your own with it, once per intent."),
        ("ينقص Idempotency-Key", "هذا الطلب يحرك أموالا: أرسل معه مفتاحا خاصا بك لكل عملية."),
    ),
    "idempotency_key_reused": (
        ("Idempotency-Key was used before", "The first request with this key said something else."),
        ("استخدم Idempotency-Key من قبل", "الطلب الأول بهذا المفتاح كان مختلفا."),
    ),
    "request_in_progress": (
        ("Still running", "The first request with this Idempotency-Key is not finished; ask again in a moment."),
        ("قيد التنفيذ", "الطلب الأول بهذا المفتاح لم ينته بعد؛ أعد المحاولة بعد قليل."),
    ),
    "illegal_transition": (
        ("Not possible in this state", "It is {current}; it cannot become {wanted}."),
        ("غير ممكن في هذه الحالة", "الحالة {current} ولا يمكن أن تصبح {wanted}."),
    ),
    "invalid_cursor": (
        ("The cursor is not valid", "Take `next_cursor` from the page before, as it is."),
        ("المؤشر غير صالح", "استخدم `next_cursor` من الصفحة السابقة كما هو."),
    ),
    "currency_mismatch": (
        ("Two currencies met", "{one} and {other} cannot be added without a rate."),
        ("عملتان مختلفتان", "لا يمكن جمع {one} و{other} دون سعر صرف."),
    ),
    "email_taken": (
        ("This e-mail has an account", "Sign in, or reset the password."),
        ("لهذا البريد حساب", "سجل الدخول أو استعد كلمة المرور."),
    ),
    "verification_invalid": (
        ("The link or code is not valid", "It is unknown, used or expired."),
        ("الرابط أو الرمز غير صالح", "غير معروف أو مستخدم أو منته."),
    ),
    "plan_not_found": (
        ("No such plan", "There is no active plan with this code."),
        ("لا توجد خطة كهذه", "لا توجد خطة فعالة بهذا الرمز."),
    ),
    "plan_not_for_sale": (
        ("This plan is free", "Everybody has {plan}; choose one that has a price."),
        ("هذه الخطة مجانية", "{plan} متاحة للجميع؛ اختر خطة لها سعر."),
    ),
    "already_subscribed": (
        ("There is an active membership", "It has to end before another begins."),
        ("توجد عضوية فعالة", "يجب أن تنتهي قبل أن تبدأ أخرى."),
    ),
    "subscription_not_found": (
        ("No such subscription", "There is none that you may see."),
        ("لا يوجد اشتراك كهذا", "لا يوجد ما يمكنك رؤيته."),
    ),
    "package_not_found": (
        ("No such package", "There is none on sale under this id or name."),
        ("لا توجد باقة كهذه", "لا توجد باقة معروضة بهذا المعرف أو الاسم."),
    ),
    "slug_taken": (
        ("This address has a package", "Choose another `slug`, or leave it out: one is made from the name."),
        ("لهذا العنوان باقة", "اختر `slug` آخر أو اتركه: سيشتق واحد من الاسم."),
    ),
    "not_publishable": (
        ("The package is not complete", "Look at `errors`: what customers must see is missing."),
        ("الباقة غير مكتملة", "راجع `errors`: ينقص ما يجب أن يراه العملاء."),
    ),
    "departure_not_found": (
        ("No such departure", "This package has no such departure on sale."),
        ("لا توجد رحلة كهذه", "ليس لهذه الباقة رحلة معروضة بهذا المعرف."),
    ),
    "departure_closed": (
        ("The departure is closed", "It is not on sale any more."),
        ("الرحلة مغلقة", "لم تعد معروضة للبيع."),
    ),
    "sold_out": (
        ("Sold out", "Not enough seats are left."),
        ("نفدت المقاعد", "لم تبق مقاعد كافية."),
    ),
    "booking_not_found": (
        ("No such booking", "There is none that you may see."),
        ("لا يوجد حجز كهذا", "لا يوجد ما يمكنك رؤيته."),
    ),
    "nothing_to_pay": (
        ("There is nothing to pay", "It is {status}: paid already, or its time to pay is over."),
        ("لا يوجد ما يدفع", "الحالة {status}: مدفوع بالفعل أو انتهت مهلة دفعه."),
    ),
    "override_reason_required": (
        ("A reason is needed", "Ahead of the travel dates, say why in `override_reason`."),
        ("السبب مطلوب", "قبل موعد السفر اذكر السبب في `override_reason`."),
    ),
    "insufficient_balance": (
        ("Not enough balance", "The wallet holds less than this needs."),
        ("الرصيد غير كاف", "في المحفظة أقل من المطلوب."),
    ),
    "journal_key_reused": (
        ("Booked before", "This movement was booked before with other figures."),
        ("مسجل من قبل", "سجلت هذه الحركة من قبل بأرقام أخرى."),
    ),
    "part_payment_not_offered": (
        ("Pay all that is due", "Look at `errors` for the amount."),
        ("ادفع كامل المستحق", "راجع `errors` لمعرفة المبلغ."),
    ),
    "payment_not_found": (
        ("No such payment", "There is none that you may see."),
        ("لا توجد دفعة كهذه", "لا يوجد ما يمكنك رؤيته."),
    ),
    "unknown_provider": (
        ("No such payment provider", "{provider} is not enabled here."),
        ("لا يوجد مزود دفع كهذا", "{provider} غير مفعل هنا."),
    ),
    "provider_refused": (
        ("The payment provider refused", "Nothing was charged; try another method or provider."),
        ("رفض مزود الدفع", "لم يخصم شيء؛ جرب وسيلة أو مزودا آخر."),
    ),
    "provider_unavailable": (
        ("The payment provider cannot be reached", "Nothing was charged; try again in a moment."),
        ("تعذر الوصول إلى مزود الدفع", "لم يخصم شيء؛ حاول بعد قليل."),
    ),
    "provider_outcome_unknown": (
        ("The payment provider did not answer", "We are finding out what happened; do not pay again yet."),
        ("لم يجب مزود الدفع", "نتحقق مما حدث؛ لا تدفع مرة أخرى الآن."),
    ),
    "provider_reference_mismatch": (
        ("The reference is another payment's", "The provider says that it does not belong here."),
        ("المرجع لدفعة أخرى", "يقول المزود إنه لا يخص هذه الدفعة."),
    ),
    "bad_signature": (
        ("The signature is wrong", "Nothing in this request was believed."),
        ("التوقيع غير صحيح", "لم يعتد بأي شيء في هذا الطلب."),
    ),
    "unreadable_webhook": (
        ("The webhook cannot be read", "It is no JSON or form body that identifies a payment."),
        ("تعذرت قراءة الإشعار", "ليس محتوى JSON أو نموذجا يحدد دفعة."),
    ),
    "checkout_not_found": (
        ("No such checkout", "The sandbox gave out no such address."),
        ("لا توجد صفحة دفع كهذه", "لم تصدر البيئة التجريبية عنوانا كهذا."),
    ),
    "checkout_decided": (
        ("The checkout is over", "It was decided before: {current}."),
        ("انتهت صفحة الدفع", "سبق اختيار النتيجة: {current}."),
    ),
    "checkout_expired": (
        ("The checkout has expired", "It cannot be paid in time any more; only `late` is left."),
        ("انتهت مهلة صفحة الدفع", "لم يعد الدفع في الموعد ممكنا؛ لم يبق إلا `late`."),
    ),
    "webhook_not_delivered": (
        ("The webhook was not delivered", "The address did not answer 2xx; it will be tried again."),
        ("لم يصل الإشعار", "لم يجب العنوان بنجاح؛ ستعاد المحاولة."),
    ),
    "sandbox_disabled": (
        ("The sandbox is not enabled", "PAYMENT_GATEWAYS does not name it here."),
        ("البيئة التجريبية غير مفعلة", "لا يذكرها PAYMENT_GATEWAYS هنا."),
    ),
    "invoice_not_found": (
        ("No such invoice", "There is none that you may see."),
        ("لا توجد فاتورة كهذه", "لا يوجد ما يمكنك رؤيته."),
    ),
    "mail_unavailable": (
        ("Mail cannot be sent now", "It will be tried again."),
        ("تعذر إرسال البريد الآن", "ستعاد المحاولة."),
    ),
    "mail_refused": (
        ("The mail was refused", "The mail server will not take it."),
        ("رفض البريد", "لن يقبله خادم البريد."),
    ),
    "recipient_refused": (
        ("The address cannot be reached", "The mail server refuses this recipient."),
        ("تعذر الوصول إلى العنوان", "خادم البريد يرفض هذا المستلم."),
    ),
    "storage_unavailable": (
        ("Files cannot be stored or read now", "Try again in a moment."),
        ("تعذر حفظ الملفات أو قراءتها الآن", "حاول بعد قليل."),
    ),
}

# What is wrong with one field; other details are the rule's own sentence.
FIELD_MESSAGES: Final[dict[str, tuple[str, str]]] = {
    "unknown_field": ("This field is not known here.", "هذا الحقل غير معروف هنا."),
    "required": ("This field is required.", "هذا الحقل مطلوب."),
    "staff_only": ("Only staff decide this.", "هذا الحقل يحدده الموظفون فقط."),
    "null": ("This field may not be null.", "لا يمكن أن يكون هذا الحقل فارغا."),
    "unknown_outcome": (
        "Choose paid, declined, late, twice, short or never.",
        "اختر paid أو declined أو late أو twice أو short أو never.",
    ),
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
