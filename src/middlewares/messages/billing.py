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
}
