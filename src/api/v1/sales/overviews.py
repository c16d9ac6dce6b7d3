"""Bookings counted, and bookings as a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC
from itertools import islice
from typing import Any, Final

from flask import Response

from api.answers import answer
from api.blueprint import Blueprint
from api.context import own_bookings, use, viewer
from api.v1.sales.search_schemas import BookingCountsShown, BookingExportQuery, BookingFilterQuery, search_of
from api.views import MethodView
from application.csv import BYTE_ORDER_MARK, CSV_TYPE, csv_line
from application.queries import Row
from application.sales.exporting import RecordBookingExport, exported_rows, record_booking_export
from domain.ledger.accounts import decimals_of
from domain.shared.money import format_minor
from middlewares.auth_middleware import permission_required
from middlewares.language import reading_language

blueprint = Blueprint("booking_overviews", __name__, url_prefix="/bookings", description="Bookings in numbers")

MOST_COUNTED: Final = 10_000
MOST_EXPORTED: Final = 100_000

Cell = Callable[[Row], object]


def _amount(name: str) -> Cell:
    return lambda row: format_minor(row[f"{name}_minor"], decimals_of(row["currency"]))


def _plain(name: str) -> Cell:
    return lambda row: row[name]


def _customer(name: str) -> Cell:
    return lambda row: row["customer_info"].get(name)


# Headings in Arabic and English, and what stands below them.
_COLUMNS: Final[tuple[tuple[str, str, Cell], ...]] = (
    ("رقم الحجز", "Booking number", _plain("booking_number")),
    ("الحالة", "Status", _plain("status")),
    ("حالة الدفع", "Payment status", _plain("payment_status")),
    ("النوع", "Type", _plain("booking_type")),
    ("المصدر", "Source", _plain("booking_source")),
    ("وقت الحجز (UTC)", "Booked at (UTC)", lambda row: f"{row['created_at'].astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"),
    ("بداية الرحلة", "Starts on", _plain("start_date")),
    ("نهاية الرحلة", "Ends on", _plain("end_date")),
    ("عدد المسافرين", "Travellers", _plain("travelers_count")),
    ("العناصر", "Items", _plain("items")),
    ("الاسم الأول", "First name", _customer("first_name")),
    ("اسم العائلة", "Last name", _customer("last_name")),
    ("البريد الإلكتروني", "E-mail", _customer("email")),
    ("الهاتف", "Phone", _customer("phone")),
    ("الوكيل", "Agent", _plain("agent_email")),
    ("العملة", "Currency", _plain("currency")),
    ("السعر الأساسي", "Base price", _amount("base_amount")),
    ("الخصم", "Discount", _amount("discount_amount")),
    ("خصم القسيمة", "Voucher discount", _amount("voucher_discount")),
    ("الضريبة", "Tax", _amount("tax_amount")),
    ("الرسوم", "Fee", _amount("fee_amount")),
    ("الإجمالي", "Total", _amount("final_amount")),
    ("المدفوع", "Paid", _amount("paid_amount")),
    ("المسترد", "Refunded", _amount("refunded_amount")),
    ("المستحق", "Due", _amount("amount_due")),
)


@blueprint.route("/summary")
class Summary(MethodView):
    @permission_required("bookings.read")
    @blueprint.arguments(BookingFilterQuery, location="query")
    @blueprint.response(200, BookingCountsShown)
    def get(self, query: dict[str, Any]) -> Response:
        """How many bookings are in each status, up to 10,000; the filters of the list but `status` narrow them."""
        rows = use().queries.sales.bookings_by_status(search=search_of(query), most=MOST_COUNTED + 1)
        return answer(BookingCountsShown, {"by_status": [_counted(row) for row in rows]})


@blueprint.route("/export.csv")
class Export(MethodView):
    @permission_required("bookings.export")
    @blueprint.arguments(BookingExportQuery, location="query")
    @blueprint.response(200, {"type": "string"}, content_type="text/csv")
    def get(self, query: dict[str, Any]) -> Response:
        """The newest 100,000 bookings that fit, as CSV in the reader's language; that it was taken is audited."""
        search = search_of(query)
        record_booking_export(RecordBookingExport(viewer().user_id, search), uow=use().new_uow(), clock=use().clock)
        rows = exported_rows(search, **own_bookings(), queries=use().queries.sales)
        headers = {"Content-Disposition": 'attachment; filename="bookings.csv"', "Cache-Control": "no-store"}
        mark = BYTE_ORDER_MARK if query["bom"] else ""
        lines = _lines(islice(rows, MOST_EXPORTED), language=reading_language(), mark=mark)
        return Response(lines, content_type=CSV_TYPE, headers=headers)


def _lines(rows: Iterator[Row], *, language: str, mark: str) -> Iterator[str]:
    """Line by line while the bookings are read."""
    yield mark + csv_line(arabic if language == "ar" else english for arabic, english, _ in _COLUMNS)
    for row in rows:
        told = {**row, "items": row[f"items_{language}"]}
        yield csv_line(cell(told) for *_, cell in _COLUMNS)


def _counted(row: Mapping[str, Any]) -> Row:
    return {**row, "count": min(row["count"], MOST_COUNTED), "is_more": row["count"] > MOST_COUNTED}
