"""Let operators have a second factor: the secret of their app, and codes for when they lost it."""

import sqlalchemy as sa
from alembic import op

revision = '0023'
down_revision = '0022'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('operator', sa.Column('totp_encrypted', sa.String(length=255), nullable=True))
    op.add_column('operator', sa.Column('totp_step', sa.Integer(), nullable=True))
    pending = sa.Column('factor_pending', sa.Boolean(), nullable=False, server_default=sa.false())
    op.add_column('operator_session', pending)
    op.create_table(
        'recovery_code',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('operator_id', sa.Integer(), nullable=False),
        sa.Column('code_sha256', sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ['operator_id'],
            ['operator.id'],
            name=op.f('fk_recovery_code_operator_id_operator'),
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_recovery_code')),
    )
    op.create_index(op.f('ix_recovery_code_operator_id'), 'recovery_code', ['operator_id'])


def downgrade() -> None:
    op.drop_index(op.f('ix_recovery_code_operator_id'), table_name='recovery_code')
    op.drop_table('recovery_code')
    with op.batch_alter_table('operator_session') as table:
        table.drop_column('factor_pending')
    with op.batch_alter_table('operator') as table:
        table.drop_column('totp_step')
        table.drop_column('totp_encrypted')
