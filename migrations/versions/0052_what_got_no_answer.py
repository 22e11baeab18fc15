"""What was sent to a terminal, got no answer, and may still arrive."""

import sqlalchemy as sa
from alembic import op

revision = '0052'
down_revision = '0051'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Not as a batch: SQLite would copy the table.
    op.add_column('enrolment', sa.Column('unanswered', sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column('enrolment', 'unanswered')
