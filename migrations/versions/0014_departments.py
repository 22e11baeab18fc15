"""Add the table of departments, with those that employees have."""

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def folded(name: str) -> str:
    return unicodedata.normalize('NFC', ' '.join(name.split())).casefold().replace('ё', 'е')


def upgrade() -> None:
    department = op.create_table(
        'department',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('name', sa.String(length=128), nullable=False),
        sa.Column('folded', sa.String(length=512), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_department')),
        sa.UniqueConstraint('name', name=op.f('uq_department_name')),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f('ix_department_folded'), 'department', ['folded'], unique=False)
    names = [name for name, in op.get_bind().execute(sa.text("SELECT DISTINCT department FROM employee ORDER BY 1"))]
    rows = [{'name': name, 'folded': folded(name)} for name in names if name]
    if rows:
        op.bulk_insert(department, rows)


def downgrade() -> None:
    op.drop_table('department')
