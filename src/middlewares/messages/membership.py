"""What is said of plans and subscriptions."""

from typing import Final

from middlewares.messages.sentences import Sentences

MESSAGES: Final[Sentences] = {
    "plan_not_found": (
        ("No such plan", "There is no active plan with this code."),
        ("لا توجد خطة كهذه", "لا توجد خطة فعالة بهذا الرمز."),
    ),
    "plan_not_for_sale": (
        ("This plan is free", "Everybody has {plan}; choose one that has a price."),
        ("هذه الخطة مجانية", "{plan} متاحة للجميع؛ اختر خطة لها سعر."),
    ),
    "already_subscribed": (
        ("There is an active membership", "It has to end before another begins."),
        ("توجد عضوية فعالة", "يجب أن تنتهي قبل أن تبدأ أخرى."),
    ),
    "subscription_not_found": (
        ("No such subscription", "There is none that you may see."),
        ("لا يوجد اشتراك كهذا", "لا يوجد ما يمكنك رؤيته."),
    ),
}
