"""Add how long flows may continue a conversation."""

import sqlalchemy as sa
from alembic import op

revision = '0022'
down_revision = '0021'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Without a batch: both databases add a column in place, and a batch would copy SQLite's table.
    op.add_column('organizations', sa.Column('memory_hours', sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column('organizations', 'memory_hours')
