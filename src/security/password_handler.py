"""Password hashing: bcrypt over a pre-hash, so that no byte of a long password is lost.

bcrypt reads 72 bytes; the SHA-256 of the NFKC form, in base64, is 44 and has no NUL (guarantee S4).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import cached_property

import bcrypt

from domain.shared.errors import InvalidValue
from security.known_passwords import is_known

SHORTEST, LONGEST = 8, 128
_HASH = re.compile(r"\$2b\$\d\d\$[./A-Za-z0-9]{53}")
_SALT = 29
"""Characters of `$2b$12$` and the salt, with which bcrypt's modular crypt format begins."""

Run = Callable[[Callable[[], bytes]], bytes]


class BcryptPasswords:
    """Implements `application.identity.ports.PasswordHasher`.

    `run` executes the costly call: a web worker passes one that keeps its other requests moving.
    """

    def __init__(self, cost: int, run: Run = lambda work: work()) -> None:
        self._cost = cost
        self._run = run

    def hash(self, password: str, *, like: Sequence[str] = (), pointer: str = "/password") -> str:
        length = len(_normal(password))
        if not SHORTEST <= length <= LONGEST:
            raise InvalidValue(
                f"a password has {SHORTEST} to {LONGEST} characters", pointer=pointer, code="invalid_password"
            )
        if is_known(_normal(password)):
            raise InvalidValue("this password is known to everybody", pointer=pointer, code="common_password")
        return self.rehash(password, like=like)

    def rehash(self, password: str, *, like: Sequence[str] = ()) -> str:
        shared = next((known[:_SALT] for known in like if not self.is_outdated(known)), None)
        salt = shared.encode() if shared is not None else bcrypt.gensalt(self._cost)
        return self._hashed(password, salt)

    def same(self, made: str, hashes: Sequence[str]) -> int | None:
        # Every one is compared: how long it takes does not tell which one it is.
        equal = [index for index, known in enumerate(hashes) if hmac.compare_digest(made, known)]
        return equal[0] if equal else None

    def verify(self, password: str, hashes: Sequence[str]) -> int | None:
        # What an account without a password keeps in its place costs as much as no account.
        salts = {known[:_SALT]: None for known in hashes if _HASH.fullmatch(known)} or {self._nobody[:_SALT]: None}
        found = [self.same(self._hashed(password, salt.encode()), hashes) for salt in salts]
        right = [index for index in found if index is not None]
        return min(right) if right and len(_normal(password)) <= LONGEST else None

    def is_outdated(self, password_hash: str) -> bool:
        return password_hash[:7] != f"$2b${self._cost:02d}$"

    def _hashed(self, password: str, salt: bytes) -> str:
        prehash = _prehash(_normal(password)[: LONGEST + 1])
        return self._run(lambda: bcrypt.hashpw(prehash, salt)).decode()

    @cached_property
    def _nobody(self) -> str:
        """A hash that no password has, hashed against where there is no account: it takes as long."""
        return bcrypt.hashpw(b"nobody", bcrypt.gensalt(self._cost)).decode()


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password)


def _prehash(password: str) -> bytes:
    # Half a surrogate pair is in no encoding; it is hashed all the same, so that no password breaks anything.
    return base64.b64encode(hashlib.sha256(password.encode("utf-8", "surrogatepass")).digest())
