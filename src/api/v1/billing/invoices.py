"""Invoices and their PDFs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import fields, validate

from api.answers import answer, answer_page, json_answer
from api.blueprint import Blueprint
from api.context import scope_of, use
from api.fields import Localized, MoneyField, Percent, Schema
from api.pagination import ChangesQuery, after_in, by_order, order_of, split_page
from api.specification import page_of
from api.views import MethodView
from application.billing.invoices import LANGUAGES
from application.queries import Row
from domain.billing.invoices import InvoiceNotFound
from middlewares.auth_middleware import token_required
from middlewares.language import reading_language

blueprint = Blueprint("invoices", __name__, url_prefix="/invoices", description="Invoices")


class InvoiceItemShown(Schema):
    item_type = fields.String()
    description = Localized()
    quantity = fields.Integer()
    unit_price = MoneyField()
    total_price = MoneyField()


class InvoiceShown(Schema):
    id = fields.UUID()
    invoice_number = fields.String()
    user_id = fields.UUID()
    booking_id = fields.UUID(allow_none=True)
    payment_id = fields.UUID()
    invoice_type = fields.String()
    status = fields.String()
    items = fields.List(fields.Nested(InvoiceItemShown))
    subtotal = MoneyField()
    discount_amount = MoneyField()
    tax_rate = Percent()
    tax_amount = MoneyField()
    total_amount = MoneyField()
    issue_date = fields.Date()
    paid_date = fields.Date(allow_none=True)
    issued_at = fields.DateTime()
    updated_at = fields.DateTime()
    pdf_generated = fields.Boolean()


class InvoiceSearch(ChangesQuery):
    """Which invoices."""

    booking_id = fields.UUID(load_default=None)


class PdfQuery(Schema):
    lang = fields.String(load_default=None, validate=validate.OneOf(LANGUAGES))


class BeingMade(Schema):
    """What is answered while a PDF is being drawn."""

    status = fields.String(validate=validate.Equal("being_made"))


@blueprint.route("")
class Invoices(MethodView):
    @token_required(scope="invoices.own")
    @blueprint.arguments(InvoiceSearch, location="query")
    @blueprint.response(200, page_of(InvoiceShown))
    def get(self, query: dict[str, Any]) -> Response:
        """One's own invoices, newest first; everybody's for staff."""
        order = order_of(query, "-issued_at")
        rows = use().queries.billing.invoices(
            owner=scope_of("invoices.read"),
            booking_id=query["booking_id"],
            limit=query["limit"],
            after=after_in(query["cursor"], order),
            updated_after=query["updated_after"],
        )
        return answer_page(InvoiceShown, *split_page(rows, query["limit"], by_order(order)))


@blueprint.route("/<uuid:invoice_id>")
class OneInvoice(MethodView):
    @token_required(scope="invoices.own")
    @blueprint.response(200, InvoiceShown)
    def get(self, invoice_id: UUID) -> Response:
        """One invoice with its rows."""
        return answer(InvoiceShown, _shown(invoice_id))


@blueprint.route("/<uuid:invoice_id>/pdf")
class InvoicePdf(MethodView):
    @token_required(scope="invoices.own")
    @blueprint.arguments(PdfQuery, location="query")
    @blueprint.response(200, {"type": "string", "format": "binary"}, content_type="application/pdf")
    @blueprint.alt_response(202, schema=BeingMade, description="It is being drawn; ask again after Retry-After")
    def get(self, query: dict[str, Any], invoice_id: UUID) -> Response:
        """The PDF in Arabic, English or both."""
        row = _shown(invoice_id)
        language = query["lang"] or reading_language()
        key = use().documents.storage_key(invoice_id, language)
        pdf = use().storage.get(key) if key is not None else None
        if pdf is None:
            return json_answer({"status": "being_made"}, 202, {"Retry-After": "2"})
        name = f"{row['invoice_number']}-{language}.pdf"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(pdf, content_type="application/pdf", headers=headers)


def _shown(invoice_id: UUID) -> Row:
    row = use().queries.billing.invoice(invoice_id, owner=scope_of("invoices.read"))
    if row is None:
        raise InvoiceNotFound()
    return row
