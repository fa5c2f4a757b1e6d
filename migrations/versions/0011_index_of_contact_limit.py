"""Add the status to the index for the daily limit of contacts, which does not count refused calls."""

from alembic import op

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None

COLUMNS = ['organization_id', 'contact_id', 'started_at']
WITH_STATUS = ['organization_id', 'contact_id', 'status', 'started_at']


def upgrade() -> None:
    _replace('ix_calls_organization_id_contact_id_started_at', 'ix_calls_contact_limit', WITH_STATUS)


def downgrade() -> None:
    _replace('ix_calls_contact_limit', 'ix_calls_organization_id_contact_id_started_at', COLUMNS)


def _replace(old: str, new: str, columns: list[str]) -> None:
    # PostgreSQL cannot create an index concurrently inside a transaction. Otherwise calls would wait for it.
    with op.get_context().autocommit_block():
        # An attempt that a lock has ended leaves an index that PostgreSQL does not use.
        op.drop_index(new, table_name='calls', postgresql_concurrently=True, if_exists=True)
        op.create_index(new, 'calls', columns, postgresql_concurrently=True)
        op.drop_index(old, table_name='calls', postgresql_concurrently=True, if_exists=True)
