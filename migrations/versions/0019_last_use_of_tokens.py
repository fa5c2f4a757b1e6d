"""Add the day of the last use of webhook and API tokens."""

import sqlalchemy as sa
from alembic import op

revision = '0019'
down_revision = '0018'
branch_labels = None
depends_on = None

TABLES = ('webhook_tokens', 'api_tokens')


def upgrade() -> None:
    # Without a batch: both databases add such columns in place, whatever the number of rows.
    for table in TABLES:
        op.add_column(table, sa.Column('last_used_on', sa.Date(), nullable=True))
        op.add_column(table, sa.Column('uses_recorded', sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    for table in TABLES:
        op.drop_column(table, 'uses_recorded')
        op.drop_column(table, 'last_used_on')
