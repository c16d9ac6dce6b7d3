"""The reader's language."""

from flask import request

LANGUAGES = ("ar", "en")


def reading_language() -> str:
    """`ar` or `en`, whichever Accept-Language prefers (`ar-EG` is Arabic); English where it says neither."""
    # Not `best_match`: to it, `en;q=0.5` fits exactly and beats `ar-EG`.
    for tag, quality in request.accept_languages:
        language = tag.partition("-")[0].lower()
        if quality > 0 and language in LANGUAGES:
            return language
    return "en"
