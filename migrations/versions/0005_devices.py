"""Add the generation of the devices on which an operator has signed in."""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('operator', schema=None) as batch_op:
        batch_op.add_column(sa.Column('device_generation', sa.Integer(), nullable=False, server_default='0'))


def downgrade() -> None:
    # Without a batch, which would rebuild the table without its checks.
    op.drop_column('operator', 'device_generation')
