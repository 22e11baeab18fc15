"""Keep what terminals recorded, how far their logs were read, and where they send events."""

import sqlalchemy as sa
from alembic import op

revision = '0041'
down_revision = '0040'
branch_labels = None
depends_on = None

KINDS = (
    "kind IN ('passed', 'unknown_person', 'no_permission', 'outside_hours', 'expired', 'liveness', 'refused', "
    "'door', 'exit_button', 'alarm', 'trouble', 'operation', 'other')"
)
REASONS = "reason = '' OR reason IN ('overwritten', 'off', 'other_device', 'new_log', 'clock', 'not_read')"


def upgrade() -> None:
    op.create_table(
        'event',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('terminal_id', sa.Integer(), nullable=True),
        sa.Column('employee_id', sa.Integer(), nullable=True),
        sa.Column('device_serial', sa.String(length=128), nullable=False),
        sa.Column('serial_no', sa.BigInteger(), nullable=False),
        sa.Column('device_at', sa.DateTime(), nullable=False),
        sa.Column('device_time', sa.String(length=40), nullable=False),
        sa.Column('occurred_at', sa.DateTime(), nullable=False),
        sa.Column('major', sa.Integer(), nullable=False),
        sa.Column('minor', sa.Integer(), nullable=False),
        sa.Column('kind', sa.String(length=16), nullable=False),
        sa.Column('number', sa.String(length=32), nullable=False, server_default=''),
        sa.Column('name', sa.String(length=128), nullable=False, server_default=''),
        sa.Column('picture', sa.String(length=128), nullable=True),
        sa.Column('received_at', sa.DateTime(), nullable=False),
        sa.Column('record', sa.JSON(), nullable=False),
        sa.CheckConstraint(KINDS, name=op.f('ck_event_kind')),
        sa.ForeignKeyConstraint(
            ['terminal_id'], ['terminal.id'], name=op.f('fk_event_terminal_id_terminal'), ondelete='SET NULL'
        ),
        sa.ForeignKeyConstraint(
            ['employee_id'], ['employee.id'], name=op.f('fk_event_employee_id_employee'), ondelete='SET NULL'
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_event')),
        sa.UniqueConstraint('device_serial', 'serial_no', 'device_at', name='uq_event_record'),
        sqlite_autoincrement=True,
    )
    op.create_index('ix_event_occurred_at', 'event', ['occurred_at', 'id'])
    op.create_index('ix_event_employee_id', 'event', ['employee_id', 'occurred_at', 'id'])
    op.create_index('ix_event_terminal_id', 'event', ['terminal_id', 'occurred_at', 'id'])
    op.create_index('ix_event_kind', 'event', ['kind', 'occurred_at', 'id'])
    op.create_index('ix_event_number', 'event', ['number', 'occurred_at'])
    with_picture = sa.text('picture IS NOT NULL')
    op.create_index(
        'ix_event_picture', 'event', ['occurred_at'], sqlite_where=with_picture, postgresql_where=with_picture
    )
    op.create_table(
        'event_log',
        sa.Column('terminal_id', sa.Integer(), nullable=False),
        sa.Column('device_serial', sa.String(length=128), nullable=False, server_default=''),
        sa.Column('anchor_serial', sa.BigInteger(), nullable=True),
        sa.Column('anchor_at', sa.DateTime(), nullable=True),
        sa.Column('complete_to', sa.DateTime(), nullable=True),
        sa.Column('older_than', sa.BigInteger(), nullable=True),
        sa.Column('honours_serials', sa.Boolean(), nullable=True),
        sa.Column('page_limit', sa.Integer(), nullable=True),
        sa.Column('codes', sa.JSON(), nullable=True),
        sa.Column('clock_offset', sa.Integer(), nullable=True),
        sa.Column('pictures_to', sa.Integer(), nullable=True),
        sa.Column('next_at', sa.DateTime(), nullable=False),
        sa.Column('read_at', sa.DateTime(), nullable=True),
        sa.Column('error_code', sa.String(length=64), nullable=False, server_default=''),
        sa.Column('state', sa.JSON(), nullable=False, server_default='{}'),
        sa.Column('push_secret_hash', sa.String(length=64), nullable=False, server_default=''),
        sa.Column('pushed_at', sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ['terminal_id'], ['terminal.id'], name=op.f('fk_event_log_terminal_id_terminal'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('terminal_id', name=op.f('pk_event_log')),
    )
    op.create_index('ix_event_log_next_at', 'event_log', ['next_at'])
    op.create_table(
        'event_coverage',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('terminal_id', sa.Integer(), nullable=False),
        sa.Column('device_serial', sa.String(length=128), nullable=False, server_default=''),
        sa.Column('from_at', sa.DateTime(), nullable=False),
        sa.Column('to_at', sa.DateTime(), nullable=False),
        sa.Column('is_complete', sa.Boolean(), nullable=False),
        sa.Column('reason', sa.String(length=16), nullable=False, server_default=''),
        sa.CheckConstraint(REASONS, name=op.f('ck_event_coverage_reason')),
        sa.ForeignKeyConstraint(
            ['terminal_id'], ['terminal.id'], name=op.f('fk_event_coverage_terminal_id_terminal'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_event_coverage')),
        sqlite_autoincrement=True,
    )
    op.create_index('ix_event_coverage_terminal_id', 'event_coverage', ['terminal_id', 'from_at'])
    op.create_table(
        'terminal_privacy',
        sa.Column('terminal_id', sa.Integer(), nullable=False),
        sa.Column('hosts', sa.JSON(), nullable=True),
        sa.Column('access', sa.JSON(), nullable=True),
        sa.Column('storage_mode', sa.String(length=16), nullable=False, server_default=''),
        sa.Column('foreign_hosts', sa.Integer(), nullable=False, server_default='0'),
        sa.Column('next_at', sa.DateTime(), nullable=False),
        sa.Column('read_at', sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ['terminal_id'], ['terminal.id'], name=op.f('fk_terminal_privacy_terminal_id_terminal'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('terminal_id', name=op.f('pk_terminal_privacy')),
    )
    op.create_index('ix_terminal_privacy_next_at', 'terminal_privacy', ['next_at'])
    op.create_table(
        'journal_alarm',
        sa.Column('terminal_id', sa.Integer(), nullable=False),
        sa.Column('major', sa.Integer(), nullable=False),
        sa.Column('minor', sa.Integer(), nullable=False),
        sa.Column('count', sa.Integer(), nullable=False),
        sa.Column('first_at', sa.DateTime(), nullable=False),
        sa.Column('last_at', sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ['terminal_id'], ['terminal.id'], name=op.f('fk_journal_alarm_terminal_id_terminal'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('terminal_id', 'major', 'minor', name=op.f('pk_journal_alarm')),
    )
    # Not as a batch: SQLite would copy the table.
    op.add_column('webhook', sa.Column('on_alarm', sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column('webhook', sa.Column('on_passage', sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column('webhook_delivery', sa.Column('event_id', sa.Integer(), nullable=True))
    op.add_column('webhook_delivery', sa.Column('occurred_at', sa.DateTime(), nullable=True))
    op.add_column('erasure', sa.Column('passages', sa.Integer(), nullable=False, server_default='0'))
    op.add_column('enrolment', sa.Column('plans_there', sa.JSON(), nullable=True))
    op.add_column('terminal', sa.Column('direction', sa.String(length=3), nullable=False, server_default=''))


def downgrade() -> None:
    op.drop_column('terminal', 'direction')
    op.drop_column('enrolment', 'plans_there')
    op.drop_column('erasure', 'passages')
    op.drop_column('webhook_delivery', 'occurred_at')
    op.drop_column('webhook_delivery', 'event_id')
    op.drop_column('webhook', 'on_passage')
    op.drop_column('webhook', 'on_alarm')
    for table in ('journal_alarm', 'terminal_privacy', 'event_coverage', 'event_log', 'event'):
        op.drop_table(table)
