"""What is said of bookings."""

from typing import Final

from middlewares.messages.sentences import Sentences

MESSAGES: Final[Sentences] = {
    "booking_not_found": (
        ("No such booking", "There is none that you may see."),
        ("لا يوجد حجز كهذا", "لا يوجد ما يمكنك رؤيته."),
    ),
    "customer_not_found": (
        ("No such customer", "There is no open account with this id."),
        ("لا يوجد عميل كهذا", "لا يوجد حساب مفتوح بهذا المعرف."),
    ),
    "ages_are_priced": (
        ("Ages change by an amendment", "A birth date that is known may have made the price; amend the booking."),
        ("تغيير الأعمار يكون بتعديل الحجز", "تاريخ الميلاد المسجل قد يكون حدد السعر؛ عدل الحجز."),
    ),
    "amendment_not_found": (
        ("No such change", "There is none of this booking that waits for its payment."),
        ("لا يوجد تعديل كهذا", "لا يوجد تعديل لهذا الحجز ينتظر الدفع."),
    ),
    "amendment_waits": (
        ("Another change waits", "Pay it, or withdraw it first; it waits until {expires_at}."),
        ("يوجد تعديل آخر ينتظر الدفع", "ادفعه أو اسحبه أولا؛ وهو ينتظر حتى {expires_at}."),
    ),
    "amendment_not_offered": (
        ("This booking is changed by people", "Ask us about it: {reason}."),
        ("يعدل فريقنا هذا الحجز", "تواصل معنا بشأنه: {reason}."),
    ),
    "balance_due": (
        ("The trip is not paid in full", "{due} is still due."),
        ("لم تدفع الرحلة بالكامل", "ما زال {due} مستحقا."),
    ),
    "cancellation_preview_stale": (
        ("The preview is out of date", "What cancelling would do has changed; ask for the preview again."),
        ("المعاينة لم تعد صالحة", "تغير ما سيفعله الإلغاء؛ اطلب المعاينة مرة أخرى."),
    ),
    "cancellation_policy_not_found": (
        ("No such policy", "There is no such cancellation policy, or it is not offered."),
        ("لا توجد سياسة كهذه", "لا توجد سياسة إلغاء كهذه أو أنها غير متاحة."),
    ),
    "trip_started": (
        ("The trip has begun", "A trip that has begun cannot be cancelled any more; ask us about a refund."),
        ("بدأت الرحلة", "لا يمكن إلغاء رحلة بدأت؛ تواصل معنا بشأن رد المبلغ."),
    ),
    "nothing_to_pay": (
        ("There is nothing to pay", "It is {status}: paid already, or its time to pay is over."),
        ("لا يوجد ما يدفع", "الحالة {status}: مدفوع بالفعل أو انتهت مهلة دفعه."),
    ),
    "price_moved": (
        ("The price has changed", "What you were shown is not the price any more; `new_total` is."),
        ("تغير السعر", "السعر المعروض لم يعد صالحا؛ والسعر الآن في `new_total`."),
    ),
    "plan_not_offered": (
        ("This payment plan is not offered", "Look at `errors` for why; it can be paid all at once."),
        ("خطة الدفع هذه غير متاحة", "راجع `errors` لمعرفة السبب؛ ويمكن دفع المبلغ كاملا."),
    ),
    "voucher_not_applied": (
        ("The voucher gives this booking nothing", "Take it away, or change what it asks for: {reason}."),
        ("القسيمة لا تنطبق على هذا الحجز", "احذفها أو غير ما تشترطه: {reason}."),
    ),
    "trip_began": (
        ("The trip has begun", "It can be priced once it is asked for later dates."),
        ("بدأت الرحلة", "يمكن تسعيرها بعد طلبها لموعد لاحق."),
    ),
    "trip_not_begun": (
        ("The trip has not begun", "Nobody can have missed it before {starts_on}."),
        ("لم تبدأ الرحلة بعد", "لا يمكن تسجيل عدم الحضور قبل {starts_on}."),
    ),
    "travelers_fixed": (
        ("Who travels is fixed now", "It is {current}; travellers are changed until the trip begins."),
        ("لم يعد تغيير المسافرين ممكنا", "الحالة {current}؛ ويمكن تغيير المسافرين حتى بداية الرحلة."),
    ),
    "operation_not_found": (
        ("No such operation", "There is no mass operation with this id."),
        ("لا توجد عملية كهذه", "لا توجد عملية جماعية بهذا المعرف."),
    ),
    "operation_in_progress": (
        ("A mass operation is under way", "The departure is being cancelled or moved; wait until that is over."),
        ("توجد عملية جماعية جارية", "الرحلة قيد الإلغاء أو النقل؛ انتظر حتى تنتهي العملية."),
    ),
    "waiting_entry_not_found": (
        ("No such place in line", "There is none of yours with this id."),
        ("لا يوجد دور انتظار كهذا", "لا يوجد دور لك بهذا المعرف."),
    ),
    "seats_available": (
        ("There are seats", "Nobody has to wait: {seats_left} are left. Book them."),
        ("توجد مقاعد متاحة", "لا حاجة إلى الانتظار: المقاعد المتبقية {seats_left}. احجزها."),
    ),
    "already_waiting": (
        ("You are waiting already", "You have a place in this line."),
        ("أنت في الانتظار بالفعل", "لديك دور في قائمة الانتظار هذه."),
    ),
    "no_seat_offer": (
        ("No seats are kept for you", "Your place in line is {status}: not offered yet, or its offer is over."),
        ("لا توجد مقاعد محفوظة لك", "حالة دورك {status}: لم يقدم عرض بعد أو انتهى وقته."),
    ),
    "manifest_too_long": (
        ("Too long to print", "A PDF holds {most} travellers; ask for CSV."),
        ("أطول من أن يطبع", "يتسع ملف PDF لعدد {most} مسافر؛ اطلب ملف CSV."),
    ),
    "override_reason_required": (
        ("A reason is needed", "Ahead of the travel dates, say why in `override_reason`."),
        ("السبب مطلوب", "قبل موعد السفر اذكر السبب في `override_reason`."),
    ),
}
