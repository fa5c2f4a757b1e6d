"""Add the administrators' decision that everyone needs two-step sign-in."""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Without a batch: both databases add such a column in place. The default is for servers of the earlier version.
    op.add_column(
        'server_settings', sa.Column('require_two_factor', sa.Boolean(), server_default=sa.false(), nullable=False)
    )


def downgrade() -> None:
    with op.batch_alter_table('server_settings') as batch_op:
        batch_op.drop_column('require_two_factor')
