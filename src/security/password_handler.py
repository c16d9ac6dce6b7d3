"""Password hashing: bcrypt over a pre-hash, so that no byte of a long password is lost.

bcrypt reads 72 bytes; the SHA-256 of the NFKC form, in base64, is 44 and has no NUL (guarantee S4).
"""

from __future__ import annotations

import base64
import hashlib
import unicodedata
from collections.abc import Callable
from functools import cached_property

import bcrypt

from domain.shared.errors import InvalidValue

SHORTEST, LONGEST = 8, 128

# The passwords that are tried first everywhere, eight characters and longer.
_WELL_KNOWN_TEXT = """
    password password1 password12 password123 passw0rd p@ssw0rd p@ssword 12345678 123456789 1234567890 0123456789
    87654321 987654321 0987654321 11111111 00000000 88888888 123123123 12341234 123456123456 qwertyui qwertyuiop
    qwerty123 qwerty12 1q2w3e4r 1q2w3e4r5t 1qaz2wsx zaq12wsx asdfghjk asdfghjkl iloveyou sunshine princess football
    baseball superman trustno1 welcome1 welcome123 admin123 administrator changeme letmein1 whatever computer
    internet samsung1 abcd1234 abc12345 a1b2c3d4 aa123456 aaaaaaaa qazwsxedc michelle jennifer jordan23 starwars
    altayar1 altayar123 egypt123 cairo123 ١٢٣٤٥٦٧٨ ١٢٣٤٥٦٧٨٩
"""
# NFKC leaves Arabic-Indic digits as they are, so they stand in the list.
_WELL_KNOWN = frozenset(_WELL_KNOWN_TEXT.split())

Run = Callable[[Callable[[], bytes]], bytes]


class BcryptPasswords:
    """Implements `application.identity.ports.PasswordHasher`.

    `run` executes the costly call: a web worker passes one that keeps its other requests moving.
    """

    def __init__(self, cost: int, run: Run = lambda work: work()) -> None:
        self._cost = cost
        self._run = run

    def hash(self, password: str) -> str:
        normal = _normal(password)
        if not SHORTEST <= len(normal) <= LONGEST:
            raise InvalidValue(
                f"a password has {SHORTEST} to {LONGEST} characters", pointer="/password", code="invalid_password"
            )
        if normal.casefold() in _WELL_KNOWN:
            raise InvalidValue("this password is known to everybody", pointer="/password", code="common_password")
        return self._run(lambda: bcrypt.hashpw(_prehash(normal), bcrypt.gensalt(self._cost))).decode()

    def verify(self, password: str, password_hash: str | None) -> bool:
        normal = _normal(password)[: LONGEST + 1]
        stored = (password_hash or self._nobody).encode()
        computed = self._run(lambda: b"1" if bcrypt.checkpw(_prehash(normal), stored) else b"")
        return bool(computed) and password_hash is not None and len(normal) <= LONGEST

    @cached_property
    def _nobody(self) -> str:
        """A hash that no password has, compared with where there is no account: it takes as long."""
        return bcrypt.hashpw(b"nobody", bcrypt.gensalt(self._cost)).decode()


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password)


def _prehash(password: str) -> bytes:
    # Half a surrogate pair is in no encoding; it is hashed all the same, so that no password breaks anything.
    return base64.b64encode(hashlib.sha256(password.encode("utf-8", "surrogatepass")).digest())
