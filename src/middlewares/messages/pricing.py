"""What is said of vouchers and offers: refusals, and why one gives a basket nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from domain.pricing.deals import Reason
from middlewares.messages.sentences import Sentences

MESSAGES: Final[Sentences] = {
    "voucher_not_found": (
        ("No such voucher", "There is none with this id."),
        ("لا توجد قسيمة كهذه", "لا توجد قسيمة بهذا المعرف."),
    ),
    "voucher_code_taken": (
        ("The code is taken", "Another voucher has this code."),
        ("الرمز مستخدم", "لقسيمة أخرى هذا الرمز."),
    ),
    "voucher_exhausted": (
        ("The voucher is used up", "It has no use left, for anybody or for this buyer."),
        ("استنفدت القسيمة", "لم يبق لها استخدام، للجميع أو لهذا المشتري."),
    ),
    "voucher_over": (
        ("The voucher is over", "Its time is over: give it another end first."),
        ("انتهت القسيمة", "انتهت مدتها: حدد لها نهاية أخرى أولا."),
    ),
    "voucher_redeemed": (
        ("The voucher was used", "What it gives stays as it is; its limits and dates can change."),
        ("استخدمت القسيمة", "يبقى ما تمنحه كما هو؛ ويمكن تعديل حدودها وتواريخها."),
    ),
    "offer_not_found": (
        ("No such offer", "There is none that runs with this id."),
        ("لا يوجد عرض كهذا", "لا يوجد عرض سار بهذا المعرف."),
    ),
    "offer_exhausted": (
        ("The offer is used up", "It has no use left, for anybody or for this buyer."),
        ("استنفد العرض", "لم يبق له استخدام، للجميع أو لهذا المشتري."),
    ),
    "offer_over": (
        ("The offer is over", "Its time is over: give it another end first."),
        ("انتهى العرض", "انتهت مدته: حدد له نهاية أخرى أولا."),
    ),
}

REASONS: Final[Mapping[Reason, tuple[str, str]]] = {
    Reason.VOUCHER_UNKNOWN: ("There is no voucher with this code for you.", "لا توجد لك قسيمة بهذا الرمز."),
    Reason.NOT_STARTED: ("It can be used from {since} on.", "يمكن استخدامه بدءا من {since}."),
    Reason.EXPIRED: ("It could be used until {until}.", "كان يمكن استخدامه حتى {until}."),
    Reason.INACTIVE: ("It is not in use.", "ليس قيد الاستخدام."),
    Reason.EXHAUSTED: ("It has no use left.", "لم يبق له استخدام."),
    Reason.USED_UP_BY_YOU: (
        "You have used it as often as you may: {limit}.",
        "استخدمته بعدد المرات المسموح لك به: {limit}.",
    ),
    Reason.OUTSIDE_SCHEDULE: ("It cannot be used on this day or at this hour.", "لا يستخدم في هذا اليوم أو الساعة."),
    Reason.TRAVEL_DATES: (
        "It is for trips that start from {first} to {last}.",
        "مخصص لرحلات تبدأ من {first} إلى {last}.",
    ),
    Reason.WRONG_TYPE: ("It is for {wanted} alone.", "مخصص لهذا النوع فقط: {wanted}."),
    Reason.WRONG_ITEM: ("It is for other items.", "مخصص لعناصر أخرى."),
    Reason.WRONG_TIER: ("It is for members of {tiers}.", "مخصص لأعضاء {tiers}."),
    Reason.WRONG_CURRENCY: ("It is for prices in {currency}.", "مخصص لأسعار بعملة {currency}."),
    Reason.BELOW_MINIMUM: (
        "It is for purchases from {minimum} on; {missing} is missing.",
        "مخصص لمشتريات بدءا من {minimum}؛ ينقص {missing}.",
    ),
    Reason.NO_PAIR: ("It is for two of the same.", "مخصص لاثنين من الشيء نفسه."),
    Reason.NOTHING_LEFT: ("Nothing is left for it to take off.", "لم يبق ما يخصم منه."),
    Reason.NOT_COMBINABLE: ("It does not go with the others.", "لا يجتمع مع غيره."),
    Reason.INSUFFICIENT_BALANCE: (
        "You can spend {available} of these {asked} points.",
        "يمكنك استخدام {available} من هذه النقاط وعددها {asked}.",
    ),
}
"""English and Arabic; braces name a reason's figures."""


def reason_sentence(reason: str, language: str, figures: Mapping[str, str]) -> str:
    """Why something did not apply, in `ar` or `en`."""
    english, arabic = REASONS[Reason(reason)]
    return (arabic if language == "ar" else english).format_map(figures)
