"""Which terminals have a button that people press, and the button in messages to webhooks."""

import sqlalchemy as sa
from alembic import op

revision = '0048'
down_revision = '0047'
branch_labels = None
depends_on = None


def upgrade() -> None:
    pressed = sa.text("attendance != ''")
    op.create_index('ix_event_attendance', 'event', ['terminal_id'], sqlite_where=pressed, postgresql_where=pressed)
    with op.batch_alter_table('webhook_delivery') as batch_op:
        batch_op.add_column(sa.Column('attendance', sa.String(length=16), server_default='', nullable=False))


def downgrade() -> None:
    with op.batch_alter_table('webhook_delivery') as batch_op:
        batch_op.drop_column('attendance')
    op.drop_index('ix_event_attendance', table_name='event')
