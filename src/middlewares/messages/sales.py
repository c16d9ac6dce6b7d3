"""What is said of bookings."""

from typing import Final

from middlewares.messages.sentences import Sentences

MESSAGES: Final[Sentences] = {
    "booking_not_found": (
        ("No such booking", "There is none that you may see."),
        ("لا يوجد حجز كهذا", "لا يوجد ما يمكنك رؤيته."),
    ),
    "balance_due": (
        ("The trip is not paid in full", "{due} is still due."),
        ("لم تدفع الرحلة بالكامل", "ما زال {due} مستحقا."),
    ),
    "nothing_to_pay": (
        ("There is nothing to pay", "It is {status}: paid already, or its time to pay is over."),
        ("لا يوجد ما يدفع", "الحالة {status}: مدفوع بالفعل أو انتهت مهلة دفعه."),
    ),
    "price_moved": (
        ("The price has changed", "What you were shown is not the price any more; `new_total` is."),
        ("تغير السعر", "السعر المعروض لم يعد صالحا؛ والسعر الآن في `new_total`."),
    ),
    "voucher_not_applied": (
        ("The voucher gives this booking nothing", "Take it away, or change what it asks for: {reason}."),
        ("القسيمة لا تنطبق على هذا الحجز", "احذفها أو غير ما تشترطه: {reason}."),
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
    "override_reason_required": (
        ("A reason is needed", "Ahead of the travel dates, say why in `override_reason`."),
        ("السبب مطلوب", "قبل موعد السفر اذكر السبب في `override_reason`."),
    ),
}
