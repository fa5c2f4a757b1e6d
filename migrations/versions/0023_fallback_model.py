"""Add the fallback model of organizations."""

import sqlalchemy as sa
from alembic import op

revision = '0023'
down_revision = '0022'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Without a batch: both databases add a nullable column in place.
    op.add_column('organizations', sa.Column('fallback_model', sa.String(length=200), nullable=True))


def downgrade() -> None:
    # Without a batch here too: SQLite would drop the tables, to which others refer.
    op.drop_column('organizations', 'fallback_model')
