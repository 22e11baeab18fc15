"""Measures pages of passages among ten thousand events and among a million, on SQLite and on PostgreSQL.

`python -m tests.benchmarks.passages`: two hundred terminals recorded them in ninety days. The list with each filter and
deep in it, the pages of an employee and of a terminal, and the API's list from its beginning and from the middle on are
asked for by a client within the process. The exit status is 1 when a median among the most events is more than 1.2
times the one among the fewest. The same is asked at all counts one after the other, in either order.
"""

import re
import sys
from collections.abc import Callable, Sequence

from flask import Flask
from sqlalchemy import insert, text

from hikflask.extensions import db
from hikflask.models import Department, Employee, EventLog, Terminal
from hikflask.models.columns import database_now
from hikflask.services.core.db import transaction
from tests.benchmarks import presence
from tests.benchmarks.made_people import DEPARTMENTS, NAMES, SURNAMES
from tests.support.signed_in import client_of

# The one in the middle of the employees and of the terminals has one of a hundred events, so its pages are full.
PEOPLE, TERMINALS, DAYS = 2_000, 200, 90
# So many pages on from the first.
DEEP = 5
# Numbers that look drawn, from 0 to 9999, and are the same each time.
DRAWN = "((((n + {k}) * CAST(48271 AS bigint) % 2147483647) * 16807 % 2147483647) / 7 % 10000)"
FILL = """
    INSERT INTO event (terminal_id, employee_id, device_serial, serial_no, device_at, device_time, occurred_at, major,
        minor, kind, number, name, received_at, record)
    SELECT terminal, CASE WHEN is_known THEN person END, CAST(terminal AS varchar(8)), n, at, '', at, 5,
        CASE kind WHEN 'passed' THEN 75 WHEN 'outside_hours' THEN 7 WHEN 'door' THEN 25 ELSE 76 END, kind,
        CASE WHEN is_known THEN CAST(100000 + person AS varchar(32)) ELSE '' END, '', at, '{{"major": 5}}'
    FROM (
        SELECT n, CASE WHEN n % 100 = 1 THEN :terminals / 2 ELSE 1 + {drawn_terminal} % :terminals END AS terminal,
            CASE WHEN n % 100 = 2 THEN :people / 2 ELSE 1 + {drawn_person} % :people END AS person, kind,
            kind IN ('passed', 'outside_hours') AS is_known, {at} AS at
        FROM (
            SELECT n, CASE WHEN {drawn_kind} < 9300 THEN 'passed' WHEN {drawn_kind} < 9600 THEN 'unknown_person'
                WHEN {drawn_kind} < 9900 THEN 'outside_hours' ELSE 'door' END AS kind
            FROM ({numbers}) AS numbers
        ) AS made
    ) AS drawn ORDER BY n
"""
DEPARTMENT = DEPARTMENTS[0].replace(" ", "+")
ADDRESSES = {
    "list": "/passages/",
    "person": "/passages/?person=1000",
    "terminal": "/passages/?terminal=100",
    "kind": "/passages/?kind=unknown_person",
    "not let in": "/passages/?kind=denied",
    "department": f"/passages/?department={DEPARTMENT}",
    "words of many": "/passages/?q=кузнецов",
    "words of a few": "/passages/?q=кузнецов+пётр",
    "not let in, department": f"/passages/?kind=denied&department={DEPARTMENT}",
    "employee": "/employees/1000",
    "a terminal": "/terminals/100",
    "API, first": "/api/events/",
}


def fill(count: int) -> None:
    """Add people, terminals, and so many events, the last of them now."""
    dialect = db.engine.dialect.name
    statement = FILL.format(
        at=presence.AGO[dialect].format(seconds=f"(:count - 1 - n) * {DAYS * 86400} / :count"),
        numbers=presence.NUMBERS[dialect],
        **{f"drawn_{name}": DRAWN.format(k=place) for place, name in enumerate(("terminal", "person", "kind"), 1)},
    )
    surnames, names = SURNAMES.split(), NAMES.split()
    with transaction():
        db.session.add_all(Department(name=name) for name in DEPARTMENTS)
        for number in range(1, TERMINALS + 1):
            access = {"url": f"http://nobody-{number}.test", "username": "admin", "password_encrypted": "x"}
            db.session.add(Terminal(name=f"Терминал {number}", serial=str(number), face_mode="picture", **access))
        for number in range(1, PEOPLE + 1):
            name = f"{surnames[number % len(surnames)]} {names[number % len(names)]}"
            department = DEPARTMENTS[number % len(DEPARTMENTS)]
            db.session.add(Employee(number=str(100000 + number), name=name, department=department))
        db.session.flush()
        logs = [{"terminal_id": number, "read_at": database_now()} for number in range(1, TERMINALS + 1)]
        for log in logs:
            db.session.execute(insert(EventLog).values(complete_to=database_now(), **log))
        db.session.execute(text(statement), {"count": count, "terminals": TERMINALS, "people": PEOPLE})


def questions(app: Flask) -> dict[str, Callable[[], object]]:
    """What is asked, by name."""
    client = client_of(app)
    with app.app_context():
        middle = "SELECT id, received_at FROM event ORDER BY id LIMIT 1 OFFSET (SELECT count(*) / 2 FROM event)"
        event_id, received_at = db.session.execute(text(middle)).one()
    cursor = f"{event_id}-{re.sub('[^0-9]', '', str(received_at))[:14]}"
    deep = "/passages/"
    for _ in range(DEEP):
        older = re.search(r'id="page-older" rel="next" href="([^"]+)"', client.get(deep).text)
        deep = older[1].replace("&amp;", "&") if older else deep
    addresses = {**ADDRESSES, "deep": deep, "API, middle": f"/api/events/?since={cursor[:-6]}T{cursor[-6:]}000000"}

    def ask(address: str) -> None:
        answer = client.get(address)
        assert answer.status_code == 200, (address, answer.text)

    return {name: lambda address=address: ask(address) for name, address in addresses.items()}  # type: ignore[misc]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit status."""
    return presence.main(arguments, sys.modules[__name__])


if __name__ == "__main__":
    sys.exit(main())
