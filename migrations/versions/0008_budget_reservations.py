"""Add the reservations of calls in flight, so that those of killed processes can be given back."""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('budget_reservations',
    sa.Column('call_id', sa.String(length=40), nullable=False),
    sa.Column('organization_id', sa.Integer(), nullable=False),
    sa.Column('month', sa.String(length=7), nullable=False),
    sa.Column('usd', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_budget_reservations_organization_id_organizations')),
    sa.PrimaryKeyConstraint('call_id', name=op.f('pk_budget_reservations'))
    )
    op.create_index(op.f('ix_budget_reservations_organization_id'), 'budget_reservations', ['organization_id'])


def downgrade() -> None:
    # The earlier version does not know this money, and would count it as spent for the rest of the month.
    op.execute(
        'UPDATE monthly_spend SET usd = usd - COALESCE((SELECT SUM(r.usd) FROM budget_reservations AS r'
        ' WHERE r.organization_id = monthly_spend.organization_id AND r.month = monthly_spend.month), 0)'
    )
    op.drop_index(op.f('ix_budget_reservations_organization_id'), table_name='budget_reservations')
    op.drop_table('budget_reservations')
