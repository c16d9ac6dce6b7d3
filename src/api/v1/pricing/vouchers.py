"""Vouchers: staff make and assign them, customers look at theirs."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from flask import Response

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import use, viewer
from api.etags import expected_version, tagged, with_tag
from api.pagination import PageQuery, split_page
from api.specification import page_of
from api.v1.pricing.places import behind, place_in
from api.v1.pricing.schemas import (
    AssignedShown,
    AssignmentShown,
    AssignmentsRequest,
    VoucherChanges,
    VoucherImportRequest,
    VoucherImportShown,
    VoucherRequest,
    VoucherShown,
    VouchersQuery,
    VoucherStatisticsShown,
    shown_voucher,
)
from api.views import MethodView
from application.pricing.queries import VoucherSearch
from application.pricing.vouchers import (
    AssignVoucher,
    ChangeVoucher,
    CreateVoucher,
    ImportVouchers,
    SwitchVoucher,
    UnassignVoucher,
    activate_voucher,
    assign_voucher,
    change_voucher,
    create_voucher,
    deactivate_voucher,
    import_vouchers,
    unassign_voucher,
)
from domain.pricing.vouchers import VoucherDetails, VoucherNotFound
from middlewares.auth_middleware import permission_required
from middlewares.idempotency import idempotent

blueprint = Blueprint("vouchers", __name__, url_prefix="/vouchers", description="Vouchers")


@blueprint.route("")
class Vouchers(MethodView):
    @permission_required("vouchers.read")
    @blueprint.arguments(VouchersQuery, location="query")
    @blueprint.response(200, page_of(VoucherShown))
    def get(self, query: dict[str, Any]) -> Response:
        """Every voucher, newest first."""
        code = query["code"]
        search = VoucherSearch(
            status=query["status"],
            code=code.upper() if code else None,
            import_id=query["import_id"],
        )
        rows = use().queries.pricing.vouchers(search, limit=query["limit"], after=place_in(query["cursor"]))
        page, cursor = split_page(rows, query["limit"], behind("created_at"))
        return answer_page(VoucherShown, [shown_voucher(row) for row in page], cursor)

    @permission_required("vouchers.create")
    @idempotent()
    @blueprint.arguments(VoucherRequest)
    @blueprint.response(201, VoucherShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Make a voucher that can be used from `valid_from` on, or at once."""
        voucher_id = create_voucher(
            CreateVoucher(actor_id=viewer().user_id, details=cast(VoucherDetails, body)),
            uow=use().new_uow(),
            clock=use().clock,
            new_id=use().new_id,
        )
        return _answer(voucher_id, 201, location=f"/api/v1/vouchers/{voucher_id}")


@blueprint.route("/imports")
class VoucherImports(MethodView):
    @permission_required("vouchers.create")
    @idempotent()
    @blueprint.arguments(VoucherImportRequest)
    @blueprint.response(201, VoucherImportShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Make a voucher of every line of a CSV, or of none: then every line that is wrong is named."""
        imported = import_vouchers(
            ImportVouchers(actor_id=viewer().user_id, template_id=body["template_voucher_id"], text=body["vouchers"]),
            uow=use().new_uow(),
            clock=use().clock,
            new_id=use().new_id,
        )
        return answer(VoucherImportShown, {"id": imported.id, "count": imported.count}, 201)


@blueprint.route("/<uuid:voucher_id>")
class OneVoucher(MethodView):
    @permission_required("vouchers.read")
    @tagged
    @blueprint.response(200, VoucherShown)
    def get(self, voucher_id: UUID) -> Response:
        """One voucher."""
        return _answer(voucher_id)

    @permission_required("vouchers.update")
    @idempotent()
    @tagged
    @blueprint.arguments(VoucherChanges)
    @blueprint.response(200, VoucherShown)
    def patch(self, body: dict[str, Any], voucher_id: UUID) -> Response:
        """Change what is given. Once somebody used it, its code and what it gives stay; limits and dates can change."""
        command = ChangeVoucher(
            actor_id=viewer().user_id,
            voucher_id=voucher_id,
            details=cast(VoucherDetails, body),
            expected_version=expected_version(),
        )
        change_voucher(command, uow=use().new_uow(), clock=use().clock)
        return _answer(voucher_id)


@blueprint.route("/<uuid:voucher_id>/activate")
class ActivateVoucher(MethodView):
    @permission_required("vouchers.update")
    @idempotent()
    @tagged
    @blueprint.response(200, VoucherShown)
    def post(self, voucher_id: UUID) -> Response:
        """Put it back in use; one whose time is over needs another end first."""
        activate_voucher(_switch(voucher_id), uow=use().new_uow(), clock=use().clock)
        return _answer(voucher_id)


@blueprint.route("/<uuid:voucher_id>/deactivate")
class DeactivateVoucher(MethodView):
    @permission_required("vouchers.update")
    @idempotent()
    @tagged
    @blueprint.response(200, VoucherShown)
    def post(self, voucher_id: UUID) -> Response:
        """Take it out of use; bookings that have it keep it."""
        deactivate_voucher(_switch(voucher_id), uow=use().new_uow(), clock=use().clock)
        return _answer(voucher_id)


@blueprint.route("/<uuid:voucher_id>/assignments")
class Assignments(MethodView):
    @permission_required("vouchers.read")
    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, page_of(AssignmentShown))
    def get(self, query: dict[str, Any], voucher_id: UUID) -> Response:
        """Whose it is, and how often each has used it; the newest first."""
        _shown(voucher_id)
        rows = use().queries.pricing.assignments(voucher_id, limit=query["limit"], after=place_in(query["cursor"]))
        return answer_page(AssignmentShown, *split_page(rows, query["limit"], behind("assigned_at")))

    @permission_required("vouchers.assign")
    @idempotent()
    @blueprint.arguments(AssignmentsRequest)
    @blueprint.response(200, AssignedShown)
    def post(self, body: dict[str, Any], voucher_id: UUID) -> Response:
        """Make it these people's; assigning twice is assigning once."""
        command = AssignVoucher(actor_id=viewer().user_id, voucher_id=voucher_id, user_ids=body["user_ids"])
        return answer(AssignedShown, {"assigned": assign_voucher(command, uow=use().new_uow(), clock=use().clock)})


@blueprint.route("/<uuid:voucher_id>/assignments/<uuid:user_id>")
class OneAssignment(MethodView):
    @permission_required("vouchers.assign")
    @idempotent()
    @blueprint.response(204)
    def delete(self, voucher_id: UUID, user_id: UUID) -> Response:
        """Take it from somebody; what they redeemed stays redeemed."""
        command = UnassignVoucher(actor_id=viewer().user_id, voucher_id=voucher_id, user_id=user_id)
        unassign_voucher(command, uow=use().new_uow(), clock=use().clock)
        return Response(status=204)


@blueprint.route("/<uuid:voucher_id>/statistics")
class VoucherStatistics(MethodView):
    @permission_required("vouchers.read")
    @blueprint.response(200, VoucherStatisticsShown)
    def get(self, voucher_id: UUID) -> Response:
        """How often it was used, by how many, what it gave, and what became of the bookings."""
        row = use().queries.pricing.voucher_statistics(voucher_id)
        if row is None:
            raise VoucherNotFound()
        return answer(VoucherStatisticsShown, row)


def _switch(voucher_id: UUID) -> SwitchVoucher:
    return SwitchVoucher(actor_id=viewer().user_id, voucher_id=voucher_id, expected_version=expected_version())


def _shown(voucher_id: UUID) -> dict[str, Any]:
    row = use().queries.pricing.voucher(voucher_id)
    if row is None:
        raise VoucherNotFound()
    return shown_voucher(row)


def _answer(voucher_id: UUID, status: int = 200, *, location: str = "") -> Response:
    row = _shown(voucher_id)
    shown = answer(VoucherShown, row, status, location=location)
    return with_tag(shown, row["version"]) if status == 200 else shown
