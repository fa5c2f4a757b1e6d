"""Add the size of what waiting deliveries store."""

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Without a batch: both databases add such a column in place, whatever the number of rows.
    op.add_column('deliveries', sa.Column('stored_bytes', sa.Integer(), server_default='0', nullable=False))


def downgrade() -> None:
    # Without a batch here too: SQLite would drop the table, to which others refer.
    op.drop_column('deliveries', 'stored_bytes')
