"""Encryption of single fields, such as document numbers: Fernet, with keys that rotate."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class KeyMissing(Exception):
    """Something was encrypted with a key that is not among the ones given, or was changed since."""


class FernetEncryption:
    """Implements `application.ports.Encryption`; the first secret encrypts, every secret decrypts."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._newest = Fernet(_key(secrets[0]))
        self._fernet = MultiFernet([Fernet(_key(secret)) for secret in secrets])

    def encrypt(self, text: str) -> bytes:
        return self._fernet.encrypt(text.encode())

    def decrypt(self, sealed: bytes) -> str:
        return self._fernet.decrypt(sealed).decode()

    def renewed(self, sealed: bytes) -> bytes | None:
        """The same text under the first key; None where that is the key it has. Raises KeyMissing."""
        try:
            self._newest.decrypt(sealed)
        except InvalidToken:
            return self._under_the_first_key(sealed)
        return None

    def _under_the_first_key(self, sealed: bytes) -> bytes:
        try:
            return self._fernet.rotate(sealed)
        except InvalidToken as error:
            raise KeyMissing("none of FIELD_ENCRYPTION_KEYS opens it") from error


def _key(secret: str) -> bytes:
    return base64.urlsafe_b64encode(_derived(secret, b"altayar fields"))


def _derived(secret: str, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(secret.encode())
