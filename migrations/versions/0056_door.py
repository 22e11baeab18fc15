"""What terminals tell of their doors, and which openings of a door this program asked for."""

import sqlalchemy as sa
from alembic import op

revision = '0056'
down_revision = '0055'
branch_labels = None
depends_on = None

STATES = ('door_lock', 'door_mode', 'door_contact')


def upgrade() -> None:
    # Not as a batch: SQLite would copy the table.
    for name in STATES:
        op.add_column('terminal', sa.Column(name, sa.String(length=8), server_default='', nullable=False))
    op.create_table(
        'door_opening',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('terminal_id', sa.Integer(), nullable=False),
        sa.Column('sent_at', sa.DateTime(), nullable=False),
        sa.Column('opened', sa.Boolean(), nullable=True),
        sa.Column('serial_no', sa.BigInteger(), nullable=True),
        sa.Column('is_matched', sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column('call_key', sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ['terminal_id'], ['terminal.id'], name=op.f('fk_door_opening_terminal_id_terminal'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_door_opening')),
        sa.UniqueConstraint('call_key', name=op.f('uq_door_opening_call_key')),
        sqlite_autoincrement=True,
    )
    op.create_index('ix_door_opening_terminal_id_sent_at', 'door_opening', ['terminal_id', 'sent_at'])


def downgrade() -> None:
    op.drop_table('door_opening')
    for name in STATES:
        op.drop_column('terminal', name)
