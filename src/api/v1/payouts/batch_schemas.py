"""What batches and payouts are asked for and shown as."""

from __future__ import annotations

from typing import Final

from marshmallow import fields, validate

from api.fields import MoneyField, Schema, Text
from api.pagination import PageQuery
from application.payouts.bank_results import LineOutcome
from domain.partners.partners import PayoutMethod
from domain.payouts.batches import BatchOrigin, BatchPayees, BatchPeriod, BatchStatus, LeftOut
from domain.payouts.payouts import PayoutStatus
from domain.shared.payees import PayeeType

CSV, PAIN_001 = "csv", "pain.001"
_STATUSES: Final = validate.OneOf(list(PayoutStatus))


class PayoutBatchRequest(Schema):
    """A batch of everything that is released by `cut_off` (now, where it is left out) and not paid out."""

    period = fields.String(required=True, validate=validate.OneOf(list(BatchPeriod)))
    payee_type = fields.String(required=True, validate=validate.OneOf(list(BatchPayees)))
    cut_off = fields.AwareDateTime(format="iso", load_default=None, allow_none=True)
    dry_run = fields.Boolean(
        load_default=False,
        truthy={True},
        falsy={False},
        metadata={"description": "Answer what the batch would be, beside the last one, and store nothing."},
    )


class BatchSearch(PageQuery):
    """Which batches."""

    status = fields.String(load_default=None, validate=validate.OneOf(list(BatchStatus)))


class PayoutSearchQuery(PageQuery):
    """Which payouts."""

    batch_id = fields.UUID(load_default=None)
    payee_id = fields.UUID(load_default=None)
    status = fields.String(load_default=None, validate=_STATUSES)
    method = fields.String(load_default=None, validate=validate.OneOf(list(PayoutMethod)))


class BankFileQuery(Schema):
    """Which kind of file."""

    format = fields.String(load_default=CSV, validate=validate.OneOf((CSV, PAIN_001)))


class PayoutReasonRequest(Schema):
    reason = Text(required=True, least=3, most=500)


class PayoutArrivedRequest(Schema):
    bank_reference = Text(required=True, least=1, most=100, identifier=True)


class AnyPayoutShown(Schema):
    id = fields.UUID(allow_none=True)
    payout_number = fields.String(allow_none=True)
    batch_id = fields.UUID(allow_none=True)
    batch_number = fields.String(allow_none=True)
    payee_id = fields.UUID()
    payee_type = fields.String(validate=validate.OneOf(list(PayeeType)))
    payee_email = fields.String()
    method = fields.String(validate=validate.OneOf(list(PayoutMethod)))
    destination = fields.String(attribute="destination_masked")
    amount = MoneyField()
    status = fields.String(validate=_STATUSES)
    attempts = fields.Integer()
    provider_reference = fields.String(allow_none=True)
    bank_reference = fields.String(allow_none=True)
    failure_code = fields.String(allow_none=True)
    reason = fields.String(allow_none=True)
    decided_by_user_id = fields.UUID(allow_none=True)
    created_at = fields.DateTime(allow_none=True)
    sent_at = fields.DateTime(allow_none=True)
    closed_at = fields.DateTime(allow_none=True)
    next_try_at = fields.DateTime(
        allow_none=True, metadata={"description": "When it is looked at again; UNKNOWN without it waits for a person."}
    )


class BatchTotalShown(Schema):
    currency = fields.String()
    payouts = fields.Integer()
    amount = MoneyField()
    paid = MoneyField()
    open = MoneyField()
    back = MoneyField(metadata={"description": "Failed or cancelled: owed again."})


class PayeeLeftOutShown(Schema):
    payee_id = fields.UUID()
    payee_type = fields.String(validate=validate.OneOf(list(PayeeType)))
    payee_email = fields.String()
    amount = MoneyField()
    reason = fields.String(validate=validate.OneOf(list(LeftOut)))


class AmountMovedShown(Schema):
    before = MoneyField()
    now = MoneyField()
    difference = MoneyField()


class BatchDifferenceShown(Schema):
    """What a dry run has other than the last batch of the same payees."""

    batch_number = fields.String()
    payees_added = fields.Integer()
    payees_gone = fields.Integer()
    amounts = fields.List(fields.Nested(AmountMovedShown))


class PayoutBatchSummaryShown(Schema):
    id = fields.UUID(allow_none=True)
    batch_number = fields.String(allow_none=True)
    period = fields.String(validate=validate.OneOf(list(BatchPeriod)))
    payee_type = fields.String(validate=validate.OneOf(list(BatchPayees)))
    origin = fields.String(validate=validate.OneOf(list(BatchOrigin)))
    period_start = fields.Date()
    cut_off = fields.DateTime()
    status = fields.String(validate=validate.OneOf(list(BatchStatus)))
    dry_run = fields.Boolean()
    payouts_count = fields.Integer()
    left_out_count = fields.Integer()
    totals = fields.List(fields.Nested(BatchTotalShown))
    created_by_user_id = fields.UUID(allow_none=True)
    approved_by_user_id = fields.UUID(allow_none=True)
    created_at = fields.DateTime(allow_none=True)
    approved_at = fields.DateTime(allow_none=True)
    processing_at = fields.DateTime(allow_none=True)
    completed_at = fields.DateTime(allow_none=True)
    cancelled_at = fields.DateTime(allow_none=True)


class PayoutBatchShown(PayoutBatchSummaryShown):
    """With its first 100 payouts and the first 100 that were left out; `GET /admin/payouts?batch_id=` has them all."""

    entries_count = fields.Integer()
    payouts = fields.List(fields.Nested(AnyPayoutShown))
    left_out = fields.List(fields.Nested(PayeeLeftOutShown))
    difference = fields.Nested(BatchDifferenceShown, allow_none=True)


class BankLineShown(Schema):
    line = fields.Integer()
    payout = fields.String()
    outcome = fields.String(validate=validate.OneOf(list(LineOutcome)))
    status = fields.String(allow_none=True, validate=_STATUSES)


class BankResultsShown(Schema):
    """What came of each line of the bank's file."""

    applied = fields.Integer()
    lines = fields.List(fields.Nested(BankLineShown))
