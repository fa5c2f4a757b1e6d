"""Add whether the server fetches the images of an organization's calls."""

import sqlalchemy as sa
from alembic import op

revision = '0021'
down_revision = '0020'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Without a batch: both databases add such a column in place, whatever the number of rows.
    op.add_column('organizations', sa.Column('fetch_images', sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    # Without a batch here too: SQLite would drop the table, to which others refer.
    op.drop_column('organizations', 'fetch_images')
