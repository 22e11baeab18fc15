"""Keep when a terminal answered and when not, and how an operator looks at the list of employees."""

import sqlalchemy as sa
from alembic import op

revision = '0040'
down_revision = '0039'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'reachability_change',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('terminal_id', sa.Integer(), nullable=False),
        sa.Column('at', sa.DateTime(), nullable=False),
        sa.Column('is_reachable', sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(
            ['terminal_id'],
            ['terminal.id'],
            name=op.f('fk_reachability_change_terminal_id_terminal'),
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_reachability_change')),
        sqlite_autoincrement=True,
    )
    op.create_index('ix_reachability_change_terminal_id_at', 'reachability_change', ['terminal_id', 'at'])
    # A terminal that goes on as it is writes no change, and is to be known all the same.
    op.execute(
        'INSERT INTO reachability_change (terminal_id, at, is_reachable) '
        'SELECT id, CASE WHEN reachable THEN answered_at ELSE offline_since END, reachable FROM terminal '
        'WHERE CASE WHEN reachable THEN answered_at ELSE offline_since END IS NOT NULL AND reachable IS NOT NULL'
    )
    # Not as a batch: SQLite would copy the table.
    op.add_column('operator', sa.Column('employees_view', sa.String(length=8), nullable=False, server_default=''))


def downgrade() -> None:
    op.drop_column('operator', 'employees_view')
    op.drop_table('reachability_change')
