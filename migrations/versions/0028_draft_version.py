"""Keep with a capture the version of the page whose form it has."""

import sqlalchemy as sa
from alembic import op

revision = '0028'
down_revision = '0027'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('capture', sa.Column('draft_version', sa.String(length=255), nullable=False, server_default=''))


def downgrade() -> None:
    op.drop_column('capture', 'draft_version')
