"""Keep when an enrolment was last tried, so that a page can say it."""

import sqlalchemy as sa
from alembic import op

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('enrolment', sa.Column('tried_at', sa.DateTime(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('enrolment') as batch:
        batch.drop_column('tried_at')
