"""Add jobs, and mark the enrolments that a job for many desired."""

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'job',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('kind', sa.String(length=32), nullable=False),
        sa.Column('params', sa.JSON(), nullable=False),
        sa.Column('state', sa.String(length=8), nullable=False),
        sa.Column('requested_by', sa.String(length=128), nullable=False),
        sa.Column('total', sa.Integer(), nullable=False),
        sa.Column('done', sa.Integer(), nullable=False),
        sa.Column('failed', sa.Integer(), nullable=False),
        sa.Column('created_at', sa.DateTime(), nullable=False),
        sa.Column('started_at', sa.DateTime(), nullable=True),
        sa.Column('ended_at', sa.DateTime(), nullable=True),
        sa.Column('claim_number', sa.Integer(), nullable=False),
        sa.Column('claimed_until', sa.DateTime(), nullable=True),
        sa.Column('attempts', sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('draft', 'waiting', 'running', 'done', 'failed', 'stopped')", name=op.f('ck_job_state')
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_job')),
        sqlite_autoincrement=True,
    )
    op.create_index('ix_job_state_claimed_until', 'job', ['state', 'claimed_until'], unique=False)
    op.create_table(
        'job_item',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('job_id', sa.Integer(), nullable=False),
        sa.Column('employee_id', sa.Integer(), nullable=True),
        sa.Column('number', sa.String(length=32), nullable=False),
        sa.Column('state', sa.String(length=8), nullable=False),
        sa.Column('error', sa.String(length=64), nullable=False),
        sa.Column('error_params', sa.JSON(none_as_null=True), nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'done', 'failed')", name=op.f('ck_job_item_state')),
        sa.ForeignKeyConstraint(
            ['employee_id'], ['employee.id'], name=op.f('fk_job_item_employee_id_employee'), ondelete='SET NULL'
        ),
        sa.ForeignKeyConstraint(['job_id'], ['job.id'], name=op.f('fk_job_item_job_id_job'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_job_item')),
        sqlite_autoincrement=True,
    )
    op.create_index('ix_job_item_job_id_state_id', 'job_item', ['job_id', 'state', 'id'], unique=False)
    for column in ('employee_id', 'number'):
        op.create_index(op.f(f'ix_job_item_{column}'), 'job_item', [column], unique=False)
    # Without a batch: neither database needs to rebuild the table.
    op.add_column('enrolment', sa.Column('in_bulk', sa.Boolean(), nullable=False, server_default=sa.false()))
    if op.get_bind().dialect.name == 'postgresql':
        # PostgreSQL's statistics contain values of the columns, see revision 0004.
        for table, column in (('job', 'requested_by'), ('job_item', 'number')):
            op.execute(f'ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS 0')


def downgrade() -> None:
    op.drop_column('enrolment', 'in_bulk')
    op.drop_table('job_item')
    op.drop_table('job')
