"""Add the field at fault of failed calls, why a fallback model answered, and whether a call is a test question."""

import sqlalchemy as sa
from alembic import op

revision = '0026'
down_revision = '0025'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Without a batch: both databases add nullable columns in place, whatever the number of rows.
    op.add_column('calls', sa.Column('fallback_reason', sa.String(length=40), nullable=True))
    op.add_column('calls', sa.Column('error_detail', sa.String(length=200), nullable=True))
    op.add_column('calls', sa.Column('is_test', sa.Boolean(), nullable=True))


def downgrade() -> None:
    # Without a batch here too: SQLite would drop the table, to which others refer.
    op.drop_column('calls', 'is_test')
    op.drop_column('calls', 'error_detail')
    op.drop_column('calls', 'fallback_reason')
