"""Add the request limits of organizations."""

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None

def upgrade() -> None:
    # Without a batch: both databases add a column in place, and a batch would copy SQLite's table.
    op.add_column('organizations', sa.Column('calls_per_minute', sa.Integer(), nullable=True))
    op.add_column('organizations', sa.Column('contact_calls_per_minute', sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column('organizations', 'contact_calls_per_minute')
    op.drop_column('organizations', 'calls_per_minute')
