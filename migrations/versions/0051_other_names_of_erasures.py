"""The other names under which records of a person may come while an erasure goes on."""

import sqlalchemy as sa
from alembic import op

revision = '0051'
down_revision = '0050'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('erasure', sa.Column('other_names', sa.JSON(), nullable=False, server_default='[]'))


def downgrade() -> None:
    op.drop_column('erasure', 'other_names')
