"""Add an index that counts the deliveries of an organization whose question or answer is stored, and their size."""

import sqlalchemy as sa
from alembic import op

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None

INDEX = 'ix_deliveries_stored'
HAS_CONTENT = sa.text('stored_bytes > 0')


def upgrade() -> None:
    # PostgreSQL cannot create an index concurrently inside a transaction. Otherwise calls would wait for it.
    with op.get_context().autocommit_block():
        # An attempt that a lock has ended leaves an index that PostgreSQL does not use.
        op.drop_index(INDEX, table_name='deliveries', postgresql_concurrently=True, if_exists=True)
        op.create_index(
            INDEX,
            'deliveries',
            ['organization_id', 'state', 'stored_bytes'],
            sqlite_where=HAS_CONTENT,
            postgresql_where=HAS_CONTENT,
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index(INDEX, table_name='deliveries', postgresql_concurrently=True, if_exists=True)
