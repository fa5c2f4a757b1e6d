"""Add the address to which an organization's key is sent."""

import sqlalchemy as sa
from alembic import op

revision = '0024'
down_revision = '0023'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Without a batch: both databases add a nullable column in place.
    op.add_column('credentials', sa.Column('base_url', sa.String(length=300), nullable=True))


def downgrade() -> None:
    op.drop_column('credentials', 'base_url')
