"""Add the size of what waiting deliveries store, and an index that counts them by organization."""

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None

INDEX = 'ix_deliveries_waiting'
IS_WAITING = sa.text("state = 'waiting'")


def upgrade() -> None:
    # Without a batch: both databases add such a column in place, whatever the number of rows.
    op.add_column('deliveries', sa.Column('stored_bytes', sa.Integer(), server_default='0', nullable=False))
    # PostgreSQL cannot create an index concurrently inside a transaction. Otherwise calls would wait for it.
    with op.get_context().autocommit_block():
        # An attempt that a lock has ended leaves an index that PostgreSQL does not use.
        op.drop_index(INDEX, table_name='deliveries', postgresql_concurrently=True, if_exists=True)
        op.create_index(
            INDEX,
            'deliveries',
            ['organization_id', 'stored_bytes'],
            sqlite_where=IS_WAITING,
            postgresql_where=IS_WAITING,
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index(INDEX, table_name='deliveries', postgresql_concurrently=True, if_exists=True)
    # Without a batch here too: SQLite would drop the table, to which others refer.
    op.drop_column('deliveries', 'stored_bytes')
