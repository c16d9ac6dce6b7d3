"""Activities as packages have it: approval of vendors' ones, and pictures.

Online: columns come with a constant default, checks and keys are added without a look at old rows and then validated,
indexes are built concurrently. `package_images` keeps its name and takes pictures of activities: the release before
goes on writing those of packages, and reads no others. A vendor's activity that is on sale was put there by staff, who
alone could: that was an approval, but nobody wrote down whose; it stays NOT_NEEDED until it is taken off sale or
changed, and is reviewed then.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261129_19"
down_revision = "20261129_16"

CHECKS = {
    "approval_known": "approval IN ('NOT_NEEDED', 'NOT_ASKED', 'PENDING', 'APPROVED', 'REJECTED')",
    "approval_of_vendors": "approval = 'NOT_NEEDED' OR vendor_id IS NOT NULL",
    "approved_by_another": "approval_decided_by_user_id <> vendor_id",
    "approval_dated": "(approval IN ('APPROVED', 'REJECTED')) = (approval_decided_at IS NOT NULL)",
    "rejected_for_a_reason": "(approval = 'REJECTED') = (approval_reason IS NOT NULL)",
    "rejected_not_on_sale": "approval <> 'REJECTED' OR status <> 'ACTIVE'",
}
ADDED = {
    "approval": "text NOT NULL DEFAULT 'NOT_NEEDED'",
    "approval_reason": "text",
    "approval_decided_by_user_id": "uuid",
    "approval_decided_at": "timestamptz",
    "review_requested_at": "timestamptz",
}
INDEXES = {
    "ix_activities_waiting": "INDEX {} ON activities (review_requested_at, id) WHERE approval = 'PENDING'",
    "ix_package_images_activity_id_display_order_id": "INDEX {} ON package_images (activity_id, display_order, id)",
    "uq_package_images_activity_featured": "UNIQUE INDEX {} ON package_images (activity_id) WHERE is_featured",
    "uq_package_images_activity_digest": (
        "UNIQUE INDEX {} ON package_images (activity_id, digest) WHERE state = 'STORED'"
    ),
}
LINKS = ("BOOKING", "OFFER", "WALLET", "CHAT", "PACKAGE", "NONE")


def upgrade() -> None:
    for column, kind in ADDED.items():
        op.execute(f"ALTER TABLE activities ADD COLUMN {column} {kind}")
    op.add_column("package_images", sa.Column("activity_id", sa.Uuid(), nullable=True))
    op.execute("ALTER TABLE package_images ALTER COLUMN package_id DROP NOT NULL")
    _hold(
        "activities",
        "fk_activities_approval_decided_by_user_id",
        "FOREIGN KEY (approval_decided_by_user_id) REFERENCES users (id)",
    )
    for name, condition in CHECKS.items():
        _hold("activities", f"ck_activities_{name}", f"CHECK ({condition})")
    _hold("package_images", "fk_package_images_activity_id", "FOREIGN KEY (activity_id) REFERENCES activities (id)")
    _hold("package_images", "ck_package_images_of_one_item", "CHECK (num_nonnulls(package_id, activity_id) = 1)")
    _know_links((*LINKS, "ACTIVITY"))
    with op.get_context().autocommit_block():
        for name, index in INDEXES.items():
            op.execute(f"CREATE {index.replace('INDEX {}', f'INDEX CONCURRENTLY IF NOT EXISTS {name}')}")


def _hold(table: str, name: str, constraint: str) -> None:
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {constraint} NOT VALID")
    op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")


def _know_links(links: tuple[str, ...]) -> None:
    """Where notifications lead."""
    known = ", ".join(f"'{link}'" for link in links)
    op.execute("ALTER TABLE notifications DROP CONSTRAINT ck_notifications_link_type_known")
    _hold("notifications", "ck_notifications_link_type_known", f"CHECK (link_type IN ({known}))")


def downgrade() -> None:
    """Pictures of activities go, as do their files, by hand; notifications keep no link to them."""
    op.execute("UPDATE notifications SET link_type = 'NONE', link_id = NULL WHERE link_type = 'ACTIVITY'")
    _know_links(LINKS)
    op.execute("DELETE FROM package_images WHERE package_id IS NULL")
    op.drop_column("package_images", "activity_id")
    op.execute("ALTER TABLE package_images ALTER COLUMN package_id SET NOT NULL")
    for column in ADDED:
        op.drop_column("activities", column)
