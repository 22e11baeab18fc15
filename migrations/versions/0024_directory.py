"""Let operators come from the company's directory."""

import sqlalchemy as sa
from alembic import op

from hikflask.models.columns import UTCDateTime

revision = '0024'
down_revision = '0023'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('operator', sa.Column('directory', sa.String(length=8), nullable=False, server_default=''))
    op.add_column('operator', sa.Column('checked_at', UTCDateTime(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('operator') as table:
        table.drop_column('checked_at')
        table.drop_column('directory')
