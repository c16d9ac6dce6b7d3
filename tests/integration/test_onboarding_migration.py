"""The migration of onboarding: profiles of the release before go on, and the way back leaves what that release knew."""

from __future__ import annotations

import runpy
from pathlib import Path

from infrastructure.bootstrap import Running
from infrastructure.database import migrations
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.integration.shop import Shop

FILE = Path(__file__).resolve().parents[2] / "migrations" / "versions" / "20261129_22_onboarding.py"
PROFILE = """
INSERT INTO partner_profiles (id, user_id, payee_type, status, company_name, payout_method, created_at)
VALUES (gen_random_uuid(), %s, 'AGENT', 'PENDING_APPROVAL', 'Before', 'WALLET', now())
"""


def test_it_goes_back_and_forth_over_profiles_that_are_there(running: Running, addresses: DatabaseAddresses) -> None:
    customer = Shop.opened(running).a_customer()
    running.database.dispose()

    migrations.downgrade(addresses, str(runpy.run_path(str(FILE))["down_revision"]))
    with connect(addresses.owner) as connection:
        connection.execute(PROFILE, [customer])
        assert connection.execute("SELECT erasure_blockers(%s, now())", [customer]).fetchone() == ([],)
    migrations.upgrade(addresses)

    with connect(addresses.readonly) as analyst:
        rows = analyst.execute("SELECT company_name, status, total_bookings FROM agent_profiles").fetchall()
    assert rows == [("Before", "PENDING_APPROVAL", 0)]
    with connect(addresses.owner) as connection:
        assert connection.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid").fetchone() == (0,)
