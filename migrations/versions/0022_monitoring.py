"""Remember when a terminal answered last."""

import sqlalchemy as sa
from alembic import op

revision = '0022'
down_revision = '0017'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('terminal', sa.Column('answered_at', sa.DateTime(), nullable=True))


def downgrade() -> None:
    op.drop_column('terminal', 'answered_at')
