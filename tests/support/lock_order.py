"""Listens to what each transaction locks on PostgreSQL, and notes what is out of order (see services/core/db.py)."""

import re
from collections import defaultdict
from typing import Any

from sqlalchemy import Engine, event

from hikflask.services.core.db import NUMBER_SEED
from hikflask.services.passages.store import KEY as EVENTS_KEY

NUMBER, TERMINAL, EMPLOYEE, DEPARTMENT, GROUPS, TERMINAL_KEY, ENROLMENT, EVENT, EVENTS = range(1, 10)
PLACES = {"employee": EMPLOYEE, "department": DEPARTMENT, "capture": ENROLMENT, "enrolment": ENROLMENT, "event": EVENT}
WRITES = re.compile(r"(?:UPDATE|DELETE FROM|INSERT INTO) (\w+)")
# One statement for the enrolments of several people, or for several captures.
NOT_MANY = r"(?!.*(?:enrolment\.number = |SKIP LOCKED))"
MANY = re.compile(
    rf"UPDATE enrolment SET .* WHERE enrolment\.(?:terminal_id = |id IN ){NOT_MANY}"
    r"|(?:UPDATE capture SET|DELETE FROM capture) (?!.*(?:WHERE capture\.(?:photo_)?id = |FOR NO KEY)).*"
)
LOCKS = re.compile(r"SELECT .*? FROM (\w+) .*\bFOR (KEY SHARE|NO KEY UPDATE|UPDATE)(?: OF (\w+))?")


class LockOrder:
    """What the open transactions of an engine have locked, and the statements that came too late for their lock."""

    def __init__(self, engine: Engine) -> None:
        self.violations: list[str] = []
        self._taken: dict[int, dict[int, str]] = defaultdict(dict)
        event.listen(engine, "before_cursor_execute", self._note)
        for end in ("commit", "rollback"):
            event.listen(engine, end, self._end)

    def _note(self, connection: Any, _: Any, statement: str, parameters: Any, *__: Any) -> None:
        statement = " ".join(statement.split())
        places = places_of(statement, parameters)
        if not places:
            return
        taken = self._taken[id(connection)]
        waits = not re.match("INSERT INTO (employee|event) |.*(NOWAIT|SKIP LOCKED)", statement)
        if waits and places[0] not in taken and places[0] < max(taken, default=0):
            self.violations.append(f"{statement}\nafter\n{taken[max(taken)]}")
        if MANY.match(statement) and ENROLMENT not in taken:
            self.violations.append(f"{statement}\nwithout lock_many()")
        for place in places:
            taken.setdefault(place, statement)

    def _end(self, connection: Any) -> None:
        self._taken.pop(id(connection), None)


def places_of(statement: str, parameters: Any) -> list[int]:
    """Return where in the order the locks of a statement stand: the one that it may wait for, and what it has then."""
    if "pg_advisory_xact_lock" in statement:
        if "hashtextextended" not in statement:
            return [EVENTS if EVENTS_KEY in parameters.values() else GROUPS]
        return [NUMBER if NUMBER_SEED in parameters.values() else DEPARTMENT]
    if written := WRITES.match(statement):
        return _written(statement, written.group(1))
    if (locked := LOCKS.match(statement)) is None:
        return []
    table, how = locked[3] or locked[1], locked[2]
    if table == "terminal":
        return {"KEY SHARE": [TERMINAL_KEY], "UPDATE": [TERMINAL_KEY, TERMINAL]}.get(how, [TERMINAL])
    return [PLACES[table]] if table in PLACES else []


def _written(statement: str, table: str) -> list[int]:
    if table == "terminal":
        return [] if statement.startswith("INSERT") else [TERMINAL]
    under_lease = "FROM terminal" in statement and "FOR NO KEY UPDATE" in statement
    return [*([TERMINAL] if under_lease else []), *([PLACES[table]] if table in PLACES else [])]
