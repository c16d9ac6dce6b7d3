"""The three roles of the database: the owner migrates, the application reads and writes, analysts read.

Both lesser roles are made from the owner's address; their passwords derive from the owner's, so that
every process knows them and none is stored.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL, make_url

APPEND_ONLY = (
    "ledger_account_kinds",
    "ledger_accounts",
    "ledger_heads",
    "ledger_journals",
    "ledger_entries",
    "ledger_seals",
)
"""Written by migrations, the views that post, and `ledger_seal` alone; the application may only read them."""

INSERT_ONLY = (
    "points_lots",
    "points_lot_entries",
    "points_reminders",
    "exchange_rates",
    "wallet_transfers",
    "booking_status_history",
    "audit_logs",
    "payment_receipts",
    "invoice_items",
    "invoice_documents",
    "consents",
    "partner_rates",
    "agent_credit_limits",
    "payable_entries",
    "payouts_left_out",
)
"""Rows that the application adds and never changes."""

COUNTED = ("voucher_uses", "offer_uses")
"""Kept by the triggers of redemptions; the application may only read them."""

REDEMPTIONS = {"voucher_redemptions": "cashback_minor", "offer_redemptions": "bonus_points"}
"""Added once for each booking; afterwards given back, or taken again for what they give by then (a trigger)."""


class RolesRefused(Exception):
    """The owner may not create the roles that the application needs; the message says what to grant."""


@dataclass(frozen=True, slots=True)
class DatabaseAddresses:
    """One database as three roles see it; every address is a `postgresql+psycopg://` URL with its password."""

    owner: URL
    app: URL
    readonly: URL

    def of_database(self, name: str) -> DatabaseAddresses:
        """The same roles at another database of the same server."""
        return DatabaseAddresses(
            owner=self.owner.set(database=name),
            app=self.app.set(database=name),
            readonly=self.readonly.set(database=name),
        )


def addresses_from(owner_url: str) -> DatabaseAddresses:
    """The three addresses that follow from the owner's; touches no server."""
    owner = make_url(owner_url).set(drivername="postgresql+psycopg")
    return DatabaseAddresses(owner=owner, app=_lesser(owner, "app"), readonly=_lesser(owner, "readonly"))


def _lesser(owner: URL, suffix: str) -> URL:
    role = f"{owner.database}_{suffix}"
    secret = f"{owner.username}:{owner.password or ''}".encode()
    return owner.set(username=role, password=hmac.digest(secret, role.encode(), hashlib.sha256).hex())


def connect(url: URL, **options: object) -> psycopg.Connection[tuple[object, ...]]:
    """A plain psycopg connection to an address, in autocommit."""
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(address, autocommit=True, **options)  # type: ignore[arg-type]


def ensure_roles(owner_url: str) -> DatabaseAddresses:
    """Make the application's and the analysts' roles if they are missing; safe to run at every start.

    Raises RolesRefused when the owner has no CREATEROLE and they do not exist.
    """
    addresses = addresses_from(owner_url)
    with connect(addresses.owner) as connection:
        # Several processes start at once; CREATE ROLE has no IF NOT EXISTS.
        connection.execute("SELECT pg_advisory_lock(hashtext('altayar roles'))")
        try:
            for url in (addresses.app, addresses.readonly):
                _ensure_role(connection, url)
        except psycopg.errors.InsufficientPrivilege as error:
            raise RolesRefused(
                f"{addresses.owner.username} may not create the role that the application runs as: "
                f"ALTER ROLE {addresses.owner.username} CREATEROLE, as a superuser"
            ) from error
        finally:
            connection.execute("SELECT pg_advisory_unlock(hashtext('altayar roles'))")
    return addresses


def _ensure_role(connection: psycopg.Connection[tuple[object, ...]], url: URL) -> None:
    role, password = sql.Identifier(url.username or ""), sql.Literal(str(url.password))
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [url.username]).fetchone()
    verb = sql.SQL(
        "ALTER ROLE {} LOGIN NOINHERIT PASSWORD {}" if known else "CREATE ROLE {} LOGIN NOINHERIT PASSWORD {}"
    )
    connection.execute(verb.format(role, password))


def grant_privileges(addresses: DatabaseAddresses) -> None:
    """Give each role what it may do, table by table; runs after every migration, in one transaction."""
    app, readonly = sql.Identifier(addresses.app.username or ""), sql.Identifier(addresses.readonly.username or "")
    with connect(addresses.owner) as connection, connection.transaction():
        connection.execute(
            sql.SQL(
                "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {app}, {readonly};"
                "GRANT USAGE ON SCHEMA public TO {app}, {readonly};"
                "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {app};"
                "GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {app};"
                # The ways into the ledger: what is inserted here is posted.
                "REVOKE ALL ON ledger_postings, ledger_transfers, ledger_continuations FROM {app};"
                "GRANT INSERT (journals, legs) ON ledger_postings TO {app};"
                "GRANT INSERT ON ledger_transfers TO {app};"
                "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {app};"
                "GRANT EXECUTE ON FUNCTION ledger_post(jsonb), ledger_post(jsonb, jsonb), ledger_lock(uuid[]),"
                " ledger_make_partition(integer), ledger_seal(), erase_person(uuid, timestamptz) TO {app};"
                "GRANT SELECT ON wallet_ledger, points_ledger, cashback_ledger, agent_profiles, vendor_profiles,"
                " agent_commissions TO {readonly}"
            ).format(app=app, readonly=readonly)
        )
        for table in (*APPEND_ONLY, *COUNTED, *_partitions(connection)):
            connection.execute(
                sql.SQL("REVOKE INSERT, UPDATE, DELETE ON {} FROM {}").format(sql.Identifier(table), app)
            )
        for table in (*INSERT_ONLY, *REDEMPTIONS, "invoices", "earnings"):
            connection.execute(sql.SQL("REVOKE UPDATE, DELETE ON {} FROM {}").format(sql.Identifier(table), app))
        connection.execute(sql.SQL("GRANT UPDATE (status, paid_date) ON invoices TO {}").format(app))
        connection.execute(
            sql.SQL("GRANT UPDATE (amount_minor, tax_minor, reversed_amount_minor, reversed_tax_minor, journal_id)"
                    " ON earnings TO {}").format(app)
        )  # fmt: skip
        for table, gives in REDEMPTIONS.items():
            moved = ("in_use", "released_at", "redeemed_again_at", "discount_applied_minor", "currency", gives)
            connection.execute(
                sql.SQL("GRANT UPDATE ({}) ON {} TO {}").format(
                    sql.SQL(", ").join(map(sql.Identifier, moved)), sql.Identifier(table), app
                )
            )
        connection.execute(sql.SQL("REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {}").format(app))


def _partitions(connection: psycopg.Connection[tuple[object, ...]]) -> list[str]:
    """The ledger's, by name: nobody needs privileges on one itself."""
    rows = connection.execute("SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'").fetchall()
    return [str(name) for (name,) in rows]
