"""The passwords that are tried first everywhere: zxcvbn's list by frequency, and what is tried here.

Only its data is read: the package's own start compiles matchers that nobody here needs.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

SHORTEST_LISTED = 8

# NFKC leaves Arabic-Indic digits as they are, so they stand in the list.
_OURS = """
    altayar1 altayar12 altayar123 altayar1234 altayarvip altayarvip1
    egypt123 egypt1234 cairo123 cairo1234 misr1234
    87654321 987654321 12341234 123123123 password12 p@ssw0rd p@ssword michelle jennifer
    0123456789 0987654321 123456123456 qwerty12 abcd1234 abc12345 welcome123
    administrator mohamed1 mohamed123 ahmed123 ahmed1234 bismillah allahakbar alhamdulillah inshallah
    ١٢٣٤٥٦٧٨ ١٢٣٤٥٦٧٨٩ ١٢٣٤٥٦٧٨٩٠ ٠١٢٣٤٥٦٧٨٩ ٨٧٦٥٤٣٢١ ٩٨٧٦٥٤٣٢١ ١١١١١١١١ ٠٠٠٠٠٠٠٠ ١٢٣٤١٢٣٤ ١٢٣١٢٣١٢٣
    ۱۲۳۴۵۶۷۸ ۱۲۳۴۵۶۷۸۹ كلمةالسر كلمة_السر بسم_الله الحمدلله محمد١٢٣٤ احمد١٢٣٤
"""


def is_known(password: str) -> bool:
    """Whether a password (NFKC) is among them, however its letters are cased, or one character again and again."""
    return len(set(password)) == 1 or password.casefold() in _known()


@cache
def _known() -> frozenset[str]:
    """Read on first use: 0.8 MB that a process that hashes nothing does without."""
    listed = (word.casefold() for word in _frequency_lists()["passwords"])
    return frozenset([*(word for word in listed if len(word) >= SHORTEST_LISTED), *_OURS.split()])


def _frequency_lists() -> dict[str, Any]:
    package = importlib.util.find_spec("zxcvbn")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("zxcvbn is not installed")
    path = Path(package.origin).with_name("frequency_lists.py")
    spec = importlib.util.spec_from_file_location("zxcvbn_frequency_lists", path)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"{path} cannot be read")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    lists: dict[str, Any] = module.FREQUENCY_LISTS
    return lists
