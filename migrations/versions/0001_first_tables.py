"""Create the first tables."""

import sqlalchemy as sa
from alembic import op

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('employee',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('number', sa.String(length=32), nullable=False),
    sa.Column('name', sa.String(length=128), nullable=False),
    sa.Column('department', sa.String(length=128), nullable=False),
    sa.Column('search', sa.String(length=1000), nullable=False),
    sa.Column('is_active', sa.Boolean(), nullable=False),
    sa.Column('photo_id', sa.Integer(), nullable=True),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_employee')),
    sa.UniqueConstraint('number', name=op.f('uq_employee_number'))
    )
    with op.batch_alter_table('employee', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_employee_search'), ['search'], unique=False)

    op.create_table('heartbeat',
    sa.Column('worker', sa.String(length=128), nullable=False),
    sa.Column('seen_at', sa.DateTime(), nullable=False),
    sa.PrimaryKeyConstraint('worker', name=op.f('pk_heartbeat'))
    )
    op.create_table('terminal',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('url', sa.String(length=255), nullable=False),
    sa.Column('username', sa.String(length=64), nullable=False),
    sa.Column('password_encrypted', sa.String(length=512), nullable=False),
    sa.Column('fingerprint', sa.String(length=64), nullable=True),
    sa.Column('is_active', sa.Boolean(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('model', sa.String(length=64), nullable=False),
    sa.Column('serial', sa.String(length=128), nullable=False),
    sa.Column('firmware', sa.String(length=64), nullable=False),
    sa.Column('capture_mode', sa.String(length=8), nullable=True),
    sa.Column('can_cancel', sa.Boolean(), nullable=False),
    sa.Column('face_mode', sa.String(length=8), nullable=True),
    sa.Column('face_by_picture', sa.Boolean(), nullable=False),
    sa.Column('name_bytes', sa.Integer(), nullable=True),
    sa.Column('people', sa.Integer(), nullable=True),
    sa.Column('faces', sa.Integer(), nullable=True),
    sa.Column('people_capacity', sa.Integer(), nullable=True),
    sa.Column('face_capacity', sa.Integer(), nullable=True),
    sa.Column('checked_at', sa.DateTime(), nullable=True),
    sa.Column('reachable', sa.Boolean(), nullable=True),
    sa.Column('login', sa.Boolean(), nullable=True),
    sa.Column('trouble', sa.String(length=64), nullable=False),
    sa.Column('offline_since', sa.DateTime(), nullable=True),
    sa.Column('quiet_until', sa.DateTime(), nullable=True),
    sa.Column('last_sync', sa.DateTime(), nullable=True),
    sa.Column('refused_since', sa.DateTime(), nullable=True),
    sa.Column('refused_code', sa.String(length=32), nullable=False),
    sa.Column('unlock_at', sa.DateTime(), nullable=True),
    sa.Column('tried_version', sa.Integer(), nullable=False),
    sa.Column('lease_number', sa.Integer(), nullable=False),
    sa.Column('lease_holder', sa.String(length=128), nullable=False),
    sa.Column('lease_purpose', sa.String(length=16), nullable=False),
    sa.Column('lease_until', sa.DateTime(), nullable=True),
    sa.CheckConstraint("capture_mode IN ('url', 'binary', 'none')", name=op.f('ck_terminal_capture_mode')),
    sa.CheckConstraint("face_mode IN ('url', 'picture')", name=op.f('ck_terminal_face_mode')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_terminal')),
    sa.UniqueConstraint('name', name=op.f('uq_terminal_name'))
    )
    op.create_table('photo',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('file', sa.String(length=80), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('source', sa.String(length=8), nullable=False),
    sa.Column('employee_id', sa.Integer(), nullable=True),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.CheckConstraint("source IN ('capture', 'upload')", name=op.f('ck_photo_source')),
    sa.ForeignKeyConstraint(['employee_id'], ['employee.id'], name=op.f('fk_photo_employee_id_employee'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_photo')),
    sa.UniqueConstraint('file', name=op.f('uq_photo_file'))
    )
    with op.batch_alter_table('photo', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_photo_employee_id'), ['employee_id'], unique=False)

    with op.batch_alter_table('employee', schema=None) as batch_op:
        batch_op.create_foreign_key('fk_employee_photo_id_photo', 'photo', ['photo_id'], ['id'], ondelete='SET NULL')

    op.create_table('capture',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('terminal_id', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('reason', sa.String(length=64), nullable=False),
    sa.Column('reason_text', sa.String(length=255), nullable=False),
    sa.Column('requested_by', sa.String(length=128), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('deadline', sa.DateTime(), nullable=False),
    sa.Column('draft_number', sa.String(length=255), nullable=False),
    sa.Column('draft_name', sa.String(length=255), nullable=False),
    sa.Column('draft_department', sa.String(length=255), nullable=False),
    sa.Column('face_url', sa.String(length=768), nullable=True),
    sa.Column('photo_id', sa.Integer(), nullable=True),
    sa.Column('hold_until', sa.DateTime(), nullable=True),
    sa.Column('lease_number', sa.Integer(), nullable=True),
    sa.CheckConstraint("state IN ('queued', 'waiting', 'captured', 'used', 'failed', 'cancelled', 'superseded')", name=op.f('ck_capture_state')),
    sa.CheckConstraint("state NOT IN ('captured', 'used') OR photo_id IS NOT NULL", name=op.f('ck_capture_photo_when_captured')),
    sa.ForeignKeyConstraint(['photo_id'], ['photo.id'], name=op.f('fk_capture_photo_id_photo'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['terminal_id'], ['terminal.id'], name=op.f('fk_capture_terminal_id_terminal'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_capture')),
    sa.UniqueConstraint('photo_id', name=op.f('uq_capture_photo_id'))
    )
    with op.batch_alter_table('capture', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_capture_state'), ['state'], unique=False)
        batch_op.create_index('uq_capture_running', ['terminal_id'], unique=True, sqlite_where=sa.text("state IN ('queued', 'waiting')"), postgresql_where=sa.text("state IN ('queued', 'waiting')"))

    op.create_table('enrolment',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('terminal_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.String(length=32), nullable=False),
    sa.Column('employee_id', sa.Integer(), nullable=True),
    sa.Column('wanted', sa.String(length=8), nullable=False),
    sa.Column('wish', sa.Integer(), nullable=False),
    sa.Column('photo_id', sa.Integer(), nullable=True),
    sa.Column('replace_first', sa.Boolean(), nullable=False),
    sa.Column('person', sa.String(length=10), nullable=False),
    sa.Column('face', sa.String(length=10), nullable=False),
    sa.Column('confirmed_photo_id', sa.Integer(), nullable=True),
    sa.Column('confirmed_at', sa.DateTime(), nullable=True),
    sa.Column('written_name', sa.String(length=128), nullable=False),
    sa.Column('sent_name', sa.String(length=128), nullable=False),
    sa.Column('doubt', sa.Boolean(), nullable=False),
    sa.Column('on_old_device', sa.Boolean(), nullable=False),
    sa.Column('step', sa.String(length=12), nullable=False),
    sa.Column('refusal', sa.String(length=64), nullable=False),
    sa.Column('refusal_text', sa.String(length=255), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('next_attempt_at', sa.DateTime(), nullable=True),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.CheckConstraint("face <> 'confirmed' OR (wanted = 'present' AND photo_id IS NOT NULL AND confirmed_photo_id IS NOT NULL AND confirmed_photo_id = photo_id AND confirmed_at IS NOT NULL AND NOT doubt)", name=op.f('ck_enrolment_confirmed_face')),
    sa.CheckConstraint("face IN ('pending', 'confirmed', 'refused')", name=op.f('ck_enrolment_face')),
    sa.CheckConstraint("person IN ('pending', 'confirmed', 'refused')", name=op.f('ck_enrolment_person')),
    sa.CheckConstraint("wanted IN ('present', 'absent')", name=op.f('ck_enrolment_wanted')),
    sa.ForeignKeyConstraint(['confirmed_photo_id'], ['photo.id'], name=op.f('fk_enrolment_confirmed_photo_id_photo'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['employee_id'], ['employee.id'], name=op.f('fk_enrolment_employee_id_employee'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['photo_id'], ['photo.id'], name=op.f('fk_enrolment_photo_id_photo'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['terminal_id'], ['terminal.id'], name=op.f('fk_enrolment_terminal_id_terminal')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_enrolment')),
    sa.UniqueConstraint('terminal_id', 'number', name=op.f('uq_enrolment_terminal_id'))
    )
    with op.batch_alter_table('enrolment', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_enrolment_employee_id'), ['employee_id'], unique=False)
        batch_op.create_index('ix_enrolment_next_attempt_at', ['next_attempt_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_enrolment_number'), ['number'], unique=False)



def downgrade() -> None:
    with op.batch_alter_table('enrolment', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_enrolment_number'))
        batch_op.drop_index('ix_enrolment_next_attempt_at')
        batch_op.drop_index(batch_op.f('ix_enrolment_employee_id'))

    op.drop_table('enrolment')
    with op.batch_alter_table('capture', schema=None) as batch_op:
        batch_op.drop_index('uq_capture_running', sqlite_where=sa.text("state IN ('queued', 'waiting')"), postgresql_where=sa.text("state IN ('queued', 'waiting')"))
        batch_op.drop_index(batch_op.f('ix_capture_state'))

    op.drop_table('capture')
    with op.batch_alter_table('employee', schema=None) as batch_op:
        batch_op.drop_constraint('fk_employee_photo_id_photo', type_='foreignkey')

    with op.batch_alter_table('photo', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_photo_employee_id'))

    op.drop_table('photo')
    op.drop_table('terminal')
    op.drop_table('heartbeat')
    with op.batch_alter_table('employee', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_employee_search'))

    op.drop_table('employee')
