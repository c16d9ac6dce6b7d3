"""Copies of everything that is held about a person."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import use, viewer
from api.pagination import PageQuery, after_cursor, by_time, split_page
from api.specification import page_of
from api.v1.identity.users import profile_row
from api.v1.privacy.schemas import DownloadQuery, ExportShown
from api.views import MethodView
from application.privacy.exports import RequestExport, read_export, request_export
from application.queries import Row
from domain.privacy.exports import ExportNotFound
from middlewares.auth_middleware import permission_required, token_required
from middlewares.idempotency import idempotent

blueprint = Blueprint("exports", __name__, description="Copies of everything that is held about a person")
_FILE = {"type": "string", "format": "binary"}


@blueprint.route("/users/me/exports")
class OwnExports(MethodView):
    @token_required
    @blueprint.response(202, ExportShown)
    @idempotent()
    def post(self) -> Response:
        """Have a copy of one's data made; at most three a day, one at a time. It is kept for 7 days."""
        export_id = _request(viewer().user_id)
        location = f"/api/v1/users/me/exports/{export_id}"
        return answer(ExportShown, _export(export_id, viewer().user_id), 202, location=location)

    @token_required
    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, page_of(ExportShown))
    def get(self, query: dict[str, Any]) -> Response:
        """The copies that were asked for, newest first."""
        rows = use().queries.privacy.exports(
            owner=viewer().user_id,
            now=use().clock.now(),
            limit=query["limit"],
            after=after_cursor(query["cursor"]),
        )
        return answer_page(ExportShown, *split_page(rows, query["limit"], by_time("requested_at")))


@blueprint.route("/users/me/exports/<uuid:export_id>")
class OwnExport(MethodView):
    @token_required
    @blueprint.response(200, ExportShown)
    def get(self, export_id: UUID) -> Response:
        """How far a copy is."""
        return answer(ExportShown, _export(export_id, viewer().user_id))


@blueprint.route("/users/me/exports/<uuid:export_id>/download")
class OwnExportFile(MethodView):
    @token_required
    @blueprint.arguments(DownloadQuery, location="query")
    @blueprint.response(200, _FILE, content_type="application/zip")
    def get(self, query: dict[str, Any], export_id: UUID) -> Response:
        """The copy: a ZIP with a page to read and the invoices (`archive`), or the JSON document alone (`json`)."""
        status = _export(export_id, viewer().user_id)["status"]
        as_json = query["format"] == "json"
        content = read_export(export_id, status, as_json=as_json, exporting=use().exporting)
        kind, ending = ("application/json", "json") if as_json else ("application/zip", "zip")
        headers = {
            "Content-Disposition": f'attachment; filename="altayar-data.{ending}"',
            "Cache-Control": "no-store",
        }
        return Response(content, content_type=kind, headers=headers)


@blueprint.route("/admin/users/<uuid:user_id>/exports")
class AnyExports(MethodView):
    @permission_required("privacy.export")
    @blueprint.response(202, ExportShown)
    @idempotent()
    def post(self, user_id: UUID) -> Response:
        """Have a copy of a customer's data made; the customer downloads it."""
        return answer(ExportShown, _export(_request(user_id), user_id), 202)


def _request(user_id: UUID) -> UUID:
    command = RequestExport(user_id=user_id, actor_id=viewer().user_id, locale=profile_row(user_id)["locale"])
    return request_export(command, uow=use().new_uow(), clock=use().clock, new_id=use().new_id)


def _export(export_id: UUID, owner: UUID) -> Row:
    row = use().queries.privacy.export(export_id, owner=owner, now=use().clock.now())
    if row is None:
        raise ExportNotFound()
    return row
