"""What is said of payments, providers and invoices."""

from typing import Final

from middlewares.messages.sentences import Sentences

MESSAGES: Final[Sentences] = {
    "part_payment_not_offered": (
        ("This part cannot be paid", "Look at `errors` for what is due, and what is the least at once."),
        ("لا يمكن دفع هذا الجزء", "راجع `errors` لمعرفة المستحق وأقل دفعة ممكنة."),
    ),
    "refund_above_capture": (
        ("More than can be given back", "{refundable} at most can still be refunded."),
        ("أكثر مما يمكن رده", "أقصى ما يمكن رده الآن {refundable}."),
    ),
    "no_late_money": (
        (
            "Nothing to choose",
            "No late money of this booking waits for a choice: none came, or it was decided.",
        ),
        ("لا يوجد ما يختار", "لا ينتظر أي مبلغ متأخر لهذا الحجز اختيارا: لم يصل شيء، أو تم القرار بشأنه."),
    ),
    "suspense_not_found": (
        ("No such money in suspense", "No receipt of this id is kept there."),
        ("لا يوجد مبلغ معلق كهذا", "لا يوجد إيصال معلق بهذا المعرف."),
    ),
    "suspense_does_not_fit": (
        ("The money does not fit", "It is not what may be paid there now, or is not real money."),
        ("المبلغ غير مناسب", "ليس ما يمكن دفعه هناك الآن، أو ليس نقودا حقيقية."),
    ),
    "write_off_too_large": (
        ("Too much to be written off", "{limit} at most; the rest is somebody's money."),
        ("المبلغ أكبر من أن يشطب", "{limit} كحد أقصى؛ فما زاد مال يخص أحدا."),
    ),
    "attempt_not_found": (
        ("No such attempt", "No payment was attempted under this id."),
        ("لا توجد محاولة كهذه", "لا توجد محاولة دفع بهذا المعرف."),
    ),
    "webhook_not_found": (
        ("No such webhook", "None with this id arrived."),
        ("لا يوجد إشعار كهذا", "لم يصل إشعار بهذا المعرف."),
    ),
    "attention_not_found": (
        ("Nothing of the kind", "The queue never had such a row."),
        ("لا يوجد شيء كهذا", "لم يكن في القائمة صف كهذا."),
    ),
    "provider_reference_unknown": (
        ("The provider cannot be asked yet", "Nobody knows its reference of this attempt; look on its dashboard."),
        ("لا يمكن سؤال المزود بعد", "مرجعه لهذه المحاولة غير معروف؛ راجع لوحة تحكمه."),
    ),
    "refund_not_found": (
        ("No such refund", "There is none that you may see."),
        ("لا يوجد رد مبلغ كهذا", "لا يوجد ما يمكنك رؤيته."),
    ),
    "refund_preview_stale": (
        ("The preview is out of date", "The refund would do something else by now; look at a new preview."),
        ("لم تعد المعاينة صالحة", "سيكون لرد المبلغ أثر مختلف الآن؛ اطلب معاينة جديدة."),
    ),
    "refund_reference_taken": (
        ("The reference is another refund's", "Look at the provider's dashboard for the reference of this one."),
        ("المرجع لرد مبلغ آخر", "راجع لوحة مزود الدفع لمعرفة مرجع هذا الرد."),
    ),
    "payment_disputed": (
        ("The payment is disputed", "Nothing is refunded until the customer's bank has decided."),
        ("الدفعة محل نزاع", "لا يرد شيء حتى يبت بنك العميل في النزاع."),
    ),
    "suspense_refunded": (
        ("It is being given back", "This money has been given back, or is on its way."),
        ("المبلغ قيد الرد", "رد هذا المبلغ أو هو في الطريق."),
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
    "manual_receipt_not_found": (
        ("No such receipt", "There is none with this id."),
        ("لا يوجد إيصال كهذا", "لا يوجد إيصال بهذا المعرف."),
    ),
    "not_confirmed_by_hand": (
        ("This payment is not confirmed by hand", "Its provider tells us of its money itself, or nothing was opened."),
        ("لا تؤكد هذه الدفعة يدويا", "يبلغنا مزودها بوصول المبلغ بنفسه، أو لم يفتح طلب للدفع بعد."),
    ),
    "already_confirmed": (
        ("Money of this payment was confirmed before", "Say `additional` if more came on top of it."),
        ("سبق تأكيد مبلغ لهذه الدفعة", "أرسل `additional` إن وصل مبلغ آخر فوقه."),
    ),
    "receipt_reference_used": (
        ("The reference was used before", "Other money was confirmed under it; look at what the bank says again."),
        ("المرجع مستخدم من قبل", "سبق تأكيد مبلغ آخر بهذا المرجع؛ راجع كشف البنك."),
    ),
    "slip_not_found": (
        ("No slip", "Nobody sent one for this payment."),
        ("لا توجد صورة إيصال", "لم يرسل أحد صورة لهذه الدفعة."),
    ),
    "slip_not_wanted": (
        ("A slip is of no use here", "The payment is not confirmed by hand, or no longer waits for money."),
        ("لا حاجة إلى صورة إيصال هنا", "لا تؤكد هذه الدفعة يدويا، أو لم تعد تنتظر مبلغا."),
    ),
    "no_qr_code": (
        ("No QR code", "This way to pay has none."),
        ("لا يوجد رمز QR", "ليس لوسيلة الدفع هذه رمز."),
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
    "nothing_to_dispute": (
        ("Nothing to dispute", "Nothing was charged, or the dispute is over: {current}."),
        ("لا شيء للاعتراض عليه", "لم يخصم شيء، أو انتهى الاعتراض: {current}."),
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
}
