"""Listens to what each transaction locks on PostgreSQL, and notes what is out of order (see services/core/db.py)."""

import re
from collections import defaultdict
from typing import Any

from sqlalchemy import Engine, event

from hikflask.services.core.db import NUMBER_SEED

NUMBER, TERMINAL, EMPLOYEE, DEPARTMENT, GROUPS, TERMINAL_KEY, ENROLMENT = range(1, 8)
ROWS = {"employee": EMPLOYEE, "department": DEPARTMENT, "capture": ENROLMENT, "enrolment": ENROLMENT}
WRITES = re.compile(r"(?:UPDATE|DELETE FROM|INSERT INTO) (\w+)")
LOCKS = re.compile(r"SELECT .*? FROM (\w+) .*\bFOR (KEY SHARE|NO KEY UPDATE|UPDATE)(.*)", re.DOTALL)


class LockOrder:
    """What the open transactions of an engine have locked, and the statements that came too late for their lock."""

    def __init__(self, engine: Engine) -> None:
        self.violations: list[str] = []
        self._taken: dict[int, dict[int, str]] = defaultdict(dict)
        event.listen(engine, "before_cursor_execute", self._note)
        for end in ("commit", "rollback"):
            event.listen(engine, end, self._end)

    def _note(self, connection: Any, _: Any, statement: str, parameters: Any, *__: Any) -> None:
        taken = self._taken[id(connection)]
        for rank in ranks(" ".join(statement.split()), parameters):
            later = max(taken, default=0)
            waits = not re.match("INSERT INTO employee|.*(NOWAIT|SKIP LOCKED)", " ".join(statement.split()))
            if waits and rank not in taken and rank < later:
                self.violations.append(f"{statement}\nafter\n{taken[later]}")
            taken.setdefault(rank, statement)

    def _end(self, connection: Any) -> None:
        self._taken.pop(id(connection), None)


def ranks(statement: str, parameters: Any) -> list[int]:
    """Return the places in the order of what a statement locks and may wait for."""
    if "pg_advisory_xact_lock" in statement:
        if "hashtextextended" not in statement:
            return [GROUPS]
        return [NUMBER if NUMBER_SEED in parameters.values() else DEPARTMENT]
    if written := WRITES.match(statement):
        under_lease = "FROM terminal" in statement and "FOR NO KEY UPDATE" in statement
        table = written.group(1)
        if table == "terminal":
            return [] if statement.startswith("INSERT") else [TERMINAL]
        return [*([TERMINAL] if under_lease else []), *([ROWS[table]] if table in ROWS else [])]
    if (locked := LOCKS.match(statement)) is None:
        return []
    table, how, waits = locked.groups()
    if table == "terminal":
        return {"KEY SHARE": [TERMINAL_KEY], "UPDATE": [TERMINAL_KEY]}.get(how, [TERMINAL])
    return [ROWS[table]] if table in ROWS else []
