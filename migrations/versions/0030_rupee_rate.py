"""Add the rate of the rupee, for reports."""

import sqlalchemy as sa
from alembic import op

revision = '0030'
down_revision = '0029'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Without a batch: both databases add a nullable column in place.
    op.add_column('server_settings', sa.Column('rupees_per_dollar', sa.BigInteger(), nullable=True))
    op.add_column('server_settings', sa.Column('rupee_rate_date', sa.Date(), nullable=True))


def downgrade() -> None:
    op.drop_column('server_settings', 'rupee_rate_date')
    op.drop_column('server_settings', 'rupees_per_dollar')
