"""What is said of mails and short messages."""

from typing import Final

from middlewares.messages.sentences import Sentences

MESSAGES: Final[Sentences] = {
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
    "sms_unavailable": (
        ("Text messages cannot be sent now", "Try again later."),
        ("تعذر إرسال الرسائل القصيرة الآن", "حاول لاحقا."),
    ),
    "sms_refused": (
        ("The message was refused", "This number cannot receive text messages."),
        ("رفضت الرسالة", "هذا الرقم لا يستقبل الرسائل القصيرة."),
    ),
    "push_unavailable": (
        ("Pushes cannot be sent now", "It will be tried again."),
        ("تعذر إرسال الإشعارات الفورية الآن", "ستعاد المحاولة."),
    ),
    "push_refused": (
        ("The push was refused", "It will never be taken."),
        ("رفض الإشعار الفوري", "لن يقبل."),
    ),
    "device_gone": (
        ("The device cannot be reached", "The app is no longer on this device."),
        ("تعذر الوصول إلى الجهاز", "لم يعد التطبيق على هذا الجهاز."),
    ),
    "device_not_found": (
        ("No such device", "There is no such device, or it is not yours."),
        ("الجهاز غير موجود", "لا يوجد جهاز بهذا المعرف، أو ليس لك."),
    ),
    "channel_fixed": (
        ("This cannot be switched off", "Messages about money always go out by mail."),
        ("لا يمكن إيقاف هذا", "رسائل الأموال ترسل دائما بالبريد."),
    ),
    "suppression_not_found": (
        ("No such address", "Mail to this address is not held back."),
        ("العنوان غير موجود", "البريد إلى هذا العنوان غير موقوف."),
    ),
    "dead_letter_not_found": (
        ("No such dead letter", "Nothing of this event was given up, or it is due again already."),
        ("لا يوجد بريد ميت", "لم يتوقف شيء من هذا الحدث، أو أعيد تشغيله."),
    ),
}
