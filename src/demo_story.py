"""How the demo tells what it does: each request with its answer, and below them what is different now."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, TypeVar
from uuid import uuid4

import requests
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from demo_server import DemoFailed, Server
from infrastructure.seed_demo import DEMO_PASSWORD

STAFF: Final = "admin@altayar.test"
PATIENCE_SECONDS: Final = 120.0
"""How long is waited for what workers do; far above what it takes."""

Json = dict[str, Any]
Found = TypeVar("Found")


class Story:
    """Sends the journey's requests and tells each: what was asked, what came back, what is different now."""

    def __init__(self, server: Server, console: Console) -> None:
        self.server = server
        self.console = console
        self._session = requests.Session()
        # Straight to the address that was given, whatever proxy the environment names.
        self._session.trust_env = False
        self._steps = 0
        self._asked: list[tuple[str, str]] = []

    def ask(self, method: str, path: str, *, as_: str = "", **sent: Any) -> requests.Response:
        """One request. Raises DemoFailed when the server cannot be reached, or refuses."""
        url = path if path.startswith("http") else f"{self.server.address}/api/v1{path}"
        headers = {"Accept-Language": "en", **sent.pop("headers", {})}
        if as_:
            headers["Authorization"] = f"Bearer {as_}"
        if method == "POST":
            headers["Idempotency-Key"] = uuid4().hex
        try:
            answer = self._session.request(method, url, headers=headers, timeout=30, allow_redirects=False, **sent)
        except requests.RequestException as error:
            raise DemoFailed(f"{method} {url}: no answer ({type(error).__name__})") from error
        if answer.status_code >= 400:
            raise DemoFailed(f"{method} {path} answered {answer.status_code}: {_reason(answer)}")
        told = f"{answer.status_code} {HTTPStatus(answer.status_code).phrase}"
        self._asked.append((f"{method} {_short(path, sent.get('params'))}", told))
        return answer

    def json(self, method: str, path: str, *, as_: str = "", **sent: Any) -> Json:
        """The same, for the document that it answers."""
        document: Json = self.ask(method, path, as_=as_, **sent).json()
        return document

    def as_staff(self) -> str:
        """Sign in the demo's administrator; the access token."""
        return self.signed_in(STAFF)

    def signed_in(self, email: str) -> str:
        """Sign in somebody of the demo; the access token."""
        token: str = self.json("POST", "/auth/login", json={"email": email, "password": DEMO_PASSWORD})["access_token"]
        return token

    def wait(self, what: str, look: Callable[[], Found | None]) -> Found:
        """What `look` finds, as soon as it finds something; questions asked in vain are not told."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        with self.console.status(f"waiting for {what}"):
            while True:
                before = len(self._asked)
                found = look()
                if found is not None:
                    return found
                del self._asked[before:]
                if time.monotonic() > deadline:
                    raise DemoFailed(f"{what} did not come in {PATIENCE_SECONDS:.0f} s; do relay and workers run?")
                time.sleep(0.3)

    def tell(self, title: str, facts: Mapping[str, str]) -> None:
        """End a step: its requests with their answers, and below them what is different now."""
        self._steps += 1
        rows = [*self._asked, *facts.items()]
        self.table(f"{self._steps}. {title}", ("", ""), rows, sections=[len(self._asked)])

    def table(
        self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, sections: Sequence[int] = ()
    ) -> None:
        """Print a table with a line above each row that begins a section; what was asked until now is told."""
        table = Table(title=title, title_justify="left", title_style="bold", expand=True, show_header=any(columns))
        for name in columns:
            table.add_column(name, ratio=None if name else 1, overflow="fold")
        for number, row in enumerate(rows):
            if number in sections:
                table.add_section()
            table.add_row(*map(escape, row))
        self._asked.clear()
        self.console.print(table)
        self.console.print()


def money(amount: Json) -> str:
    return f"{amount['currency']} {amount['amount']}"


def yes(fact: object) -> str:
    return "yes" if fact else "no"


def _short(path: str, params: Mapping[str, object] | None) -> str:
    """A path as it reads well: no host, and of long ids enough to tell them apart."""
    path = re.sub(r"https?://[^/]+", "", path)
    path = re.sub(r"([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f-]{22,}|(?<=checkout/)([\w-]{8})[\w.-]+", r"\1\2…", path)
    return path + ("?" + "&".join(f"{name}={value}" for name, value in params.items()) if params else "")


def _reason(answer: requests.Response) -> str:
    """What a problem document says, its fields included."""
    try:
        problem: Json = answer.json()
    except ValueError:
        return answer.text[:200]
    faults = [f"{fault['pointer']} {fault['detail']}" for fault in problem.get("errors", [])]
    return "; ".join([f"{problem.get('title')}: {problem.get('detail')} ({problem.get('code')})", *faults])
