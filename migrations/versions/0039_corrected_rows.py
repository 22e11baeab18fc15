"""Know which rows of an import were corrected in place, so that another check of its table keeps that."""

import sqlalchemy as sa
from alembic import op

revision = '0039'
down_revision = '0038'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Not as a batch: SQLite would copy the table.
    op.add_column('import_row', sa.Column('corrected', sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column('import_row', 'corrected')
