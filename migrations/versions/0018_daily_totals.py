"""Add the daily totals of deleted calls."""

import sqlalchemy as sa
from alembic import op

revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('daily_totals',
    sa.Column('organization_id', sa.Integer(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('function', sa.String(length=63), nullable=False),
    sa.Column('model', sa.String(length=200), nullable=False),
    sa.Column('failure', sa.String(length=40), nullable=False),
    sa.Column('is_deferred', sa.Boolean(), nullable=False),
    sa.Column('calls', sa.Integer(), nullable=False),
    sa.Column('input_tokens', sa.BigInteger(), nullable=False),
    sa.Column('output_tokens', sa.BigInteger(), nullable=False),
    sa.Column('cost_usd', sa.BigInteger(), nullable=False),
    sa.Column('unpriced', sa.Integer(), nullable=False),
    sa.Column('last_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('answer_times', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_daily_totals_organization_id_organizations')),
    sa.PrimaryKeyConstraint('organization_id', 'day', 'function', 'model', 'failure', 'is_deferred', name=op.f('pk_daily_totals'))
    )


def downgrade() -> None:
    op.drop_table('daily_totals')
