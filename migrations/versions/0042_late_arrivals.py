"""Note until when something that got no answer may still arrive at a terminal."""

import sqlalchemy as sa
from alembic import op

revision = '0042'
down_revision = '0041'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Not as a batch: SQLite would copy the table.
    op.add_column('enrolment', sa.Column('may_arrive_until', sa.DateTime(), nullable=True))


def downgrade() -> None:
    op.drop_column('enrolment', 'may_arrive_until')
