"""The system's settings: what staff may change while it runs, each with its type, bounds, default and meaning.

A module that needs a figure of the company's adds its line here and reads it with `system_settings.value(…)`.
Figures of money are money objects, as everywhere in the API.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Generic, TypeVar

from domain.operations.kinds import (
    Kind,
    bic,
    e_mail,
    flag,
    iban,
    money_per_currency,
    one_of,
    paragraphs,
    phone,
    points_per_currency,
    text,
    whole,
)
from domain.shared.errors import InvalidValue, NotFound
from domain.shared.money import EXPONENTS

T = TypeVar("T")


class SettingCategory(StrEnum):
    """What it is about: the guide's five (§J), and five for what the guide's have no place for."""

    GENERAL = "general"
    PAYMENT = "payment"
    NOTIFICATION = "notification"
    MEMBERSHIP = "membership"
    BOOKING = "booking"
    LEDGER = "ledger"
    SECURITY = "security"
    PRIVACY = "privacy"
    CATALOGUE = "catalogue"
    PAYOUT = "payout"


class SettingNotFound(NotFound):
    """There is no setting with this key."""

    code = "setting_not_found"


@dataclass(frozen=True, slots=True)
class Setting(Generic[T]):
    """One known setting; public ones are shown to everybody, and super admins alone change what one may do alone."""

    key: str
    kind: Kind[T]
    default: T
    description_en: str
    description_ar: str
    is_public: bool = False
    super_admins_only: bool = False
    """It says how much one person may do without a second one: whom it binds must not be whoever moves it."""

    @property
    def category(self) -> SettingCategory:
        """The key's first word."""
        return SettingCategory(self.key.partition(".")[0])

    def effective(self, stored: object, default: T) -> T:
        """The stored value while it fits; the default where nothing is stored, or bounds have since moved past it."""
        try:
            return default if stored is None else self.kind.read(stored)
        except InvalidValue:
            return default


COMPANY_NAME: Final = Setting(
    "general.company_name", text(least=1, most=100), "AltayarVIP",
    "The company's name as customers read it", "اسم الشركة كما يقرؤه العملاء", is_public=True,
)  # fmt: skip
SUPPORT_EMAIL: Final = Setting(
    "general.support_email", e_mail(), "",
    "Where customers write to for help; empty where there is no such address",
    "البريد الذي يكتب إليه العملاء للمساعدة؛ فارغ إن لم يوجد", is_public=True,
)  # fmt: skip
SUPPORT_PHONE: Final = Setting(
    "general.support_phone", phone(), "",
    "Where customers call for help; empty where there is no such number",
    "الهاتف الذي يتصل به العملاء للمساعدة؛ فارغ إن لم يوجد", is_public=True,
)  # fmt: skip
DEFAULT_CURRENCY: Final = Setting(
    "general.default_currency", one_of(*EXPONENTS), "EGP",
    "The currency that apps show first", "العملة التي تعرضها التطبيقات أولا", is_public=True,
)  # fmt: skip
HOLD_MINUTES: Final = Setting(
    "booking.hold_minutes", whole(1, 7 * 24 * 60), 30,
    "For how many minutes an unpaid booking holds its seats",
    "عدد الدقائق التي يحتفظ فيها الحجز غير المدفوع بمقاعده", is_public=True,
)  # fmt: skip
GRACE_MINUTES: Final = Setting(
    "booking.grace_minutes", whole(0, 7 * 24 * 60), 5,
    "For how many minutes after the shown deadline seats are still kept: money may be on its way",
    "عدد الدقائق التي تبقى فيها المقاعد محفوظة بعد الموعد المعروض لأن الدفعة قد تكون في الطريق",
)  # fmt: skip
CODE_HOURS: Final = Setting(
    "booking.code_hours", whole(1, 14 * 24), 24,
    "For how many hours a payment code (Fawry, Aman, Masary, cash, bank transfer) lives, and keeps the seats",
    "عدد الساعات التي يعيشها كود الدفع (فوري، أمان، مصاري، نقدا، تحويل بنكي) ويحفظ فيها المقاعد", is_public=True,
)  # fmt: skip
LONGEST_HOLD_HOURS: Final = Setting(
    "booking.longest_hold_hours", whole(1, 30 * 24), 72,
    "For how many hours after it was placed payment codes keep a booking's seats at most, however many are opened",
    "أقصى عدد من الساعات بعد الحجز تحفظ فيه أكواد الدفع المقاعد مهما كان عددها", is_public=True,
)  # fmt: skip
DEPOSIT_PERCENT: Final = Setting(
    "booking.deposit_percent", whole(1, 100), 100,
    "How many percent of its price confirm a booking; the rest may be paid later",
    "النسبة المئوية من السعر التي تؤكد الحجز؛ ويمكن دفع الباقي لاحقا", is_public=True,
)  # fmt: skip
BALANCE_DUE_DAYS_BEFORE: Final = Setting(
    "booking.balance_due_days_before", whole(2, 365), 14,
    "How many days before the trip the last instalment of its price is due",
    "عدد الأيام قبل الرحلة التي يستحق فيها آخر قسط من سعرها", is_public=True,
)  # fmt: skip
INSTALMENTS_MOST: Final = Setting(
    "booking.instalments_most", whole(1, 12), 3,
    "Into how many monthly instalments the price less its deposit is split at most; 1 offers none",
    "أقصى عدد من الأقساط الشهرية للسعر بعد العربون؛ و1 لا يتيح التقسيط", is_public=True,
)  # fmt: skip
INSTALMENT_REMINDER_DAYS: Final = Setting(
    "booking.instalment_reminder_days", whole(1, 60), 3,
    "How many days before an instalment is due its customer is reminded",
    "عدد الأيام قبل استحقاق القسط التي يذكر فيها العميل",
)  # fmt: skip
OVERDUE_GRACE_DAYS: Final = Setting(
    "booking.overdue_grace_days", whole(0, 60), 3,
    "For how many days after an instalment was due its booking is kept unpaid",
    "عدد الأيام بعد استحقاق القسط التي يبقى فيها الحجز دون دفع", is_public=True,
)  # fmt: skip
BOOKING_FEE: Final = Setting(
    "booking.fee", money_per_currency(), [],
    "A fixed fee on each booking, by currency; in one that is not named that of the listed currency, converted",
    "رسم ثابت على كل حجز لكل عملة؛ وفي غير المذكورة رسم العملة المعلن بها السعر محولا", is_public=True,
)  # fmt: skip
DEPARTURE_HORIZON_DAYS: Final = Setting(
    "catalogue.departure_horizon_days", whole(1, 730), 180,
    "How many days ahead departures are planned that recur",
    "عدد الأيام القادمة التي تجدول لها الرحلات المتكررة",
)  # fmt: skip
OFFER_HOURS: Final = Setting(
    "booking.offer_hours", whole(1, 720), 48,
    "For how many hours an offer for a requested trip can be paid, unless whoever made it said otherwise",
    "عدد الساعات التي يمكن فيها دفع عرض لرحلة مطلوبة ما لم يحدد صاحب العرض غير ذلك",
)  # fmt: skip
DOCUMENT_VALIDITY_DAYS: Final = Setting(
    "booking.document_validity_days", whole(0, 730), 0,
    "For how many days after the last day of the trip travellers' documents have to be valid",
    "عدد الأيام التي يجب أن تظل فيها وثائق المسافرين سارية بعد آخر يوم في الرحلة", is_public=True,
)  # fmt: skip
ARCHIVE_AFTER_DAYS: Final = Setting(
    "booking.archive_after_days", whole(30, 3650), 365,
    "For how many days a booking that is over stays in lists after its last change",
    "عدد الأيام التي يبقى فيها الحجز المنتهي في القوائم بعد آخر تغيير فيه",
)  # fmt: skip
MOVED_FREE_DAYS: Final = Setting(
    "booking.moved_free_days", whole(0, 365), 7,
    "For how many days a customer whose departure was moved may cancel for nothing, never beyond the start",
    "عدد الأيام التي يمكن فيها للعميل الإلغاء دون رسوم بعد نقل رحلته، ولا تتجاوز بدء الرحلة", is_public=True,
)  # fmt: skip
WAITING_OFFER_HOURS: Final = Setting(
    "catalogue.waiting_offer_hours", whole(1, 7 * 24), 12,
    "For how many hours seats that came back are kept for whoever is first in line, never beyond the start",
    "عدد الساعات التي تحفظ فيها المقاعد العائدة لأول المنتظرين، ولا تتجاوز بدء الرحلة", is_public=True,
)  # fmt: skip
MONEY_UNITS_PER_POINT: Final = Setting(
    "ledger.money_units_per_point", whole(1, 1_000_000), 10,
    "How many whole units of money earn one point, before the plan's multiplier",
    "عدد الوحدات الكاملة من النقود التي تكسب نقطة واحدة قبل مضاعف الباقة", is_public=True,
)  # fmt: skip
POINTS_PER_MONEY_UNIT: Final = Setting(
    "ledger.points_per_money_unit", whole(1, 1_000_000), 100,
    "How many points pay one whole unit of the currency that a trip is listed in",
    "عدد النقاط التي تدفع وحدة كاملة من العملة المعلن بها سعر الرحلة", is_public=True,
)  # fmt: skip
POINTS_BY_CURRENCY: Final = Setting(
    "ledger.points_by_currency", points_per_currency(), [],
    "What earns a point and what points pay, for trips that are listed in some currencies; the plain figures in others",
    "ما يكسب النقطة وما تدفعه النقاط في الرحلات المعلن سعرها بعملات بعينها؛ وفي غيرها الأرقام العامة", is_public=True,
)  # fmt: skip
POINTS_LIFETIME_DAYS: Final = Setting(
    "ledger.points_lifetime_days", whole(1, 3650), 365,
    "For how many days points live from the day they are earned",
    "عدد الأيام التي تعيشها النقاط منذ اكتسابها", is_public=True,
)  # fmt: skip
POINTS_EXPIRING_SOON_DAYS: Final = Setting(
    "ledger.points_expiring_soon_days", whole(1, 365), 30,
    "Within how many days points end that are shown as expiring soon",
    "عدد الأيام التي تنتهي خلالها النقاط المعروضة على أنها توشك على الانتهاء", is_public=True,
)  # fmt: skip
POINTS_GRACE_DAYS: Final = Setting(
    "ledger.points_grace_days", whole(1, 365), 30,
    "For how many days points live on that a refund gives back after their time was over",
    "عدد الأيام التي تعيشها النقاط المعادة بعد استرداد إذا كانت مدتها قد انتهت", is_public=True,
)  # fmt: skip
SECOND_FACTOR_REQUIRED: Final = Setting(
    "security.second_factor_required", flag(), False,
    "Whether staff have to sign in with a second factor to move money, or to change settings, roles and who has them",
    "هل يجب على الموظفين تسجيل الدخول بعامل ثان لتحريك الأموال أو تعديل الإعدادات والأدوار ومن يحملها",
)  # fmt: skip
CASHBACK_ELIGIBLE_AFTER_DAYS: Final = Setting(
    "ledger.cashback_eligible_after_days", whole(0, 365), 7,
    "For how many days after the trip cashback waits at least before it is credited",
    "أقل عدد من الأيام ينتظره الاسترداد النقدي بعد الرحلة قبل إضافته إلى المحفظة", is_public=True,
)  # fmt: skip
CASHBACK_AUTO_APPROVE: Final = Setting(
    "ledger.cashback_auto_approve", flag(), False,
    "Whether cashback that nobody has approved is approved by its time alone",
    "هل يعتمد الاسترداد النقدي الذي لم يعتمده أحد تلقائيا عند حلول موعده",
)  # fmt: skip
ERASURE_GRACE_DAYS: Final = Setting(
    "privacy.erasure_grace_days", whole(0, 29), 14,
    "For how many days a person may take back the wish to be erased",
    "عدد الأيام التي يمكن فيها للشخص التراجع عن طلب محو بياناته",
)  # fmt: skip

WITHDRAWAL_MINIMUM: Final = Setting(
    "ledger.withdrawal_minimum", money_per_currency(), [{"amount": "100.00", "currency": "EGP"}],
    "The least that is paid out of a wallet, by currency; any amount in currencies that are not named",
    "أقل مبلغ يسحب من المحفظة لكل عملة؛ وأي مبلغ في العملات غير المذكورة", is_public=True,
)  # fmt: skip
ADJUSTMENT_LIMIT: Final = Setting(
    "ledger.adjustment_limit", money_per_currency(), [{"amount": "1000.00", "currency": "EGP"}],
    "Up to how much one person adjusts a wallet alone, by currency; nothing in currencies that are not named",
    "المبلغ الذي يسوي به شخص واحد المحفظة منفردا لكل عملة؛ ولا شيء في العملات غير المذكورة", super_admins_only=True,
)  # fmt: skip
POINTS_ADJUSTMENT_LIMIT: Final = Setting(
    "ledger.points_adjustment_limit", whole(0, 10_000_000), 10_000,
    "Up to how many points one person adjusts alone", "عدد النقاط التي يسويها شخص واحد منفردا", super_admins_only=True,
)  # fmt: skip
WRITE_OFF_LIMIT: Final = Setting(
    "payment.write_off_limit", money_per_currency(), [{"amount": "1.00", "currency": "EGP"}],
    "Up to how much of money in suspense is written off as rounding, by currency; nothing in others",
    "أقصى مبلغ معلق يشطب كفرق تقريب لكل عملة؛ ولا شيء في العملات الأخرى", super_admins_only=True,
)  # fmt: skip
WEBHOOK_BODY_DAYS: Final = Setting(
    "payment.webhook_body_days", whole(1, 3650), 90,
    "For how many days providers' notices are kept as they arrived; what was understood of them stays",
    "عدد الأيام التي تحفظ فيها إشعارات مزودي الدفع كما وصلت؛ ويبقى ما فهم منها",
)  # fmt: skip

MANUAL_CONFIRMATION_LIMIT: Final = Setting(
    "payment.manual_confirmation_limit", money_per_currency(), [{"amount": "10000.00", "currency": "EGP"}],
    "Up to how much money one person confirms alone, by currency; nothing in currencies that are not named",
    "المبلغ الذي يؤكد استلامه شخص واحد منفردا لكل عملة؛ ولا شيء في العملات غير المذكورة", super_admins_only=True,
)  # fmt: skip
LATE_CHOICE_DAYS: Final = Setting(
    "payment.late_choice_days", whole(1, 90), 7,
    "For how many days customers choose what becomes of money that came too late; then it is in their wallet",
    "عدد الأيام التي يختار فيها العملاء مصير المبلغ الذي وصل متأخرا؛ ثم يضاف إلى محافظهم", is_public=True,
)  # fmt: skip
BANK_TRANSFER_INSTRUCTIONS_AR: Final = Setting(
    "payment.bank_transfer_instructions_ar", paragraphs(most=2000), "",
    "Where customers transfer money to, in Arabic; empty where there is no such account",
    "إلى أين يحول العملاء المال، بالعربية؛ فارغ إن لم يوجد حساب", is_public=True,
)  # fmt: skip
BANK_TRANSFER_INSTRUCTIONS_EN: Final = Setting(
    "payment.bank_transfer_instructions_en", paragraphs(most=2000), "",
    "Where customers transfer money to, in English; empty where there is no such account",
    "إلى أين يحول العملاء المال، بالإنجليزية؛ فارغ إن لم يوجد حساب", is_public=True,
)  # fmt: skip

VENDOR_APPROVAL_REQUIRED: Final = Setting(
    "catalogue.vendor_approval_required", flag(), True,
    "Whether staff look at what vendors put on sale, and at what they change of it",
    "هل يراجع الموظفون ما يعرضه الموردون للبيع وما يعدلونه فيه",
)  # fmt: skip
BANK_CHANGE_COOLING_HOURS: Final = Setting(
    "payout.bank_change_cooling_hours", whole(1, 30 * 24), 72,
    "For how many hours nothing is paid to a vendor or an agent after they changed where their money goes",
    "عدد الساعات التي لا يدفع فيها للمورد أو الوكيل بعد أن يغير وجهة أمواله",
)  # fmt: skip

VENDOR_SHARE_PERCENT: Final = Setting(
    "payout.vendor_share_percent", whole(0, 100), 80,
    "How many percent of what is paid for their trips vendors earn, unless a rate was agreed with them",
    "النسبة المئوية التي يستحقها المورد مما يدفع في رحلاته ما لم يتفق معه على نسبة أخرى",
)  # fmt: skip
AGENT_COMMISSION_PERCENT: Final = Setting(
    "payout.agent_commission_percent", whole(0, 100), 10,
    "How many percent of what their customers pay agents earn, out of the company's part, unless a rate was agreed",
    "النسبة المئوية التي يستحقها الوكيل مما يدفعه عملاؤه، من نصيب الشركة، ما لم يتفق معه على نسبة أخرى",
)  # fmt: skip
COMMISSION_TAX_PERCENT: Final = Setting(
    "payout.commission_tax_percent", whole(0, 100), 0,
    "How many percent of agents' commissions are withheld as tax",
    "النسبة المئوية التي تخصم من عمولات الوكلاء ضريبة",
)  # fmt: skip
RELEASE_DAYS: Final = Setting(
    "payout.release_days", whole(0, 365), 0,
    "For how many days after a trip what it earned is held back from payouts; 0 holds nothing back",
    "عدد الأيام بعد الرحلة التي تحجز فيها مستحقاتها عن الصرف؛ و0 لا يحجز شيئا",
)  # fmt: skip
PAYOUT_MINIMUM: Final = Setting(
    "payout.minimum", money_per_currency(), [{"amount": "50.00", "currency": "USD"}],
    "The least that payroll pays a vendor or an agent, by currency; less waits. In others what that of USD is worth",
    "أقل مبلغ يصرف للمورد أو الوكيل لكل عملة؛ وما دونه ينتظر. وفي العملات الأخرى ما يعادل المبلغ بالدولار",
    is_public=True,
)  # fmt: skip
PAYOUT_PROCESS_APPROVED: Final = Setting(
    "payout.process_approved", flag(), False,
    "Whether approved batches are sent without anybody asking for it",
    "هل ترسل الدفعات المعتمدة دون أن يطلب أحد ذلك",
)  # fmt: skip
PAYOUT_DEBTOR_NAME: Final = Setting(
    "payout.debtor_name", text(most=70), "",
    "Who pays vendors and agents, as bank files name it",
    "اسم من يصرف المستحقات كما يظهر في ملفات البنك",
)  # fmt: skip
PAYOUT_DEBTOR_IBAN: Final = Setting(
    "payout.debtor_iban", iban(), "",
    "The account that vendors and agents are paid from; without it there are no pain.001 files",
    "الحساب الذي تصرف منه المستحقات؛ ولا ملفات pain.001 دونه",
)  # fmt: skip
PAYOUT_DEBTOR_BIC: Final = Setting(
    "payout.debtor_bic", bic(), "",
    "That account's bank; empty where the IBAN says enough",
    "بنك هذا الحساب؛ فارغ إن كان الآيبان كافيا",
)  # fmt: skip

SETTINGS: Final[Mapping[str, Setting[Any]]] = {
    known.key: known
    for known in (
        COMPANY_NAME,
        SUPPORT_EMAIL,
        SUPPORT_PHONE,
        DEFAULT_CURRENCY,
        HOLD_MINUTES,
        GRACE_MINUTES,
        CODE_HOURS,
        LONGEST_HOLD_HOURS,
        DEPOSIT_PERCENT,
        BALANCE_DUE_DAYS_BEFORE,
        INSTALMENTS_MOST,
        INSTALMENT_REMINDER_DAYS,
        OVERDUE_GRACE_DAYS,
        BOOKING_FEE,
        DEPARTURE_HORIZON_DAYS,
        OFFER_HOURS,
        DOCUMENT_VALIDITY_DAYS,
        ARCHIVE_AFTER_DAYS,
        MOVED_FREE_DAYS,
        WAITING_OFFER_HOURS,
        MONEY_UNITS_PER_POINT,
        POINTS_PER_MONEY_UNIT,
        POINTS_BY_CURRENCY,
        POINTS_LIFETIME_DAYS,
        POINTS_EXPIRING_SOON_DAYS,
        POINTS_GRACE_DAYS,
        SECOND_FACTOR_REQUIRED,
        CASHBACK_ELIGIBLE_AFTER_DAYS,
        CASHBACK_AUTO_APPROVE,
        ERASURE_GRACE_DAYS,
        WITHDRAWAL_MINIMUM,
        ADJUSTMENT_LIMIT,
        POINTS_ADJUSTMENT_LIMIT,
        MANUAL_CONFIRMATION_LIMIT,
        BANK_TRANSFER_INSTRUCTIONS_AR,
        BANK_TRANSFER_INSTRUCTIONS_EN,
        LATE_CHOICE_DAYS,
        WRITE_OFF_LIMIT,
        WEBHOOK_BODY_DAYS,
        VENDOR_APPROVAL_REQUIRED,
        VENDOR_SHARE_PERCENT,
        AGENT_COMMISSION_PERCENT,
        COMMISSION_TAX_PERCENT,
        RELEASE_DAYS,
        PAYOUT_MINIMUM,
        PAYOUT_PROCESS_APPROVED,
        PAYOUT_DEBTOR_NAME,
        PAYOUT_DEBTOR_IBAN,
        PAYOUT_DEBTOR_BIC,
        BANK_CHANGE_COOLING_HOURS,
    )
}


def setting_of(key: str) -> Setting[Any]:
    """The setting with this key. Raises SettingNotFound."""
    if key not in SETTINGS:
        raise SettingNotFound()
    return SETTINGS[key]
