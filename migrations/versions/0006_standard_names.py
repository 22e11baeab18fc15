"""Rename columns to the standard terms."""

from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None

COLUMNS = {
    'enrolment': {
        'wanted': 'desired',
        'wanted_at': 'desired_since',
        'wish': 'generation',
        'doubt': 'face_unverified',
        'replace_first': 'overwrite',
        'said_by': 'confirmed_by',
        'said_note': 'confirmation_note',
        'old_name': 'name_on_old_device',
        'refusal': 'refusal_code',
    },
    'terminal': {'trouble': 'last_error_code', 'quiet_until': 'backoff_until', 'tried_version': 'retried_version'},
    'photo': {'unlinked_at': 'file_deleted_at'},
}
DESIRED = "{} IN ('present', 'absent')"


def upgrade() -> None:
    for table, names in COLUMNS.items():
        for old, new in names.items():
            rename(table, old, new)
    rename_check('wanted', 'desired')


def downgrade() -> None:
    for table, names in COLUMNS.items():
        for old, new in names.items():
            rename(table, new, old)
    rename_check('desired', 'wanted')


def rename(table: str, old: str, new: str) -> None:
    # Both databases also rename the column in checks and indexes. A batch would rebuild the table for each column.
    op.execute(f'ALTER TABLE {table} RENAME COLUMN {old} TO {new}')


def rename_check(old: str, new: str) -> None:
    """Rename a check, which is named after its column."""
    with op.batch_alter_table('enrolment', table_kwargs={'sqlite_autoincrement': True}) as batch_op:
        batch_op.drop_constraint(op.f(f'ck_enrolment_{old}'), type_='check')
        batch_op.create_check_constraint(op.f(f'ck_enrolment_{new}'), DESIRED.format(new))
