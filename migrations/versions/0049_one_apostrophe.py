"""Search, names and departments with one kind of apostrophe: oʻ, o', o‘ and o’ are one letter."""

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = '0049'
down_revision = '0048'
branch_labels = None
depends_on = None

SIGNS = '‘’ʻʼ`´'
# Table, the column that is folded, and those that it is made of.
FOLDED = (('employee', 'search', ('name', 'number', 'department')), ('department', 'folded', ('name',)))
BATCH = 1_000


def upgrade() -> None:
    # In the database alone: there may be a million people, and where names are Uzbek, nearly all have one.
    for table, column, _ in FOLDED:
        plain = column
        for sign in SIGNS:
            plain = f"replace({plain}, '{sign}', '''')"
        op.execute(f'UPDATE {table} SET {column} = {plain} WHERE {column} <> {plain}')


def downgrade() -> None:
    connection = op.get_bind()
    for name, column, parts in FOLDED:
        table = sa.table(name, *map(sa.column, ('id', column, *parts)))
        is_odd = sa.or_(*(table.c[part].contains(sign) for part in parts for sign in SIGNS))
        rows = sa.select(table.c.id, *(table.c[part] for part in parts)).where(is_odd).order_by(table.c.id).limit(BATCH)
        change = sa.update(table).where(table.c.id == sa.bindparam('row')).values({column: sa.bindparam('text')})
        last = 0
        while portion := connection.execute(rows.where(table.c.id > last)).all():
            connection.execute(change, [{'row': row.id, 'text': _folded(' '.join(row[1:]))} for row in portion])
            last = portion[-1].id


def _folded(text: str) -> str:
    return unicodedata.normalize('NFC', text).casefold().replace('ё', 'е').replace('\0', '\ufffd')
