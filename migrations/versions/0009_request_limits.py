"""Add the request limits of organizations."""

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None

COLUMNS = ('calls_per_minute', 'contact_calls_per_minute')


def upgrade() -> None:
    # Without a batch: both databases add a column in place, and a batch would copy SQLite's table.
    for name in COLUMNS:
        op.add_column('organizations', sa.Column(name, sa.Integer(), nullable=True))


def downgrade() -> None:
    for name in COLUMNS:
        op.drop_column('organizations', name)
