"""Who travels on a departure: for staff, and for the vendor whose departure it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from itertools import repeat
from typing import Any, Final
from uuid import UUID

from flask import Response

from api.answers import answer, json_answer
from api.blueprint import Blueprint
from api.context import may, use, viewer
from api.v1.billing.invoices import BeingMade
from api.v1.sales.manifest_schemas import ManifestFileQuery, ManifestShown, PrintedManifestQuery
from api.views import MethodView
from application.csv import BYTE_ORDER_MARK, CSV_TYPE, csv_line
from application.queries import Row
from application.sales.manifests import PrintManifest, ReadManifest, print_manifest, read_manifest
from domain.sales.manifests import Manifest, Party
from domain.sales.travelers import Traveler
from middlewares.auth_middleware import permission_required
from middlewares.language import reading_language

blueprint = Blueprint("manifests", __name__, url_prefix="/departures", description="Who travels on a departure")

_HEADINGS: Final = {
    "ar": ("رقم الحجز", "الحالة", "لم يحضر", "اسم صاحب الحجز", "البريد الإلكتروني", "الهاتف", "طلبات خاصة",
           "المسافر", "الاسم الأول", "اسم العائلة", "تاريخ الميلاد", "رقم الوثيقة", "انتهاء الوثيقة"),
    "en": ("Booking number", "Status", "No-show", "Booked by", "E-mail", "Phone", "Special requests",
           "Traveller", "First name", "Last name", "Born on", "Document number", "Document expires on"),
}  # fmt: skip
_TOTAL: Final = {"ar": "الإجمالي", "en": "Total"}
_YES: Final = {"ar": "نعم", "en": "yes"}


@blueprint.route("/<uuid:departure_id>/manifest")
class OneManifest(MethodView):
    @permission_required("departures.manifest")
    @blueprint.response(200, ManifestShown)
    def get(self, departure_id: UUID) -> Response:
        """The people of confirmed bookings, party by party; every reading is audited.

        Document numbers show their last three characters. Staff with `bookings.documents` see them whole.
        """
        return _private(answer(ManifestShown, _row(_read(_reading(departure_id, "json")))))


@blueprint.route("/<uuid:departure_id>/manifest.csv")
class ManifestFile(MethodView):
    @permission_required("departures.manifest")
    @blueprint.arguments(ManifestFileQuery, location="query")
    @blueprint.response(200, {"type": "string"}, content_type="text/csv")
    def get(self, query: dict[str, Any], departure_id: UUID) -> Response:
        """The same as CSV in the reader's language, a line for each traveller."""
        manifest = _read(_reading(departure_id, "csv"))
        mark = BYTE_ORDER_MARK if query["bom"] else ""
        lines = "".join(_lines(manifest, language=reading_language()))
        return _file(mark + lines, CSV_TYPE, f"manifest-{manifest.starts_on}.csv")


@blueprint.route("/<uuid:departure_id>/manifest.pdf")
class PrintedManifest(MethodView):
    @permission_required("departures.manifest")
    @blueprint.arguments(PrintedManifestQuery, location="query")
    @blueprint.response(200, {"type": "string", "format": "binary"}, content_type="application/pdf")
    @blueprint.alt_response(202, schema=BeingMade, description="It is being drawn; ask again after Retry-After")
    def get(self, query: dict[str, Any], departure_id: UUID) -> Response:
        """The same to print; document numbers show their last three characters to everybody."""
        language = query["lang"] or reading_language()
        return _as_pdf(PrintManifest(reading=_reading(departure_id, "pdf"), language=language))


def _reading(departure_id: UUID, written_as: str) -> ReadManifest:
    """Vendors look at their own departures; who sees whole document numbers sees none of them on paper."""
    return ReadManifest(
        departure_id=departure_id,
        actor_id=viewer().user_id,
        vendor_id=None if viewer().is_staff else viewer().user_id,
        format=written_as,
        whole=written_as != "pdf" and viewer().is_staff and may("bookings.documents"),
    )


def _read(reading: ReadManifest) -> Manifest:
    return read_manifest(reading, manifests=use().manifests, uow=use().new_uow(), clock=use().clock)


def _as_pdf(command: PrintManifest) -> Response:
    key = print_manifest(
        command,
        manifests=use().manifests,
        uow=use().new_uow(),
        clock=use().clock,
        new_id=use().new_id,
        digests=use().digests,
    )
    pdf = use().storage.get(key) if key is not None else None
    if pdf is None:
        return json_answer({"status": "being_made"}, 202, {"Retry-After": "2"})
    return _file(pdf, "application/pdf", f"manifest-{command.language}.pdf")


def _row(manifest: Manifest) -> Row:
    return {
        **{name: getattr(manifest, name) for name in _PLAIN},
        "start_time": manifest.start_time.strftime("%H:%M"),
        "parties": [_party_row(party) for party in manifest.parties],
        "totals": {
            "parties": len(manifest.parties),
            "travelers": manifest.seats,
            "unnamed": manifest.unnamed,
            "capacity": manifest.capacity,
        },
    }


_PLAIN: Final = ("departure_id", "name_ar", "name_en", "status", "starts_on", "ends_on", "time_zone")


def _party_row(party: Party) -> Row:
    return {**asdict(party), "travelers_count": party.seats, "unnamed": party.unnamed}


def _lines(manifest: Manifest, *, language: str) -> Iterator[str]:
    """A line for each traveller, with or without a name, and one that counts them."""
    yield csv_line(_HEADINGS[language])
    for party in manifest.parties:
        missed = _YES[language] if party.no_show else None
        booked_by = f"{party.first_name} {party.last_name}".strip()
        told = (party.booking_number, party.status, missed, booked_by, party.email, party.phone, party.special_requests)
        people: list[Traveler | None] = [*party.travelers, *repeat(None, party.unnamed)]
        for place, traveler in enumerate(people, start=1):
            yield csv_line((*told, place, *_person(traveler)))
    yield csv_line((_TOTAL[language], *repeat(None, 6), manifest.seats, *repeat(None, 5)))


def _person(traveler: Traveler | None) -> tuple[object, ...]:
    if traveler is None:
        return (None,) * 5
    return (
        traveler.first_name,
        traveler.last_name,
        traveler.birth_date,
        traveler.document_number,
        traveler.document_expires_on,
    )


def _file(content: bytes | str, content_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return _private(Response(content, content_type=content_type, headers=headers))


def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
