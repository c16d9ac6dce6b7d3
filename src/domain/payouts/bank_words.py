"""What banks can read: the Latin letters of payment files, Arabic names written in them."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# ISO 233-like, without marks, as names are written in Egyptian passports. Vowels that are not written are not guessed.
_ARABIC: Final = {
    "ا": "a", "أ": "a", "إ": "i", "آ": "aa", "ٱ": "a", "ء": "", "ؤ": "o", "ئ": "e", "ب": "b", "ت": "t", "ث": "th",
    "ج": "g", "ح": "h", "خ": "kh", "د": "d", "ذ": "z", "ر": "r", "ز": "z", "س": "s", "ش": "sh", "ص": "s", "ض": "d",
    "ط": "t", "ظ": "z", "ع": "a", "غ": "gh", "ف": "f", "ق": "k", "ك": "k", "ل": "l", "م": "m", "ن": "n", "ه": "h",
    "ة": "a", "و": "w", "ي": "y", "ى": "a", "پ": "p", "چ": "ch", "ڤ": "v", "گ": "g", "ـ": "", "،": ",",
    "ß": "ss", "æ": "ae", "Æ": "AE", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ł": "l", "Ł": "L", "&": "+",
}  # fmt: skip

_NOT_READ: Final = re.compile(r"[^A-Za-z0-9/\-?:().,'+ ]")
_SPACES: Final = re.compile(r" +")


def for_banks(text: str, most: int) -> str:
    """The text in the characters that every bank takes (EPC217-08, the SEPA minimum), at most so many of them.

    What has no letter of its own there is left out; a slash begins and ends nothing, and there are no two in a row.
    """
    spelled = "".join(_ARABIC.get(char, char) for char in unicodedata.normalize("NFC", text))
    plain = "".join(char for char in unicodedata.normalize("NFKD", spelled) if not unicodedata.combining(char))
    words = _SPACES.sub(" ", _NOT_READ.sub(" ", _capitals(plain, text)))
    return re.sub(r"/{2,}", "/", words).strip(" /")[:most].rstrip(" /")


def _capitals(spelled: str, text: str) -> str:
    """Names that were written in Arabic begin with capitals; others stay as they were written."""
    return spelled.title() if any("\u0600" <= char <= "\u06ff" for char in text) else spelled
