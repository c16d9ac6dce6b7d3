"""What vendors and agents earn by each item of a booking, and the guide's view of commissions.

Online: a new table, a new view, and checks that allow more; the release before writes none of it.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261129_23"
down_revision = "20261129_24"

# In the guide's words; what it does not know stands at its end. An agent's commission of a booking is one row.
AGENT_COMMISSIONS = """
CREATE VIEW agent_commissions AS
SELECT c.id, c.agent_id, c.booking_id, c.booking_amount, c.commission_rate, c.commission_amount, c.currency,
       CASE WHEN c.commission_amount = 0 THEN 'CANCELLED' WHEN p.is_paid THEN 'PAID'
            WHEN c.released_at > now() THEN 'PENDING' ELSE 'APPROVED' END AS status,
       p.approved_by_user_id, p.approved_at, CASE WHEN p.is_paid THEN p.paid_at END AS paid_at,
       p.payment_reference, p.payment_method, NULL::text AS notes, c.created_at, c.tax_withheld, c.reversed_amount,
       c.released_at
FROM (SELECT min(e.id::text)::uuid AS id, e.payee_id AS agent_id, e.booking_id,
             sum(e.base_minor)::bigint AS booking_amount, max(e.rate) AS commission_rate,
             sum(e.amount_minor - e.reversed_amount_minor)::bigint AS commission_amount, e.currency,
             sum(e.tax_minor - e.reversed_tax_minor)::bigint AS tax_withheld,
             sum(e.reversed_amount_minor)::bigint AS reversed_amount, min(e.earned_at) AS created_at,
             max(e.released_at) AS released_at
      FROM earnings e WHERE e.payee_type = 'AGENT' GROUP BY e.payee_id, e.booking_id, e.currency) c
LEFT JOIN LATERAL (
    SELECT bool_and(o.status IS NOT DISTINCT FROM 'PAID') AS is_paid, max(o.closed_at) AS paid_at,
           max(o.payout_number) AS payment_reference, max(o.method) AS payment_method,
           max(b.approved_at) AS approved_at, max(b.approved_by_user_id::text)::uuid AS approved_by_user_id
    FROM payable_entries e LEFT JOIN payout_entries t ON t.payable_entry_id = e.id
    LEFT JOIN payouts o ON o.id = t.payout_id LEFT JOIN payout_batches b ON b.id = o.batch_id
    WHERE e.booking_id = c.booking_id AND e.payee_id = c.agent_id AND e.payee_type = 'AGENT') p ON true
"""

# What stands of a payee's earnings by a booking is what their payouts take of it, when a transaction ends.
AGREES = """
CREATE FUNCTION check_earnings_against_entries() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE stands bigint; taken bigint;
BEGIN
    SELECT coalesce(sum(amount_minor - reversed_amount_minor - tax_minor + reversed_tax_minor), 0) INTO stands
    FROM earnings WHERE booking_id = NEW.booking_id AND payee_id = NEW.payee_id AND payee_type = NEW.payee_type;
    SELECT coalesce(sum(amount_minor), 0) INTO taken
    FROM payable_entries WHERE booking_id = NEW.booking_id AND payee_id = NEW.payee_id AND payee_type = NEW.payee_type;
    IF stands <> taken THEN
        RAISE EXCEPTION 'earnings of booking % stand at %, its payable entries at %', NEW.booking_id, stands, taken
            USING ERRCODE = 'AL010';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER entries_agree AFTER INSERT OR UPDATE ON earnings DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION check_earnings_against_entries();
"""


def upgrade() -> None:
    _earnings()
    _adjusted(
        "account_kind IN ('WALLET', 'VOUCHER_CREDIT', 'POINTS', 'VENDOR_PAYABLE', 'AGENT_PAYABLE')",
        "(account_kind <> 'POINTS' OR currency = 'PTS') AND (account_kind IN ('WALLET', 'POINTS') OR currency <> 'PTS')",
    )
    op.execute(AGENT_COMMISSIONS)


def _adjusted(known: str, of_unit: str) -> None:
    """Which accounts staff adjust, and in which units."""
    for name, condition in (("account_kind_known", known), ("account_kind_of_unit", of_unit)):
        constraint = f"ck_adjustments_{name}"
        op.execute(f"ALTER TABLE adjustments DROP CONSTRAINT {constraint}")
        op.execute(f"ALTER TABLE adjustments ADD CONSTRAINT {constraint} CHECK ({condition}) NOT VALID")
        op.execute(f"ALTER TABLE adjustments VALIDATE CONSTRAINT {constraint}")


def _earnings() -> None:
    op.create_table(
        "earnings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("booking_item_id", sa.Uuid(), nullable=False),
        sa.Column("payee_type", sa.Text(), nullable=False),
        sa.Column("payee_id", sa.Uuid(), nullable=False),
        sa.Column("rate", sa.Numeric(5, 2), nullable=False),
        sa.Column("tax_rate", sa.Numeric(5, 2), nullable=False),
        sa.Column("base_minor", sa.BigInteger(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_minor", sa.BigInteger(), nullable=False),
        sa.Column("reversed_amount_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("reversed_tax_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("journal_id", sa.Uuid(), nullable=True),
        sa.Column("earned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=False),
        *_checks(
            payee_type_known="payee_type IN ('VENDOR', 'AGENT')",
            base_not_negative="base_minor >= 0",
            reversed_of_amount="reversed_amount_minor BETWEEN 0 AND amount_minor",
            reversed_of_tax="reversed_tax_minor BETWEEN 0 AND tax_minor",
            tax_out_of_amount="tax_minor - reversed_tax_minor <= amount_minor - reversed_amount_minor",
        ),
        *_references(
            booking_id="bookings", booking_item_id="booking_items", payee_id="users", journal_id="ledger_journals"
        ),
        sa.UniqueConstraint("booking_item_id", "payee_type", name=op.f("uq_earnings_booking_item_id_payee_type")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_earnings")),
    )
    op.create_index("ix_earnings_booking_id", "earnings", ["booking_id"])
    op.create_index("ix_earnings_payee_id_earned_at_id", "earnings", ["payee_id", "earned_at", "id"])
    op.execute(
        "CREATE TRIGGER keep_rows BEFORE DELETE ON earnings FOR EACH ROW EXECUTE FUNCTION refuse_change();"
        " CREATE TRIGGER keep_table BEFORE TRUNCATE ON earnings FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();"
    )
    op.get_bind().connection.driver_connection.execute(AGREES)


def _checks(**conditions: str) -> list[sa.CheckConstraint]:
    return [sa.CheckConstraint(condition, name=op.f(f"ck_earnings_{name}")) for name, condition in conditions.items()]


def _references(**targets: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_earnings_{column}"))
        for column, target in targets.items()
    ]


def downgrade() -> None:
    """Fails while anything was earned: the release before would reverse nothing of it."""
    op.execute(
        "DO $$ BEGIN IF EXISTS (SELECT 1 FROM earnings WHERE amount_minor > 0)"
        " OR EXISTS (SELECT 1 FROM adjustments WHERE account_kind IN ('VENDOR_PAYABLE', 'AGENT_PAYABLE')) THEN"
        " RAISE EXCEPTION 'partners have earned: there is no way back'; END IF; END $$"
    )
    op.execute("DROP VIEW agent_commissions")
    op.drop_table("earnings")
    op.execute("DROP FUNCTION check_earnings_against_entries()")
    _adjusted(
        "account_kind IN ('WALLET', 'VOUCHER_CREDIT', 'POINTS')",
        "(account_kind <> 'POINTS' OR currency = 'PTS') AND (account_kind <> 'VOUCHER_CREDIT' OR currency <> 'PTS')",
    )
