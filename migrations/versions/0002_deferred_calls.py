"""Add Glific connections and deliveries, for deferred calls."""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('glific_connections',
    sa.Column('organization_id', sa.Integer(), nullable=False),
    sa.Column('api_url', sa.String(length=300), nullable=False),
    sa.Column('way', sa.String(length=6), nullable=False),
    sa.Column('ciphertext', sa.Text(), nullable=True),
    sa.Column('verified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_glific_connections_organization_id_organizations')),
    sa.PrimaryKeyConstraint('organization_id', name=op.f('pk_glific_connections'))
    )
    op.create_table('deliveries',
    sa.Column('call_id', sa.String(length=40), nullable=False),
    sa.Column('organization_id', sa.Integer(), nullable=False),
    sa.Column('glific_organization_id', sa.BigInteger(), nullable=True),
    sa.Column('result_name', sa.String(length=64), nullable=False),
    sa.Column('reserved_usd', sa.BigInteger(), nullable=False),
    sa.Column('accepted_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('question', sa.Text(), nullable=True),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('answer', sa.Text(), nullable=True),
    sa.Column('state', sa.String(length=11), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('trying_since', sa.DateTime(timezone=True), nullable=True),
    sa.Column('may_have_arrived', sa.Boolean(), nullable=False),
    sa.Column('said', sa.String(length=300), nullable=True),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['call_id'], ['calls.call_id'], name=op.f('fk_deliveries_call_id_calls')),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_deliveries_organization_id_organizations')),
    sa.PrimaryKeyConstraint('call_id', name=op.f('pk_deliveries'))
    )
    with op.batch_alter_table('deliveries', schema=None) as batch_op:
        batch_op.create_index('ix_deliveries_state_ended_at', ['state', 'ended_at'], unique=False)


ENGINE_TABLES = (
    'workflow_schedules', 'workflow_output', 'workflow_input', 'workflow_events_history', 'workflow_events', 'streams',
    'queues', 'operation_outputs', 'notifications', 'application_versions', 'workflow_status', 'dbos_migrations',
)


def downgrade() -> None:
    # Tables that DBOS created for itself after this migration (migrations/env.py).
    if op.get_context().dialect.name == 'postgresql':
        op.execute('DROP SCHEMA IF EXISTS dbos CASCADE')
    else:
        for table in ENGINE_TABLES:
            op.execute(f'DROP TABLE IF EXISTS {table}')
    with op.batch_alter_table('deliveries', schema=None) as batch_op:
        batch_op.drop_index('ix_deliveries_state_ended_at')

    op.drop_table('deliveries')
    op.drop_table('glific_connections')