"""Add an employee's own name for terminals."""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None

# PostgreSQL's statistics contain values of the columns, see revision 0004.
COLUMNS = (('employee', 'terminal_name', 128), ('capture', 'draft_terminal_name', 255))


def upgrade() -> None:
    for table, column, length in COLUMNS:
        op.add_column(table, sa.Column(column, sa.String(length=length), nullable=False, server_default=''))
        if op.get_bind().dialect.name == 'postgresql':
            op.execute(f'ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS 0')


def downgrade() -> None:
    for table, column, _ in reversed(COLUMNS):
        op.drop_column(table, column)
