"""The five families of refusal; a concrete error stands beside the rule that it speaks for.

`code` is the stable name that clients switch on; its sentences in Arabic and English are in
`middlewares/messages/`, filled with `facts`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldFault:
    """One field that was refused; `pointer` is a JSON pointer into the request (RFC 6901)."""

    pointer: str
    code: str
    detail: str


class DomainError(Exception):
    """A refusal that the caller can act on; `facts` are the plain values its sentence shows."""

    code: ClassVar[str] = "error"

    def __init__(self, *, faults: tuple[FieldFault, ...] = (), **facts: object) -> None:
        super().__init__(f"{self.code} {facts}" if facts else self.code)
        self.facts: Mapping[str, object] = facts
        self.faults = faults


class NotFound(DomainError):
    """There is no such thing, or the viewer may not know of it."""

    code = "not_found"


class Conflict(DomainError):
    """The thing is no longer in the state that the request supposes."""

    code = "conflict"


class RuleBroken(DomainError):
    """The request is well formed, and a rule of the business refuses it."""

    code = "rule_broken"


class NotAllowed(DomainError):
    """The actor is known, and may not do this."""

    code = "forbidden"


class OwnRequest(NotAllowed):
    """Nobody decides about what they asked for themselves, or about their own money."""

    code = "own_request"


class Unavailable(DomainError):
    """Something that is needed cannot be reached now; the same request may succeed later."""

    code = "unavailable"


class Busy(Conflict):
    """Another request holds what this one needs for longer than anybody should wait; try again."""

    code = "busy"


class PreconditionFailed(Conflict):
    """The thing was changed since the caller read it (`If-Match`, RFC 9110 §13.1.1)."""

    code = "precondition_failed"


def refuse_stale(expected: int | None, *, current: int) -> None:
    """Hold a change to the version that its caller saw; None expects none. Ask under the row's lock.

    Raises PreconditionFailed.
    """
    if expected is not None and expected != current:
        raise PreconditionFailed()


class IllegalTransition(Conflict):
    """A status machine has no such step; `current` is the state it is in."""

    code = "illegal_transition"

    def __init__(self, *, current: str, wanted: str) -> None:
        super().__init__(current=current, wanted=wanted)


class InvalidValue(RuleBroken):
    """A value outside what its type admits; `pointer` names the field where the caller knows it."""

    code = "validation_failed"

    def __init__(self, detail: str, *, pointer: str = "", code: str = "invalid") -> None:
        super().__init__(faults=(FieldFault(pointer=pointer, code=code, detail=detail),), detail=detail)
