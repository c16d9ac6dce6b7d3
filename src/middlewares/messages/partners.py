"""What is said of vendors and agents."""

from typing import Final

from middlewares.messages.sentences import Sentences

MESSAGES: Final[Sentences] = {
    "partner_not_found": (
        ("No such profile", "It does not exist, or is somebody else's."),
        ("لا يوجد ملف كهذا", "غير موجود أو يخص غيرك."),
    ),
    "partner_exists": (
        ("There is a profile", "An account has one profile as a vendor and one as an agent; change that one."),
        ("الملف موجود", "لكل حساب ملف واحد كمورد وملف واحد كوكيل؛ عدل الملف الموجود."),
    ),
    "partner_suspended": (
        ("The profile is suspended", "Where its money goes is not changed while it is; write to us."),
        ("الملف موقوف", "لا تتغير وجهة أمواله أثناء الإيقاف؛ راسلنا."),
    ),
    "bank_account_missing": (
        ("There is no bank account", "Payouts by bank transfer need an account to go to; enter it first."),
        ("لا يوجد حساب بنكي", "تحتاج المدفوعات بالتحويل البنكي إلى حساب؛ أدخله أولا."),
    ),
    "stripe_account_missing": (
        ("There is no account at Stripe", "Staff enter it first; then payouts may go there."),
        ("لا يوجد حساب لدى Stripe", "يدخله الموظفون أولا، ثم يمكن الدفع إليه."),
    ),
    "agent_not_active": (
        (
            "The agent is not active",
            "Agents book for customers once staff have approved them, and not while suspended.",
        ),
        ("الوكيل غير مفعل", "يحجز الوكيل للعملاء بعد اعتماده، لا أثناء إيقافه."),
    ),
    "rate_exists": (
        ("A rate begins at that instant", "Choose another instant; rates are never changed."),
        ("توجد نسبة تبدأ في هذه اللحظة", "اختر لحظة أخرى؛ فالنسب لا تعدل."),
    ),
    "partner_document_not_found": (
        ("No such paper", "It does not exist, or is somebody else's."),
        ("لا يوجد مستند كهذا", "غير موجود أو يخص غيرك."),
    ),
    "too_many_documents": (
        ("Enough papers", "A profile keeps at most 50 papers; write to us."),
        ("عدد كاف من المستندات", "يحفظ الملف 50 مستندا على الأكثر؛ راسلنا."),
    ),
    "document_verified": (
        ("The paper was verified", "Somebody said before that it is in order."),
        ("المستند موثق بالفعل", "أكد أحدهم من قبل أنه سليم."),
    ),
}
