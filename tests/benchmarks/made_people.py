"""Many employees at once, made by the database itself: on the terminals, waiting, refused, left, as in real use."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import text

from hikflask.extensions import db, vault
from hikflask.models import Department, Terminal
from hikflask.services.core.db import transactional
from hikflask.text_rules import folded

TERMINALS = 10
SURNAMES = (
    "Иванов Смирнов Кузнецов Попов Васильев Петров Соколов Михайлов Новиков Фёдоров Морозов Волков Алексеев Лебедев "
    "Семёнов Егоров Павлов Козлов Степанов Николаев Орлов Андреев Макаров Никитин Захаров Зайцев Соловьёв Борисов "
    "Яковлев Григорьев Романов Воробьёв Сергеев Кузьмин Фролов Александров Дмитриев Королёв Гусев Киселёв "
    # As names are: some are common.
    "Кузнецов Кузнецов Кузнецов"
)
NAMES = "Александр Сергей Дмитрий Андрей Алексей Максим Евгений Иван Михаил Пётр Павел Роман Юрий Фёдор Глеб Пётр Пётр"
PATRONYMICS = "Александрович Сергеевич Дмитриевич Андреевич Иванович Михайлович Петрович Павлович Юрьевич"
DEPARTMENTS = [f"{kind} {number}" for kind in ("Цех", "Склад", "Отдел", "Участок") for number in range(1, 3)]
TABLES = ("employee", "photo", "enrolment", "consent")
NOW = "2026-01-01 00:00:00.000000"
# Enrolments changed in the first thousand hours of the year; from this moment on, a hundredth of them.
CHANGED = "2026-02-11T06:00:00"
# Numbers that look drawn and are the same each time, for a person {n} and a question {k}: from 0 to 9999.
DRAWN = "((((CAST({n} AS bigint) + {k}) * 48271 % 2147483647) * 16807 % 2147483647) / 7 % 10000)"
# Of ten thousand people, so many left, and so many are on no terminal: each state fills a page at a thousand people.
LEFT, ON_NONE = 1000, 1600
IS_ACTIVE = f"{DRAWN.format(n='n', k=11)} >= {LEFT}"

EMPLOYEES = f"""
    INSERT INTO employee (id, number, name, department, terminal_name, search, is_active, left_at, created_at)
    SELECT n, CAST(100000 + n AS varchar(32)), name, department, '',
        folded || ' ' || CAST(100000 + n AS varchar(32)) || ' ' || folded_department,
        {IS_ACTIVE}, CASE WHEN {IS_ACTIVE} THEN NULL ELSE {{time}} END, {{time}}
    FROM (
        SELECT n, surname.word || ' ' || given.word || ' ' || patronymic.word AS name, department.word AS department,
            surname.folded || ' ' || given.folded || ' ' || patronymic.folded AS folded,
            department.folded AS folded_department
        FROM ({{numbers}}) AS numbers
        JOIN made_word AS surname ON surname.kind = 'surname' AND surname.place = {DRAWN.format(n="n", k=1)} % :surnames
        JOIN made_word AS given ON given.kind = 'name' AND given.place = {DRAWN.format(n="n", k=2)} % :names
        JOIN made_word AS patronymic
            ON patronymic.kind = 'patronymic' AND patronymic.place = {DRAWN.format(n="n", k=3)} % :patronymics
        JOIN made_word AS department
            ON department.kind = 'department' AND department.place = {DRAWN.format(n="n", k=4)} % :departments
    ) AS drawn ORDER BY n
"""
PHOTOS = f"""
    INSERT INTO photo (id, file, sha256, source, employee_id, created_at)
    SELECT id, CAST(id AS varchar(32)) || '.jpg', CAST(id AS varchar(32)), 'capture', id, '{NOW}' FROM employee
    WHERE is_active AND {DRAWN.format(n="id", k=12)} >= {ON_NONE - LEFT} ORDER BY employee.id
"""
# Of ten thousand people, so many have no photo at the last of their terminals, are awaited there, or refused.
STATE = f"""CASE WHEN NOT employee.is_active THEN CASE WHEN {DRAWN.format(n="employee.id", k=13)} < 6000 THEN 'leaving'
        ELSE 'gone' END
    WHEN place < :terminals THEN 'green'
    WHEN {DRAWN.format(n="employee.id", k=14)} < 600 THEN 'no_photo'
    WHEN {DRAWN.format(n="employee.id", k=14)} < 1200 THEN 'awaited'
    WHEN {DRAWN.format(n="employee.id", k=14)} < 1800 THEN 'refused' ELSE 'green' END"""
ENROLMENTS = f"""
    INSERT INTO enrolment (terminal_id, number, employee_id, desired, generation, photo_id, overwrite, person, face,
        confirmed_photo_id, confirmed_at, written_name, sent_name, face_unverified, on_old_device, step, refusal,
        attempts, next_attempt_at, created_at, desired_since, changed_at)
    SELECT place, number, employee_id, CASE WHEN state IN ('leaving', 'gone') THEN 'absent' ELSE 'present' END, 1,
        CASE WHEN state IN ('green', 'awaited', 'refused') THEN photo_id END, {{no}},
        CASE WHEN state IN ('leaving', 'awaited') THEN 'pending' ELSE 'confirmed' END,
        CASE state WHEN 'green' THEN 'confirmed' WHEN 'refused' THEN 'refused' ELSE 'pending' END,
        CASE state WHEN 'green' THEN photo_id END,
        CASE WHEN state IN ('green', 'gone') THEN {{now}} END, name, '', {{no}}, {{no}}, '',
        CAST('{{{{"code": "' || CASE state WHEN 'no_photo' THEN 'no_photo' WHEN 'awaited' THEN 'unreachable'
            WHEN 'refused' THEN 'lowscore' END || '", "params": {{{{}}}}}}}}' AS {{json}}), 0,
        CASE WHEN state IN ('leaving', 'awaited') THEN {{now}} END, {{now}}, {{now}},
        {{changed}}
    FROM (
        SELECT place, employee.number AS number, employee.id AS employee_id, employee.name AS name,
            photo.id AS photo_id, {STATE} AS state
        FROM employee LEFT JOIN photo ON photo.id = employee.id
        JOIN made_word AS terminal ON terminal.kind = 'terminal' AND terminal.place > 0
            AND (terminal.place <= 1 OR photo.id IS NOT NULL)
        WHERE photo.id IS NOT NULL OR NOT employee.is_active
    ) AS drawn ORDER BY employee_id, place
"""
CONSENTS = f"""
    INSERT INTO consent (employee_id, given_on, basis, note, recorded_by, recorded_at)
    SELECT id, '2026-01-01', 'consent', '', 'Анна', '{NOW}' FROM employee
    WHERE {DRAWN.format(n="id", k=15)} < 7000 ORDER BY employee.id
"""
# What triggers would have kept, row by row.
KEPT = (
    # Whoever has a photo has it on a terminal.
    "UPDATE employee SET photo_id = CASE WHEN id IN (SELECT id FROM photo) THEN id END,"
    " has_face = id IN (SELECT id FROM photo), has_consent = id IN (SELECT employee_id FROM consent)",
    "DELETE FROM employee_count",
    "INSERT INTO employee_count (id, people, active, no_face, no_consent, consents) SELECT 0, count(*),"
    " count(*) FILTER (WHERE is_active), count(*) FILTER (WHERE is_active AND NOT has_face),"
    " count(*) FILTER (WHERE is_active AND NOT has_consent), count(*) FILTER (WHERE has_consent) FROM employee",
)
HOURS = f"{DRAWN.format(n='(employee_id * 10 + place)', k=16)} % 1000"
ON_SQLITE = {
    "numbers": "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < :people) SELECT n FROM n",
    "time": "strftime('%Y-%m-%d %H:%M:%f', '2026-01-01', '+' || n || ' minutes') || '000'",
    "changed": f"strftime('%Y-%m-%d %H:%M:%f', '2026-01-01', '+' || ({HOURS}) || ' hours') || '000'",
    "now": f"'{NOW}'",
    "no": "0",
    "json": "TEXT",
}
ON_POSTGRESQL = {
    "numbers": "SELECT n FROM generate_series(CAST(1 AS bigint), :people) AS n",
    "time": "timestamp '2026-01-01' + n * interval '1 minute'",
    "changed": f"timestamp '2026-01-01' + {HOURS} * interval '1 hour'",
    "now": f"timestamp '{NOW}'",
    "no": "false",
    "json": "JSONB",
}


@transactional
def fill(people: int, terminals: int = TERMINALS) -> None:
    """Add so many employees, most of them with a face on every terminal and with a consent; always the same ones."""
    on_sqlite = db.engine.dialect.name == "sqlite"
    words = ON_SQLITE if on_sqlite else ON_POSTGRESQL
    counts = {"people": people, "terminals": terminals, **_words(terminals)}
    with _bare(on_sqlite):
        for statement in (EMPLOYEES, PHOTOS, ENROLMENTS, CONSENTS):
            asked = statement.format(**words)
            db.session.execute(text(asked), {name: count for name, count in counts.items() if f":{name}" in asked})
        for statement in KEPT:
            db.session.execute(text(statement))
        if on_sqlite:
            db.session.execute(
                text("INSERT INTO employee_words (rowid, search) SELECT id, char(2) || search || '  ' FROM employee")
            )
        db.session.execute(text("DROP TABLE made_word"))
    if not on_sqlite:
        for table in TABLES:
            db.session.execute(text(f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))"))


def _words(terminals: int) -> dict[str, int]:
    """Add the terminals and departments, and what names are made of; return how many of each there are."""
    access = {"username": "admin", "password_encrypted": vault.encrypt(""), "face_mode": "picture"}
    for number in range(1, terminals + 1):
        db.session.add(Terminal(id=number, name=f"Проходная {number}", url=f"http://10.0.0.{number}", **access))
    db.session.add_all([Department(name=name) for name in DEPARTMENTS])
    db.session.flush()
    kinds: dict[str, Sequence[str]] = {
        "surname": SURNAMES.split(),
        "name": NAMES.split(),
        "patronymic": PATRONYMICS.split(),
        "department": DEPARTMENTS,
        "terminal": [""] * (terminals + 1),
    }
    db.session.execute(
        text("CREATE TABLE made_word (kind varchar(16), place integer, word varchar(64), folded varchar(64))")
    )
    rows = [(kind, place, word) for kind, all_of_kind in kinds.items() for place, word in enumerate(all_of_kind)]
    db.session.execute(
        text("INSERT INTO made_word VALUES (:kind, :place, :word, :folded)"),
        [{"kind": kind, "place": place, "word": word, "folded": folded(word)} for kind, place, word in rows],
    )
    return {f"{kind}s": len(all_of_kind) for kind, all_of_kind in kinds.items() if kind != "terminal"}


@contextmanager
def _bare(on_sqlite: bool) -> Iterator[None]:
    """Fill the tables without their triggers and indexes, which are made at once afterwards."""
    dropped = _drop_on_sqlite() if on_sqlite else _drop_on_postgresql()
    yield
    connection = db.session.connection()
    for statement in dropped:
        connection.exec_driver_sql(statement)


def _drop_on_sqlite() -> list[str]:
    mine = ", ".join(f"'{table}'" for table in TABLES)
    found = f"SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name IN ({mine}) AND type IN"
    rows = db.session.execute(text(f"{found} ('index', 'trigger')")).all()
    for kind, name, _ in rows:
        db.session.execute(text(f"DROP {kind} {name}"))
    return [sql for _, _, sql in rows]


def _drop_on_postgresql() -> list[str]:
    mine = ", ".join(f"'{table}'" for table in TABLES)
    found = "SELECT indexname, indexdef FROM pg_indexes WHERE indexname LIKE 'ix_%' AND tablename IN"
    rows = db.session.execute(text(f"{found} ({mine})")).all()
    for name, _ in rows:
        db.session.execute(text(f"DROP INDEX {name}"))
    for table in TABLES:
        db.session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
    on_again = [f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in TABLES]
    quiet = "ALTER INDEX ix_employee_words ALTER COLUMN 1 SET STATISTICS 0"
    return [*(definition for _, definition in rows), quiet, *on_again]


def who(count: int) -> Iterator[tuple[str, str]]:
    """Yield name and department of so many people; always the same ones."""
    chance = random.Random(count)  # noqa: S311 - the same people each time
    for _ in range(count):
        yield _name(chance), chance.choice(DEPARTMENTS)


def _name(chance: random.Random) -> str:
    return " ".join(chance.choice(words.split()) for words in (SURNAMES, NAMES, PATRONYMICS))
