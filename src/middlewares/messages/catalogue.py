"""What is said of packages and departures."""

from typing import Final

from middlewares.messages.sentences import Sentences

MESSAGES: Final[Sentences] = {
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
    "under_review": (
        ("It is being looked at", "Staff have not decided about it yet; you will be told."),
        ("قيد المراجعة", "لم يبت الموظفون فيها بعد؛ وسيصلك إشعار."),
    ),
    "nothing_to_review": (
        ("Nothing to decide", "Nobody waits for a decision about this package: it is {approval}."),
        ("لا شيء للبت فيه", "لا أحد ينتظر قرارا بشأن هذه الباقة: حالتها {approval}."),
    ),
    "image_not_found": (
        ("No such picture", "The package has no picture under this id."),
        ("لا توجد صورة كهذه", "ليس للباقة صورة بهذا المعرف."),
    ),
    "too_many_images": (
        ("Too many pictures", "A package has at most {most} pictures; delete one first."),
        ("صور كثيرة", "للباقة {most} صورة على الأكثر؛ احذف واحدة أولا."),
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
}
