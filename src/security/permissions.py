"""The permission catalogue: every code, what it lets one do, and which roles begin with it, as one table.

What people may do with their own things needs no permission. Who has which permission is kept in the database,
where staff change it; this table says what an installation begins with.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

ADMINS: Final = ("SUPER_ADMIN", "ADMIN")
STAFF: Final = (*ADMINS, "EMPLOYEE")
SALES: Final = (*ADMINS, "SALES")
FINANCE: Final = (*ADMINS, "FINANCE")
SUPPORT: Final = (*ADMINS, "SUPPORT")
CONTENT: Final = (*ADMINS, "CONTENT")
OPERATIONS: Final = (*ADMINS, "OPERATIONS")

MONEY: Final = "it moves money"
ACCESS: Final = "it decides what others may do, or what keeps them from it"
LATER: Final = "what it guards is not built yet"

_TABLE: Final[tuple[tuple[str, str, str, tuple[str, ...], *tuple[str, ...]], ...]] = (
    # code, what it lets one do in English and Arabic, the roles that begin with it, remarks
    # People (§1)
    ("users.read", "View every user", "عرض كل المستخدمين", STAFF),
    ("users.create", "Make accounts for others", "إنشاء حسابات للآخرين", ADMINS, LATER),
    ("users.update", "Change users, disable and enable them", "تعديل المستخدمين وتعطيلهم وتفعيلهم", ADMINS),
    ("users.delete", "Close accounts", "إغلاق الحسابات", ADMINS),
    ("users.roles", "Give roles to users and take them", "منح الأدوار للمستخدمين وسحبها", ADMINS, ACCESS),
    ("users.invite", "Invite staff, agents and vendors", "دعوة الموظفين والوكلاء والموردين", ADMINS, ACCESS),
    ("users.reset_second_factor", "Reset others' second factor", "إعادة ضبط العامل الثاني للآخرين", ADMINS, ACCESS),
    ("roles.read", "View roles and permissions", "عرض الأدوار والصلاحيات", ADMINS),
    ("roles.manage", "Make roles and say what they may do", "إنشاء الأدوار وتحديد صلاحياتها", ADMINS, ACCESS),
    ("api_keys.create", "Make API keys for oneself", "إنشاء مفاتيح API لنفسه", (*ADMINS, "AGENT", "VENDOR")),
    ("api_keys.manage", "View and revoke everybody's API keys", "عرض مفاتيح API للجميع وإلغاؤها", ADMINS),
    ("privacy.export", "Export a person's data", "تصدير بيانات شخص", ADMINS),
    ("privacy.erase", "Erase a person", "محو بيانات شخص", ADMINS),
    ("privacy.read", "View consents and privacy requests", "عرض الموافقات وطلبات الخصوصية", STAFF),
    # Memberships (§2)
    ("memberships.read", "View every subscription", "عرض كل الاشتراكات", STAFF),
    ("memberships.update", "Change plans and subscriptions", "تعديل الباقات والاشتراكات", ADMINS, LATER),
    ("memberships.adjust", "Adjust subscriptions by hand", "تسوية الاشتراكات يدويا", FINANCE, MONEY, LATER),
    ("entitlements.read", "View the use of entitlements", "عرض استخدام المزايا", STAFF, LATER),
    ("entitlements.adjust", "Adjust entitlements", "تسوية المزايا", SUPPORT, LATER),
    # Ledger (§3)
    ("ledger.read", "View everybody's wallet and points", "عرض محافظ الجميع ونقاطهم", STAFF),
    ("ledger.reverse", "Reverse movements in the books", "عكس الحركات في الدفاتر", FINANCE, MONEY),
    ("ledger.reconcile", "Reconcile providers' statements", "مطابقة كشوف مقدمي الدفع", FINANCE, MONEY),
    ("wallets.adjust", "Adjust wallets", "تسوية المحافظ", FINANCE, MONEY),
    ("wallets.approve", "Approve withdrawals and adjustments", "اعتماد السحوبات والتسويات", FINANCE, MONEY),
    ("points.adjust", "Adjust points", "تسوية النقاط", FINANCE, MONEY),
    ("exchange.manage", "Set exchange rates", "تحديد أسعار الصرف", FINANCE, MONEY),
    ("cashback.read", "View everybody's cashback", "عرض الاسترداد النقدي للجميع", STAFF),
    ("cashback.approve", "Approve and cancel cashback", "اعتماد الاسترداد النقدي وإلغاؤه", FINANCE, MONEY),
    # Catalogue (§4)
    ("packages.read", "View packages that are not on sale", "عرض الباقات غير المعروضة للبيع", (*STAFF, "VENDOR")),
    ("packages.create", "Create packages", "إنشاء باقات", (*STAFF, "VENDOR")),
    ("packages.update", "Change packages and their departures", "تعديل الباقات ورحلاتها", (*STAFF, "VENDOR")),
    ("packages.publish", "Put packages on sale", "عرض الباقات للبيع", STAFF),
    ("packages.approve", "Decide about vendors' packages", "البت في باقات الموردين", STAFF),
    ("packages.delete", "Archive packages", "أرشفة الباقات", CONTENT),
    ("activities.read", "View activities not on sale", "عرض الأنشطة غير المعروضة", (*STAFF, "VENDOR")),
    ("activities.create", "Create activities", "إنشاء أنشطة", (*STAFF, "VENDOR")),
    ("activities.update", "Change activities", "تعديل الأنشطة", (*STAFF, "VENDOR")),
    ("activities.publish", "Put activities on sale", "عرض الأنشطة للبيع", STAFF),
    ("activities.approve", "Decide about vendors' activities", "البت في أنشطة الموردين", STAFF),
    ("activities.delete", "Archive activities", "أرشفة الأنشطة", CONTENT),
    ("departures.update", "Change and plan departures", "تعديل الرحلات وجدولتها", (*STAFF, "VENDOR")),
    ("departures.manifest", "View who travels on departures", "عرض قوائم مسافري الرحلات", (*STAFF, "VENDOR")),
    ("departures.calendar", "Have departures in one's calendar", "عرض الرحلات في التقويم", (*STAFF, "VENDOR")),
    ("pools.manage", "Share seats between departures", "مشاركة المقاعد بين الرحلات", OPERATIONS),
    ("departures.manage", "Move departures with their bookings", "نقل الرحلات بحجوزاتها", (*OPERATIONS, "FINANCE")),
    ("departures.cancel", "Cancel departures with their bookings", "إلغاء الرحلات بحجوزاتها", FINANCE, MONEY),
    ("ratings.moderate", "Moderate ratings", "الإشراف على التقييمات", CONTENT),
    # Booking (§5)
    ("policies.read", "View cancellation policies", "عرض سياسات الإلغاء", (*STAFF, "VENDOR")),
    ("policies.create", "Make cancellation policies", "إنشاء سياسات الإلغاء", ADMINS),
    ("policies.update", "Change cancellation policies", "تعديل سياسات الإلغاء", ADMINS),
    ("bookings.read", "View every booking", "عرض كل الحجوزات", STAFF),
    ("bookings.create", "Book for customers", "الحجز للعملاء", (*STAFF, "SALES", "AGENT")),
    ("bookings.price", "Price requested bookings", "تسعير طلبات الحجز", (*SALES, "AGENT")),
    ("bookings.update", "Amend bookings", "تعديل الحجوزات", (*SALES, "SUPPORT")),
    ("bookings.confirm", "Confirm bookings", "تأكيد الحجوزات", OPERATIONS),
    ("bookings.start", "Start trips", "بدء الرحلات", STAFF),
    ("bookings.complete", "Complete trips", "إنهاء الرحلات", STAFF),
    ("bookings.no_show", "Record that customers did not come", "تسجيل عدم حضور العملاء", STAFF),
    ("bookings.cancel", "Cancel customers' bookings", "إلغاء حجوزات العملاء", FINANCE, MONEY),
    ("bookings.documents", "View travellers' document numbers", "عرض وثائق المسافرين", OPERATIONS),
    ("bookings.export", "Export bookings", "تصدير الحجوزات", (*OPERATIONS, "SALES", "FINANCE")),
    # Pricing and sales (§6, §7)
    ("vouchers.read", "View vouchers", "عرض القسائم", STAFF),
    ("vouchers.create", "Make vouchers", "إنشاء القسائم", FINANCE, MONEY),
    ("vouchers.update", "Change vouchers", "تعديل القسائم", FINANCE, MONEY),
    ("vouchers.assign", "Assign vouchers", "تخصيص القسائم", SALES),
    ("offers.read", "View offers that do not run", "عرض العروض غير السارية", STAFF),
    ("offers.manage", "Make and change offers", "إنشاء العروض وتعديلها", SALES),
    ("taxes.manage", "Change tax rates", "تعديل الضرائب", FINANCE, LATER),
    ("orders.read", "View every order", "عرض كل الطلبات", STAFF, LATER),
    ("orders.create", "Write orders", "كتابة الطلبات", SALES, LATER),
    ("orders.issue", "Issue and cancel orders", "إصدار الطلبات وإلغاؤها", SALES, LATER),
    ("proposals.read", "View every proposal", "عرض كل عروض الأسعار", STAFF, LATER),
    ("proposals.create", "Write and send proposals", "كتابة عروض الأسعار وإرسالها", SALES, LATER),
    # Payment and invoicing (§8, §9)
    ("payments.read", "View every payment", "عرض كل المدفوعات", STAFF),
    ("payments.attention", "View what needs a decision", "عرض ما يحتاج إلى قرار من المدفوعات", STAFF),
    ("payments.confirm", "Confirm payments by hand", "تأكيد المدفوعات يدويا", FINANCE, MONEY),
    ("payments.resolve", "Decide about money in suspense", "البت في الأموال المعلقة", FINANCE, MONEY),
    ("refunds.read", "View every refund", "عرض كل المبالغ المردودة", STAFF),
    ("refunds.create", "Refund payments", "رد المدفوعات", FINANCE, MONEY),
    ("invoices.read", "View every invoice", "عرض كل الفواتير", STAFF),
    ("invoices.issue", "Issue invoices and credit notes", "إصدار الفواتير والإشعارات", FINANCE, MONEY, LATER),
    ("invoices.export", "Export to the tax authority", "التصدير لمصلحة الضرائب", FINANCE, LATER),
    # Partners (§10)
    ("vendors.read", "View vendors", "عرض الموردين", STAFF),
    ("vendors.manage", "Approve and suspend vendors", "اعتماد الموردين وإيقافهم", OPERATIONS),
    ("agents.read", "View agents", "عرض الوكلاء", STAFF),
    ("agents.manage", "Approve and suspend agents", "اعتماد الوكلاء وإيقافهم", SALES),
    ("agents.credit", "Set agents' credit limits", "تحديد الحدود الائتمانية للوكلاء", FINANCE, MONEY),
    ("partners.bank", "Enter partners' accounts at Stripe", "إدخال حسابات الشركاء لدى Stripe", FINANCE, MONEY),
    ("commissions.manage", "Change commission rates", "تعديل نسب العمولة", FINANCE, MONEY),
    ("payouts.read", "View every payout", "عرض كل المستحقات المدفوعة", FINANCE),
    ("payouts.create", "Make payout batches", "إنشاء دفعات المستحقات", FINANCE, MONEY),
    ("payouts.approve", "Approve payout batches", "اعتماد دفعات المستحقات", FINANCE, MONEY),
    ("payouts.process", "Send payouts", "إرسال المستحقات", FINANCE, MONEY),
    # Content (§11)
    ("content.read", "View drafts", "عرض المسودات", CONTENT, LATER),
    ("content.create", "Write pages, blogs and reels", "كتابة الصفحات والمقالات والمقاطع", CONTENT, LATER),
    ("content.update", "Change pages, blogs and reels", "تعديل الصفحات والمقالات والمقاطع", CONTENT, LATER),
    ("content.publish", "Publish and archive content", "نشر المحتوى وأرشفته", CONTENT, LATER),
    ("media.read", "View the media library", "عرض مكتبة الوسائط", CONTENT, LATER),
    ("media.manage", "Upload and delete media", "رفع الوسائط وحذفها", CONTENT, LATER),
    ("comments.moderate", "Moderate comments", "الإشراف على التعليقات", (*CONTENT, "SUPPORT"), LATER),
    ("ads.read", "View advertisements", "عرض الإعلانات", CONTENT, LATER),
    ("ads.manage", "Run advertisements", "إدارة الإعلانات", CONTENT, LATER),
    # Messaging (§12)
    ("chat.read", "Read customers' conversations", "قراءة محادثات العملاء", (*SUPPORT, "SALES"), LATER),
    ("chat.reply", "Answer customers", "الرد على العملاء", (*SUPPORT, "SALES"), LATER),
    ("chat.assign", "Assign conversations", "توزيع المحادثات", SUPPORT, LATER),
    ("notifications.send", "Notify users", "إرسال الإشعارات", SUPPORT, LATER),
    ("notifications.manage", "Manage addresses that refuse mail", "إدارة العناوين التي ترفض البريد", SUPPORT),
    ("campaigns.read", "View campaigns", "عرض الحملات", CONTENT, LATER),
    ("campaigns.manage", "Write and send campaigns", "كتابة الحملات وإرسالها", CONTENT, LATER),
    # Operations (§13)
    ("settings.read", "View every system setting", "عرض كل إعدادات النظام", ADMINS),
    ("settings.update", "Change system settings", "تعديل إعدادات النظام", ADMINS, ACCESS),
    ("audit.read", "Read and export the audit log", "قراءة سجل المراجعة وتصديره", ADMINS),
    ("analytics.read", "View analytics", "عرض التحليلات", (*FINANCE, "SALES"), LATER),
    ("analytics.rebuild", "Rebuild analytics", "إعادة بناء التحليلات", OPERATIONS, LATER),
    ("operations.metrics", "Read the service's metrics", "قراءة مقاييس الخدمة", ADMINS, LATER),
    ("operations.queues", "View and replay queues", "عرض الطوابير وإعادة تشغيلها", OPERATIONS),
    ("webhooks.read", "View incoming webhooks", "عرض الإشعارات الواردة", (*OPERATIONS, "FINANCE")),
    ("webhooks.manage", "Run partners' webhooks", "إدارة إشعارات الشركاء", OPERATIONS, LATER),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Permission:
    """One line of the catalogue; `is_built` is whether anything asks for it yet."""

    code: str
    description_en: str
    description_ar: str
    holders: tuple[str, ...]
    moves_money: bool
    decides_access: bool
    is_built: bool

    @property
    def module(self) -> str:
        return self.code.partition(".")[0]

    @property
    def action(self) -> str:
        return self.code.partition(".")[2]

    @property
    def needs_factor(self) -> bool:
        """Whether staff prove a second factor for it, where the company's setting asks for one.

        What moves money, and what could undo that: the setting itself, roles, invitations, others' factors.
        """
        return self.moves_money or self.decides_access

    @property
    def is_for_keys(self) -> bool:
        """Whether an API key may carry it: what concerns people's access itself is done by people."""
        return self.module not in _PEOPLE_ALONE


_PEOPLE_ALONE: Final = frozenset({"users", "roles", "api_keys", "privacy", "settings"})

CATALOGUE: Final[dict[str, Permission]] = {
    code: Permission(code, english, arabic, holders, MONEY in remarks, ACCESS in remarks, LATER not in remarks)
    for code, english, arabic, holders, *remarks in _TABLE
}

# The system's roles: Arabic and English names. Staff types stand beside EMPLOYEE and add to what it may do.
ROLES: Final[dict[str, tuple[str, str]]] = {
    "SUPER_ADMIN": ("مدير عام", "Super Admin"),
    "ADMIN": ("مشرف", "Admin"),
    "EMPLOYEE": ("موظف", "Employee"),
    "CUSTOMER": ("عميل", "Customer"),
    "AGENT": ("وكيل", "Agent"),
    "VENDOR": ("مورد", "Vendor"),
    "SALES": ("مبيعات", "Sales"),
    "FINANCE": ("مالية", "Finance"),
    "SUPPORT": ("دعم العملاء", "Customer Support"),
    "CONTENT": ("محتوى", "Content"),
    "OPERATIONS": ("عمليات", "Operations"),
}

# What an API key may be made for besides permissions: its owner's own things, and what everybody sees.
OWN_SCOPES: Final[dict[str, tuple[str, str]]] = {
    "catalogue.read": ("Read the catalogue", "قراءة الكتالوج"),
    "quotes.own": ("Ask for quotes", "طلب عروض الأسعار"),
    "bookings.own": ("Book, and read the owner's bookings", "الحجز وقراءة حجوزات المالك"),
    "payments.own": ("Read the owner's payments", "قراءة مدفوعات المالك"),
    "invoices.own": ("Read the owner's invoices", "قراءة فواتير المالك"),
}


def permissions_of(roles: Iterable[str]) -> frozenset[str]:
    """What the holders of these roles may do where nobody has changed it."""
    return _permissions_of(frozenset(roles))


@lru_cache(maxsize=256)
def _permissions_of(roles: frozenset[str]) -> frozenset[str]:
    return frozenset(code for code, permission in CATALOGUE.items() if not roles.isdisjoint(permission.holders))


def grantable_scopes(permissions: frozenset[str]) -> frozenset[str]:
    """What somebody with these permissions may make an API key for."""
    held = {code for code, permission in CATALOGUE.items() if code in permissions and permission.is_for_keys}
    return frozenset(held | OWN_SCOPES.keys())
