"""Note when an enrolment changed, list enrolments by that for programs, and tell programs of it by webhooks."""

import sqlalchemy as sa
from alembic import op

revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None

UNPROVEN = "desired = 'present' AND (person <> 'confirmed' OR face <> 'confirmed')"
TRIED = "(next_attempt_at IS NOT NULL OR step <> '')"
STATES = {
    'confirmed': "desired = 'present' AND person = 'confirmed' AND face = 'confirmed'",
    'waiting': f'{UNPROVEN} AND {TRIED}',
    'refused': f'{UNPROVEN} AND NOT {TRIED}',
    'leaving': "desired = 'absent' AND person <> 'confirmed'",
    'removed': "desired = 'absent' AND person = 'confirmed'",
}
FIRST = '2000-01-01 00:00:00.000000'


def upgrade() -> None:
    op.add_column('enrolment', sa.Column('changed_at', sa.DateTime(), nullable=False, server_default=FIRST))
    op.execute('UPDATE enrolment SET changed_at = COALESCE(tried_at, confirmed_at, desired_since, created_at)')
    for state, rows in STATES.items():
        only = {'sqlite_where': sa.text(rows), 'postgresql_where': sa.text(rows)}
        op.create_index(f'ix_enrolment_listed_{state}', 'enrolment', ['changed_at', 'id'], unique=False, **only)
        op.create_index(
            f'ix_enrolment_listed_{state}_at', 'enrolment', ['terminal_id', 'changed_at', 'id'], unique=False, **only
        )
    op.create_table(
        'webhook',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('url', sa.String(length=500), nullable=False),
        sa.Column('secret_encrypted', sa.String(length=512), nullable=False),
        sa.Column('on_enrolled', sa.Boolean(), nullable=False),
        sa.Column('on_refused', sa.Boolean(), nullable=False),
        sa.Column('on_removed', sa.Boolean(), nullable=False),
        sa.Column('is_active', sa.Boolean(), nullable=False, server_default=sa.true()),
        sa.Column('created_at', sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_webhook')),
        sqlite_autoincrement=True,
    )
    op.create_table(
        'webhook_delivery',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('webhook_id', sa.Integer(), nullable=False),
        sa.Column('event', sa.String(length=16), nullable=False),
        sa.Column('number', sa.String(length=32), nullable=False),
        sa.Column('terminal_id', sa.Integer(), nullable=True),
        sa.Column('terminal_name', sa.String(length=64), nullable=False),
        sa.Column('code', sa.String(length=64), nullable=False),
        sa.Column('happened_at', sa.DateTime(), nullable=False),
        sa.Column('attempts', sa.Integer(), nullable=False),
        sa.Column('next_attempt_at', sa.DateTime(), nullable=True),
        sa.Column('tried_at', sa.DateTime(), nullable=True),
        sa.Column('delivered_at', sa.DateTime(), nullable=True),
        sa.Column('status', sa.Integer(), nullable=True),
        sa.Column('problem', sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ['webhook_id'], ['webhook.id'], name=op.f('fk_webhook_delivery_webhook_id_webhook'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_webhook_delivery')),
        sqlite_autoincrement=True,
    )
    due = sa.text('next_attempt_at IS NOT NULL')
    op.create_index(
        'ix_webhook_delivery_due',
        'webhook_delivery',
        ['webhook_id', 'next_attempt_at'],
        unique=False,
        sqlite_where=due,
        postgresql_where=due,
    )
    op.create_index('ix_webhook_delivery_webhook_id', 'webhook_delivery', ['webhook_id', 'id'], unique=False)
    op.create_index(op.f('ix_webhook_delivery_number'), 'webhook_delivery', ['number'], unique=False)
    op.create_index(op.f('ix_webhook_delivery_happened_at'), 'webhook_delivery', ['happened_at'], unique=False)


def downgrade() -> None:
    op.drop_table('webhook_delivery')
    op.drop_table('webhook')
    for state in STATES:
        op.drop_index(f'ix_enrolment_listed_{state}_at', 'enrolment')
        op.drop_index(f'ix_enrolment_listed_{state}', 'enrolment')
    op.drop_column('enrolment', 'changed_at')
