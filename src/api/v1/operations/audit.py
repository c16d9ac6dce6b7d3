"""The audit log: what staff did and were refused, in pages and as a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final
from uuid import UUID

import orjson
from flask import Response
from marshmallow import ValidationError, fields, validate, validates_schema

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import use, viewer
from api.fields import Schema, Text
from api.pagination import PageQuery, after_cursor, by_time, split_page
from api.specification import page_of
from api.views import MethodView
from application.csv import CSV_TYPE, csv_line
from application.operations.audit import RecordExport, record_export
from application.operations.queries import AuditSearch, OperationsQueries
from application.queries import After, Row
from domain.operations.audit import AuditStatus
from domain.shared.errors import NotFound
from middlewares.auth_middleware import permission_required

blueprint = Blueprint("audit", __name__, url_prefix="/admin", description="What staff did")

MOST_EXPORTED: Final = 100_000
_AT_ONCE: Final = 1_000


class AuditLogShown(Schema):
    id = fields.UUID()
    user_id = fields.UUID(allow_none=True)
    action = fields.String()
    module = fields.String()
    resource_type = fields.String()
    resource_id = fields.UUID(allow_none=True)
    changes = fields.Dict()
    ip_address = fields.String(allow_none=True)
    user_agent = fields.String(allow_none=True)
    status = fields.String(validate=validate.OneOf(list(AuditStatus)))
    error_message = fields.String(allow_none=True)
    request_id = fields.String()
    created_at = fields.DateTime()


class AuditFilterQuery(Schema):
    """Which rows of the audit log; `from` is included, `to` is not."""

    user_id = fields.UUID(load_default=None)
    module = Text(most=50, load_default=None)
    action = Text(most=100, load_default=None)
    resource_type = Text(most=50, load_default=None)
    resource_id = fields.UUID(load_default=None)
    since = fields.AwareDateTime(data_key="from", format="iso", load_default=None)
    until = fields.AwareDateTime(data_key="to", format="iso", load_default=None)
    status = fields.String(load_default=None, validate=validate.OneOf(list(AuditStatus)))
    request_id = Text(most=100, load_default=None)

    @validates_schema
    def refuse_empty_ranges(self, query: Mapping[str, Any], **_: Any) -> None:
        """A range that nothing can lie in is a mistake, not a search."""
        since, until = query.get("since"), query.get("until")
        if since is not None and until is not None and until <= since:
            raise ValidationError("The range ends before it begins.", field_name="to")


class AuditQuery(AuditFilterQuery, PageQuery):
    """Which page of the audit log."""


@blueprint.route("/audit-logs")
class AuditLogs(MethodView):
    @permission_required("audit.read")
    @blueprint.arguments(AuditQuery, location="query")
    @blueprint.response(200, page_of(AuditLogShown))
    def get(self, query: dict[str, Any]) -> Response:
        """What staff did and were refused, newest first."""
        limit, after = query.pop("limit"), after_cursor(query.pop("cursor"))
        rows = use().queries.operations.audit_logs(AuditSearch(**query), limit=limit, after=after)
        return answer_page(AuditLogShown, *split_page(rows, limit, by_time("created_at")))


@blueprint.route("/audit-logs/<uuid:log_id>")
class OneAuditLog(MethodView):
    @permission_required("audit.read")
    @blueprint.response(200, AuditLogShown)
    def get(self, log_id: UUID) -> Response:
        """One row of the audit log."""
        row = use().queries.operations.audit_log(log_id)
        if row is None:
            raise NotFound()
        return answer(AuditLogShown, row)


@blueprint.route("/audit-logs.csv")
class AuditLogFile(MethodView):
    @permission_required("audit.read")
    @blueprint.arguments(AuditFilterQuery, location="query")
    @blueprint.response(200, {"type": "string"}, content_type="text/csv")
    def get(self, query: dict[str, Any]) -> Response:
        """The newest 100,000 rows as CSV; that it was taken is itself in the audit log."""
        search = AuditSearch(**query)
        record_export(RecordExport(viewer().user_id, search), uow=use().new_uow(), clock=use().clock)
        headers = {"Content-Disposition": 'attachment; filename="audit-logs.csv"'}
        return Response(_file(search, use().queries.operations), content_type=CSV_TYPE, headers=headers)


def _file(search: AuditSearch, queries: OperationsQueries) -> Iterator[str]:
    columns = list(AuditLogShown().fields)
    yield csv_line(columns)
    for row in islice(_rows(search, queries), MOST_EXPORTED):
        yield csv_line(_cell(row[column]) for column in columns)


def _rows(search: AuditSearch, queries: OperationsQueries) -> Iterator[Row]:
    """Page by page, so that neither this process nor a statement holds all of them."""
    after: After | None = None
    while True:
        found = queries.audit_logs(search, limit=_AT_ONCE, after=after)
        yield from found[:_AT_ONCE]
        if len(found) <= _AT_ONCE:
            return
        last = found[_AT_ONCE - 1]
        after = After(last["created_at"], last["id"])


def _cell(value: Any) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return orjson.dumps(value).decode() if isinstance(value, dict) else value
