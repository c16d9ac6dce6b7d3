"""What is said of every request, whatever it is about."""

from typing import Final

from middlewares.messages.sentences import Sentences

MESSAGES: Final[Sentences] = {
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
    "address_too_long": (
        ("The address is too long", "Send what does not fit into an address as the body of a request."),
        ("العنوان طويل جدا", "أرسل ما لا يتسع له العنوان في محتوى الطلب."),
    ),
    "precondition_failed": (
        ("It has changed meanwhile", "`If-Match` names an older version: read it again, then change what you find."),
        ("تغير في هذه الأثناء", "`If-Match` يشير إلى نسخة أقدم: اقرأه من جديد ثم غير ما تجده."),
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
    "overloaded": (
        ("Too much is asked at this moment", "Try the same request again when Retry-After says."),
        ("الطلبات في هذه اللحظة كثيرة جدا", "أعد الطلب نفسه بعد المدة المذكورة في Retry-After."),
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
    "storage_unavailable": (
        ("Files cannot be stored or read now", "Try again in a moment."),
        ("تعذر حفظ الملفات أو قراءتها الآن", "حاول بعد قليل."),
    ),
}
