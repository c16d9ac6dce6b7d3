"""Access tokens: one algorithm, every claim, our keys only; anything else is no token of ours (S2)."""

from __future__ import annotations

import base64
import json
import warnings
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from domain.identity.roles import Surface
from domain.shared.errors import NotAllowed
from security.jwt_handler import ISSUER, LEEWAY, LIFETIME, TYPE, InvalidToken, JwtAccessTokens

SECRET, OLD_SECRET = "s" * 48, "o" * 48
KEYS = {"new": SECRET, "old": OLD_SECRET}
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
TOKENS = JwtAccessTokens(KEYS)


def issued(tokens: JwtAccessTokens = TOKENS, **changes: Any) -> str:
    values: dict[str, Any] = {"user_id": uuid4(), "session_id": uuid4(), "roles": ["CUSTOMER"], "at": NOW}
    return tokens.issue(**{**values, **changes})


def forged(*, headers: dict[str, Any] | None = None, key: Any = SECRET, algorithm: str = "HS256", **claims: Any) -> str:
    """A token as we would sign it, with other claims or headers; a claim of None is left out."""
    payload = {
        "iss": ISSUER, "aud": "altayar-staff", "sub": str(uuid4()), "sid": str(uuid4()), "roles": ["SUPER_ADMIN"],
        "iat": int(NOW.timestamp()), "exp": int((NOW + LIFETIME).timestamp()), "jti": uuid4().hex,
        "amr": ["pwd"], **claims,
    }  # fmt: skip
    present = {name: value for name, value in payload.items() if value is not None}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", jwt.InsecureKeyLengthWarning)
        return jwt.encode(present, key, algorithm=algorithm, headers={"kid": "new", "typ": TYPE, **(headers or {})})


def pieces(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    return ".".join(
        base64.urlsafe_b64encode(part).rstrip(b"=").decode()
        for part in (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    )


def refused(token: str, tokens: JwtAccessTokens = TOKENS, *, at: datetime = NOW) -> bool:
    try:
        tokens.read(token, at=at)
    except InvalidToken:
        return True
    return False


@pytest.mark.parametrize("proved", [True, False])
def test_a_token_says_whether_its_session_proved_a_second_factor(proved: bool) -> None:
    token = issued(second_factor=proved)

    assert TOKENS.read(token, at=NOW).second_factor is proved
    assert jwt.decode(token, options={"verify_signature": False})["amr"] == (["pwd", "otp"] if proved else ["pwd"])


@pytest.mark.parametrize("amr", [None, 5, True])
def test_a_token_that_does_not_say_how_its_session_was_entered_is_refused(amr: Any) -> None:
    assert refused(forged(amr=amr))


def test_what_was_issued_is_read() -> None:
    user_id, session_id = uuid4(), uuid4()

    viewer = TOKENS.read(issued(user_id=user_id, session_id=session_id, roles=["CUSTOMER", "AGENT"]), at=NOW)

    assert (viewer.user_id, viewer.session_id) == (user_id, session_id)
    assert viewer.roles == {"CUSTOMER", "AGENT"}
    assert viewer.may("bookings.create")
    assert not viewer.may("users.read")


def test_the_forgery_of_these_tests_is_good_where_nothing_is_wrong_with_it() -> None:
    assert not refused(forged())


def test_a_token_lives_for_at_most_15_minutes() -> None:
    token = issued()

    assert timedelta(minutes=15) >= LIFETIME
    assert not refused(token, at=NOW + LIFETIME - timedelta(seconds=1))
    assert refused(token, at=NOW + LIFETIME)
    assert TOKENS.lifetime_seconds == LIFETIME.total_seconds()


@pytest.mark.parametrize("ahead", [LEEWAY, LEEWAY + timedelta(seconds=1)], ids=str)
def test_a_token_of_a_clock_that_is_a_minute_ahead_is_good_and_no_later_one(ahead: timedelta) -> None:
    assert refused(issued(at=NOW + ahead)) is (ahead > LEEWAY)


@pytest.mark.parametrize(
    ("surface", "roles"),
    [
        (Surface.APP, {"CUSTOMER"}),
        (Surface.PARTNER, {"CUSTOMER", "AGENT"}),
        (Surface.STAFF, {"CUSTOMER", "AGENT", "ADMIN", "AUDITOR"}),
    ],
)
def test_only_roles_of_its_own_surface_or_narrower_ones_count(surface: Surface, roles: set[str]) -> None:
    everything = ["CUSTOMER", "AGENT", "ADMIN", "AUDITOR"]

    viewer = TOKENS.read(issued(roles=everything, surface=surface), at=NOW)

    assert (viewer.surface, viewer.roles) == (surface, roles)
    assert viewer.may("users.read") is (surface is Surface.STAFF)


def test_a_role_that_an_audience_does_not_hold_counts_for_nothing_even_if_it_is_signed() -> None:
    viewer = TOKENS.read(forged(aud="altayar-app", roles=["SUPER_ADMIN"]), at=NOW)

    assert (viewer.roles, viewer.permissions) == (frozenset(), frozenset())


@pytest.mark.parametrize(
    "headers", [{"typ": "JWT"}, {"typ": None}, {"cty": "JWT"}, {"crit": ["exp"]}, {"x5t": "x"}], ids=str
)
def test_the_header_is_that_of_an_access_token_and_nothing_more(headers: dict[str, Any]) -> None:
    assert refused(forged(headers=headers))


def test_no_two_tokens_are_the_same() -> None:
    assert len({issued(user_id=NOW, session_id=NOW) for _ in range(5)}) == 5


@pytest.mark.parametrize("claim", ["iss", "aud", "sub", "sid", "exp", "iat", "jti", "roles"])
def test_every_claim_is_needed(claim: str) -> None:
    assert refused(forged(**{claim: None}))


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "somebody"}, {"aud": "another-api"}, {"sub": "1"}, {"sub": "admin"}, {"sid": ""}, {"exp": "never"},
        {"exp": 0}, {"exp": -1}, {"roles": 5}, {"aud": []}, {"aud": ["altayar-staff"]}, {"aud": "altayar-api"},
        {"roles": "ADMIN"}, {"roles": [5]}, {"roles": {"ADMIN": 1}}, {"jti": ""}, {"jti": 5}, {"sub": 5}, {"sid": 5},
        {"iat": True}, {"iat": "now"}, {"iat": int((NOW - timedelta(days=1)).timestamp())},
        {"exp": int((NOW + timedelta(minutes=16)).timestamp())},
        {"nbf": 2**40},
    ],
    ids=str,
)  # fmt: skip
def test_every_claim_is_looked_at(claims: dict[str, Any]) -> None:
    assert refused(forged(**claims))


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", ""])
@pytest.mark.parametrize("signature", [b"", b"x"])
def test_an_unsigned_token_is_none(name: str, signature: bytes) -> None:
    claims = jwt.decode(forged(), options={"verify_signature": False})

    assert refused(pieces({"alg": name, "typ": TYPE, "kid": "new"}, claims, signature))


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_another_algorithm_with_our_own_key_is_refused(algorithm: str) -> None:
    assert refused(forged(algorithm=algorithm))


def test_a_signature_of_somebody_elses_key_pair_is_refused_whatever_key_it_brings() -> None:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = jwt.algorithms.RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)

    for headers in ({}, {"jwk": public}, {"jku": "https://evil.example/jwks.json"}, {"x5u": "https://evil.example/c"}):
        assert refused(forged(key=private, algorithm="RS256", headers=headers))


@pytest.mark.parametrize(
    "headers",
    [
        {"jwk": {"kty": "oct", "k": base64.urlsafe_b64encode(b"e" * 48).decode(), "kid": "new"}},
        {"jku": "https://evil.example/jwks.json"},
        {"x5u": "https://evil.example/cert.pem"},
        {"x5c": ["MIIB"]},
    ],
    ids=lambda headers: next(iter(headers)),
)
def test_a_token_does_not_bring_its_own_key(headers: dict[str, Any]) -> None:
    assert refused(forged(key="e" * 48, headers=headers))


@pytest.mark.parametrize(
    "kid",
    ["", "unknown", "NEW", "../../dev/null", "/dev/null", "new' OR '1'='1", "new\0", "__class__", ["new"], {"a": 1}, 0,
     None, True],
    ids=repr,
)  # fmt: skip
def test_only_names_of_our_keys_find_a_key(kid: Any) -> None:
    good = forged()
    claims = jwt.decode(good, options={"verify_signature": False})

    for key in (b"", SECRET.encode(), OLD_SECRET.encode()):
        header = {"alg": "HS256", "typ": TYPE, **({} if kid is None else {"kid": kid})}
        unsigned = pieces(header, claims).rsplit(".", 1)[0]
        algorithm = jwt.get_algorithm_by_name("HS256")
        signature = base64.urlsafe_b64encode(algorithm.sign(unsigned.encode(), key)).rstrip(b"=").decode()
        assert refused(f"{unsigned}.{signature}")


def test_one_keys_name_does_not_open_with_another_key() -> None:
    assert not refused(forged(key=OLD_SECRET, headers={"kid": "old"}))
    assert refused(forged(key=OLD_SECRET, headers={"kid": "new"}))
    assert refused(forged(key=SECRET, headers={"kid": "old"}))


def test_keys_rotate() -> None:
    before, during, after = (JwtAccessTokens(keys) for keys in ({"old": OLD_SECRET}, KEYS, {"new": SECRET}))
    old_token, new_token = issued(before), issued(during)

    assert jwt.get_unverified_header(old_token)["kid"] == "old"
    assert jwt.get_unverified_header(new_token)["kid"] == "new"
    assert [refused(old_token, each) for each in (before, during, after)] == [False, False, True]
    assert [refused(new_token, each) for each in (before, during, after)] == [True, False, False]


def test_a_changed_token_is_refused() -> None:
    header, claims, signature = issued(roles=["CUSTOMER"]).split(".")
    promoted = json.loads(base64.urlsafe_b64decode(claims + "=="))
    promoted["roles"] = ["SUPER_ADMIN"]
    changed = base64.urlsafe_b64encode(json.dumps(promoted).encode()).rstrip(b"=").decode()

    assert refused(f"{header}.{changed}.{signature}")
    assert refused(f"{header}.{claims}.")
    assert refused(f"{header}.{claims}")


@pytest.mark.parametrize(
    "token",
    ["", ".", "..", "...", "a.b.c", "Bearer x", "\ud800", "é.é.é", "x" * 100_000,
     base64.urlsafe_b64encode(b"[" * 6_000).decode() + ".e30.eA",
     base64.urlsafe_b64encode(b'{"kid":' + b"[" * 6_000).decode() + ".e30.eA",
     base64.urlsafe_b64encode(b"5").decode() + ".e30.eA", base64.urlsafe_b64encode(b"null").decode() + ".e30.eA"],
    ids=lambda token: ascii(token)[:20],
)  # fmt: skip
def test_nonsense_is_refused_and_breaks_nothing(token: str) -> None:
    assert refused(token)


@given(st.text(max_size=80) | st.lists(st.text(max_size=20), min_size=3, max_size=3).map(".".join))
def test_any_text_is_refused_as_what_it_is(text: str) -> None:
    with pytest.raises(NotAllowed):
        TOKENS.read(text, at=NOW)
