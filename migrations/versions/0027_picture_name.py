"""Remember what a terminal wants the part with a picture to be called."""

import sqlalchemy as sa
from alembic import op

revision = '0027'
down_revision = '0026'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('terminal', sa.Column('picture_name', sa.String(length=16), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('terminal') as table:
        table.drop_column('picture_name')
