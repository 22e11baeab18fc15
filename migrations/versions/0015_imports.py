"""Add imports and their rows."""

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None

# PostgreSQL's statistics contain values of the columns, see revision 0004.
OF_PEOPLE = (
    ('import_batch', ('requested_by', 'table_name', 'photos_name')),
    ('import_row', ('number', 'values', 'cells', 'before', 'written', 'errors', 'photo')),
)


def upgrade() -> None:
    op.create_table(
        'import_batch',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('requested_by', sa.String(length=128), nullable=False),
        sa.Column('table_name', sa.String(length=255), nullable=False),
        sa.Column('table_file', sa.String(length=80), nullable=False),
        sa.Column('photos_name', sa.String(length=255), nullable=False),
        sa.Column('photos_file', sa.String(length=80), nullable=False),
        sa.Column('layout', sa.JSON(), nullable=False),
        sa.Column('fields', sa.JSON(), nullable=False),
        sa.Column('new_departments', sa.JSON(), nullable=False),
        sa.Column('terminal_id', sa.Integer(), nullable=True),
        sa.Column('new', sa.Integer(), nullable=False),
        sa.Column('changed', sa.Integer(), nullable=False),
        sa.Column('unchanged', sa.Integer(), nullable=False),
        sa.Column('wrong', sa.Integer(), nullable=False),
        sa.Column('created_at', sa.DateTime(), nullable=False),
        sa.Column('checked_at', sa.DateTime(), nullable=True),
        sa.Column('check_job_id', sa.Integer(), nullable=True),
        sa.Column('import_job_id', sa.Integer(), nullable=True),
        sa.Column('undo_job_id', sa.Integer(), nullable=True),
        *(
            sa.ForeignKeyConstraint(
                [f'{job}_job_id'], ['job.id'], name=op.f(f'fk_import_batch_{job}_job_id_job'), ondelete='SET NULL'
            )
            for job in ('check', 'import', 'undo')
        ),
        sa.ForeignKeyConstraint(
            ['terminal_id'], ['terminal.id'], name=op.f('fk_import_batch_terminal_id_terminal'), ondelete='SET NULL'
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_import_batch')),
        sqlite_autoincrement=True,
    )
    for column in ('check_job_id', 'import_job_id', 'undo_job_id', 'terminal_id'):
        op.create_index(op.f(f'ix_import_batch_{column}'), 'import_batch', [column], unique=False)
    op.create_table(
        'import_row',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('batch_id', sa.Integer(), nullable=False),
        sa.Column('line', sa.Integer(), nullable=True),
        sa.Column('number', sa.String(length=64), nullable=False),
        sa.Column('verdict', sa.String(length=12), nullable=False),
        sa.Column('values', sa.JSON(), nullable=False),
        *(
            sa.Column(name, sa.JSON(none_as_null=True), nullable=True)
            for name in ('cells', 'before', 'written', 'errors')
        ),
        sa.Column('photo', sa.String(length=255), nullable=False),
        sa.Column('employee_id', sa.Integer(), nullable=True),
        sa.Column('former_photo_id', sa.Integer(), nullable=True),
        sa.Column('state', sa.String(length=8), nullable=False),
        sa.CheckConstraint(
            "verdict IN ('new', 'changed', 'unchanged', 'wrong')", name=op.f('ck_import_row_verdict')
        ),
        sa.CheckConstraint("state IN ('', 'applied', 'undone')", name=op.f('ck_import_row_state')),
        sa.ForeignKeyConstraint(
            ['batch_id'], ['import_batch.id'], name=op.f('fk_import_row_batch_id_import_batch'), ondelete='CASCADE'
        ),
        sa.ForeignKeyConstraint(
            ['employee_id'], ['employee.id'], name=op.f('fk_import_row_employee_id_employee'), ondelete='SET NULL'
        ),
        sa.ForeignKeyConstraint(
            ['former_photo_id'], ['photo.id'], name=op.f('fk_import_row_former_photo_id_photo'), ondelete='SET NULL'
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_import_row')),
        sqlite_autoincrement=True,
    )
    op.create_index('ix_import_row_batch_id_verdict_id', 'import_row', ['batch_id', 'verdict', 'id'], unique=False)
    op.create_index('ix_import_row_batch_id_number', 'import_row', ['batch_id', 'number'], unique=False)
    for column in ('number', 'employee_id', 'former_photo_id'):
        op.create_index(op.f(f'ix_import_row_{column}'), 'import_row', [column], unique=False)
    if op.get_bind().dialect.name == 'postgresql':
        for table, columns in OF_PEOPLE:
            for column in columns:
                op.execute(f'ALTER TABLE {table} ALTER COLUMN "{column}" SET STATISTICS 0')


def downgrade() -> None:
    op.drop_table('import_row')
    op.drop_table('import_batch')
