"""What contradicts itself in a terminal's time and time zone."""

import sqlalchemy as sa
from alembic import op

revision = '0045'
down_revision = '0044'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('terminal') as batch_op:
        batch_op.add_column(sa.Column('clock_doubt', sa.String(length=64), server_default='', nullable=False))


def downgrade() -> None:
    with op.batch_alter_table('terminal') as batch_op:
        batch_op.drop_column('clock_doubt')
