"""Add the cause of failed calls."""

import sqlalchemy as sa
from alembic import op

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Without a batch: both databases add such a column in place, whatever the number of rows.
    op.add_column('calls', sa.Column('cause', sa.String(length=200), nullable=True))


def downgrade() -> None:
    # Without a batch here too: SQLite would drop the table, to which others refer.
    op.drop_column('calls', 'cause')
