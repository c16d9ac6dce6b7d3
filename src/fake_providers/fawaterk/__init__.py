"""Fawaterk on loopback: API v2 and v3 on one server, a payer's page, signed webhooks, scripted faults.

Runs inside a test (`with FawaterkServer(books) as fawaterk`) or as a process of its own:

    python -m fake_providers.fawaterk --port 9010 --books books.sqlite --api-key KEY

The books are a SQLite file: a restarted server still knows its invoices, its refunds, and how often it was
called. What it does follows the project's wire contract of Fawaterk, whose sections are cited.
"""

from fake_providers.fawaterk.notices import encode, sign
from fake_providers.fawaterk.server import METHODS, FawaterkServer

__all__ = ["METHODS", "FawaterkServer", "encode", "sign"]
