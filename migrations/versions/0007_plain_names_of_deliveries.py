"""Rename columns of deliveries to standard terms."""

from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None

RENAMED = {
    'tries': 'attempts',
    'trying_since': 'delivering_since',
    'may_have_arrived': 'possibly_delivered',
    'said': 'last_response',
}


def upgrade() -> None:
    # Without a batch: both databases rename a column in place, and a batch would copy SQLite's table.
    for old, new in RENAMED.items():
        op.alter_column('deliveries', old, new_column_name=new)


def downgrade() -> None:
    for old, new in RENAMED.items():
        op.alter_column('deliveries', new, new_column_name=old)
