"""Every table and mapper: importing this module completes the metadata."""

from infrastructure.database.billing import manual_tables, refund_tables
from infrastructure.database.billing import tables as billing
from infrastructure.database.catalogue import departure_tables, item_tables, price_tables
from infrastructure.database.catalogue import tables as catalogue
from infrastructure.database.identity import proof_tables
from infrastructure.database.identity import tables as identity
from infrastructure.database.ledger import book_tables, wallet_tables
from infrastructure.database.ledger import tables as ledger
from infrastructure.database.membership import tables as membership
from infrastructure.database.messaging import tables as messaging
from infrastructure.database.metadata import mappers, metadata
from infrastructure.database.operations import tables as operations
from infrastructure.database.partners import tables as partners
from infrastructure.database.payouts import earning_tables, statement_tables
from infrastructure.database.payouts import tables as payouts
from infrastructure.database.platform import tables as platform
from infrastructure.database.pricing import tables as pricing
from infrastructure.database.privacy import tables as privacy
from infrastructure.database.sales import operation_tables, waiting_tables
from infrastructure.database.sales import tables as sales

mappers.configure()

__all__ = [
    "billing",
    "book_tables",
    "catalogue",
    "departure_tables",
    "earning_tables",
    "identity",
    "item_tables",
    "ledger",
    "manual_tables",
    "membership",
    "messaging",
    "metadata",
    "operation_tables",
    "operations",
    "partners",
    "payouts",
    "platform",
    "price_tables",
    "pricing",
    "privacy",
    "proof_tables",
    "refund_tables",
    "sales",
    "statement_tables",
    "waiting_tables",
    "wallet_tables",
]
