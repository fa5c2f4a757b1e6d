"""Add the default vector store of organizations."""

import sqlalchemy as sa
from alembic import op

revision = '0025'
down_revision = '0024'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Without a batch: both databases add such a column in place, whatever the number of rows.
    op.add_column('organizations', sa.Column('vector_store_id', sa.String(length=100), nullable=True))


def downgrade() -> None:
    op.drop_column('organizations', 'vector_store_id')
