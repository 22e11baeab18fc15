"""Remember when a terminal answered last, which request asked for what, and the alarms that are mailed."""

import sqlalchemy as sa
from alembic import op

revision = '0022'
down_revision = '0021'
branch_labels = None
depends_on = None

# What names the request that asked for it.
ASKED = ('capture', 'job', 'enrolment')


def upgrade() -> None:
    op.add_column('terminal', sa.Column('answered_at', sa.DateTime(), nullable=True))
    for table in ASKED:
        op.add_column(table, sa.Column('request_id', sa.String(length=32), nullable=False, server_default=''))
    op.create_table(
        'alarm',
        sa.Column('key', sa.String(length=32), nullable=False),
        sa.Column('kind', sa.String(length=16), nullable=False),
        sa.Column('terminal_id', sa.Integer(), nullable=True),
        sa.Column('began_at', sa.DateTime(), nullable=False),
        sa.Column('told_at', sa.DateTime(), nullable=True),
        sa.Column('over_at', sa.DateTime(), nullable=True),
        sa.Column('tries', sa.Integer(), nullable=False, server_default='0'),
        sa.Column('next_try_at', sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ['terminal_id'], ['terminal.id'], name=op.f('fk_alarm_terminal_id_terminal'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('key', name=op.f('pk_alarm')),
    )
    op.create_index(op.f('ix_alarm_terminal_id'), 'alarm', ['terminal_id'])


def downgrade() -> None:
    op.drop_table('alarm')
    for table in ASKED:
        op.drop_column(table, 'request_id')
    op.drop_column('terminal', 'answered_at')
