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
