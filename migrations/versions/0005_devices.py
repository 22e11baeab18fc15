"""devices that an account was signed in on"""

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
    # Not by a batch: that would build the table anew without its checks.
    op.drop_column('operator', 'device_generation')
