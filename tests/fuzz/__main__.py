"""`make fuzz`: the real web server on servers of its own, asked FUZZ_REQUESTS times (20,000 unless said otherwise)."""

from __future__ import annotations

import os
import sys
import time
from typing import Any
from uuid import uuid4

import requests
import schemathesis

from infrastructure.database.roles import DatabaseAddresses, connect
from tests.benchmarks.servers import System, fresh_system
from tests.fuzz.business import a_business
from tests.fuzz.fuzzer import Fuzzer
from tests.fuzz.server import web_server

ROLES = ("", "CUSTOMER", "VENDOR", "AGENT", "EMPLOYEE", "ADMIN", "SUPER_ADMIN")
PASSWORD = "correct horse 42"


def main() -> int:
    """Answers 1 where something was found."""
    budget = int(os.environ.get("FUZZ_REQUESTS") or "20000")
    with fresh_system() as system, web_server(system.settings) as address:
        session = requests.Session()
        session.trust_env = False
        people = People(address, session, system.addresses)
        fuzzer = Fuzzer(
            schemathesis.openapi.from_dict(session.get(f"{address}/openapi.json", timeout=60).json()),
            people.headers_of,
            known=_known(system, people),
            options={"base_url": address, "session": session, "timeout": 60},
        )
        began = time.monotonic()
        fuzzer.run(ROLES, budget=budget)
        sys.stdout.write(f"{fuzzer.report()}\n{len(fuzzer.operations())} operations as {len(ROLES)} roles, ")
        sys.stdout.write(f"{time.monotonic() - began:.0f} s\n")
    return 1 if fuzzer.found else 0


def _known(system: System, people: People) -> dict[str, list[str]]:
    return a_business(people.ask, people.headers_of("ADMIN"), people.headers_of("CUSTOMER"))


class People:
    """Signs people of any role up, over HTTP; roles are given to them in the database."""

    def __init__(self, address: str, session: requests.Session, addresses: DatabaseAddresses) -> None:
        self._address, self._session, self._addresses = address, session, addresses

    def headers_of(self, role: str) -> dict[str, str]:
        if not role:
            return {}
        email = f"{uuid4().hex[:12]}@example.com"
        names = {"first_name": "Mona", "last_name": "Adel"}
        self.ask("POST", "/auth/register", {"email": email, "password": PASSWORD, **names})
        with connect(self._addresses.owner) as connection:
            connection.execute("UPDATE users SET roles = %s WHERE email = %s", [[role], email])
        token = self.ask("POST", "/auth/login", {"email": email, "password": PASSWORD})["access_token"]
        return {"Authorization": f"Bearer {token}"}

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        """A request that has to succeed."""
        sent = {"Idempotency-Key": uuid4().hex, **(headers or {})}
        answer = self._session.request(method, f"{self._address}/api/v1{path}", json=body, headers=sent, timeout=60)
        answer.raise_for_status()
        return answer.json()


if __name__ == "__main__":
    sys.exit(main())
