"""Keep how an employee was before and after being taken over from a terminal, so that it can be undone."""

import sqlalchemy as sa
from alembic import op

revision = '0038'
down_revision = '0037'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Not as a batch: SQLite would copy the table.
    op.add_column('job_item', sa.Column('written', sa.JSON(none_as_null=True), nullable=True))
    if op.get_bind().dialect.name == 'postgresql':
        # PostgreSQL's statistics contain values of the columns, see revision 0004.
        op.execute('ALTER TABLE job_item ALTER COLUMN written SET STATISTICS 0')


def downgrade() -> None:
    op.drop_column('job_item', 'written')
