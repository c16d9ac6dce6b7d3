"""What is said of batches, payouts and bank files."""

from typing import Final

from middlewares.messages.sentences import Sentences

MESSAGES: Final[Sentences] = {
    "payout_batch_not_found": (
        ("No such batch", "There is no payout batch with this id."),
        ("لا توجد دفعة كهذه", "لا توجد دفعة مستحقات بهذا المعرف."),
    ),
    "own_payout_batch": (
        ("Somebody else has to approve it", "Whoever made a batch does not approve it."),
        ("يجب أن يعتمدها شخص آخر", "من أنشأ الدفعة لا يعتمدها."),
    ),
    "payout_batch_empty": (
        ("Nothing to approve", "The batch has no payouts."),
        ("لا شيء للاعتماد", "لا مستحقات في هذه الدفعة."),
    ),
    "payout_not_found": (
        ("No such payout", "There is no payout with this id."),
        ("لا يوجد صرف كهذا", "لا يوجد صرف مستحقات بهذا المعرف."),
    ),
    "payout_not_approved": (
        ("Not approved yet", "A payout has a statement once its batch is approved."),
        ("لم يعتمد بعد", "للصرف كشف بعد اعتماد دفعته."),
    ),
    "bank_file_not_ready": (
        ("The bank file is not complete yet", "It is there once the batch is being processed."),
        ("ملف البنك لم يكتمل بعد", "يتاح عند بدء معالجة الدفعة."),
    ),
    "bank_file_empty": (
        ("No bank transfers", "Nothing of this batch goes through a bank."),
        ("لا تحويلات بنكية", "لا شيء في هذه الدفعة يصرف عن طريق البنك."),
    ),
    "bank_destination_erased": (
        ("An account was erased", "A payee of this batch was erased since, with the account the money went to."),
        ("تم محو أحد الحسابات", "محيت بيانات أحد المستفيدين من هذه الدفعة مع حسابه البنكي."),
    ),
    "payout_debtor_missing": (
        ("Who pays is not set", "Set payout.debtor_name and payout.debtor_iban first, or take the CSV file."),
        ("لم يحدد حساب الصرف", "حدد payout.debtor_name وpayout.debtor_iban أولا، أو استخدم ملف CSV."),
    ),
}
