"""Store the state of an enrolment in one word, generated from its facts, with an index each instead of one a state."""

import sqlalchemy as sa
from alembic import op

revision = '0033'
down_revision = '0032'
branch_labels = None
depends_on = None

STATE = """CASE
    WHEN desired = 'absent' AND person = 'confirmed' THEN 'removed'
    WHEN desired = 'absent' THEN 'leaving'
    WHEN person = 'confirmed' AND face = 'confirmed' THEN 'confirmed'
    WHEN next_attempt_at IS NOT NULL OR step <> '' THEN 'waiting'
    ELSE 'refused' END"""
# Index → its columns, and the rows that it has.
NEW = {
    'there': (['terminal_id', 'employee_id'], "state <> 'removed'"),
    'state': (['state', 'employee_id', 'terminal_id', 'person', 'photo_id'], None),
    'removals': (['state', 'desired_since', 'id'], "state = 'leaving'"),
    'listed': (['state', 'changed_at', 'id'], None),
    'listed_at': (['terminal_id', 'state', 'changed_at', 'id'], None),
}
UNPROVEN = "desired = 'present' AND (person <> 'confirmed' OR face <> 'confirmed')"
TRIED = "(next_attempt_at IS NOT NULL OR step <> '')"
LEAVING = "desired = 'absent' AND person <> 'confirmed'"
LISTED = {
    'confirmed': "desired = 'present' AND person = 'confirmed' AND face = 'confirmed'",
    'waiting': f'{UNPROVEN} AND {TRIED}',
    'refused': f'{UNPROVEN} AND NOT {TRIED}',
    'leaving': LEAVING,
    'removed': "desired = 'absent' AND person = 'confirmed'",
}
OLD = {
    'there': (['terminal_id', 'employee_id'], "desired = 'present' OR person <> 'confirmed'"),
    'tried': (['employee_id', 'terminal_id'], f'{UNPROVEN} AND {TRIED}'),
    'stopped': (['employee_id', 'terminal_id', 'person', 'photo_id'], f'{UNPROVEN} AND NOT {TRIED}'),
    'leaving': (['employee_id'], LEAVING),
    'removals': (['desired_since', 'id'], LEAVING),
    **{f'listed_{state}': (['changed_at', 'id'], rows) for state, rows in LISTED.items()},
    **{f'listed_{state}_at': (['terminal_id', 'changed_at', 'id'], rows) for state, rows in LISTED.items()},
}


def upgrade() -> None:
    _drop(OLD)
    # Not as a batch: SQLite would copy the table, and lose its triggers.
    on_sqlite = op.get_bind().dialect.name == 'sqlite'
    kind = 'VIRTUAL' if on_sqlite else 'STORED'
    op.execute(f'ALTER TABLE enrolment ADD COLUMN state VARCHAR(10) NOT NULL GENERATED ALWAYS AS ({STATE}) {kind}')
    _create(NEW)
    if not on_sqlite:
        # Without figures of the new column PostgreSQL takes each state for as rare as the others.
        op.execute('ANALYZE enrolment')


def downgrade() -> None:
    _drop(NEW)
    op.execute('ALTER TABLE enrolment DROP COLUMN state')
    _create(OLD)


def _drop(indexes):
    for name in indexes:
        op.drop_index(f'ix_enrolment_{name}', 'enrolment')


def _create(indexes):
    for name, (columns, rows) in indexes.items():
        only = sa.text(rows) if rows else None
        op.create_index(f'ix_enrolment_{name}', 'enrolment', columns, sqlite_where=only, postgresql_where=only)
