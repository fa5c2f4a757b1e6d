"""Add whether the contact of a call is forgotten."""

import sqlalchemy as sa
from alembic import op

revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Without a batch: both databases add such a column in place, whatever the number of rows.
    op.add_column('calls', sa.Column('contact_forgotten', sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    # Without a batch here too: SQLite would drop the table, to which others refer.
    op.drop_column('calls', 'contact_forgotten')
