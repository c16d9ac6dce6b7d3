"""Encrypted fields: unreadable in their rows, and readable while keys rotate."""

from __future__ import annotations

import pytest
from cryptography.fernet import InvalidToken
from hypothesis import given, settings
from hypothesis import strategies as st

from security.field_encryption import FernetEncryption

OLD, NEW = "an old secret of some length", "a new secret of some length"


@given(st.text(max_size=60))
@settings(deadline=None, max_examples=40)
def test_what_was_encrypted_is_read_back(text: str) -> None:
    encryption = FernetEncryption([NEW])

    assert encryption.decrypt(encryption.encrypt(text)) == text


def test_the_text_is_not_in_what_is_stored_and_never_stored_alike() -> None:
    encryption = FernetEncryption([NEW])
    one, other = (encryption.encrypt("A12345678") for _ in range(2))

    assert b"A12345678" not in one
    assert one != other


def test_keys_rotate_the_first_encrypts_and_all_decrypt() -> None:
    before, during, after = (FernetEncryption(secrets) for secrets in ([OLD], [NEW, OLD], [NEW]))
    old_text, new_text = before.encrypt("old"), during.encrypt("new")

    assert during.decrypt(old_text) == "old"
    assert during.decrypt(new_text) == after.decrypt(new_text) == "new"
    for reader, text in ((after, old_text), (before, new_text)):
        with pytest.raises(InvalidToken):
            reader.decrypt(text)


def test_what_was_changed_is_refused() -> None:
    encryption = FernetEncryption([NEW])
    sealed = bytearray(encryption.encrypt("A12345678"))
    sealed[len(sealed) // 2] ^= 1

    with pytest.raises(InvalidToken):
        encryption.decrypt(bytes(sealed))
