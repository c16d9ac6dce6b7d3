"""What a bank sends back after it was paid: payouts and withdrawals go from PAID to RETURNED.

Online: each CHECK makes room for a wider one, which is validated behind it, and two triggers are replaced. The release
before runs on it: it writes nothing that this one would refuse.
"""

from alembic import op

revision = "20261201_08"
down_revision = "20261201_06"

STATUSES = "'PENDING', 'SENT', 'PAID', 'FAILED', 'UNKNOWN', 'CANCELLED'"
BEFORE = {
    "payouts": {
        "status_known": f"status IN ({STATUSES})",
        "paid_by_a_journal": "(paid_journal_id IS NOT NULL) = (status = 'PAID')",
        "returned_by_a_journal": "(return_journal_id IS NOT NULL)"
        " = (journal_id IS NOT NULL AND status IN ('FAILED', 'CANCELLED'))",
        "closed_when_over": "(closed_at IS NOT NULL) = (status IN ('PAID', 'FAILED', 'CANCELLED'))",
        "refused_with_reason": "status NOT IN ('FAILED', 'CANCELLED') OR failure_code IS NOT NULL",
    },
    "payout_statements": {"status_known": f"status IN ({STATUSES})"},
    "withdrawals": {"paid_with_reference": "(bank_reference IS NOT NULL) = (status = 'PAID')"},
}
AFTER = {
    "payouts": {
        "status_known": f"status IN ({STATUSES}, 'RETURNED')",
        "paid_by_a_journal": "(paid_journal_id IS NOT NULL) = (status IN ('PAID', 'RETURNED'))",
        "returned_by_a_journal": "(return_journal_id IS NOT NULL)"
        " = (journal_id IS NOT NULL AND status IN ('FAILED', 'CANCELLED', 'RETURNED'))",
        "closed_when_over": "(closed_at IS NOT NULL) = (status IN ('PAID', 'FAILED', 'CANCELLED', 'RETURNED'))",
        "refused_with_reason": "status NOT IN ('FAILED', 'CANCELLED', 'RETURNED') OR failure_code IS NOT NULL",
    },
    "payout_statements": {"status_known": f"status IN ({STATUSES}, 'RETURNED')"},
    "withdrawals": {
        "paid_with_reference": "(status <> 'PAID' OR bank_reference IS NOT NULL)"
        " AND (bank_reference IS NULL OR status IN ('PAID', 'RETURNED'))",
    },
}
PAYOUT_STEPS = (
    ">PENDING,PENDING>SENT,PENDING>PAID,PENDING>FAILED,PENDING>CANCELLED,SENT>PAID,SENT>FAILED,SENT>UNKNOWN,"
    "UNKNOWN>SENT,UNKNOWN>PAID,UNKNOWN>FAILED,UNKNOWN>CANCELLED"
)
WITHDRAWAL_STEPS = (
    ">REQUESTED,REQUESTED>APPROVED,REQUESTED>CANCELLED,REQUESTED>REJECTED,APPROVED>PAID,APPROVED>RETURNED"
)
RETURNED = ",PAID>RETURNED"


def upgrade() -> None:
    goes_forward(RETURNED)
    widen(AFTER)


def downgrade() -> None:
    # Refused by the CHECKs where something was returned.
    goes_forward("")
    widen(BEFORE)


def goes_forward(more: str) -> None:
    """The tables of steps in domain/payouts/payouts.py and domain/ledger/withdrawals.py; tests compare them."""
    op.execute(f"""
        CREATE OR REPLACE TRIGGER goes_forward BEFORE INSERT OR UPDATE OR DELETE ON payouts
        FOR EACH ROW EXECUTE FUNCTION goes_forward(
            '{{{PAYOUT_STEPS}{more}}}',
            '{{paid_journal_id,return_journal_id,bank_reference,failure_code,decided_by_user_id,sent_at,closed_at}}',
            '{{journal_id,attempts,next_try_at,provider_reference,destination_encrypted,reason,updated_at,version}}')
    """)
    op.execute(f"""
        CREATE OR REPLACE TRIGGER goes_forward BEFORE INSERT OR UPDATE OR DELETE ON withdrawals
        FOR EACH ROW EXECUTE FUNCTION goes_forward(
            '{{{WITHDRAWAL_STEPS}{more}}}',
            '{{decided_by_user_id,decided_at,closed_by_user_id,closed_at,journal_id,return_journal_id,bank_reference}}',
            '{{destination_encrypted,reason,updated_at}}')
    """)


def widen(checks: dict[str, dict[str, str]]) -> None:
    """Replace the CHECKs, and look at the rows that are there behind that."""
    for table, conditions in checks.items():
        for name, condition in conditions.items():
            op.execute(f"ALTER TABLE {table} DROP CONSTRAINT ck_{table}_{name}")
            op.execute(f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}_{name} CHECK ({condition}) NOT VALID")
    with op.get_context().autocommit_block():
        for table, conditions in checks.items():
            for name in conditions:
                op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT ck_{table}_{name}")
