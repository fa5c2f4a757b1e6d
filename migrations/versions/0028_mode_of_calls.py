"""Add the mode of calls, for the metrics."""

import sqlalchemy as sa
from alembic import op

revision = '0028'
down_revision = '0027'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Without a batch: both databases add a nullable column in place, whatever the number of rows.
    op.add_column('calls', sa.Column('mode', sa.String(length=5), nullable=True))


def downgrade() -> None:
    op.drop_column('calls', 'mode')
