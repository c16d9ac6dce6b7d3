"""What a batch takes: one statement over every free entry, whatever their number.

All of it is read under one snapshot, so that a payout's amount, its links and the balance it is held to are of one
moment; how many rows are kept in memory is the number of payees, not that of entries.
"""

from __future__ import annotations

from collections.abc import Sequence

from application.payouts.books import PAYABLE
from application.payouts.ports import Filled, Selection
from domain.payouts.batches import Batch, BatchPayees
from domain.shared.payees import PayeeType
from infrastructure.database.payouts.taken import DISPUTED
from infrastructure.database.transaction import Row, Statements

PATIENCE = "SET LOCAL statement_timeout = '15min'"
_MEMORY = "SET LOCAL work_mem = '32MB'"
"""For each step of the statement at most; what does not fit goes to disk."""

_TYPE_OF_KIND = " ".join(f"WHEN '{kind.value}' THEN '{payee_type.value}'" for payee_type, kind in PAYABLE.items())

# Free are entries that no link has taken. An account's balance consists of them and of what drafts have taken. Whose an
# entry is, and in which currency, is its account's: read once for each account, and not carried with every entry.
_JUDGED = f"""
WITH free AS MATERIALIZED (
    SELECT e.id, e.account_id, e.amount_minor, e.released_at <= %(cut_off)s AND NOT {DISPUTED} AS is_due
    FROM payable_entries e
    WHERE e.payee_type = ANY (%(types)s)
      AND NOT EXISTS (SELECT 1 FROM payout_entries l WHERE l.payable_entry_id = e.id)),
sums AS MATERIALIZED (
    SELECT f.account_id, a.user_id AS payee_id, CASE a.kind {_TYPE_OF_KIND} END AS payee_type, a.currency, f.entries,
           f.amount_minor, f.free_minor
    FROM (SELECT account_id, count(*) FILTER (WHERE is_due) AS entries,
                 coalesce(sum(amount_minor) FILTER (WHERE is_due), 0)::bigint AS amount_minor,
                 sum(amount_minor) AS free_minor
          FROM free GROUP BY account_id HAVING bool_or(is_due)) f
    JOIN ledger_accounts a ON a.id = f.account_id),
judged AS MATERIALIZED (
    SELECT s.account_id, s.payee_id, s.payee_type, s.currency, s.entries, s.amount_minor, p.id AS profile_id,
           p.payout_method AS method, b.details_encrypted, b.masked,
           CASE WHEN p.payout_method = 'STRIPE' THEN p.stripe_account END AS stripe_account,
           CASE
               WHEN s.free_minor + coalesce((SELECT sum(o.amount_minor) FROM payouts o
                                             WHERE o.payee_id = s.payee_id AND o.account_id = s.account_id
                                               AND o.status = 'PENDING' AND o.journal_id IS NULL), 0)
                    <> coalesce((SELECT n.balance_after_minor FROM ledger_heads h JOIN ledger_entries n
                                 ON n.journal_id = h.journal_id AND n.line = h.line
                                 WHERE h.account_id = s.account_id), 0) THEN 'OUT_OF_BALANCE'
               WHEN s.amount_minor <= 0 THEN 'NOTHING_OWED'
               WHEN s.amount_minor < coalesce(m.minor, 0) THEN 'BELOW_MINIMUM'
               WHEN p.id IS NULL OR p.status <> 'ACTIVE' OR u.erased_at IS NOT NULL THEN 'NOT_ACTIVE'
               WHEN p.payout_method = 'BANK_TRANSFER' AND b.id IS NULL
                    OR p.payout_method = 'STRIPE' AND p.stripe_account IS NULL THEN 'NO_DESTINATION'
               WHEN p.payouts_from > %(at)s OR p.payout_method = 'BANK_TRANSFER' AND b.usable_from > %(at)s
                    THEN 'COOLING_OFF'
           END AS reason
    FROM sums s
    JOIN users u ON u.id = s.payee_id
    LEFT JOIN partner_profiles p ON p.user_id = s.payee_id AND p.payee_type = s.payee_type
    LEFT JOIN LATERAL (SELECT a.id, a.details_encrypted, a.masked, a.usable_from FROM partner_bank_accounts a
                       WHERE a.profile_id = p.id ORDER BY a.created_at DESC, a.id DESC LIMIT 1) b ON true
    LEFT JOIN unnest(%(currencies)s::text[], %(minima)s::bigint[]) AS m (currency, minor) ON m.currency = s.currency)
"""

_FILL = f"""
{_JUDGED},
numbered AS (
    SELECT j.*, fresh_id() AS id, nextval('payout_numbers')::text AS serial FROM judged j WHERE j.reason IS NULL
    ORDER BY j.payee_id, j.payee_type, j.currency),
made AS (
    INSERT INTO payouts (id, payout_number, batch_id, payee_id, payee_type, profile_id, account_id, method,
                         destination_encrypted, destination_masked, stripe_account, amount_minor, currency, status,
                         created_at)
    SELECT n.id, 'PO-' || %(year)s::text || '-' || lpad(n.serial, greatest(6, length(n.serial)), '0'), %(batch_id)s,
           n.payee_id, n.payee_type, n.profile_id, n.account_id, n.method,
           CASE WHEN n.method = 'BANK_TRANSFER' THEN n.details_encrypted END,
           CASE n.method WHEN 'BANK_TRANSFER' THEN n.masked ELSE '' END, n.stripe_account, n.amount_minor, n.currency,
           'PENDING', %(at)s
    FROM numbered n
    RETURNING id, account_id),
linked AS (
    INSERT INTO payout_entries (payable_entry_id, payout_id)
    SELECT f.id, m.id FROM free f JOIN made m ON m.account_id = f.account_id WHERE f.is_due),
passed AS (
    INSERT INTO payouts_left_out (batch_id, payee_id, payee_type, currency, amount_minor, reason)
    SELECT %(batch_id)s, j.payee_id, j.payee_type, j.currency, j.amount_minor, j.reason
    FROM judged j WHERE j.reason IS NOT NULL
    RETURNING reason)
SELECT (SELECT count(*) FROM made) AS payouts,
       (SELECT coalesce(sum(j.entries), 0)::bigint FROM judged j WHERE j.reason IS NULL) AS entries,
       (SELECT count(*) FROM passed) AS left_out,
       (SELECT count(*) FROM passed WHERE reason = 'OUT_OF_BALANCE') AS out_of_balance
"""

_PREVIEW = f"""
{_JUDGED}
SELECT j.payee_id, j.payee_type, u.email AS payee_email, j.currency, j.amount_minor, j.entries, j.method,
       CASE j.method WHEN 'BANK_TRANSFER' THEN coalesce(j.masked, '') ELSE '' END AS destination_masked, j.reason
FROM judged j JOIN users u ON u.id = j.payee_id
ORDER BY j.reason NULLS FIRST, j.payee_id, j.payee_type, j.currency
"""


def fill(batch: Batch, selection: Selection, statements: Statements) -> Filled:
    """Give the batch its payouts, their links, and those that were left out."""
    statements.execute(PATIENCE)
    statements.execute(_MEMORY)
    row = statements.row(_FILL, {"batch_id": batch.id, "year": batch.created_at.year, **_values(selection)})
    return Filled(**row) if row else Filled(0, 0, 0, 0)


def preview(selection: Selection, statements: Statements) -> Sequence[Row]:
    """Every payee that has something, with a reason if it is left out; nothing is stored."""
    statements.execute(PATIENCE)
    return statements.rows(_PREVIEW, _values(selection))


def _values(selection: Selection) -> Row:
    return {
        "types": types_of(selection.payees),
        "cut_off": selection.cut_off,
        "at": selection.at,
        "currencies": list(selection.minima),
        "minima": list(selection.minima.values()),
    }


def types_of(payees: BatchPayees) -> list[str]:
    """The payee types that a batch is about."""
    return [kind.value for kind in PayeeType] if payees is BatchPayees.ALL else [payees.value]
