"""Batches: made, tried, approved by another, sent, thrown away."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import use, viewer
from api.etags import expected_version, tagged, with_tag
from api.pagination import after_cursor, by_time, split_page
from api.specification import page_of
from api.v1.payouts.batch_schemas import BatchSearch, PayoutBatchRequest, PayoutBatchShown, PayoutBatchSummaryShown
from api.views import MethodView
from application.payouts import batches
from application.payouts.batches import DecideBatch, MakeBatch, debtor_of
from application.payouts.minima import minima_of
from application.payouts.previews import preview_batch
from domain.payouts.batches import BatchNotFound, BatchPayees, BatchPeriod
from middlewares.auth_middleware import permission_required
from middlewares.idempotency import idempotent

blueprint = Blueprint("payout_batches", __name__, url_prefix="/admin/payout-batches", description="Payroll")


@blueprint.route("")
class Batches(MethodView):
    @permission_required("payouts.read")
    @blueprint.arguments(BatchSearch, location="query")
    @blueprint.response(200, page_of(PayoutBatchSummaryShown))
    def get(self, query: dict[str, Any]) -> Response:
        """Every batch, newest first."""
        rows = use().queries.payroll.batches(
            status=query["status"], limit=query["limit"], after=after_cursor(query["cursor"])
        )
        return answer_page(PayoutBatchSummaryShown, *split_page(rows, query["limit"], by_time("created_at")))

    @permission_required("payouts.create")
    @idempotent()
    @blueprint.arguments(PayoutBatchRequest)
    @blueprint.response(201, PayoutBatchShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Take everything that is released and not paid out into a draft; or, as a dry run, only say what it would be.

        Whoever is left out is named with the reason; what they have waits for the next batch.
        """
        command = MakeBatch(
            period=BatchPeriod(body["period"]),
            payees=BatchPayees(body["payee_type"]),
            actor_id=viewer().user_id,
            minima=minima_of(use().system_settings, use().queries.wallet_requests, at=use().clock.now()),
            cut_off=body["cut_off"],
        )
        if body["dry_run"]:
            return answer(
                PayoutBatchShown, preview_batch(command, queries=use().queries.payroll, clock=use().clock), 201
            )
        made = batches.make_batch(command, uow=use().new_uow(), clock=use().clock, new_id=use().new_id)
        if made is None:
            raise BatchNotFound()
        return _shown(made.batch_id, 201, location=f"/api/v1/admin/payout-batches/{made.batch_id}")


@blueprint.route("/<uuid:batch_id>")
class OneBatch(MethodView):
    @permission_required("payouts.read")
    @tagged
    @blueprint.response(200, PayoutBatchShown)
    def get(self, batch_id: UUID) -> Response:
        """A batch with its first payouts, and who was left out."""
        return _shown(batch_id)


@blueprint.route("/<uuid:batch_id>/approve")
class Approve(MethodView):
    @permission_required("payouts.approve")
    @idempotent(required=True)
    @tagged
    @blueprint.response(200, PayoutBatchShown)
    def post(self, batch_id: UUID) -> Response:
        """Take the money out of the payable accounts, and freeze the batch; never by whoever made it.

        A payout that its account no longer bears, because of a refund since, is cancelled; the others go on.
        """
        batches.approve_batch(
            _decision(batch_id),
            debtor=debtor_of(use().system_settings),
            uow=use().new_uow(),
            clock=use().clock,
            new_id=use().new_id,
        )
        return _shown(batch_id)


@blueprint.route("/<uuid:batch_id>/process")
class Process(MethodView):
    @permission_required("payouts.process")
    @idempotent(required=True)
    @tagged
    @blueprint.response(200, PayoutBatchShown)
    def post(self, batch_id: UUID) -> Response:
        """Begin to send it: the bank file is there from now on, every other payout is a job of its own."""
        batches.process_batch(_decision(batch_id), uow=use().new_uow(), clock=use().clock, new_id=use().new_id)
        return _shown(batch_id)


@blueprint.route("/<uuid:batch_id>/cancel")
class Cancel(MethodView):
    @permission_required("payouts.create")
    @idempotent(required=True)
    @tagged
    @blueprint.response(200, PayoutBatchShown)
    def post(self, batch_id: UUID) -> Response:
        """Throw a draft away: the next batch takes what it had."""
        batches.cancel_batch(_decision(batch_id), uow=use().new_uow(), clock=use().clock)
        return _shown(batch_id)


def _decision(batch_id: UUID) -> DecideBatch:
    return DecideBatch(batch_id=batch_id, actor_id=viewer().user_id, expected=expected_version())


def _shown(batch_id: UUID, status: int = 200, *, location: str = "") -> Response:
    row = use().queries.payroll.batch(batch_id)
    if row is None:
        raise BatchNotFound()
    return with_tag(answer(PayoutBatchShown, row, status, location=location), row["version"])
