"""What the books hold about a person: whose accounts they are, by id. Nothing is ever changed but staff's words."""

from infrastructure.database.holdings import Holding, because
from infrastructure.database.ledger import book_tables, tables, wallet_tables

_ACCOUNTS = "account_id IN (SELECT id FROM ledger_accounts WHERE user_id = $person)"

HOLDINGS = (
    Holding(table=tables.ledger_account_kinds, plain=because("the chart of accounts", "kind", "nature", "standing")),
    Holding(
        table=tables.ledger_heads,
        belongs=_ACCOUNTS,
        plain=because("what an account and its newest entry say, too", "kind", "currency", "hash"),
    ),
    Holding(table=tables.ledger_seals, plain=because("digests of digests", "previous_root", "root")),
    Holding(
        table=tables.balance_holds,
        belongs=_ACCOUNTS,
        exported_as="balance_holds",
        exported=("id", "amount_minor", "captured_minor", "currency", "status", "reference_type", "reference_id",
                  "created_at", "expires_at", "resolved_at"),
        plain=because("names of units, states and kinds", "currency", "reference_type"),
    ),
    Holding(
        table=tables.ledger_accounts,
        belongs="user_id = $person",
        exported_as="accounts",
        exported=("id", "kind", "currency", "created_at"),
        plain=because("names of kinds, units and providers", "kind", "currency", "provider"),
    ),
    Holding(
        table=tables.ledger_journals,
        belongs=f"id IN (SELECT journal_id FROM ledger_entries WHERE {_ACCOUNTS})",
        exported_as="account_movements",
        exported=("id", "journal_type", "reference_type", "reference_id", "description_ar", "description_en",
                  "occurred_at"),
        plain=because("made from ids by us", "idempotency_key", "fingerprint", "reference_type")
        | because("one sentence for each type of movement, about nobody", "description_ar", "description_en"),
    ),
    Holding(
        table=tables.ledger_entries,
        belongs=_ACCOUNTS,
        exported_as="account_entries",
        exported=("journal_id", "account_id", "sequence", "amount_minor", "balance_before_minor",
                  "balance_after_minor", "currency", "occurred_at"),
        plain=because("a unit, and a digest of numbers", "currency", "hash"),
    ),
    Holding(
        table=book_tables.ledger_daily_totals,
        plain=because("names of kinds, providers and units", "kind", "provider", "currency"),
    ),
    # The drawings name the person.
    Holding(
        table=book_tables.account_statements,
        belongs=_ACCOUNTS,
        deleted=True,
        objects="'statements/' || id || '.pdf'",
        exported_as="account_statements",
        exported=("id", "account_id", "since", "until", "language", "requested_at", "made_at"),
    ),
    Holding(table=book_tables.reconciliations, plain=because("a name of ours", "provider")),
    Holding(
        table=book_tables.clearing_statements,
        plain=because("names of providers and units", "provider", "currency"),
    ),
    Holding(
        table=book_tables.clearing_statement_lines,
        plain=because("names of providers and units, and what they call a charge", "provider", "provider_reference",
                      "currency"),
    ),
    Holding(
        table=book_tables.clearing_breaks,
        plain=because("names of providers and units, and what they call a charge", "provider", "provider_reference",
                      "currency")
        | because("what staff know of a difference between two books", "reason"),
    ),
    Holding(
        table=tables.points_lots,
        belongs="user_id = $person",
        exported_as="points",
        exported=("id", "points", "remaining", "earned_at", "expires_at", "grace_until"),
    ),
    Holding(
        table=tables.points_lot_entries,
        belongs="lot_id IN (SELECT id FROM points_lots WHERE user_id = $person)",
        exported_as="points_lot_entries",
        exported=("lot_id", "journal_id", "points", "grace_until"),
    ),
    Holding(
        table=tables.points_reminders,
        belongs="lot_id IN (SELECT id FROM points_lots WHERE user_id = $person)",
        exported_as="points_reminders",
        exported=("lot_id", "ends_at", "days_before", "noted_at"),
    ),
    Holding(
        table=tables.cashback_records,
        belongs="user_id = $person",
        exported_as="cashback",
        exported=("id", "booking_id", "booking_amount_minor", "cashback_rate", "cashback_amount_minor",
                  "clawed_back_minor", "currency", "status", "eligible_at", "created_at", "approved_at", "credited_at",
                  "cancelled_at", "cancel_reason"),
    ),
    # Only what is CANCELLED has a reason: no row is touched that somebody may be crediting.
    Holding(
        table=tables.cashback_records,
        belongs="user_id = $person AND cancel_reason IS NOT NULL",
        erased={"cancel_reason": "'erased'"},
    ),
    Holding(
        table=wallet_tables.withdrawals,
        belongs="user_id = $person",
        erased={
            "destination_encrypted": "NULL",
            "reason": "CASE WHEN reason IS NOT NULL THEN 'erased' END",
        },
        exported_as="withdrawals",
        exported=("id", "withdrawal_number", "amount_minor", "currency", "destination_encrypted", "status",
                  "bank_reference", "reason", "created_at", "decided_at", "closed_at"),
        plain=because("numbers of ours and the bank's, by which money is found", "withdrawal_number",
                      "bank_reference"),
    ),
    Holding(
        table=wallet_tables.adjustments,
        belongs="user_id = $person",
        erased={"reason": "'erased'"},
        exported_as="adjustments",
        exported=("id", "adjustment_number", "account_kind", "amount_minor", "currency", "reason", "status",
                  "created_at", "decided_at"),
        plain=because("a number of ours, a kind, and a unit", "adjustment_number", "account_kind", "currency"),
    ),
    Holding(
        table=wallet_tables.wallet_transfers,
        belongs="user_id = $person",
        exported_as="wallet_transfers",
        exported=("id", "transfer_number", "amount_minor", "currency", "received_minor", "received_currency",
                  "rate_id", "created_at"),
        plain=because("a number of ours", "transfer_number"),
    ),
    Holding(table=wallet_tables.exchange_rates),
)  # fmt: skip
