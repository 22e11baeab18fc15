"""Remember several used codes of a second factor, so that a clock that was ahead locks nobody out."""

import sqlalchemy as sa
from alembic import op

revision = '0025'
down_revision = '0024'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('operator', sa.Column('totp_used', sa.String(length=255), nullable=False, server_default=''))
    op.execute('UPDATE operator SET totp_used = CAST(totp_step AS VARCHAR) WHERE totp_step IS NOT NULL')


def downgrade() -> None:
    with op.batch_alter_table('operator') as table:
        table.drop_column('totp_used')
