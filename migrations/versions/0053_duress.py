"""Whether a person showed that they were forced, which was read from the record for each page."""

import sqlalchemy as sa
from alembic import op

revision = '0053'
down_revision = '0052'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Not as a batch: SQLite would copy the table.
    op.add_column('event', sa.Column('is_duress', sa.Boolean(), server_default=sa.false(), nullable=False))
    # All rows are read, and very few are written: a second or two for a million.
    op.execute("UPDATE event SET is_duress = true WHERE lower(trim(record ->> 'cardType')) IN ('5', 'duress')")


def downgrade() -> None:
    op.drop_column('event', 'is_duress')
