"""Cancellation policies: what items are sold under."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from flask import Response

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import use, viewer
from api.etags import expected_version, tagged, with_tag
from api.specification import page_of
from api.v1.sales.cancellation_schemas import PolicyChanges, PolicyRequest, PolicyShown, tiers_in
from api.views import MethodView
from application.queries import Row
from application.sales.policies import ChangePolicy, CreatePolicy, change_policy, create_policy
from domain.sales.policies import PolicyDetails, PolicyNotFound
from middlewares.auth_middleware import permission_required
from middlewares.idempotency import idempotent

blueprint = Blueprint(
    "cancellation-policies", __name__, url_prefix="/cancellation-policies", description="Cancellation policies"
)


@blueprint.route("")
class Policies(MethodView):
    @permission_required("policies.read")
    @blueprint.response(200, page_of(PolicyShown))
    def get(self) -> Response:
        """All policies, the default first; vendors see those that they can choose for their items."""
        rows = use().queries.sales.policies(active_only=not viewer().is_staff)
        return answer_page(PolicyShown, [_as_seen(row) for row in rows], None)

    @permission_required("policies.create")
    @idempotent()
    @blueprint.arguments(PolicyRequest)
    @blueprint.response(201, PolicyShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Make a policy; as the default it takes the place of the one before."""
        command = CreatePolicy(actor_id=viewer().user_id, details=cast(PolicyDetails, tiers_in(body)))
        policy_id = create_policy(command, uow=use().new_uow(), clock=use().clock, new_id=use().new_id)
        return answer(PolicyShown, _row(policy_id), 201, location=f"/api/v1/cancellation-policies/{policy_id}")


@blueprint.route("/<uuid:policy_id>")
class OnePolicy(MethodView):
    @permission_required("policies.read")
    @tagged
    @blueprint.response(200, PolicyShown)
    def get(self, policy_id: UUID) -> Response:
        """One policy; its ETag is its version."""
        return _answer(policy_id)

    @permission_required("policies.update")
    @tagged
    @idempotent()
    @blueprint.arguments(PolicyChanges)
    @blueprint.response(200, PolicyShown)
    def patch(self, body: dict[str, Any], policy_id: UUID) -> Response:
        """Change what is given; bookings keep the terms that they were placed under."""
        command = ChangePolicy(
            actor_id=viewer().user_id,
            policy_id=policy_id,
            details=cast(PolicyDetails, tiers_in(body)),
            expected_version=expected_version(),
        )
        change_policy(command, uow=use().new_uow(), clock=use().clock)
        return _answer(policy_id)


def _answer(policy_id: UUID) -> Response:
    row = _row(policy_id)
    return with_tag(answer(PolicyShown, row), row["version"])


def _row(policy_id: UUID) -> Row:
    row = use().queries.sales.policy(policy_id, active_only=not viewer().is_staff)
    if row is None:
        raise PolicyNotFound()
    return _as_seen(row)


def _as_seen(policy: Row) -> Row:
    """What the company agreed with suppliers is for staff alone."""
    return policy if viewer().is_staff else {**policy, "supplier_hours_before": None}
