"""What is said of packages and departures."""

from typing import Final

from middlewares.messages.sentences import Sentences

MESSAGES: Final[Sentences] = {
    "package_not_found": (
        ("No such package", "There is none on sale under this id or name."),
        ("لا توجد باقة كهذه", "لا توجد باقة معروضة بهذا المعرف أو الاسم."),
    ),
    "activity_not_found": (
        ("No such activity", "There is none on sale under this id or name."),
        ("لا يوجد نشاط كهذا", "لا يوجد نشاط معروض بهذا المعرف أو الاسم."),
    ),
    "slug_taken": (
        ("This address is taken", "Choose another `slug`, or leave it out: one is made from the name."),
        ("هذا العنوان مستخدم", "اختر `slug` آخر أو اتركه: سيشتق واحد من الاسم."),
    ),
    "not_publishable": (
        ("It is not complete", "Look at `errors`: what customers must see is missing."),
        ("البيانات غير مكتملة", "راجع `errors`: ينقص ما يجب أن يراه العملاء."),
    ),
    "amounts_in_old_currency": (
        (
            "Prices name amounts in the old currency",
            "Age bands or seasons hold fixed amounts: take them out before the currency changes.",
        ),
        (
            "توجد أسعار بالعملة القديمة",
            "في الفئات العمرية أو المواسم مبالغ ثابتة: أزلها قبل تغيير العملة.",
        ),
    ),
    "under_review": (
        ("It is being looked at", "Staff have not decided about it yet; you will be told."),
        ("قيد المراجعة", "لم يبت الموظفون فيها بعد؛ وسيصلك إشعار."),
    ),
    "nothing_to_review": (
        ("Nothing to decide", "Nobody waits for a decision about it: it is {approval}."),
        ("لا شيء للبت فيه", "لا أحد ينتظر قرارا بهذا الشأن: الحالة {approval}."),
    ),
    "image_not_found": (
        ("No such picture", "There is none here under this id."),
        ("لا توجد صورة كهذه", "لا توجد هنا صورة بهذا المعرف."),
    ),
    "too_many_images": (
        ("Too many pictures", "There are at most {most} pictures; delete one first."),
        ("صور كثيرة", "{most} صورة على الأكثر؛ احذف واحدة أولا."),
    ),
    "rating_not_found": (
        ("No such rating", "There is none here that you may see."),
        ("لا يوجد تقييم كهذا", "لا يوجد هنا تقييم يمكنك رؤيته."),
    ),
    "trip_not_completed": (
        ("The trip is not over", "A trip is rated by whoever made it, once it is completed."),
        ("لم تنته الرحلة", "يقيم الرحلة من قام بها بعد اكتمالها."),
    ),
    "already_rated": (
        ("Rated already", "A trip is rated once; change that rating instead."),
        ("تم التقييم من قبل", "تقيم الرحلة مرة واحدة؛ عدل التقييم بدلا من ذلك."),
    ),
    "rating_closed": (
        ("The rating stands", "A rating can be changed for 30 days."),
        ("التقييم نهائي", "يمكن تعديل التقييم خلال 30 يوما."),
    ),
    "departure_not_found": (
        ("No such departure", "There is no such departure on sale."),
        ("لا توجد رحلة كهذه", "لا توجد رحلة معروضة بهذا المعرف."),
    ),
    "departure_closed": (
        ("The departure is closed", "It is not on sale any more."),
        ("الرحلة مغلقة", "لم تعد معروضة للبيع."),
    ),
    "sold_out": (
        ("Sold out", "Not enough seats are left: {seats_left}."),
        ("نفدت المقاعد", "لم تبق مقاعد كافية: {seats_left}."),
    ),
    "departure_has_bookings": (
        ("The departure has bookings", "{seats_taken} seats are taken: move or refund its customers first."),
        ("للرحلة حجوزات", "المقاعد المحجوزة {seats_taken}: انقل العملاء أو رد أموالهم أولا."),
    ),
    "capacity_below_sold": (
        ("Fewer seats than are taken", "{seats_taken} seats are taken; there cannot be fewer."),
        ("مقاعد أقل من المحجوز", "المقاعد المحجوزة {seats_taken}؛ ولا يمكن أن تقل عنها."),
    ),
    "calendar_feed_not_found": (
        ("No such calendar", "It was revoked, or its owner may not see departures any more."),
        ("لا يوجد تقويم كهذا", "ألغي، أو لم يعد لصاحبه الاطلاع على الرحلات."),
    ),
    "too_many_calendar_feeds": (
        ("Too many calendars", "Nobody has more than {most}; revoke one first."),
        ("تقويمات كثيرة جدا", "الحد الأقصى {most}؛ ألغ واحدا أولا."),
    ),
    "pool_not_found": (
        ("No such pool", "There is none with this id."),
        ("لا توجد مقاعد مشتركة كهذه", "لا توجد مقاعد مشتركة بهذا المعرف."),
    ),
    "pool_series_not_found": (
        ("No such series of pools", "There is none with this id."),
        ("لا توجد سلسلة مقاعد مشتركة كهذه", "لا توجد سلسلة بهذا المعرف."),
    ),
    "pool_attached": (
        ("The pool is attached already", "The departure draws its seats from it."),
        ("المقاعد المشتركة مرتبطة بالفعل", "تأخذ الرحلة مقاعدها منها."),
    ),
    "pool_not_attached": (
        ("The pool is not attached", "The departure draws no seats from it."),
        ("المقاعد المشتركة غير مرتبطة", "لا تأخذ الرحلة مقاعد منها."),
    ),
    "pattern_not_found": (
        ("No such pattern", "There is none of your items with this id."),
        ("لا يوجد جدول كهذا", "لا يوجد جدول لعناصرك بهذا المعرف."),
    ),
}
