"""A person's data as a ZIP: for machines, and for themselves to read."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from application.privacy.ports import Document

_DATA: Final = "data.json"
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)

# name in the document: (Arabic, English). What is not named here is headed by its own name.
SECTIONS: Final[Mapping[str, tuple[str, str]]] = {
    "profile": ("الملف الشخصي", "Profile"),
    "sessions": ("الأجهزة التي سجلت الدخول", "Signed-in devices"),
    "memberships": ("العضويات", "Memberships"),
    "bookings": ("الحجوزات", "Bookings"),
    "booking_items": ("بنود الحجوزات", "What was booked"),
    "booking_instalments": ("أقساط الحجوزات", "Instalments of bookings"),
    "booking_amendments": ("تعديلات الحجوزات", "Amendments of bookings"),
    "travelers": ("المسافرون", "Travellers"),
    "booking_history": ("سجل الحجوزات", "History of bookings"),
    "calendar_feeds": ("روابط التقويم", "Calendar links"),
    "waiting_list": ("قوائم الانتظار", "Waiting lists"),
    "ratings": ("التقييمات", "Ratings"),
    "vouchers": ("قسائمك", "Your vouchers"),
    "voucher_redemptions": ("استخدام القسائم", "Use of vouchers"),
    "offer_redemptions": ("استخدام العروض", "Use of offers"),
    "payments": ("المدفوعات", "Payments"),
    "payment_attempts": ("محاولات الدفع", "Attempts to pay"),
    "payment_receipts": ("المبالغ المستلمة", "Money received"),
    "manual_receipts": ("مبالغ أكدها الموظفون", "Money confirmed by staff"),
    "suspense_items": ("مبالغ معلقة", "Money in suspense"),
    "late_money": ("مبالغ وصلت متأخرة", "Money that came late"),
    "payment_tenders": ("أجزاء المدفوعات", "Parts of payments"),
    "agent_credit_payments": ("مدفوعات من رصيد الوكيل", "Paid from an agent's credit"),
    "agent_credit_limits": ("الحدود الائتمانية للوكيل", "An agent's credit limits"),
    "refunds": ("المبالغ المردودة", "Refunds"),
    "refund_parts": ("أجزاء المبالغ المردودة", "Parts of refunds"),
    "disputes": ("النزاعات", "Disputes"),
    "invoices": ("الفواتير", "Invoices"),
    "invoice_items": ("بنود الفواتير", "Rows of invoices"),
    "accounts": ("الحسابات", "Accounts"),
    "account_movements": ("حركات الحسابات", "Movements on accounts"),
    "account_entries": ("قيود الحسابات", "Entries on accounts"),
    "account_statements": ("كشوف الحسابات", "Statements of account"),
    "partner_profiles": ("ملفات المورد والوكيل", "Profiles as a vendor or an agent"),
    "partner_bank_accounts": ("الحسابات البنكية", "Bank accounts"),
    "partner_documents": ("مستندات المورد والوكيل", "Papers"),
    "partner_rates": ("النسب المتفق عليها", "Rates that were agreed"),
    "earnings": ("الأرباح من الرحلات", "Earned by trips"),
    "payable_entries": ("قيود المستحقات", "What was owed to you"),
    "payouts": ("المستحقات المصروفة", "Payouts"),
    "payout_entries": ("ما شملته المستحقات المصروفة", "What payouts consist of"),
    "payouts_left_out": ("ما لم يصرف وسببه", "What was not paid, and why"),
    "payout_statements": ("كشوف صرف المستحقات", "Payout statements"),
    "balance_holds": ("مبالغ محجوزة", "Amounts held"),
    "points": ("النقاط", "Points"),
    "points_lot_entries": ("استخدام النقاط", "Use of points"),
    "points_reminders": ("تذكيرات بانتهاء النقاط", "Reminders of points that end"),
    "cashback": ("الاسترداد النقدي", "Cashback"),
    "withdrawals": ("السحوبات", "Withdrawals"),
    "adjustments": ("التسويات", "Adjustments"),
    "wallet_transfers": ("التحويلات بين العملات", "Transfers between currencies"),
    "notifications": ("الإشعارات", "Notifications"),
    "notification_preferences": ("تفضيلات الإشعارات", "Choices about notifications"),
    "notification_deliveries": ("الرسائل المرسلة", "Messages sent by mail, text and push"),
    "devices": ("أجهزة الإشعارات الفورية", "Devices for pushes"),
    "consents": ("الموافقات", "Consents"),
    "erasures": ("طلبات المحو", "Requests for erasure"),
    "exports": ("نسخ البيانات", "Exports"),
    "api_keys": ("مفاتيح API", "API keys"),
    "second_factor": ("العامل الثاني", "Second factor"),
    "invitations": ("الدعوات", "Invitations"),
}
# What fields are called in Arabic; in English they are written as they are named, without the underscores.
FIELDS_AR: Final[Mapping[str, str]] = {
    "account_id": "الحساب",
    "activity_id": "النشاط",
    "address": "عنوان الشبكة",
    "adjustment_number": "رقم التسوية",
    "amount": "المبلغ",
    "assigned_at": "وقت التخصيص",
    "balance_after": "الرصيد بعد",
    "balance_before": "الرصيد قبل",
    "bank_reference": "مرجع البنك",
    "base_amount": "المبلغ الأساسي",
    "birth_date": "تاريخ الميلاد",
    "bonus_points": "نقاط إضافية",
    "booking_id": "الحجز",
    "booking_number": "رقم الحجز",
    "booking_source": "مصدر الحجز",
    "booking_type": "نوع الحجز",
    "cancellation_reason": "سبب الإلغاء",
    "cancelled_at": "وقت الإلغاء",
    "cashback": "الاسترداد النقدي",
    "change_reason": "سبب التغيير",
    "changed_at": "وقت التغيير",
    "channel": "القناة",
    "choice": "الاختيار",
    "choose_until": "مهلة الاختيار",
    "chosen_at": "وقت الاختيار",
    "closed_at": "وقت الإغلاق",
    "comment": "التعليق",
    "created_at": "وقت الإنشاء",
    "currency": "العملة",
    "customer_info": "بيانات العميل",
    "decided_at": "وقت القرار",
    "departure_id": "موعد الرحلة",
    "description_ar": "الوصف بالعربية",
    "description_en": "الوصف بالإنجليزية",
    "destination": "الحساب البنكي",
    "discount_amount": "الخصم",
    "discount_applied": "الخصم المطبق",
    "document_expires_on": "انتهاء الوثيقة",
    "document_number": "رقم الوثيقة",
    "due_at": "موعد الاستحقاق",
    "due_on": "تاريخ الاستحقاق",
    "email": "البريد الإلكتروني",
    "email_verified_at": "وقت توثيق البريد",
    "end_date": "تاريخ النهاية",
    "ended_at": "وقت الانتهاء من الانتظار",
    "expires_at": "وقت الانتهاء",
    "expiry_date": "تاريخ الانتهاء",
    "fee": "الرسوم",
    "final_amount": "المبلغ النهائي",
    "first_name": "الاسم الأول",
    "from_status": "من حالة",
    "given_at": "وقت الموافقة",
    "granted": "موافق",
    "hindrance": "المانع",
    "id": "المعرف",
    "in_use": "مستخدم",
    "invoice_number": "رقم الفاتورة",
    "issue_date": "تاريخ الإصدار",
    "kind": "النوع",
    "last_name": "اسم العائلة",
    "last_used_at": "آخر استخدام",
    "locale": "اللغة",
    "membership_number": "رقم العضوية",
    "message_ar": "الرسالة بالعربية",
    "message_en": "الرسالة بالإنجليزية",
    "name": "الاسم",
    "occurred_at": "وقت الحدوث",
    "offer_expires_at": "انتهاء مهلة العرض",
    "offer_id": "العرض",
    "offered_at": "وقت العرض",
    "package_id": "الباقة",
    "paid_amount": "المدفوع",
    "paid_at": "وقت الدفع",
    "payment_method": "وسيلة الدفع",
    "payment_number": "رقم الدفعة",
    "payment_status": "حالة الدفع",
    "phone": "الهاتف",
    "points": "النقاط",
    "points_restored": "النقاط المعادة",
    "position": "الترتيب",
    "previous_amount": "المبلغ السابق",
    "previous_departure_id": "موعد الرحلة السابق",
    "previous_start_date": "تاريخ البداية السابق",
    "previous_travelers_count": "عدد المسافرين السابق",
    "price_lines": "بنود السعر",
    "provider": "مزود الدفع",
    "purpose": "الغرض",
    "quantity": "الكمية",
    "rate_id": "سعر الصرف",
    "reason": "السبب",
    "receipt_id": "معرف المبلغ المستلم",
    "received": "المبلغ المستلم",
    "received_currency": "عملة المبلغ المستلم",
    "redeemed_at": "وقت الاستخدام",
    "refund": "المبلغ المردود",
    "released_at": "وقت الإعادة",
    "requested_at": "وقت الطلب",
    "resolved_at": "وقت الحسم",
    "revoked_at": "وقت الإلغاء",
    "revoked_reason": "سبب الإلغاء",
    "roles": "الأدوار",
    "scopes": "النطاقات",
    "seats": "المقاعد",
    "source": "المصدر",
    "special_requests": "طلبات خاصة",
    "stars": "النجوم",
    "start_date": "تاريخ البداية",
    "status": "الحالة",
    "surface": "الواجهة",
    "tax_amount": "الضريبة",
    "title": "العنوان",
    "title_ar": "العنوان بالعربية",
    "title_en": "العنوان بالإنجليزية",
    "to_status": "إلى حالة",
    "total_amount": "الإجمالي",
    "total_price": "السعر الإجمالي",
    "transfer_number": "رقم التحويل",
    "travelers_count": "عدد المسافرين",
    "unit_price": "سعر الوحدة",
    "updated_at": "وقت التعديل",
    "user_agent": "الجهاز",
    "voucher_id": "القسيمة",
    "withdrawal_number": "رقم السحب",
    "withdrawn_at": "وقت التراجع",
    "wording": "نص الموافقة",
}
_WORDS: Final = {
    "ar": {"title": "بياناتك لدى الطيار", "empty": "لا شيء", "files": "الملفات"},
    "en": {"title": "Your data at AltayarVIP", "empty": "Nothing", "files": "Files"},
}


class ZippedArchive:
    """Implements `application.privacy.ports.PersonalDataArchive`; the same data always gives the same bytes."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(Path(__file__).with_name("templates")),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def pack(self, document: Document, language: str, files: Mapping[str, bytes]) -> bytes:
        contents = {
            _DATA: orjson.dumps(document, option=orjson.OPT_INDENT_2),
            "index.html": self._page(document, language, sorted(files)).encode(),
            **{f"invoices/{name}": content for name, content in sorted(files.items())},
        }
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in contents.items():
                archive.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED)
        return packed.getvalue()

    def json_of(self, archive: bytes) -> bytes:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            return opened.read(_DATA)

    def _page(self, document: Document, language: str, files: list[str]) -> str:
        place = 0 if language == "ar" else 1
        sections = [(SECTIONS.get(name, (name, name))[place], rows) for name, rows in document.items()]
        return self._templates.get_template("personal_data.html.jinja").render(
            language=language,
            direction="rtl" if language == "ar" else "ltr",
            words=_WORDS[language],
            sections=sections,
            files=files,
            label=_label_in(language),
            written=_written,
        )


def _label_in(language: str) -> Callable[[str], str]:
    """What a field is called in a language."""
    names = FIELDS_AR if language == "ar" else {}
    return lambda name: names.get(name, name.replace("_", " ").capitalize())


def _written(value: Any) -> str:
    """One value as a person reads it; instants in UTC, to the minute."""
    if value is None:
        return "—"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if isinstance(value, dict) and set(value) == {"amount", "currency"}:
        return f"{value['amount']} {value['currency']}"
    if isinstance(value, dict | list):
        return orjson.dumps(value).decode()
    return str(value)
