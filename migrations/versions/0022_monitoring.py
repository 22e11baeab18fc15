"""Remember when a terminal answered last, and which request asked for a capture, a job and what is desired."""

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


def downgrade() -> None:
    for table in ASKED:
        op.drop_column(table, 'request_id')
    op.drop_column('terminal', 'answered_at')
