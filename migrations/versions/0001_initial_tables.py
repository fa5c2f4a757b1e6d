"""Create the first tables: organizations, credentials, tokens, calls, monthly spend and stored replies."""

import sqlalchemy as sa
from alembic import op

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('organizations',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('slug', sa.String(length=63), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('is_active', sa.Boolean(), nullable=False),
    sa.Column('default_model', sa.String(length=200), nullable=True),
    sa.Column('fallback_message', sa.String(length=4096), nullable=True),
    sa.Column('glific_organization_id', sa.BigInteger(), nullable=True),
    sa.Column('require_signature', sa.Boolean(), nullable=False),
    sa.Column('signature_phrase', sa.Text(), nullable=True),
    sa.Column('allowed_models', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('contact_daily_limit', sa.Integer(), nullable=True),
    sa.Column('monthly_budget_usd', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_organizations')),
    sa.UniqueConstraint('slug', name=op.f('uq_organizations_slug'))
    )
    op.create_table('api_tokens',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('organization_id', sa.Integer(), nullable=True),
    sa.Column('label', sa.String(length=100), nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_api_tokens_organization_id_organizations')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_api_tokens')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_api_tokens_token_hash'))
    )
    with op.batch_alter_table('api_tokens', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_api_tokens_organization_id'), ['organization_id'], unique=False)

    op.create_table('calls',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('call_id', sa.String(length=40), nullable=False),
    sa.Column('organization_id', sa.Integer(), nullable=False),
    sa.Column('function', sa.String(length=63), nullable=False),
    sa.Column('model_asked', sa.String(length=200), nullable=True),
    sa.Column('model_used', sa.String(length=200), nullable=True),
    sa.Column('status', sa.String(length=11), nullable=False),
    sa.Column('error_code', sa.String(length=40), nullable=True),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('give_up_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('duration_ms', sa.Integer(), nullable=True),
    sa.Column('input_tokens', sa.Integer(), nullable=True),
    sa.Column('output_tokens', sa.Integer(), nullable=True),
    sa.Column('cost_usd', sa.BigInteger(), nullable=True),
    sa.Column('contact_id', sa.BigInteger(), nullable=True),
    sa.Column('flow_id', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_calls_organization_id_organizations')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_calls')),
    sa.UniqueConstraint('call_id', name=op.f('uq_calls_call_id'))
    )
    with op.batch_alter_table('calls', schema=None) as batch_op:
        batch_op.create_index('ix_calls_organization_id_contact_id_started_at', ['organization_id', 'contact_id', 'started_at'], unique=False)
        batch_op.create_index('ix_calls_organization_id_id', ['organization_id', 'id'], unique=False)
        batch_op.create_index('ix_calls_status_give_up_at', ['status', 'give_up_at'], unique=False)

    op.create_table('credentials',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('organization_id', sa.Integer(), nullable=False),
    sa.Column('provider', sa.String(length=50), nullable=False),
    sa.Column('ciphertext', sa.Text(), nullable=False),
    sa.Column('last4', sa.String(length=4), nullable=False),
    sa.Column('is_active', sa.Boolean(), nullable=False),
    sa.Column('verified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('models', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_credentials_organization_id_organizations')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_credentials')),
    sa.UniqueConstraint('organization_id', 'provider', name=op.f('uq_credentials_organization_id_provider'))
    )
    op.create_table('monthly_spend',
    sa.Column('organization_id', sa.Integer(), nullable=False),
    sa.Column('month', sa.String(length=7), nullable=False),
    sa.Column('usd', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_monthly_spend_organization_id_organizations')),
    sa.PrimaryKeyConstraint('organization_id', 'month', name=op.f('pk_monthly_spend'))
    )
    op.create_table('stored_replies',
    sa.Column('organization_id', sa.Integer(), nullable=False),
    sa.Column('key_hash', sa.String(length=64), nullable=False),
    sa.Column('call_id', sa.String(length=40), nullable=False),
    sa.Column('status', sa.SmallInteger(), nullable=True),
    sa.Column('body', sa.Text(), nullable=True),
    sa.Column('give_up_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_stored_replies_organization_id_organizations')),
    sa.PrimaryKeyConstraint('organization_id', 'key_hash', name=op.f('pk_stored_replies'))
    )
    with op.batch_alter_table('stored_replies', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_stored_replies_expires_at'), ['expires_at'], unique=False)

    op.create_table('webhook_tokens',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('organization_id', sa.Integer(), nullable=False),
    sa.Column('label', sa.String(length=100), nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_webhook_tokens_organization_id_organizations')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_webhook_tokens')),
    sa.UniqueConstraint('organization_id', 'token_hash', name=op.f('uq_webhook_tokens_organization_id_token_hash'))
    )

def downgrade() -> None:
    op.drop_table('webhook_tokens')
    with op.batch_alter_table('stored_replies', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_stored_replies_expires_at'))

    op.drop_table('stored_replies')
    op.drop_table('monthly_spend')
    op.drop_table('credentials')
    with op.batch_alter_table('calls', schema=None) as batch_op:
        batch_op.drop_index('ix_calls_status_give_up_at')
        batch_op.drop_index('ix_calls_organization_id_id')
        batch_op.drop_index('ix_calls_organization_id_contact_id_started_at')

    op.drop_table('calls')
    with op.batch_alter_table('api_tokens', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_api_tokens_organization_id'))

    op.drop_table('api_tokens')
    op.drop_table('organizations')