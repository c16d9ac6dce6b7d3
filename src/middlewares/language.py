"""The reader's language."""

from functools import lru_cache

from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from middlewares.at_hand import asked

LANGUAGES = ("ar", "en")


def reading_language() -> str:
    """`ar` or `en`, whichever Accept-Language prefers (`ar-EG` is Arabic); English where it says neither."""
    return _preferred(asked().environ.get("HTTP_ACCEPT_LANGUAGE", ""))


@lru_cache(maxsize=256)
def _preferred(header: str) -> str:
    # Not `best_match`: to it, `en;q=0.5` fits exactly and beats `ar-EG`.
    for tag, quality in parse_accept_header(header, LanguageAccept):
        language = tag.partition("-")[0].lower()
        if quality > 0 and language in LANGUAGES:
            return language
    return "en"
