"""Add alerts that people are told about, and an address for them."""

import sqlalchemy as sa
from alembic import op

revision = '0027'
down_revision = '0026'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Without a foreign key: an earlier release, which does not know the table, must be able to delete organizations.
    op.create_table('alert_states',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('organization_id', sa.Integer(), nullable=True),
    sa.Column('code', sa.String(length=30), nullable=False),
    sa.Column('began_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('begin_mailed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('end_mailed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('begin_posted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('end_posted_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_alert_states'))
    )
    op.create_index(op.f('ix_alert_states_organization_id'), 'alert_states', ['organization_id'])
    # Without a batch: both databases add a nullable column in place.
    op.add_column('organizations', sa.Column('alert_email', sa.String(length=255), nullable=True))


def downgrade() -> None:
    op.drop_column('organizations', 'alert_email')
    op.drop_index(op.f('ix_alert_states_organization_id'), table_name='alert_states')
    op.drop_table('alert_states')
