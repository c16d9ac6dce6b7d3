"""The reader's language."""

from flask import request


def reading_language() -> str:
    """`ar` or `en`, as Accept-Language prefers; English where it says neither."""
    return request.accept_languages.best_match(("en", "ar")) or "en"
