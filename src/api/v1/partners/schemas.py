"""What vendors and agents send and are shown; of a bank account never more than its mask."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate, validates_schema

from api.fields import Percent, PercentRequest, Schema, Secret, Text
from api.pagination import PageQuery
from domain.partners.documents import DocumentKind
from domain.partners.partners import PartnerStatus, PayoutMethod
from domain.shared.errors import InvalidValue
from domain.shared.payees import PayeeType

_CHOSEN = (PayoutMethod.BANK_TRANSFER, PayoutMethod.WALLET)


class PartnerChanges(Schema):
    """What a partner says of its company."""

    company_name = Text(least=2, most=200)
    license_number = Text(most=100, identifier=True)
    tax_id = Text(most=100, identifier=True)


class PartnerRequest(PartnerChanges):
    payee_type = fields.Enum(PayeeType, required=True)
    company_name = Text(required=True, least=2, most=200)
    payout_method = fields.Enum(
        PayoutMethod,
        load_default=PayoutMethod.BANK_TRANSFER,
        validate=validate.OneOf(_CHOSEN),
        metadata={"description": "STRIPE once staff have entered the account there."},
    )


class ProofRequest(Schema):
    """That it is the owner who asks: where money goes is changed with the password, and a code where there is one."""

    current_password = Secret(required=True)
    second_factor_code = Secret(load_default=None, allow_none=True)


class BankAccountRequest(ProofRequest):
    holder_name = Text(required=True, least=2, most=140)
    account_number = Text(
        required=True,
        least=4,
        most=50,
        identifier=True,
        metadata={
            "description": "An IBAN, or the plain number at a bank that has none; kept encrypted, never shown again.",
            "examples": ["EG380019000500000000263180002"],
        },
    )
    bank_name = Text(load_default="", most=140)
    bank_branch = Text(load_default="", most=140)
    swift_code = Text(load_default="", most=11, identifier=True, metadata={"examples": ["NBEGEGCX"]})


class PayoutMethodRequest(ProofRequest):
    payout_method = fields.Enum(PayoutMethod, required=True)


class BankAccountShown(Schema):
    masked = fields.String(metadata={"description": "The bank, and the last four characters of the number."})
    usable_from = fields.DateTime(metadata={"description": "No payout goes there before."})
    created_at = fields.DateTime()


class PartnerShown(Schema):
    id = fields.UUID()
    user_id = fields.UUID()
    payee_type = fields.String(validate=validate.OneOf(list(PayeeType)))
    status = fields.String(validate=validate.OneOf(list(PartnerStatus)))
    company_name = fields.String()
    license_number = fields.String()
    tax_id = fields.String()
    payout_method = fields.String(validate=validate.OneOf(list(PayoutMethod)))
    payouts_from = fields.DateTime(
        allow_none=True, metadata={"description": "No payout leaves before: the way that it goes has changed."}
    )
    bank_account = fields.Nested(BankAccountShown, allow_none=True)
    rate = Percent(
        allow_none=True, metadata={"description": "What is agreed and holds now; null where the company's own does."}
    )
    refusal_reason = fields.String(allow_none=True)
    suspension_reason = fields.String(allow_none=True)
    approved_at = fields.DateTime(allow_none=True)
    created_at = fields.DateTime()
    updated_at = fields.DateTime()


class AnyPartnerShown(PartnerShown):
    """As staff see it."""

    email = fields.String()
    first_name = fields.String()
    last_name = fields.String()
    stripe_account = fields.String(allow_none=True)
    approved_by_user_id = fields.UUID(allow_none=True)


class PartnerSearchQuery(PageQuery):
    """Which profiles."""

    status = fields.String(load_default=None, validate=validate.OneOf(list(PartnerStatus)))
    q = Text(load_default=None, least=1, most=100)


class PartnerReasonRequest(Schema):
    reason = Text(required=True, least=3, most=500)


class StripeAccountRequest(Schema):
    stripe_account = Text(
        required=True, least=6, most=100, identifier=True, metadata={"examples": ["acct_1NvQ2eLkdIwHu7ix"]}
    )

    @validates_schema
    def _refuse_others(self, body: dict[str, Any], **_: Any) -> None:
        if not body["stripe_account"].startswith("acct_"):
            raise InvalidValue("acct_…, as Stripe shows it", pointer="/stripe_account", code="wrong_value")


class PartnerRateRequest(Schema):
    rate = PercentRequest(
        required=True,
        metadata={
            "type": "string",
            "description": "Of what is paid: a vendor's share, or an agent's commission.",
            "examples": ["82.50"],
        },
    )
    valid_from = fields.AwareDateTime(load_default=None, allow_none=True)
    reason = Text(required=True, least=3, most=500)


class PartnerRateShown(Schema):
    id = fields.UUID()
    rate = Percent()
    valid_from = fields.DateTime()
    reason = fields.String()
    set_by_user_id = fields.UUID()
    created_at = fields.DateTime()


class DocumentQuery(Schema):
    """What a paper is."""

    kind = fields.Enum(DocumentKind, required=True)
    expires_on = fields.Date(
        load_default=None, metadata={"description": "Its last good day; none where it has no end."}
    )


class ExpiringQuery(PageQuery):
    """Papers that end on or before a day."""

    until = fields.Date(load_default=None, metadata={"description": "Yesterday where it is left out: what is over."})


class PartnerDocumentShown(Schema):
    id = fields.UUID()
    partner_id = fields.UUID()
    kind = fields.String(validate=validate.OneOf(list(DocumentKind)))
    expires_on = fields.Date(allow_none=True)
    is_expired = fields.Boolean()
    is_newest = fields.Boolean(metadata={"description": "Whether no newer one of its kind took its place."})
    content_type = fields.String()
    size_bytes = fields.Integer()
    uploaded_at = fields.DateTime()
    verified_at = fields.DateTime(allow_none=True)


class AnyPartnerDocumentShown(PartnerDocumentShown):
    verified_by_user_id = fields.UUID(allow_none=True)


class ExpiringDocumentShown(AnyPartnerDocumentShown):
    company_name = fields.String()
    partner_status = fields.String(validate=validate.OneOf(list(PartnerStatus)))
