"""What is said of wallets, points, cashback and the books."""

from typing import Final

from middlewares.messages.sentences import Sentences

MESSAGES: Final[Sentences] = {
    "insufficient_balance": (
        ("Not enough balance", "The wallet holds less than this needs."),
        ("الرصيد غير كاف", "في المحفظة أقل من المطلوب."),
    ),
    "journal_key_reused": (
        ("Booked before", "This movement was booked before with other figures."),
        ("مسجل من قبل", "سجلت هذه الحركة من قبل بأرقام أخرى."),
    ),
    "reversal_refused": (
        ("Not reversed", "More would be taken back than was moved, or it is a reversal itself."),
        ("لم يعكس القيد", "سيسترد أكثر مما نقل، أو أن القيد نفسه قيد عكسي."),
    ),
    "hold_not_found": (
        ("No such hold", "There is none that you may see."),
        ("لا يوجد حجز كهذا", "لا يوجد ما يمكنك رؤيته."),
    ),
    "journal_not_found": (
        ("No such journal", "There is none with this id."),
        ("لا يوجد قيد كهذا", "لا يوجد قيد بهذا المعرف."),
    ),
    "account_not_found": (
        ("No such account", "There is none, or nothing has ever moved on it."),
        ("لا يوجد حساب كهذا", "لا يوجد حساب كهذا، أو لم تجر عليه أي حركة."),
    ),
    "statement_too_long": (
        ("Too long to print", "A PDF holds {most} movements; ask for a shorter period, or for CSV."),
        ("أطول من أن يطبع", "يتسع ملف PDF لعدد {most} حركة؛ اطلب فترة أقصر أو ملف CSV."),
    ),
    "statement_limit_reached": (
        ("Enough statements for today", "At most {most} a day are drawn; ask for CSV."),
        ("عدد كاف من الكشوف اليوم", "يعد {most} كشفا على الأكثر في اليوم؛ اطلب ملف CSV."),
    ),
    "reconciliation_not_found": (
        ("No such reconciliation", "There is none with this id."),
        ("لا توجد مطابقة كهذه", "لا توجد مطابقة بهذا المعرف."),
    ),
    "break_not_found": (
        ("No such difference", "There is none with this id."),
        ("لا يوجد فرق كهذا", "لا يوجد فرق بهذا المعرف."),
    ),
    "nothing_to_write_off": (
        ("Nothing to write off", "The provider has as much as the books say, or more."),
        ("لا شيء يعدم", "لدى مقدم الدفع مثل ما في الدفاتر أو أكثر."),
    ),
}
