"""What is said of personal data."""

from typing import Final

from middlewares.messages.sentences import Sentences

MESSAGES: Final[Sentences] = {
    "erasure_blocked": (
        ("Money is open", "Nobody is erased while money is open: {reasons}."),
        ("هناك أموال معلقة", "لا تمحى البيانات ما دامت هناك أموال معلقة: {reasons}."),
    ),
    "erasure_already_requested": (
        ("The erasure is scheduled", "It was asked for before; it can be withdrawn until it is carried out."),
        ("المحو مجدول", "طلب من قبل، ويمكن سحبه حتى تنفيذه."),
    ),
    "erasure_not_found": (
        ("There is no erasure", "None is scheduled, or it can no longer be withdrawn."),
        ("لا يوجد طلب محو", "لا يوجد طلب مجدول أو لم يعد سحبه ممكنا."),
    ),
    "account_erased": (
        ("This person was erased", "Nothing new is kept about them."),
        ("محيت بيانات هذا الشخص", "لا يحفظ عنه شيء جديد."),
    ),
    "export_in_progress": (
        ("An export is being made", "Wait until it is ready; one is made at a time."),
        ("يجري إعداد نسخة", "انتظر حتى تجهز؛ تعد نسخة واحدة في كل مرة."),
    ),
    "export_limit_reached": (
        ("Enough exports for today", "At most {most} a day are made."),
        ("عدد كاف من النسخ اليوم", "تعد {most} نسخ على الأكثر في اليوم."),
    ),
    "export_not_found": (
        ("No such export", "It does not exist, or is somebody else's."),
        ("لا توجد نسخة كهذه", "غير موجودة أو تخص غيرك."),
    ),
    "export_not_ready": (
        ("The export has no file", "It is not made yet, or its time is over."),
        ("لا ملف لهذه النسخة", "لم تعد بعد أو انتهت مدتها."),
    ),
}
