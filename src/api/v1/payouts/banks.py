"""What goes to the bank and what comes back: a batch's file, and the bank's word on each transfer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from flask import Response, request
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from api.answers import answer
from api.blueprint import Blueprint
from api.context import use, viewer
from api.v1.payouts.batch_schemas import CSV, BankFileQuery, BankResultsShown
from api.views import MethodView
from application.csv import CSV_TYPE, csv_line
from application.payouts.bank_files import csv_rows, pain_001, read_bank_file
from application.payouts.bank_messages import LARGEST_FILE, read_csv, read_pain_002
from application.payouts.bank_results import Answered, BankLine, ImportResults, LineOutcome, import_results
from application.payouts.batches import debtor_of
from application.queries import Row
from domain.payouts.batches import BatchNotFound
from domain.shared.errors import InvalidValue
from middlewares.auth_middleware import permission_required
from middlewares.idempotency import not_idempotent

blueprint = Blueprint("payout_banks", __name__, url_prefix="/admin/payout-batches", description="Payroll")

_XML: Final = ("application/xml", "text/xml")
_TEXT: Final = {"schema": {"type": "string"}}
_BODIES: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "CSV with `payout` (number or key), `status` (PAID, FAILED, PENDING) and, where the bank tells"
        " them, `bank_reference`, `reason`, `amount` with `currency`; or ISO 20022 pain.002. At most 10 MiB.",
        "content": {"text/csv": _TEXT, **dict.fromkeys(_XML, _TEXT)},
    }
}


@blueprint.route("/<uuid:batch_id>/bank-file")
class BankFile(MethodView):
    @permission_required("payouts.process")
    @blueprint.arguments(BankFileQuery, location="query")
    @blueprint.response(200, {"type": "string"}, content_type="text/csv")
    def get(self, query: dict[str, Any], batch_id: UUID) -> Response:
        """What the bank is to pay, as CSV or ISO 20022 pain.001 (`application/xml`): the same bytes every time.

        That it was read is in the audit log.
        """
        file = read_bank_file(
            batch_id,
            shape=query["format"],
            actor=viewer().user_id,
            debtor=debtor_of(use().system_settings),
            uow=use().new_uow(),
            clock=use().clock,
        )
        if query["format"] == CSV:
            lines = "".join(csv_line(row) for row in csv_rows(file))
            return _file(lines.encode(), CSV_TYPE, f"{file.batch.batch_number}.csv")
        return _file(pain_001(file), _XML[0], f"{file.batch.batch_number}.pain.001.xml")


def _file(content: bytes, kind: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, content_type=kind, headers=headers)


@blueprint.route("/<uuid:batch_id>/bank-results")
class BankResults(MethodView):
    @permission_required("payouts.process")
    @not_idempotent("a line that was applied changes nothing when it comes again")
    @blueprint.doc(**_BODIES)
    @blueprint.response(200, BankResultsShown)
    def post(self, batch_id: UUID) -> Response:
        """What the bank did with each transfer: paid, or refused and owed again. Every line has an answer."""
        batch = use().queries.payroll.batch(batch_id)
        if batch is None:
            raise BatchNotFound()
        command = ImportResults(batch_id=batch_id, actor_id=viewer().user_id, lines=_lines(batch["batch_number"]))
        answers = import_results(command, new_uow=use().new_uow, clock=use().clock, new_id=use().new_id)
        return answer(BankResultsShown, _shown(answers))


def _lines(batch_number: str) -> Sequence[BankLine]:
    request.max_content_length = LARGEST_FILE + 1
    if request.mimetype != "text/csv" and request.mimetype not in _XML:
        raise UnsupportedMediaType()
    content = request.get_data(cache=False)
    if len(content) > LARGEST_FILE:
        raise RequestEntityTooLarge()
    if request.mimetype in _XML:
        return read_pain_002(content, batch_number=batch_number)
    try:
        return read_csv(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InvalidValue("it is not UTF-8", pointer="/results", code="unreadable_results") from error


def _shown(answers: Sequence[Answered]) -> Row:
    lines = [
        {"line": one.line.number, "payout": one.line.name, "outcome": one.outcome, "status": one.status}
        for one in answers
    ]
    return {"applied": sum(one.outcome is LineOutcome.APPLIED for one in answers), "lines": lines}
