"""The codes of vouchers: one spelling for what people type alike."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from domain.shared.errors import InvalidValue

_CODE: Final = re.compile(r"[A-Z0-9][A-Z0-9_-]{2,39}")
_DIGITS: Final = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789")


def fold_code(typed: str) -> str:
    """A code as it is kept: compatibility forms and Arabic digits made plain, in upper case, without spaces around.

    3 to 40 letters A to Z, digits, `-` and `_`, beginning with a letter or digit. Raises InvalidValue.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", typed).upper()).translate(_DIGITS).strip()
    if not _CODE.fullmatch(folded):
        raise InvalidValue(
            "a code has 3 to 40 letters A to Z, digits, - and _", pointer="/code", code="invalid_voucher_code"
        )
    return folded
