"""Add the time zone of organizations, for reports."""

import sqlalchemy as sa
from alembic import op

revision = '0029'
down_revision = '0028'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Without a batch: both databases add a nullable column in place, whatever the number of rows.
    op.add_column('organizations', sa.Column('time_zone', sa.String(length=64), nullable=True))


def downgrade() -> None:
    op.drop_column('organizations', 'time_zone')
