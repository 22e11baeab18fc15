"""Move the removals and files of erasures into separate tables."""

import json
from collections import defaultdict
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None

erasure = sa.table(
    'erasure', sa.column('id', sa.Integer), sa.column('terminals', sa.Text), sa.column('files', sa.Text)
)
removal = sa.table(
    'erasure_removal',
    sa.column('id', sa.Integer),
    sa.column('erasure_id', sa.Integer),
    sa.column('enrolment_id', sa.Integer),
    sa.column('terminal', sa.String),
    sa.column('number', sa.String),
    sa.column('gone_at', sa.DateTime),
    sa.column('confirmed_by', sa.String),
    sa.column('confirmation_note', sa.String),
)
file = sa.table(
    'erasure_file', sa.column('id', sa.Integer), sa.column('erasure_id', sa.Integer), sa.column('file', sa.String)
)
# PostgreSQL's statistics contain values of the columns, see revision 0004.
PERSONAL = {'erasure_removal': ('number', 'confirmed_by', 'confirmation_note'), 'erasure_file': ('file',)}


def upgrade() -> None:
    op.create_table(
        'erasure_removal',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('erasure_id', sa.Integer(), nullable=False),
        sa.Column('enrolment_id', sa.Integer(), nullable=False),
        sa.Column('terminal', sa.String(length=64), nullable=False),
        sa.Column('number', sa.String(length=32), nullable=False),
        sa.Column('gone_at', sa.DateTime(), nullable=True),
        sa.Column('confirmed_by', sa.String(length=128), nullable=False),
        sa.Column('confirmation_note', sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(
            ['erasure_id'], ['erasure.id'], name=op.f('fk_erasure_removal_erasure_id_erasure'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_erasure_removal')),
        sqlite_autoincrement=True,
    )
    op.create_table(
        'erasure_file',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('erasure_id', sa.Integer(), nullable=False),
        sa.Column('file', sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ['erasure_id'], ['erasure.id'], name=op.f('fk_erasure_file_erasure_id_erasure'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_erasure_file')),
        sqlite_autoincrement=True,
    )
    for table, column in (('erasure_removal', 'erasure_id'), ('erasure_removal', 'enrolment_id'), ('erasure_file', 'erasure_id')):
        op.create_index(op.f(f'ix_{table}_{column}'), table, [column], unique=False)
    bind = op.get_bind()
    for row in bind.execute(sa.select(erasure).order_by(erasure.c.id)).all():
        removals = [removal_row(row.id, one) for one in json.loads(row.terminals)]
        files = [{'erasure_id': row.id, 'file': name} for name in json.loads(row.files)]
        for table, rows in ((removal, removals), (file, files)):
            if rows:
                bind.execute(sa.insert(table), rows)
    # Without a batch: neither database needs to rebuild the table.
    op.drop_column('erasure', 'terminals')
    op.drop_column('erasure', 'files')
    op.add_column('erasure', sa.Column('version', sa.Integer(), nullable=False, server_default='0'))
    if bind.dialect.name == 'postgresql':
        for table, columns in PERSONAL.items():
            for column in columns:
                op.execute(f'ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS 0')


def downgrade() -> None:
    for column in ('terminals', 'files'):
        op.add_column('erasure', sa.Column(column, sa.Text(), nullable=False, server_default='[]'))
    bind = op.get_bind()
    removals, files = defaultdict(list), defaultdict(list)
    for row in bind.execute(sa.select(removal).order_by(removal.c.id)):
        removals[row.erasure_id].append(removal_object(row))
    for row in bind.execute(sa.select(file).order_by(file.c.id)):
        files[row.erasure_id].append(row.file)
    for key in removals.keys() | files.keys():
        terminals = json.dumps(removals[key], ensure_ascii=False)
        values = {'terminals': terminals, 'files': json.dumps(files[key])}
        bind.execute(sa.update(erasure).where(erasure.c.id == key).values(values))
    op.drop_column('erasure', 'version')
    op.drop_table('erasure_file')
    op.drop_table('erasure_removal')


def removal_row(erasure_id: int, one: dict) -> dict:
    at = datetime.fromisoformat(one['at']) if one.get('at') else None
    if at is not None and at.tzinfo:
        at = at.astimezone(UTC).replace(tzinfo=None)
    return {
        'erasure_id': erasure_id,
        'enrolment_id': one['enrolment'],
        'terminal': one['terminal'],
        'number': one['number'],
        'gone_at': at,
        # Early rows tell that a person confirmed it, but not who.
        'confirmed_by': one.get('said_by') or ('?' if one.get('by_hand') else ''),
        'confirmation_note': one.get('note', ''),
    }


def removal_object(row: sa.Row) -> dict:
    return {
        'enrolment': row.enrolment_id,
        'terminal': row.terminal,
        'number': row.number,
        'at': row.gone_at.replace(tzinfo=UTC).isoformat() if row.gone_at else '',
        'by_hand': bool(row.confirmed_by),
        'said_by': row.confirmed_by,
        'note': row.confirmation_note,
    }
