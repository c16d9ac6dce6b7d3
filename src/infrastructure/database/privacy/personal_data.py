"""What privacy itself holds about a person: that they agreed and that they left stays, under the bare id."""

from infrastructure.database.holdings import Holding, because
from infrastructure.database.privacy import tables

HOLDINGS = (
    Holding(
        table=tables.consents,
        belongs="user_id = $person",
        exported_as="consents",
        exported=("channel", "purpose", "granted", "source", "wording", "given_at"),
        plain=because("the version of a text of ours", "wording"),
    ),
    Holding(
        table=tables.erasures,
        belongs="user_id = $person",
        erased={"reason": "''"},
        exported_as="erasures",
        exported=("requested_at", "due_at", "withdrawn_at", "reason"),
        plain=because("names of obstacles, and keys made of ids", "blocked_by", "objects"),
    ),
    Holding(
        table=tables.personal_data_exports,
        belongs="user_id = $person",
        deleted=True,
        objects="'exports/' || id",
        exported_as="exports",
        exported=("id", "status", "requested_at", "ready_at", "expires_at"),
    ),
)
