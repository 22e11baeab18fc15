"""Cards: whose they are, and on which terminals they are, or may be."""

import sqlalchemy as sa
from alembic import op

revision = '0055'
down_revision = '0054'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'card',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('employee_id', sa.Integer(), nullable=False),
        sa.Column('number', sa.String(length=32), nullable=False),
        sa.Column('key', sa.String(length=32), nullable=False),
        sa.Column('given_by', sa.String(length=128), nullable=False),
        sa.Column('created_at', sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ['employee_id'], ['employee.id'], name=op.f('fk_card_employee_id_employee'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_card')),
        sa.UniqueConstraint('number', name=op.f('uq_card_number')),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f('ix_card_employee_id'), 'card', ['employee_id'])
    op.create_index(op.f('ix_card_key'), 'card', ['key'])
    op.create_table(
        'card_there',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('terminal_id', sa.Integer(), nullable=False),
        sa.Column('number', sa.String(length=32), nullable=False),
        sa.Column('owner', sa.String(length=32), nullable=False),
        sa.Column('is_lost', sa.Boolean(), nullable=False),
        sa.Column('confirmed_at', sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ['terminal_id'], ['terminal.id'], name=op.f('fk_card_there_terminal_id_terminal'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_card_there')),
        sa.UniqueConstraint('terminal_id', 'number', name=op.f('uq_card_there_terminal_id')),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f('ix_card_there_owner'), 'card_there', ['owner', 'terminal_id'])
    op.create_index(
        'ix_card_there_lost',
        'card_there',
        ['id'],
        sqlite_where=sa.text('is_lost = 1'),
        postgresql_where=sa.text('is_lost'),
    )


def downgrade() -> None:
    op.drop_table('card_there')
    op.drop_table('card')
