"""The catalogue of problem codes as a page of the guide, from the codes and sentences themselves."""

from __future__ import annotations

from collections.abc import Iterator

from domain.shared.errors import DomainError
from middlewares.error_handler import CODE_OF_STATUS, STATUS_OF_CODE, STATUS_OF_FAMILY
from middlewares.messages import MESSAGES

_HEAD = """# Problem codes

Every failure is a problem document (RFC 9457) whose `code` is one of these. Codes are stable: switch on them, show
the sentences. `{…}` stands for a value of the request at hand. The sentences come in the language that
`Accept-Language` asks for; `GET /docs/problems` answers the same as JSON. This page is made by `make problems`.

| code | status | English | العربية |
| --- | --- | --- | --- |
"""


def catalogue_page() -> str:
    """The page as Markdown."""
    statuses = status_of_codes()
    rows = (
        f"| `{code}` | {statuses[code]} | **{en[0]}.** {_cell(en[1])} | **{ar[0]}.** {_cell(ar[1])} |\n"
        for code, (en, ar) in sorted(MESSAGES.items())
    )
    return _HEAD + "".join(rows)


def status_of_codes() -> dict[str, int]:
    """The status that each code is answered with."""
    by_family = {
        error.code: next(status for family, status in STATUS_OF_FAMILY if issubclass(error, family))
        for error in _every_error()
    }
    by_status = {code: status for status, code in CODE_OF_STATUS.items()}
    return {"internal_error": 500, **by_status, **by_family, **STATUS_OF_CODE}


def _every_error(parent: type[DomainError] = DomainError) -> Iterator[type[DomainError]]:
    for error in parent.__subclasses__():
        yield error
        yield from _every_error(error)


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("\n", " ")
