"""Add groups of terminals, validity, comparisons, drift, clocks, and what a job waits for at terminals."""

import sqlalchemy as sa
from alembic import op

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None

MEMBERS = {'terminal': 'terminal', 'department': 'department', 'employee': 'employee'}
OF_ENROLMENTS = {
    'ix_enrolment_due': (
        ['terminal_id', 'desired', 'in_bulk', 'next_attempt_at', 'id'],
        'next_attempt_at IS NOT NULL',
    ),
    'ix_enrolment_faceless': (['terminal_id', 'employee_id'], "desired = 'present' AND face <> 'confirmed'"),
}
OF_TERMINALS = {
    'wanted_until': sa.DateTime(),
    'lease_yields': sa.Integer(),
    'clock_offset': sa.Integer(),
    'clock_checked_at': sa.DateTime(),
    'device_changed_at': sa.DateTime(),
    'compared_on': sa.Date(),
    'drift_looked_at': sa.DateTime(),
}
FILLED_OF_TERMINALS = {
    'clock_mode': (sa.String(length=16), ''),
    'zone': (sa.String(length=64), ''),
    'earlier_serial': (sa.String(length=128), ''),
    'drift_after': (sa.Integer(), '0'),
    'awaits_restore': (sa.Boolean(), sa.false()),
}
# The days of a validity as typed.
DRAFTS = ('draft_valid_from', 'draft_valid_to')
# PostgreSQL's statistics contain values of the columns, see revision 0004.
OF_PEOPLE = (
    ('comparison', ('requested_by', 'last_number', 'first_face', 'last_face')),
    ('person_there', ('number', 'name', 'face_url', 'face_sha256', 'valid_there')),
    ('difference', ('number', 'seen')),
    ('left_alone', ('number', 'seen', 'decided_by', 'reason')),
    ('drift', ('number', 'expected', 'found')),
    ('employee', ('valid_from', 'valid_to')),
    ('capture', DRAFTS),
    ('enrolment', ('valid_there', 'sent_valid', 'face_there')),
)


def upgrade() -> None:
    _groups()
    _comparisons()
    op.add_column('employee', sa.Column('valid_from', sa.Date(), nullable=True))
    op.add_column('employee', sa.Column('valid_to', sa.Date(), nullable=True))
    op.create_index(
        'ix_employee_valid_to',
        'employee',
        ['valid_to'],
        sqlite_where=sa.text('is_active = 1 AND valid_to IS NOT NULL'),
        postgresql_where=sa.text('is_active AND valid_to IS NOT NULL'),
    )
    for name in DRAFTS:
        op.add_column('capture', sa.Column(name, sa.String(length=255), nullable=False, server_default=''))
    # ix_enrolment_due took its place, and PostgreSQL would take it for that one by mistake.
    op.drop_index('ix_enrolment_next_attempt_at', 'enrolment')
    open_only = sa.text('completed_at IS NULL')
    op.create_index('ix_erasure_open', 'erasure', ['id'], sqlite_where=open_only, postgresql_where=open_only)
    op.add_column('capture', sa.Column('draft_groups', sa.String(length=255), nullable=False, server_default=''))
    op.add_column('import_batch', sa.Column('groups', sa.Boolean(), nullable=False, server_default=sa.false()))
    # Without a batch: the table has triggers, and neither database needs to rebuild it.
    op.add_column('enrolment', sa.Column('by_group', sa.Boolean(), nullable=False, server_default=sa.false()))
    for name, length in (('valid_there', 48), ('sent_valid', 48), ('face_there', 64)):
        op.add_column('enrolment', sa.Column(name, sa.String(length=length), nullable=False, server_default=''))
    for name, (columns, rows) in OF_ENROLMENTS.items():
        only = {'sqlite_where': sa.text(rows), 'postgresql_where': sa.text(rows)}
        op.create_index(name, 'enrolment', columns, **only)
    for name, kind in OF_TERMINALS.items():
        op.add_column('terminal', sa.Column(name, kind, nullable=True))
    for name, (kind, value) in FILLED_OF_TERMINALS.items():
        op.add_column('terminal', sa.Column(name, kind, nullable=False, server_default=value))
    _sources("'capture', 'upload', 'terminal'")
    _jobs()
    if op.get_bind().dialect.name == 'postgresql':
        for table, columns in OF_PEOPLE:
            for column in columns:
                op.execute(f'ALTER TABLE {table} ALTER COLUMN "{column}" SET STATISTICS 0')


def _groups() -> None:
    op.create_table(
        'terminal_group',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('name', sa.String(length=64), nullable=False),
        sa.Column('created_at', sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_terminal_group')),
        sa.UniqueConstraint('name', name=op.f('uq_terminal_group_name')),
        sqlite_autoincrement=True,
    )
    for name, other in MEMBERS.items():
        table = f'terminal_group_{name}'
        op.create_table(
            table,
            sa.Column('group_id', sa.Integer(), nullable=False),
            sa.Column(f'{name}_id', sa.Integer(), nullable=False),
            sa.ForeignKeyConstraint(
                ['group_id'],
                ['terminal_group.id'],
                name=op.f(f'fk_{table}_group_id_terminal_group'),
                ondelete='CASCADE',
            ),
            sa.ForeignKeyConstraint(
                [f'{name}_id'], [f'{other}.id'], name=op.f(f'fk_{table}_{name}_id_{other}'), ondelete='CASCADE'
            ),
            sa.PrimaryKeyConstraint('group_id', f'{name}_id', name=op.f(f'pk_{table}')),
        )
        op.create_index(op.f(f'ix_{table}_{name}_id'), table, [f'{name}_id'], unique=False)


def _comparisons() -> None:
    op.create_table(
        'comparison',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('terminal_id', sa.Integer(), nullable=False),
        sa.Column('state', sa.String(length=8), nullable=False),
        sa.Column('requested_by', sa.String(length=128), nullable=False),
        sa.Column('started_at', sa.DateTime(), nullable=False),
        sa.Column('ended_at', sa.DateTime(), nullable=True),
        sa.Column('error', sa.String(length=64), nullable=False),
        sa.Column('serial', sa.String(length=128), nullable=False),
        sa.Column('search_id', sa.String(length=32), nullable=False),
        sa.Column('people', sa.Integer(), nullable=True),
        sa.Column('read', sa.Integer(), nullable=False),
        sa.Column('last_number', sa.String(length=32), nullable=False),
        sa.Column('step', sa.String(length=8), nullable=False),
        sa.Column('read_at', sa.DateTime(), nullable=True),
        sa.Column('restarts', sa.Integer(), nullable=False),
        sa.Column('faces_read', sa.Integer(), nullable=False),
        sa.Column('first_face', sa.String(length=32), nullable=False),
        sa.Column('last_face', sa.String(length=32), nullable=False),
        sa.Column('same', sa.Integer(), nullable=False),
        sa.CheckConstraint("state IN ('reading', 'done', 'failed')", name=op.f('ck_comparison_state')),
        sa.ForeignKeyConstraint(
            ['terminal_id'], ['terminal.id'], name=op.f('fk_comparison_terminal_id_terminal'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_comparison')),
        sqlite_autoincrement=True,
    )
    op.create_index('ix_comparison_terminal_id_id', 'comparison', ['terminal_id', 'id'], unique=False)
    op.create_index(
        'ix_comparison_reading',
        'comparison',
        ['terminal_id'],
        unique=True,
        sqlite_where=sa.text("state = 'reading'"),
        postgresql_where=sa.text("state = 'reading'"),
    )
    op.create_table(
        'person_there',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('comparison_id', sa.Integer(), nullable=False),
        sa.Column('number', sa.String(length=32), nullable=False),
        sa.Column('name', sa.String(length=255), nullable=False),
        sa.Column('faces', sa.Integer(), nullable=True),
        sa.Column('face_url', sa.String(length=768), nullable=True),
        sa.Column('face_sha256', sa.String(length=64), nullable=True),
        sa.Column('valid_there', sa.String(length=48), nullable=False),
        sa.Column('cards', sa.Integer(), nullable=True),
        sa.Column('fingerprints', sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ['comparison_id'],
            ['comparison.id'],
            name=op.f('fk_person_there_comparison_id_comparison'),
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_person_there')),
        sa.UniqueConstraint('comparison_id', 'number', name=op.f('uq_person_there_comparison_id')),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f('ix_person_there_number'), 'person_there', ['number'], unique=False)
    op.create_table(
        'difference',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('comparison_id', sa.Integer(), nullable=False),
        sa.Column('kind', sa.String(length=16), nullable=False),
        sa.Column('number', sa.String(length=32), nullable=False),
        sa.Column('seen', sa.String(length=64), nullable=False),
        sa.CheckConstraint(
            "kind IN ('name', 'face_missing', 'face_other', 'only_here', 'only_there', 'validity')",
            name=op.f('ck_difference_kind'),
        ),
        sa.ForeignKeyConstraint(
            ['comparison_id'],
            ['comparison.id'],
            name=op.f('fk_difference_comparison_id_comparison'),
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_difference')),
        sa.UniqueConstraint('comparison_id', 'kind', 'number', name=op.f('uq_difference_comparison_id')),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f('ix_difference_number'), 'difference', ['number'], unique=False)
    _of_terminal(
        'left_alone',
        None,
        sa.Column('seen', sa.String(length=64), nullable=False),
        sa.Column('decided_by', sa.String(length=128), nullable=False),
        sa.Column('reason', sa.String(length=255), nullable=False),
        sa.Column('decided_at', sa.DateTime(), nullable=False),
    )
    _of_terminal(
        'drift',
        "kind IN ('count', 'name', 'only_here')",
        sa.Column('expected', sa.String(length=255), nullable=False),
        sa.Column('found', sa.String(length=255), nullable=False),
        sa.Column('noticed_at', sa.DateTime(), nullable=False),
    )


def _of_terminal(table: str, kinds: str | None, *columns: sa.Column) -> None:
    op.create_table(
        table,
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('terminal_id', sa.Integer(), nullable=False),
        sa.Column('number', sa.String(length=32), nullable=False),
        sa.Column('kind', sa.String(length=16), nullable=False),
        *columns,
        *([sa.CheckConstraint(kinds, name=op.f(f'ck_{table}_kind'))] if kinds else []),
        sa.ForeignKeyConstraint(
            ['terminal_id'], ['terminal.id'], name=op.f(f'fk_{table}_terminal_id_terminal'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('id', name=op.f(f'pk_{table}')),
        sa.UniqueConstraint('terminal_id', 'kind', 'number', name=op.f(f'uq_{table}_terminal_id')),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f(f'ix_{table}_number'), table, ['number'], unique=False)


def _sources(sources: str) -> None:
    with op.batch_alter_table('photo', table_kwargs={'sqlite_autoincrement': True}) as batch_op:
        batch_op.drop_constraint(op.f('ck_photo_source'), type_='check')
        batch_op.create_check_constraint(op.f('ck_photo_source'), f'source IN ({sources})')


def _jobs() -> None:
    with op.batch_alter_table('job', table_kwargs={'sqlite_autoincrement': True}) as batch_op:
        batch_op.add_column(sa.Column('terminal_id', sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            op.f('fk_job_terminal_id_terminal'), 'terminal', ['terminal_id'], ['id'], ondelete='SET NULL'
        )
        batch_op.create_index(op.f('ix_job_terminal_id'), ['terminal_id'], unique=False)
        batch_op.add_column(sa.Column('pause', sa.JSON(), nullable=True))
    with op.batch_alter_table('job_item', table_kwargs={'sqlite_autoincrement': True}) as batch_op:
        batch_op.add_column(sa.Column('action', sa.String(length=16), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('desired', sa.String(length=8), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('enrolment_id', sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            op.f('fk_job_item_enrolment_id_enrolment'), 'enrolment', ['enrolment_id'], ['id'], ondelete='SET NULL'
        )
        batch_op.create_index(op.f('ix_job_item_enrolment_id'), ['enrolment_id'], unique=False)
        batch_op.drop_constraint(op.f('ck_job_item_state'), type_='check')
        batch_op.create_check_constraint(op.f('ck_job_item_state'), "state IN ('waiting', 'sent', 'done', 'failed')")


def downgrade() -> None:
    op.execute("UPDATE job_item SET state = 'done' WHERE state = 'sent'")
    with op.batch_alter_table('job_item', table_kwargs={'sqlite_autoincrement': True}) as batch_op:
        batch_op.drop_constraint(op.f('ck_job_item_state'), type_='check')
        batch_op.create_check_constraint(op.f('ck_job_item_state'), "state IN ('waiting', 'done', 'failed')")
        batch_op.drop_index(op.f('ix_job_item_enrolment_id'))
        batch_op.drop_constraint(op.f('fk_job_item_enrolment_id_enrolment'), type_='foreignkey')
        batch_op.drop_column('enrolment_id')
        batch_op.drop_column('desired')
        batch_op.drop_column('action')
    with op.batch_alter_table('job', table_kwargs={'sqlite_autoincrement': True}) as batch_op:
        batch_op.drop_index(op.f('ix_job_terminal_id'))
        batch_op.drop_constraint(op.f('fk_job_terminal_id_terminal'), type_='foreignkey')
        batch_op.drop_column('pause')
        batch_op.drop_column('terminal_id')
    # Whoever took it over sent it in as a file would be.
    op.execute("UPDATE photo SET source = 'upload' WHERE source = 'terminal'")
    _sources("'capture', 'upload'")
    for name in (*OF_TERMINALS, *FILLED_OF_TERMINALS):
        op.drop_column('terminal', name)
    for name in OF_ENROLMENTS:
        op.drop_index(name, 'enrolment')
    for name in ('face_there', 'sent_valid', 'valid_there', 'by_group'):
        op.drop_column('enrolment', name)
    for name in DRAFTS:
        op.drop_column('capture', name)
    op.drop_column('import_batch', 'groups')
    op.drop_column('capture', 'draft_groups')
    op.drop_index('ix_erasure_open', 'erasure')
    op.create_index('ix_enrolment_next_attempt_at', 'enrolment', ['next_attempt_at'])
    op.drop_index('ix_employee_valid_to', 'employee')
    op.drop_column('employee', 'valid_to')
    op.drop_column('employee', 'valid_from')
    for table in ('drift', 'left_alone', 'difference', 'person_there', 'comparison'):
        op.drop_table(table)
    for name in MEMBERS:
        op.drop_table(f'terminal_group_{name}')
    op.drop_table('terminal_group')
