"""Add whether the answer of a call was cut off, and the hash of the body of stored answers."""

import sqlalchemy as sa
from alembic import op

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Without a batch: both databases add such columns in place, whatever the number of rows.
    op.add_column('calls', sa.Column('cut_off', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column('stored_replies', sa.Column('request_hash', sa.String(length=64), nullable=True))


def downgrade() -> None:
    # Without a batch here too: SQLite would drop the tables, to which others refer.
    op.drop_column('stored_replies', 'request_hash')
    op.drop_column('calls', 'cut_off')
