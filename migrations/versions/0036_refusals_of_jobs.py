"""Store what was refused of a job, its items, a row of an import and a comparison in one shape: {code, params}."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0036'
down_revision = '0035'
branch_labels = None
depends_on = None

REFUSAL = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), 'postgresql')
JOB = sa.table('job', sa.column('id'), sa.column('params', sa.JSON), sa.column('pause', sa.JSON(none_as_null=True)))
# Of each database: the refusal of an item and of a comparison, the params of an item, and the errors of a row both ways.
SQL = {
    'sqlite': (
        "json_object('code', error, 'params', json(coalesce(error_params, '{}')))",
        "json_object('code', error, 'params', json('{}'))",
        "json_extract(refusal, '$.params')",
        "json_group_object(key, json_object('code', value ->> 0, 'params', json(value -> 1)))",
        "json_group_object(key, json_array(value ->> 'code', json(value -> 'params')))",
    ),
    'postgresql': (
        "jsonb_build_object('code', error, 'params', coalesce(CAST(error_params AS jsonb), '{}'))",
        "jsonb_build_object('code', error, 'params', CAST('{}' AS jsonb))",
        "CAST(refusal -> 'params' AS json)",
        "json_object_agg(key, json_build_object('code', value -> 0, 'params', value -> 1))",
        "json_object_agg(key, json_build_array(value -> 'code', value -> 'params'))",
    ),
}


def upgrade() -> None:
    of_item, of_comparison, _, errors, _ = SQL[op.get_bind().dialect.name]
    # Not as batches: SQLite would copy the tables.
    for table, refusal in (('job_item', of_item), ('comparison', of_comparison)):
        op.add_column(table, sa.Column('refusal', REFUSAL))
        op.execute(f"UPDATE {table} SET refusal = {refusal} WHERE error <> ''")
        op.drop_column(table, 'error')
    op.drop_column('job_item', 'error_params')
    if op.get_bind().dialect.name == 'postgresql':
        # PostgreSQL's statistics contain values of the columns, see revision 0004.
        op.execute('ALTER TABLE job_item ALTER COLUMN refusal SET STATISTICS 0')
    _convert_errors(errors)
    _convert_jobs('error', _joined)


def downgrade() -> None:
    *_, params, _, errors = SQL[op.get_bind().dialect.name]
    op.add_column('job_item', sa.Column('error_params', sa.JSON(none_as_null=True)))
    op.execute(f'UPDATE job_item SET error_params = {params} WHERE refusal IS NOT NULL')
    for table in ('job_item', 'comparison'):
        op.add_column(table, sa.Column('error', sa.String(64), nullable=False, server_default=''))
        op.execute(f"UPDATE {table} SET error = substr(refusal ->> 'code', 1, 64) WHERE refusal IS NOT NULL")
        op.drop_column(table, 'refusal')
    _convert_errors(errors)
    _convert_jobs('refusal', _split)


def _convert_errors(errors):
    op.execute(
        f'UPDATE import_row SET errors = (SELECT {errors} FROM json_each(import_row.errors)) WHERE errors IS NOT NULL'
    )


def _convert_jobs(key, converted):
    """Convert the jobs that failed as a whole or wait for a terminal, which are few.

    An erasure looks for numbers in the params as Python writes them: the database would write other letters.
    """
    either = [sa.cast(column, sa.Text).contains(f'"{key}"') for column in (JOB.c.params, JOB.c.pause)]
    connection = op.get_bind()
    for job in connection.execute(sa.select(JOB).where(sa.or_(*either))).all():
        values = {'params': converted(job.params), 'pause': job.pause and converted(job.pause)}
        connection.execute(sa.update(JOB).where(JOB.c.id == job.id).values(**values))


def _joined(told):
    others = {name: value for name, value in told.items() if name not in ('error', 'error_params')}
    if 'error' not in told:
        return others
    return {**others, 'refusal': {'code': told['error'], 'params': told.get('error_params') or {}}}


def _split(told):
    others = {name: value for name, value in told.items() if name != 'refusal'}
    if 'refusal' not in told:
        return others
    return {**others, 'error': told['refusal']['code'], 'error_params': told['refusal']['params']}
