"""Add operators, API tokens, the audit trail, consents and erasures."""

import re

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None

# The database itself keeps the audit trail append-only: no entry is changed, and none is deleted within 30 days.
APPEND_ONLY = {
    'sqlite': (
        """CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
        """CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit
        WHEN OLD.at > strftime('%Y-%m-%d %H:%M:%f', 'now', '-30 days')
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
        # INSERT OR REPLACE deletes without firing the trigger above.
        """CREATE TRIGGER audit_is_not_replaced BEFORE INSERT ON audit
        WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
    ),
    'postgresql': (
        """CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$""",
        """CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
        FOR EACH ROW EXECUTE FUNCTION audit_is_append_only()""",
        """CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit FOR EACH ROW
        WHEN (OLD.at > (now() AT TIME ZONE 'UTC') - interval '30 days')
        EXECUTE FUNCTION audit_is_append_only()""",
        """CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit
        FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()""",
    ),
}
NOT_APPEND_ONLY = {
    'sqlite': (
        'DROP TRIGGER audit_is_not_changed',
        'DROP TRIGGER audit_is_kept',
        'DROP TRIGGER audit_is_not_replaced',
    ),
    'postgresql': (
        'DROP TRIGGER audit_is_not_changed ON audit',
        'DROP TRIGGER audit_is_kept ON audit',
        'DROP TRIGGER audit_is_not_emptied ON audit',
        'DROP FUNCTION audit_is_append_only()',
    ),
}


def give_no_id_twice(table: str) -> None:
    """Rebuild an SQLite table with AUTOINCREMENT. A batch would lose its checks and its partial index."""
    connection, anew = op.get_bind(), f'{table}_anew'
    known = sa.text("SELECT sql FROM sqlite_master WHERE tbl_name = :table AND type = :kind AND sql IS NOT NULL")
    created = connection.execute(known, {'table': table, 'kind': 'table'}).scalar_one()
    if 'AUTOINCREMENT' in created:
        return  # a downgrade keeps it
    indexes = connection.execute(known, {'table': table, 'kind': 'index'}).scalars().all()
    created = re.sub(rf'CREATE TABLE "?{table}"?', f'CREATE TABLE {anew}', created, count=1)
    created = re.sub(r'\bid INTEGER NOT NULL', 'id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT', created, count=1)
    created = re.sub(rf',\s*(CONSTRAINT "?pk_{table}"? )?PRIMARY KEY \(id\)', '', created, count=1)
    op.execute(f'DROP TABLE IF EXISTS {anew}')
    op.execute(created)
    op.execute(f'INSERT INTO {anew} SELECT * FROM {table}')
    op.execute(f'DROP TABLE {table}')
    op.execute(f'ALTER TABLE {anew} RENAME TO {table}')
    for index in indexes:
        op.execute(index)


def upgrade() -> None:
    op.create_table('api_token',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('token_sha256', sa.String(length=64), nullable=False),
    sa.Column('role', sa.String(length=8), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('created_by', sa.String(length=128), nullable=False),
    sa.Column('expires_at', sa.DateTime(), nullable=False),
    sa.Column('last_used_at', sa.DateTime(), nullable=True),
    sa.Column('revoked_at', sa.DateTime(), nullable=True),
    sa.CheckConstraint("role IN ('viewer', 'operator', 'admin')", name=op.f('ck_api_token_role')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_api_token')),
    sa.UniqueConstraint('name', name=op.f('uq_api_token_name')),
    sa.UniqueConstraint('token_sha256', name=op.f('uq_api_token_token_sha256')),
    sqlite_autoincrement=True
    )
    op.create_table('audit',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.Column('actor', sa.String(length=128), nullable=False),
    sa.Column('address', sa.String(length=64), nullable=False),
    sa.Column('request_id', sa.String(length=32), nullable=False),
    sa.Column('action', sa.String(length=48), nullable=False),
    sa.Column('employee_id', sa.Integer(), nullable=True),
    sa.Column('employee', sa.String(length=32), nullable=False),
    sa.Column('terminal', sa.String(length=64), nullable=False),
    sa.Column('subject', sa.String(length=128), nullable=False),
    sa.Column('before', sa.Text(), nullable=False),
    sa.Column('after', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit'))
    )
    with op.batch_alter_table('audit', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_audit_action'), ['action'], unique=False)
        batch_op.create_index(batch_op.f('ix_audit_actor'), ['actor'], unique=False)
        batch_op.create_index(batch_op.f('ix_audit_at'), ['at'], unique=False)
        batch_op.create_index(batch_op.f('ix_audit_employee'), ['employee'], unique=False)

    op.create_table('erasure',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('employee_id', sa.Integer(), nullable=True),
    sa.Column('number', sa.String(length=32), nullable=False),
    sa.Column('name', sa.String(length=128), nullable=False),
    sa.Column('terminals', sa.Text(), nullable=False),
    sa.Column('photos', sa.Integer(), nullable=False),
    sa.Column('files', sa.Text(), nullable=False),
    sa.Column('requested_by', sa.String(length=128), nullable=False),
    sa.Column('requested_at', sa.DateTime(), nullable=False),
    sa.Column('completed_at', sa.DateTime(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_erasure')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('erasure', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_erasure_number'), ['number'], unique=False)

    op.create_table('operator',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('login', sa.String(length=128), nullable=False),
    sa.Column('password_hash', sa.String(length=255), nullable=False),
    sa.Column('role', sa.String(length=8), nullable=False),
    sa.Column('is_active', sa.Boolean(), nullable=False),
    sa.Column('must_change_password', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.CheckConstraint("role IN ('viewer', 'operator', 'admin')", name=op.f('ck_operator_role')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_operator')),
    sa.UniqueConstraint('login', name=op.f('uq_operator_login')),
    sqlite_autoincrement=True
    )
    op.create_table('throttle',
    sa.Column('key', sa.String(length=160), nullable=False),
    sa.Column('since', sa.DateTime(), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_throttle'))
    )
    op.create_table('consent',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('employee_id', sa.Integer(), nullable=False),
    sa.Column('given_on', sa.Date(), nullable=False),
    sa.Column('basis', sa.String(length=8), nullable=False),
    sa.Column('note', sa.String(length=500), nullable=False),
    sa.Column('recorded_by', sa.String(length=128), nullable=False),
    sa.Column('recorded_at', sa.DateTime(), nullable=False),
    sa.CheckConstraint("basis IN ('consent', 'contract', 'law')", name=op.f('ck_consent_basis')),
    sa.ForeignKeyConstraint(['employee_id'], ['employee.id'], name=op.f('fk_consent_employee_id_employee'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_consent')),
    sa.UniqueConstraint('employee_id', name=op.f('uq_consent_employee_id'))
    )
    op.create_table('operator_session',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('key_sha256', sa.String(length=64), nullable=False),
    sa.Column('operator_id', sa.Integer(), nullable=False),
    sa.Column('started_at', sa.DateTime(), nullable=False),
    sa.Column('seen_at', sa.DateTime(), nullable=False),
    sa.Column('confirmed_at', sa.DateTime(), nullable=True),
    sa.Column('address', sa.String(length=64), nullable=False),
    sa.ForeignKeyConstraint(['operator_id'], ['operator.id'], name=op.f('fk_operator_session_operator_id_operator'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_operator_session')),
    sa.UniqueConstraint('key_sha256', name=op.f('uq_operator_session_key_sha256')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('operator_session', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_operator_session_operator_id'), ['operator_id'], unique=False)

    with op.batch_alter_table('capture', schema=None) as batch_op:
        batch_op.add_column(sa.Column('draft_consent', sa.Boolean(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('retake_of', sa.Integer(), nullable=True))

    with op.batch_alter_table('employee', schema=None) as batch_op:
        batch_op.add_column(sa.Column('left_at', sa.DateTime(), nullable=True))
        batch_op.create_index(batch_op.f('ix_employee_photo_id'), ['photo_id'], unique=False)

    with op.batch_alter_table('enrolment', schema=None) as batch_op:
        batch_op.add_column(sa.Column('old_name', sa.String(length=128), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('wanted_at', sa.DateTime(), nullable=True))
        batch_op.add_column(sa.Column('said_by', sa.String(length=128), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('said_note', sa.String(length=255), nullable=False, server_default=''))
        batch_op.create_index(batch_op.f('ix_enrolment_photo_id'), ['photo_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_enrolment_confirmed_photo_id'), ['confirmed_photo_id'], unique=False)

    with op.batch_alter_table('photo', schema=None) as batch_op:
        batch_op.add_column(sa.Column('forgotten_at', sa.DateTime(), nullable=True))
        batch_op.add_column(sa.Column('unlinked_at', sa.DateTime(), nullable=True))

    with op.batch_alter_table('terminal', schema=None) as batch_op:
        batch_op.add_column(sa.Column('retired_at', sa.DateTime(), nullable=True))
        batch_op.add_column(sa.Column('check_until', sa.DateTime(), nullable=True))
        batch_op.add_column(sa.Column('retired_note', sa.String(length=255), nullable=False, server_default=''))

    now = "CURRENT_TIMESTAMP" if op.get_bind().dialect.name == 'sqlite' else "now() AT TIME ZONE 'UTC'"
    op.execute(f"UPDATE employee SET left_at = {now} WHERE NOT is_active")
    # These numbers were never written to the present device.
    op.execute("""UPDATE enrolment SET old_name = COALESCE(NULLIF(sent_name, ''), written_name),
        written_name = '', sent_name = '' WHERE on_old_device""")
    if op.get_bind().dialect.name == 'sqlite':
        for table in ('employee', 'photo', 'terminal', 'capture', 'enrolment'):
            give_no_id_twice(table)
    for statement in APPEND_ONLY[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    for statement in NOT_APPEND_ONLY[op.get_bind().dialect.name]:
        op.execute(statement)
    with op.batch_alter_table('photo', schema=None) as batch_op:
        batch_op.drop_column('unlinked_at')
        batch_op.drop_column('forgotten_at')

    op.execute("UPDATE enrolment SET written_name = old_name WHERE on_old_device AND wanted = 'absent'")
    # Without batches, which would rebuild the tables without their checks and their partial index.
    op.drop_column('terminal', 'check_until')
    op.drop_column('terminal', 'retired_note')
    op.drop_column('terminal', 'retired_at')
    op.drop_column('enrolment', 'said_note')
    op.drop_column('enrolment', 'said_by')
    op.drop_column('enrolment', 'wanted_at')
    op.drop_column('enrolment', 'old_name')
    with op.batch_alter_table('enrolment', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_enrolment_confirmed_photo_id'))
        batch_op.drop_index(batch_op.f('ix_enrolment_photo_id'))

    with op.batch_alter_table('employee', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_employee_photo_id'))
        batch_op.drop_column('left_at')

    op.drop_column('capture', 'retake_of')
    op.drop_column('capture', 'draft_consent')

    with op.batch_alter_table('operator_session', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_operator_session_operator_id'))

    op.drop_table('operator_session')
    op.drop_table('consent')
    op.drop_table('throttle')
    op.drop_table('operator')
    with op.batch_alter_table('erasure', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_erasure_number'))

    op.drop_table('erasure')
    with op.batch_alter_table('audit', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_audit_employee'))
        batch_op.drop_index(batch_op.f('ix_audit_at'))
        batch_op.drop_index(batch_op.f('ix_audit_actor'))
        batch_op.drop_index(batch_op.f('ix_audit_action'))

    op.drop_table('audit')
    op.drop_table('api_token')
