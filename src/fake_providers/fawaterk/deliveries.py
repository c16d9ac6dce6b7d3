"""How the fake's webhooks travel: at once, twice, later, in another order, or not at all."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import requests

from fake_providers.fawaterk.books import Books
from fake_providers.fawaterk.notices import encode
from fake_providers.fawaterk.values import Refusal

LOST, TWICE, HELD = "lost", "twice", "held"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""Where webhooks go: to a system that is tried out here, and to nobody else's."""
NOT_SENT = -1
"""The status that the books keep for a webhook that was lost on the way."""


@dataclass(frozen=True)
class Letter:
    """One webhook, addressed."""

    kind: str
    reference: str
    url: str
    content: bytes
    content_type: str


@dataclass
class Deliveries:
    """Posts webhooks; the next ones end as scripted."""

    books: Books
    guard: threading.Lock = field(default_factory=threading.Lock)
    scripted: deque[str] = field(default_factory=deque)
    held: list[Letter] = field(default_factory=list)

    def script(self, fate: str, times: int = 1) -> None:
        """The next automatic webhooks are `lost`, sent `twice`, or `held` until they are released."""
        if fate not in (LOST, TWICE, HELD):
            raise Refusal(400, f"a webhook is {LOST}, {TWICE} or {HELD}")
        with self.guard:
            self.scripted.extend([fate] * times)

    def dispatch(self, letter: Letter) -> None:
        with self.guard:
            fate = self.scripted.popleft() if self.scripted else ""
            if fate == HELD:
                self.held.append(letter)
        if fate == LOST:
            self.books.sent(letter.url, letter.kind, letter.reference, NOT_SENT)
        elif fate != HELD:
            self.post(letter, times=2 if fate == TWICE else 1)

    def release(self, *, newest_first: bool = False) -> list[int]:
        """Send what is held, late, and in the other order if asked; answers the receiver's statuses."""
        with self.guard:
            letters, self.held = self.held, []
        ordered = reversed(letters) if newest_first else letters
        return [status for letter in ordered for status in self.post(letter)]

    def post(self, letter: Letter, times: int = 1) -> list[int]:
        """Answers the receiver's statuses, 0 for no answer."""
        statuses = [_posted(letter) for _ in range(times)]
        for status in statuses:
            self.books.sent(letter.url, letter.kind, letter.reference, status)
        return statuses


def letter_of(kind: str, reference: str, url: str, body: Mapping[str, object], *, form: bool) -> Letter:
    content, content_type = encode(body, form=form)
    return Letter(kind, reference, url, content, content_type)


def is_form(kind: str, url: str) -> bool:
    """Whether a notice goes as a form: those of payments do, unless the address asks for JSON (contract §5.1)."""
    return kind in ("paid", "pending", "failed") and "_json" not in url


def _posted(letter: Letter) -> int:
    if urlsplit(letter.url).hostname not in LOOPBACK:
        return 0
    headers = {"Content-Type": letter.content_type}
    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(letter.url, data=letter.content, headers=headers, timeout=10, allow_redirects=False)
            return answer.status_code
    except requests.RequestException:
        return 0
