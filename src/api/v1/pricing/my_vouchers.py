"""Vouchers as their holders see them: which there are, and whether a code is worth anything to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import use, viewer
from api.pagination import PageQuery, split_page
from api.specification import page_of
from api.v1.pricing.places import behind, place_in
from api.v1.pricing.schemas import CheckedVoucherShown, CodeQuery, UsableVoucherShown, shown_voucher
from api.views import MethodView
from application.pricing.vouchers import CheckedVoucher, check_voucher
from middlewares.auth_middleware import token_required
from middlewares.language import reading_language
from middlewares.messages.pricing import reason_sentence
from middlewares.rate_limit import limited

blueprint = Blueprint("my_vouchers", __name__, url_prefix="/vouchers", description="Vouchers of one's own")

CHECKS_PER_MINUTE = 20
"""By address: enough for whoever mistypes, too few for whoever guesses."""


@blueprint.route("/mine")
class MyVouchers(MethodView):
    @token_required
    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, page_of(UsableVoucherShown))
    def get(self, query: dict[str, Any]) -> Response:
        """Vouchers that you can use now: your own, and everybody's. The newest first."""
        rows = use().queries.pricing.usable_vouchers(
            viewer().user_id, at=use().clock.now(), limit=query["limit"], after=place_in(query["cursor"])
        )
        page, cursor = split_page(rows, query["limit"], behind("created_at"))
        return answer_page(UsableVoucherShown, [_usable(row) for row in page], cursor)


@blueprint.route("/check")
class CheckVoucher(MethodView):
    @token_required
    @limited(per_minute=CHECKS_PER_MINUTE)
    @blueprint.arguments(CodeQuery, location="query")
    @blueprint.response(200, CheckedVoucherShown)
    def get(self, query: dict[str, Any]) -> Response:
        """Whether you can use a code now, what it gives, and until when; a quote says what it does to a price.

        A code that does not exist and a private one of somebody else are answered alike.
        """
        checked = check_voucher(
            query["code"], holder=viewer().user_id, queries=use().queries.pricing, clock=use().clock
        )
        return answer(CheckedVoucherShown, _shown(query["code"], checked))


def _shown(typed: str, checked: CheckedVoucher) -> Mapping[str, Any]:
    reason = checked.reason
    return {
        "code": typed if checked.voucher is None else checked.voucher["code"],
        "is_usable": reason is None,
        "reason": reason,
        "detail": None if reason is None else reason_sentence(reason, reading_language(), checked.figures),
        "voucher": None if checked.voucher is None else _usable(checked.voucher),
    }


def _usable(row: Mapping[str, Any]) -> dict[str, Any]:
    limit = row["usage_limit_per_user"]
    return {**shown_voucher(row), "uses_left": None if limit is None else max(0, limit - row["used_by_you"])}
