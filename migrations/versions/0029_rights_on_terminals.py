"""Keep what a person could do at a terminal before a change that is not proven yet."""

import sqlalchemy as sa
from alembic import op

revision = '0029'
down_revision = '0028'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('enrolment', sa.Column('rights_before', sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column('enrolment', 'rights_before')
