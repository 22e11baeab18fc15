"""Store `before` and `after` of audit entries as JSON, not as text."""

import json
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None

COLUMNS = ('before', 'after')
BATCH = 500
# Text in both directions, because this module itself converts the values.
AUDIT = sa.table('audit', sa.column('id', sa.Integer), *(sa.column(name, sa.Text) for name in COLUMNS))
# SQLite's triggers as in 0002. A batch copies the table and drops them with the old one.
SQLITE_TRIGGERS = {
    'audit_is_not_changed': """CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
    'audit_is_kept': """CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit
        WHEN OLD.at > strftime('%Y-%m-%d %H:%M:%f', 'now', '-30 days')
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
    'audit_is_not_replaced': """CREATE TRIGGER audit_is_not_replaced BEFORE INSERT ON audit
        WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
}
# Unicode categories that are escaped in the text: control, format, surrogate, line and paragraph separator.
ESCAPED = {'Cc', 'Cf', 'Cs', 'Zl', 'Zp'}


def upgrade() -> None:
    with changeable():
        alter(nullable=True, existing_type=sa.Text())
        convert(json_of_text)
        alter(type_=sa.JSON(), existing_type=sa.Text(), existing_nullable=True)


def downgrade() -> None:
    with changeable():
        alter(type_=sa.Text(), existing_type=sa.JSON(), existing_nullable=True)
        convert(text_of_json)
        alter(nullable=False, existing_type=sa.Text())


@contextmanager
def changeable() -> Iterator[None]:
    """Remove the triggers that forbid changes, and put them back afterwards."""
    if op.get_bind().dialect.name == 'postgresql':
        op.execute('ALTER TABLE audit DISABLE TRIGGER USER')
        yield
        op.execute('ALTER TABLE audit ENABLE TRIGGER USER')
        return
    for name in SQLITE_TRIGGERS:
        op.execute(f'DROP TRIGGER IF EXISTS {name}')
    yield
    for trigger in SQLITE_TRIGGERS.values():
        op.execute(trigger)


def alter(**changes: Any) -> None:
    kind = changes.get('type_')
    with op.batch_alter_table('audit') as batch_op:
        for name in COLUMNS:
            using = {'postgresql_using': f'"{name}"::{kind}'} if kind else {}
            batch_op.alter_column(name, **changes, **using)


def convert(value: Callable[[str | None], str | None]) -> None:
    connection, last = op.get_bind(), 0
    change = sa.update(AUDIT).where(AUDIT.c.id == sa.bindparam('row'))
    change = change.values({name: sa.bindparam(f'new_{name}') for name in COLUMNS})
    while rows := connection.execute(
        sa.select(AUDIT).where(AUDIT.c.id > last).order_by(AUDIT.c.id).limit(BATCH)
    ).all():
        last = rows[-1].id
        connection.execute(
            change, [{'row': row.id, 'new_before': value(row.before), 'new_after': value(row.after)} for row in rows]
        )


def json_of_text(text: str | None) -> str | None:
    """Return the text as JSON: an object, or a string if the text had been cut."""
    if not text:
        return None
    try:
        found = json.loads(text)
    except ValueError:
        found = text
    return json.dumps(found if isinstance(found, dict) and written(found) == text else text)


def text_of_json(stored: str | None) -> str:
    found = None if stored is None else json.loads(stored)
    if found is None:
        return ''
    return found if isinstance(found, str) else written(found)


def written(values: dict[str, Any]) -> str:
    """Return an object as entries stored it before: on one line, with letters outside ASCII as they are."""
    text = json.dumps(values, ensure_ascii=False)
    return ''.join(json.dumps(one)[1:-1] if unicodedata.category(one) in ESCAPED else one for one in text)
