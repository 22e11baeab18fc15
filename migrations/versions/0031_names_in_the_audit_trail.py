"""Seal what the audit trail says of people, each with a key of the person's own, and give certificates a digest.

The trail is copied once to a new table, so that the former rows are in none of the database's files. Ids, times, who
acted, and what was done stay as they were. Whoever was erased before gets no key: those entries are unreadable at once.
"""

import json
import re
import secrets
from collections.abc import Callable, Iterable
from typing import Any

import sqlalchemy as sa
from alembic import op
from cryptography.fernet import Fernet
from flask import current_app

revision = '0031'
down_revision = '0030'
branch_labels = None
depends_on = None

BATCH = 1000
FORMER = (
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
    sa.Column('before', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('after', sa.JSON(none_as_null=True), nullable=True),
)
SEALED = sa.Column('sealed', sa.Text(), nullable=True)
INDEXED = ('action', 'actor', 'at', 'employee')
# An erasure names its certificate, and no person.
OF_CERTIFICATES = ('employee.erased', 'erasure.completed')
PHOTO = re.compile(r'([0-9A-Za-z]{1,32})_[\w-]{22}\.jpg\Z')
TRIGGERS = {
    'sqlite': (
        """CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
        """CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit
        WHEN OLD.at > strftime('%Y-%m-%d %H:%M:%f', 'now', '-30 days')
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
        """CREATE TRIGGER audit_is_not_replaced BEFORE INSERT ON audit
        WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
    ),
    'postgresql': (
        """CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
        FOR EACH ROW EXECUTE FUNCTION audit_is_append_only()""",
        """CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit FOR EACH ROW
        WHEN (OLD.at > (now() AT TIME ZONE 'UTC') - interval '30 days')
        EXECUTE FUNCTION audit_is_append_only()""",
        """CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit
        FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()""",
    ),
}
# PostgreSQL's statistics contain values of the columns, see revision 0004.
PERSONAL = {
    'person_key': ('pseudonym', 'number', 'key_encrypted'),
    'comparison': ('last_number', 'first_face', 'last_face'),
    'webhook_delivery': ('number',),
    'job': ('params',),
}
Row = dict[str, Any]


def upgrade() -> None:
    op.create_table(
        'person_key',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('pseudonym', sa.String(length=32), nullable=False),
        sa.Column('employee_id', sa.Integer(), nullable=True),
        sa.Column('number', sa.String(length=32), nullable=False),
        sa.Column('key_encrypted', sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_person_key')),
        sqlite_autoincrement=True,
    )
    for column in ('pseudonym', 'employee_id', 'number'):
        op.create_index(op.f(f'ix_person_key_{column}'), 'person_key', [column], unique=column == 'pseudonym')
    for column, length in (('check_key_encrypted', 255), ('digest', 64)):
        op.add_column('erasure', sa.Column(column, sa.String(length=length), nullable=False, server_default=''))
    set_statistics(0)
    keys: dict[tuple[int | None, str], tuple[str, bytes]] = {}
    rewrite_trail([*FORMER], [*FORMER, SEALED], lambda row: sealed(row, keys))
    keep_keys(keys)


def downgrade() -> None:
    keys = {row.pseudonym: row.key_encrypted for row in op.get_bind().execute(sa.text('SELECT * FROM person_key'))}
    rewrite_trail([*FORMER, SEALED], [*FORMER], lambda row: opened(row, keys))
    for column in ('digest', 'check_key_encrypted'):
        op.drop_column('erasure', column)
    op.drop_table('person_key')
    set_statistics(-1)


def set_statistics(target: int) -> None:
    if op.get_bind().dialect.name != 'postgresql':
        return
    for table, columns in PERSONAL.items():
        for column in columns if target == 0 or table != 'person_key' else ():
            op.execute(f'ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS {target}')


def rewrite_trail(former: list[sa.Column], columns: list[sa.Column], change: Callable[[Row], Row]) -> None:
    """Put all entries into a new table, each as `change` returns it."""
    connection = op.get_bind()
    on_postgresql = connection.dialect.name == 'postgresql'
    for column in INDEXED:
        op.drop_index(f'ix_audit_{column}', table_name='audit')
    op.rename_table('audit', 'audit_former')
    if on_postgresql:
        op.execute('ALTER INDEX pk_audit RENAME TO pk_audit_former')
        op.execute('ALTER SEQUENCE IF EXISTS audit_id_seq RENAME TO audit_former_id_seq')
    copies = [sa.Column(one.name, one.type, nullable=one.nullable) for one in columns]
    op.create_table('audit', *copies, sa.PrimaryKeyConstraint('id', name=op.f('pk_audit')))
    source, target = (
        sa.table(name, *(sa.column(one.name, one.type) for one in present))
        for name, present in (('audit_former', former), ('audit', columns))
    )
    last = 0
    some = sa.select(source).where(source.c.id > sa.bindparam('last')).order_by(source.c.id).limit(BATCH)
    while rows := connection.execute(some, {'last': last}).mappings().all():
        last = rows[-1]['id']
        connection.execute(sa.insert(target), [change(dict(row)) for row in rows])
    if on_postgresql and last:
        op.execute(f"SELECT setval(pg_get_serial_sequence('audit', 'id'), {last})")
    op.drop_table('audit_former')
    for column in INDEXED:
        op.create_index(f'ix_audit_{column}', 'audit', [column], unique=False)
    for trigger in TRIGGERS[connection.dialect.name]:
        op.execute(trigger)


def sealed(row: Row, keys: dict[tuple[int | None, str], tuple[str, bytes]]) -> Row:
    """Return an entry with what names a person under the person's key."""
    number, after = row['employee'], row['after']
    if row['action'] == 'audit.exported' and isinstance(after, dict) and after.get('employee'):
        number, after = after['employee'], {name: value for name, value in after.items() if name != 'employee'}
    photo = PHOTO.match(row['subject'])
    if photo and not number and photo[1] != 'capture':
        number = photo[1]
    if not number or row['action'] in OF_CERTIFICATES:
        return {**row, 'employee': '', 'sealed': None}
    whose = (row['employee_id'], number)
    if whose not in keys:
        keys[whose] = (secrets.token_hex(16), Fernet.generate_key())
    pseudonym, key = keys[whose]
    about = {'employee': number, 'subject': row['subject'], 'before': row['before'], 'after': after}
    token = Fernet(key).encrypt(json.dumps(about).encode()).decode()
    return {**row, 'employee': pseudonym, 'subject': '', 'before': None, 'after': None, 'sealed': token}


def keep_keys(keys: dict[tuple[int | None, str], tuple[str, bytes]]) -> None:
    """Store the keys of all but those who were erased."""
    erased = numbers('SELECT number FROM erasure') | numbers('SELECT number FROM erasure_removal')
    erased_ids = numbers('SELECT employee_id FROM erasure WHERE employee_id IS NOT NULL')
    living, living_ids = numbers('SELECT number FROM employee'), numbers('SELECT id FROM employee')
    vault = current_app.extensions['vault']
    kept = [
        {'pseudonym': pseudonym, 'employee_id': employee_id, 'number': number, 'key_encrypted': vault.encrypt(key.decode())}
        for (employee_id, number), (pseudonym, key) in keys.items()
        if employee_id not in erased_ids
        and (number not in erased or employee_id in living_ids or number in living)
    ]
    table = sa.table('person_key', *(sa.column(name) for name in ('pseudonym', 'employee_id', 'number', 'key_encrypted')))
    for start in range(0, len(kept), BATCH):
        op.get_bind().execute(sa.insert(table), kept[start : start + BATCH])


def numbers(statement: str) -> set[Any]:
    rows: Iterable[Any] = op.get_bind().execute(sa.text(statement)).scalars()
    return set(rows)


def opened(row: Row, keys: dict[str, str]) -> Row:
    """Return an entry as it was before; without its key it names nobody."""
    token, encrypted = row.pop('sealed'), keys.get(row['employee'])
    about = {'employee': '', 'subject': row['subject'], 'before': row['before'], 'after': row['after']}
    if token and encrypted:
        key = current_app.extensions['vault'].decrypt(encrypted)
        about = json.loads(Fernet(key).decrypt(token))
    return {**row, **about}
