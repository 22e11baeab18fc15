"""Keep how an import reads its table, what its rows will do to people, and mappings of columns by name."""

import sqlalchemy as sa
from alembic import op

revision = '0037'
down_revision = '0036'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Not as batches: SQLite would copy the tables.
    for column in ('options', 'effects'):
        op.add_column('import_batch', sa.Column(column, sa.JSON(), nullable=False, server_default='{}'))
    op.add_column('import_row', sa.Column('sheet', sa.String(length=64), nullable=False, server_default=''))
    op.add_column('import_row', sa.Column('confirmed', sa.Boolean(), nullable=False, server_default=sa.false()))
    for column in ('effects', 'warnings'):
        op.add_column('import_row', sa.Column(column, sa.JSON(none_as_null=True), nullable=True))
        if op.get_bind().dialect.name == 'postgresql':
            # PostgreSQL's statistics contain values of the columns, see revision 0004.
            op.execute(f'ALTER TABLE import_row ALTER COLUMN {column} SET STATISTICS 0')
    op.create_table(
        'import_mapping',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('name', sa.String(length=64), nullable=False),
        sa.Column('columns', sa.JSON(), nullable=False),
        sa.Column('fields', sa.JSON(), nullable=False),
        sa.Column('options', sa.JSON(), nullable=False),
        sa.Column('saved_by', sa.String(length=128), nullable=False),
        sa.Column('saved_at', sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_import_mapping')),
        sa.UniqueConstraint('name', name=op.f('uq_import_mapping_name')),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    op.drop_table('import_mapping')
    for column in ('warnings', 'effects', 'confirmed', 'sheet'):
        op.drop_column('import_row', column)
    for column in ('effects', 'options'):
        op.drop_column('import_batch', column)
