"""Find employees by any part of their names through an index, and keep the counts that every page shows.

`employee_words` indexes every three letters of employee.search: on SQLite a table of FTS5 that stores the trigrams and
not the texts, on PostgreSQL a GIN index on a function. PostgreSQL's own pg_trgm needs a right that not every role has,
and finds no Cyrillic where the database's locale is C. Two spaces are added to the text, so that each letter begins a
trigram: what is shorter than three letters is found as the beginning of one. The control character 2, which no name has,
stands before the text, so that whoever does not begin with two letters can be asked for.
"""

import sqlite3

import sqlalchemy as sa
from alembic import op

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None

LEAVING = "desired = 'absent' AND person <> 'confirmed'"

# SQLite ------------------------------------------------------------------------------------------------------------
WORDS = [
    """CREATE VIRTUAL TABLE employee_words USING fts5(
        search, content='', columnsize=0, tokenize='trigram case_sensitive 1')""",
    "CREATE VIRTUAL TABLE employee_terms USING fts5vocab(employee_words, 'row')",
]
# From this version on FTS5 overwrites what is deleted; before it, services/privacy/secure_delete.py merges the index.
OVERWRITES = (3, 42)
INDEXED = "char(2) || {row}search || '  '"
ADD_WORDS = f"INSERT INTO employee_words (rowid, search) VALUES (NEW.id, {INDEXED.format(row='NEW.')});"
DROP_WORDS = (
    'INSERT INTO employee_words (employee_words, rowid, search)'
    f" VALUES ('delete', OLD.id, {INDEXED.format(row='OLD.')});"
)

# Both --------------------------------------------------------------------------------------------------------------
COUNTS = ('people', 'active', 'no_face', 'no_consent', 'consents')
# Column → what one row of employee adds to it.
ADDS = {
    'people': '1',
    'active': 'CASE WHEN {row}.is_active THEN 1 ELSE 0 END',
    'no_face': 'CASE WHEN {row}.is_active AND NOT {row}.has_face THEN 1 ELSE 0 END',
    'no_consent': 'CASE WHEN {row}.is_active AND NOT {row}.has_consent THEN 1 ELSE 0 END',
    'consents': 'CASE WHEN {row}.has_consent THEN 1 ELSE 0 END',
}
COUNTED = 'OLD.is_active <> NEW.is_active OR OLD.has_face <> NEW.has_face OR OLD.has_consent <> NEW.has_consent'
# Trigger on employee → after what, when, and which row is added or taken away.
OF_EMPLOYEES = {
    'employee_count_after_insert': ('INSERT', '', ('NEW', None)),
    'employee_count_after_delete': ('DELETE', '', (None, 'OLD')),
    'employee_count_after_update': ('UPDATE OF is_active, has_face, has_consent', COUNTED, ('NEW', 'OLD')),
}
OF_WORDS = {
    'employee_words_after_insert': ('INSERT', '', ADD_WORDS),
    'employee_words_after_delete': ('DELETE', '', DROP_WORDS),
    'employee_words_after_update': ('UPDATE OF search', 'OLD.search <> NEW.search', f'{DROP_WORDS} {ADD_WORDS}'),
}
HAS_CONSENT = 'EXISTS (SELECT 1 FROM consent WHERE consent.employee_id = employee.id)'
OF_CONSENTS = {
    'has_consent_after_insert': ('INSERT', ('NEW',)),
    'has_consent_after_delete': ('DELETE', ('OLD',)),
    'has_consent_after_update': ('UPDATE OF employee_id', ('OLD', 'NEW')),
}

# PostgreSQL --------------------------------------------------------------------------------------------------------
FUNCTIONS = {
    'employee_words(text)': """CREATE FUNCTION employee_words(text) RETURNS tsvector
        LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
        SELECT pg_catalog.array_to_tsvector(
            pg_catalog.array_agg(DISTINCT pg_catalog.substr(pg_catalog.chr(2) || $1 || '  ', i, 3)))
        FROM pg_catalog.generate_series(1, pg_catalog.length($1) + 1) AS i $$""",
    # Rows are added and never changed, so that nobody waits for anybody; a worker adds them up now and then.
    'keep_employee_count()': f"""CREATE FUNCTION keep_employee_count() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP <> 'DELETE' THEN
            INSERT INTO employee_count ({', '.join(COUNTS)})
                VALUES ({', '.join(one.format(row='NEW') for one in ADDS.values())});
        END IF;
        IF TG_OP <> 'INSERT' THEN
            INSERT INTO employee_count ({', '.join(COUNTS)})
                VALUES ({', '.join('-(' + one.format(row='OLD') + ')' for one in ADDS.values())});
        END IF;
        RETURN NULL;
    END $$""",
    # As keep_has_face(): the first statement waits for others who change the same employee's consent.
    'keep_has_consent()': f"""CREATE FUNCTION keep_has_consent() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE changed integer[] := ARRAY[OLD.employee_id, NEW.employee_id];
    BEGIN
        PERFORM 1 FROM employee WHERE id = ANY (changed) ORDER BY id FOR NO KEY UPDATE;
        UPDATE employee SET has_consent = NOT has_consent WHERE id = ANY (changed) AND has_consent <> {HAS_CONSENT};
        RETURN NULL;
    END $$""",
}


def upgrade() -> None:
    on_sqlite = op.get_bind().dialect.name == 'sqlite'
    op.add_column('employee', sa.Column('has_consent', sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute(f'UPDATE employee SET has_consent = NOT has_consent WHERE {HAS_CONSENT}')
    op.create_index(
        'ix_employee_no_consent',
        'employee',
        ['id'],
        sqlite_where=sa.text('is_active = 1 AND has_consent = 0'),
        postgresql_where=sa.text('is_active AND NOT has_consent'),
    )
    # What was recorded before this time was.
    op.execute(f'UPDATE enrolment SET desired_since = created_at WHERE desired_since IS NULL AND {LEAVING}')
    op.create_index(
        'ix_enrolment_removals',
        'enrolment',
        ['desired_since', 'id'],
        sqlite_where=sa.text(LEAVING),
        postgresql_where=sa.text(LEAVING),
    )
    op.create_table(
        'employee_count',
        sa.Column('id', sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in COUNTS),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_employee_count')),
    )
    sums = ', '.join(f'COALESCE(SUM({one.format(row="employee")}), 0)' for one in ADDS.values())
    op.execute(f'INSERT INTO employee_count (id, {", ".join(COUNTS)}) SELECT 0, {sums} FROM employee')
    _on_sqlite() if on_sqlite else _on_postgresql()


def _on_sqlite() -> None:
    for statement in WORDS:
        op.execute(statement)
    if sqlite3.sqlite_version_info >= OVERWRITES:
        op.execute("INSERT INTO employee_words (employee_words, rank) VALUES ('secure-delete', 1)")
    op.execute(f"INSERT INTO employee_words (rowid, search) SELECT id, {INDEXED.format(row='')} FROM employee ORDER BY id")
    for name, (event, when, does) in OF_WORDS.items():
        _trigger(name, 'employee', event, when, does)
    for name, (event, when, (added, taken)) in OF_EMPLOYEES.items():
        changes = ', '.join(
            f'{column} = {column}'
            + (f' + ({one.format(row=added)})' if added else '')
            + (f' - ({one.format(row=taken)})' if taken else '')
            for column, one in ADDS.items()
        )
        _trigger(name, 'employee', event, when, f'UPDATE employee_count SET {changes} WHERE id = 0;')
    for name, (event, rows) in OF_CONSENTS.items():
        mine = ', '.join(f'{row}.employee_id' for row in rows)
        changed = f'id IN ({mine}) AND has_consent <> {HAS_CONSENT}'
        _trigger(name, 'consent', event, '', f'UPDATE employee SET has_consent = NOT has_consent WHERE {changed};')


def _trigger(name: str, table: str, event: str, when: str, does: str) -> None:
    only = f'WHEN {when} ' if when else ''
    op.get_bind().exec_driver_sql(f'CREATE TRIGGER {name} AFTER {event} ON {table} FOR EACH ROW {only}BEGIN {does} END')


def _on_postgresql() -> None:
    for function in FUNCTIONS.values():
        op.get_bind().exec_driver_sql(function)
    # What is added is found at once, without a list of what is not sorted in yet.
    op.execute(
        'CREATE INDEX ix_employee_words ON employee USING gin (employee_words(search::text)) WITH (fastupdate = off)'
    )
    # PostgreSQL's statistics contain values of the columns, see revision 0004.
    op.execute('ALTER INDEX ix_employee_words ALTER COLUMN 1 SET STATISTICS 0')
    for name, (event, when, _) in OF_EMPLOYEES.items():
        _calls(name, 'employee', event, when, 'keep_employee_count()')
    for name, (event, _) in OF_CONSENTS.items():
        _calls(name, 'consent', event, '', 'keep_has_consent()')


def _calls(name: str, table: str, event: str, when: str, function: str) -> None:
    only = f'WHEN ({when}) ' if when else ''
    op.execute(f'CREATE TRIGGER {name} AFTER {event} ON {table} FOR EACH ROW {only}EXECUTE FUNCTION {function}')


def downgrade() -> None:
    on_sqlite = op.get_bind().dialect.name == 'sqlite'
    of_employees = (*OF_EMPLOYEES, *(OF_WORDS if on_sqlite else ()))
    for table, names in (('employee', of_employees), ('consent', OF_CONSENTS)):
        for name in names:
            op.execute(f'DROP TRIGGER {name}' if on_sqlite else f'DROP TRIGGER {name} ON {table}')
    if on_sqlite:
        op.execute('DROP TABLE employee_terms')
        op.execute('DROP TABLE employee_words')
    else:
        op.drop_index('ix_employee_words', 'employee')
        for function in FUNCTIONS:
            op.execute(f'DROP FUNCTION {function}')
    op.drop_table('employee_count')
    op.drop_index('ix_enrolment_removals', 'enrolment')
    op.drop_index('ix_employee_no_consent', 'employee')
    op.drop_column('employee', 'has_consent')
