"""Add an index on the start of an organization's calls, for statistics of a period."""

from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


INDEX = 'ix_calls_organization_id_started_at'


def upgrade() -> None:
    # PostgreSQL cannot create an index concurrently inside a transaction. Otherwise calls would wait for it.
    with op.get_context().autocommit_block():
        # An attempt that a lock has ended leaves an index that PostgreSQL does not use.
        op.drop_index(INDEX, table_name='calls', postgresql_concurrently=True, if_exists=True)
        op.create_index(INDEX, 'calls', ['organization_id', 'started_at'], postgresql_concurrently=True)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index(INDEX, table_name='calls', postgresql_concurrently=True, if_exists=True)
