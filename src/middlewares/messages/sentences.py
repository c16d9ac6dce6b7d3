"""The shape of a problem's sentences."""

Sentences = dict[str, tuple[tuple[str, str], tuple[str, str]]]
"""code: ((title, detail) in English, (title, detail) in Arabic); `{names}` are filled from the error's facts."""
