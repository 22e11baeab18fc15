"""Switch off PostgreSQL's statistics of personal data.

The statistics contain values of the columns, and stay after the rows are deleted when a table becomes empty.
"""

from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

PERSONAL = {
    'employee': ('number', 'name', 'department', 'search'),
    'consent': ('given_on', 'note', 'recorded_by'),
    'photo': ('file', 'sha256'),
    'capture': ('reason_text', 'requested_by', 'draft_number', 'draft_name', 'draft_department', 'face_url'),
    'enrolment': ('number', 'written_name', 'sent_name', 'old_name', 'said_by', 'said_note', 'refusal_text'),
    'erasure': ('number', 'name', 'terminals', 'files', 'requested_by'),
}


def set_statistics(target):
    if op.get_bind().dialect.name == 'postgresql':
        for table, columns in PERSONAL.items():
            for column in columns:
                op.execute(f'ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS {target}')


def upgrade():
    set_statistics(0)


def downgrade():
    set_statistics(-1)
