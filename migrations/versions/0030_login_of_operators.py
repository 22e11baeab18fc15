"""Compare names of operators whatever the width of their letters; one that would then be another's stays as it is."""

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = '0030'
down_revision = '0029'
branch_labels = None
depends_on = None

OPERATOR = sa.table('operator', sa.column('id'), sa.column('name'), sa.column('login'))


def folded(name: str) -> str:
    return unicodedata.normalize('NFC', name).casefold().replace('ё', 'е')


def login_of(name: str) -> str:
    plain = unicodedata.normalize('NFKC', folded(unicodedata.normalize('NFKC', name)))
    return ' '.join(plain.split())


def upgrade() -> None:
    connection = op.get_bind()
    rows = connection.execute(sa.select(OPERATOR).order_by(OPERATOR.c.id)).all()
    logins = {row.login for row in rows}
    for row in rows:
        login = login_of(row.name)
        if login not in logins and len(login) <= 128:
            logins.add(login)
            connection.execute(sa.update(OPERATOR).where(OPERATOR.c.id == row.id).values(login=login))


def downgrade() -> None:
    connection = op.get_bind()
    for row in connection.execute(sa.select(OPERATOR)).all():
        connection.execute(sa.update(OPERATOR).where(OPERATOR.c.id == row.id).values(login=folded(row.name)))
