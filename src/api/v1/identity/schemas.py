"""Shapes of accounts and sessions."""

from marshmallow import fields, validate

from api.fields import Schema, Secret, Text
from domain.identity.roles import Surface

LOCALES = ("ar", "en")


class RegisterRequest(Schema):
    email = Text(most=254, least=3, required=True)
    password = Secret(required=True)
    first_name = Text(most=100, least=1, required=True)
    last_name = Text(most=100, least=1, required=True)
    phone = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Regexp(
            r"\+?[0-9][0-9 -]{6,18}[0-9]\Z", error="A phone number in digits, such as +201000000000."
        ),
    )
    locale = fields.String(load_default="en", validate=validate.OneOf(LOCALES))
    marketing_consent = fields.Boolean(load_default=False)


class LoginRequest(Schema):
    email = Text(most=254, required=True)
    password = Secret(required=True)
    second_factor_code = Secret(load_default=None)
    surface = fields.Enum(Surface, load_default=None)


class RefreshRequest(Schema):
    refresh_token = Secret(required=True)


class VerifyEmailRequest(Schema):
    token = Text(most=200, least=1, identifier=True, required=True)


class ForgotPasswordRequest(Schema):
    email = Text(most=254, required=True)


class ResetPasswordRequest(Schema):
    token = Text(most=200, least=1, required=True)
    password = Secret(required=True)


class ChangePasswordRequest(Schema):
    current_password = Secret(required=True)
    new_password = Secret(required=True)


class SessionShown(Schema):
    id = fields.UUID()
    device = fields.String(allow_none=True)
    address = fields.String()
    created_at = fields.DateTime()
    last_used_at = fields.DateTime()
    current = fields.Boolean()


class AcceptedShown(Schema):
    status = fields.String()


class ProfileRequest(Schema):
    first_name = Text(most=100, least=1, load_default=None)
    last_name = Text(most=100, least=1, load_default=None)
    phone = fields.String(
        load_default=None,
        validate=validate.Regexp(
            r"\+?[0-9][0-9 -]{6,18}[0-9]\Z", error="A phone number in digits, such as +201000000000."
        ),
    )
    locale = fields.String(load_default=None, validate=validate.OneOf(LOCALES))


class MembershipShown(Schema):
    tier_code = fields.String()
    membership_number = fields.String(allow_none=True)
    expiry_date = fields.Date(allow_none=True)


class UserShown(Schema):
    id = fields.UUID()
    email = fields.String()
    first_name = fields.String()
    last_name = fields.String()
    phone = fields.String(allow_none=True)
    roles = fields.List(fields.String())
    locale = fields.String()
    status = fields.String()
    email_verified = fields.Boolean()
    phone_verified = fields.Boolean()
    created_at = fields.DateTime()
    updated_at = fields.DateTime()
    membership = fields.Nested(MembershipShown)


class TokensShown(Schema):
    access_token = fields.String()
    refresh_token = fields.String()
    token_type = fields.String()
    expires_in = fields.Integer()


class SignedInShown(TokensShown):
    user = fields.Nested(UserShown)
