"""What is said of wallets, points, cashback and the books."""

from typing import Final

from middlewares.messages.sentences import Sentences

MESSAGES: Final[Sentences] = {
    "insufficient_balance": (
        ("Not enough balance", "The wallet holds less than this needs."),
        ("الرصيد غير كاف", "في المحفظة أقل من المطلوب."),
    ),
    "agent_credit_exceeded": (
        ("Not enough credit", "The deposit account and the credit limit together are less than this needs."),
        ("الرصيد الائتماني غير كاف", "رصيد حساب الإيداع والحد الائتماني معا أقل من المطلوب."),
    ),
    "journal_key_reused": (
        ("Booked before", "This movement was booked before with other figures."),
        ("مسجل من قبل", "سجلت هذه الحركة من قبل بأرقام أخرى."),
    ),
    "reversal_refused": (
        ("Not reversed", "More would be taken back than was moved, or it is a reversal itself."),
        ("لم يعكس القيد", "سيسترد أكثر مما نقل، أو أن القيد نفسه قيد عكسي."),
    ),
    "journal_not_found": (
        ("No such movement", "There is none in the books."),
        ("لا توجد حركة كهذه", "لا توجد في الدفاتر."),
    ),
    "not_reversed_by_hand": (
        ("Not reversed here", "This movement belongs to a payment, a trip or a payout; take it back there."),
        ("لا يعكس من هنا", "هذه الحركة تخص دفعة أو رحلة أو مستحقات؛ استردها من هناك."),
    ),
    "reversal_above_limit": (
        (
            "More than one person takes back",
            "It is above the limit of adjustments: adjust it, and another person agrees.",
        ),
        ("أكثر مما يعكسه شخص واحد", "المبلغ يتجاوز حد التسويات: سجل تسوية ليوافق عليها شخص آخر."),
    ),
    "own_rate": (
        ("Not at a rate of your own", "Whoever set an exchange rate does not change their own money at it."),
        ("لا يجوز بسعر حددته بنفسك", "من حدد سعر الصرف لا يحول أمواله به."),
    ),
    "withdrawal_not_found": (
        ("No such withdrawal", "There is none that you may see."),
        ("لا يوجد سحب كهذا", "لا يوجد ما يمكنك رؤيته."),
    ),
    "email_not_verified": (
        ("Prove your address first", "Money is paid out only to somebody whose e-mail address is proved."),
        ("أكد بريدك أولا", "لا تصرف الأموال إلا لمن أكد بريده الإلكتروني."),
    ),
    "own_request": (
        ("Somebody else has to do this", "Nobody decides about a request or money of their own."),
        ("يجب أن يقوم بهذا شخص آخر", "لا يبت أحد في طلب قدمه أو مال يخصه."),
    ),
    "money_owed": (
        ("This money is owed", "What was taken back and spent already is kept in the wallet until it is paid off."),
        ("هذا المبلغ مستحق عليك", "ما استرد بعد إنفاقه يبقى في المحفظة حتى يسدد."),
    ),
    "withdrawal_too_small": (
        ("Too small to be paid out", "The amount is below the least that is paid out."),
        ("أقل من أن يسحب", "المبلغ أقل من الحد الأدنى للسحب."),
    ),
    "adjustment_not_found": (
        ("No such adjustment", "There is none that you may see."),
        ("لا توجد تسوية كهذه", "لا يوجد ما يمكنك رؤيته."),
    ),
    "transfer_not_found": (
        ("No such transfer", "There is none that you may see."),
        ("لا يوجد تحويل كهذا", "لا يوجد ما يمكنك رؤيته."),
    ),
    "exchange_rate_not_found": (
        ("No rate", "Nobody has said what the one currency is worth in the other."),
        ("لا يوجد سعر صرف", "لم يحدد سعر بين العملتين."),
    ),
    "rate_moved": (
        ("The rate has moved", "Look at the new rate, and decide again."),
        ("تغير سعر الصرف", "راجع السعر الجديد وقرر من جديد."),
    ),
    "conversion_too_small": (
        ("Too small to change", "It is worth less than the smallest coin of the other currency."),
        ("أقل من أن يحول", "قيمته أقل من أصغر وحدة في العملة الأخرى."),
    ),
    "hold_not_found": (
        ("No such hold", "There is none that you may see."),
        ("لا يوجد حجز كهذا", "لا يوجد ما يمكنك رؤيته."),
    ),
    "cashback_not_found": (
        ("No such cashback", "There is none that you may see."),
        ("لا يوجد استرداد نقدي كهذا", "لا يوجد ما يمكنك رؤيته."),
    ),
    "cashback_not_eligible": (
        ("Not eligible yet", "It is credited once its booking can no longer be refunded."),
        ("لم يحن موعده بعد", "يضاف إلى المحفظة بعد أن يصبح الحجز غير قابل للاسترداد."),
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
