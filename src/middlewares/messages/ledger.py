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
    "redemption_not_found": (
        ("No such redemption", "These points were not redeemed by that."),
        ("لا توجد عملية استبدال كهذه", "لم تستبدل هذه النقاط بتلك العملية."),
    ),
    "hold_not_found": (
        ("No such hold", "There is none that you may see."),
        ("لا يوجد حجز كهذا", "لا يوجد ما يمكنك رؤيته."),
    ),
}
