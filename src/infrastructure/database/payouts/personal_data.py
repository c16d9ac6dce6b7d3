"""What is held of a person's earnings: by id, and kept like the books."""

from infrastructure.database.holdings import Holding, because
from infrastructure.database.payouts import statement_tables, tables

HOLDINGS = (
    Holding(
        table=tables.payable_entries,
        belongs="payee_id = $person",
        exported_as="payable_entries",
        exported=("id", "payee_type", "kind", "booking_id", "amount_minor", "currency", "released_at", "occurred_at"),
    ),
    Holding(
        table=tables.payout_batches,
        plain=because("the company's own number and bank account", "batch_number", "debtor_name", "debtor_iban",
                      "debtor_bic"),
    ),
    # Whatever is still under way keeps its person (`erasure_blockers`).
    Holding(
        table=tables.payouts,
        belongs="payee_id = $person",
        erased={
            "destination_encrypted": "NULL",
            "reason": "CASE WHEN reason IS NOT NULL THEN 'erased' END",
        },
        exported_as="payouts",
        exported=("id", "payout_number", "payee_type", "method", "destination_encrypted", "destination_masked",
                  "stripe_account", "amount_minor", "currency", "status", "bank_reference", "failure_code", "reason",
                  "created_at", "sent_at", "closed_at"),
        plain=because("numbers of ours, the bank's and the provider's, by which money is found", "payout_number",
                      "provider_reference", "bank_reference", "stripe_account")
        | because("the last four characters of where money went; books are kept", "destination_masked")
        | because("a word of ours or the bank's for why money came back", "failure_code"),
    ),
    Holding(
        table=tables.payout_entries,
        belongs="payout_id IN (SELECT id FROM payouts WHERE payee_id = $person)",
        exported_as="payout_entries",
        exported=("payable_entry_id", "payout_id"),
    ),
    # The drawings name the person.
    Holding(
        table=statement_tables.payout_statements,
        belongs="payout_id IN (SELECT id FROM payouts WHERE payee_id = $person)",
        deleted=True,
        objects="'payout-statements/' || id || '.pdf'",
        exported_as="payout_statements",
        exported=("id", "payout_id", "language", "status", "requested_at", "made_at"),
    ),
    Holding(
        table=tables.payouts_left_out,
        belongs="payee_id = $person",
        exported_as="payouts_left_out",
        exported=("batch_id", "payee_type", "currency", "amount_minor", "reason"),
        plain=because("a unit", "currency"),
    ),
)  # fmt: skip
