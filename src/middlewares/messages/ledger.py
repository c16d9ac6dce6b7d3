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
    "journal_not_found": (
        ("No such movement", "There is none in the books."),
        ("لا توجد حركة كهذه", "لا توجد في الدفاتر."),
    ),
    "not_reversed_by_hand": (
        ("Not reversed here", "This movement belongs to a payment, a trip or a payout; take it back there."),
        ("لا يعكس من هنا", "هذه الحركة تخص دفعة أو رحلة أو مستحقات؛ استردها من هناك."),
    ),
    "redemption_not_found": (
        ("No such redemption", "These points were not redeemed by that."),
        ("لا توجد عملية استبدال كهذه", "لم تستبدل هذه النقاط بتلك العملية."),
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
}
