"""Being forgotten."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response

from api.answers import answer
from api.blueprint import Blueprint
from api.context import erasure_grace, network_address, use, viewer
from api.v1.privacy.schemas import ErasureOrderRequest, ErasureRequest, ErasureShown
from api.views import MethodView
from application.privacy import erasure
from application.queries import Row
from domain.privacy.erasure import ErasureNotFound
from middlewares.auth_middleware import permission_required, token_required
from middlewares.idempotency import idempotent, not_idempotent

blueprint = Blueprint("erasures", __name__, description="Being forgotten")


@blueprint.route("/users/me/erasure")
class OwnErasure(MethodView):
    @token_required
    @not_idempotent("the second of two finds that it is asked for, and wrong passwords have to stay counted")
    @blueprint.arguments(ErasureRequest)
    @blueprint.response(202, ErasureShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Ask to be forgotten, in 14 days unless the company says otherwise; refused while money is open.

        The account works until then.
        """
        erasure.ask_for_erasure(
            erasure.AskForErasure(user_id=viewer().user_id, address=network_address(), grace=erasure_grace(), **body),
            uow=use().new_uow(),
            passwords=use().passwords,
            clock=use().clock,
            new_id=use().new_id,
        )
        return answer(ErasureShown, _erasure(viewer().user_id), 202)

    @token_required
    @blueprint.response(200, ErasureShown)
    def get(self) -> Response:
        """When one is to be forgotten."""
        return answer(ErasureShown, _erasure(viewer().user_id))

    @token_required
    @blueprint.response(204)
    @idempotent()
    def delete(self) -> Response:
        """Think again."""
        erasure.withdraw_erasure(viewer().user_id, uow=use().new_uow(), clock=use().clock)
        return Response(status=204)


@blueprint.route("/admin/users/<uuid:user_id>/erasure")
class AnyErasure(MethodView):
    @permission_required("privacy.erase")
    @blueprint.arguments(ErasureOrderRequest)
    @blueprint.response(202, ErasureShown)
    @idempotent()
    def post(self, body: dict[str, Any], user_id: UUID) -> Response:
        """Have somebody forgotten, after the grace or `immediately`; open money refuses that, too."""
        command = erasure.OrderErasure(user_id=user_id, actor_id=viewer().user_id, grace=erasure_grace(), **body)
        erasure.order_erasure(command, uow=use().new_uow(), clock=use().clock, new_id=use().new_id)
        return answer(ErasureShown, _erasure(user_id), 202)

    @permission_required("privacy.read")
    @blueprint.response(200, ErasureShown)
    def get(self, user_id: UUID) -> Response:
        """When somebody is to be forgotten, and what money holds it up."""
        return answer(ErasureShown, _erasure(user_id))


def _erasure(user_id: UUID) -> Row:
    row = use().queries.privacy.erasure(user_id)
    if row is None:
        raise ErasureNotFound()
    return row
