"""Remember by which method a terminal takes changes of a person."""

import sqlalchemy as sa
from alembic import op

revision = '0026'
down_revision = '0025'
branch_labels = None
depends_on = None


def upgrade() -> None:
    method = sa.Column('modify_method', sa.String(length=4), nullable=False, server_default='PUT')
    op.add_column('terminal', method)


def downgrade() -> None:
    with op.batch_alter_table('terminal') as table:
        table.drop_column('modify_method')
