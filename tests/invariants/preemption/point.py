"""One try: somebody acts, and another one comes before the nth statement; then the worker ends what is open."""

import re
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

from sqlalchemy import event

from hikflask.extensions import db
from hikflask.isapi.errors import TerminalError
from hikflask.owned_session import OwnedSession
from hikflask.services import audit
from hikflask.services.audit import Actor
from hikflask.services.core.errors import ServiceError
from hikflask.services.core.progress import ClaimLost
from tests.invariants.preemption import actors, passages
from tests.invariants.preemption.laboratory import Laboratory, Scene
from tests.invariants.preemption.promises import broken_promises

ACTORS, OTHERS = actors.ACTORS | passages.ACTORS, actors.OTHERS | passages.OTHERS
# Services answer so; anything else would be a page of status 500, or a worker's failure.
ANSWERS = (TerminalError, ServiceError, ClaimLost)
LOOK_EVERY = 0.01
MAX_SECONDS = 20.0
CALLERS = 3
NEVER = 0
# Not what is written also by whoever finds nothing to do: a job that ends, a lease, a sign of life.
WRITE = re.compile(
    r"(?:INSERT INTO|UPDATE|DELETE FROM) "
    r"(?!audit |heartbeat |import_batch |job |job_item |person_key |terminal SET (?!is_active))"
)


@dataclass(frozen=True)
class Case:
    """What the actor does in a scene that is brought back for each try."""

    actor: str
    act: Callable[[], object]
    scene: Scene


@dataclass
class Outcome:
    """What came of one try: `broken` promises, and the numbers of the statements before which another can come.

    `moment` names the statement. On SQLite nobody can come while the actor writes. `writers` are the threads that
    wrote as WRITE has it, and `applied` who of both did that, or was refused.
    """

    moments: list[int] = field(default_factory=list)
    moment: str = "afterwards"
    broken: list[str] = field(default_factory=list)
    writers: set[int] = field(default_factory=set)
    applied: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Tried:
    """What came of a pair: at how many moments it was tried, what is broken, and which of both ever applied anything,
    or was refused: where one of them had nothing to do at all, the pair proves nothing.
    """

    moments: int
    broken: list[str]
    applied: set[str]


class Other:
    """Comes before the nth statement of the thread that made it, in a thread and a session of their own."""

    def __init__(self, lab: Laboratory, name: str, nth: int) -> None:
        self.outcome = Outcome()
        self.error: BaseException | None = None
        self._lab = lab
        self._act = OTHERS[name]
        self._nth = nth
        self._statements = 0
        self._is_at_terminal = False
        self._watched = threading.get_ident()
        self._thread: threading.Thread | None = None

    def __call__(self, _: object, cursor: Any, statement: str, *__: object) -> None:
        """Count a statement, and act before the nth one."""
        if threading.get_ident() != self._watched:
            return
        self._statements += 1
        work = cast("OwnedSession", db.session()).work
        if (work is not None and work.is_writer) or getattr(cursor.connection, "in_transaction", False):
            return
        self.outcome.moments.append(self._statements)
        if self._statements == self._nth:
            self.outcome.moment = f"{self._nth}: {_callers()}: {' '.join(statement.split())[:70]}"
            self.act()

    def note(self, _: object, cursor: Any, statement: str, *__: object) -> None:
        """Note that a thread applied something."""
        # On SQLite nothing is counted before the rows are fetched that come back.
        if WRITE.match(statement) and (cursor.rowcount or "RETURNING" in statement):
            self.outcome.writers.add(threading.get_ident())

    @property
    def has_applied(self) -> bool:
        """Tell whether the other one did anything, here or at a terminal, or was refused."""
        has_written = self._thread is not None and self._thread.ident in self.outcome.writers
        return has_written or self._is_at_terminal or self.error is not None

    def act(self) -> None:
        """Act until it is done, or waits for a lock of the first one."""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        until = time.monotonic() + MAX_SECONDS
        while self._thread.is_alive() and time.monotonic() < until:
            self._thread.join(LOOK_EVERY)
            if self._thread.is_alive() and self._lab.somebody_waits():
                return

    def finish(self) -> None:
        """Act now, unless that is done; wait for its end."""
        if self._thread is None:
            self.act()
        assert self._thread is not None
        self._thread.join(MAX_SECONDS)
        if self._thread.is_alive():
            self.outcome.broken.append("the other one never ends")

    def _run(self) -> None:
        before = self._lab.logs()
        with self._lab.app.app_context(), audit.acting(Actor("Борис")):
            self.error = _error_of(lambda: self._act(self._lab))
        self._is_at_terminal = before != self._lab.logs()


def try_pair(lab: Laboratory, actor: str, other: str, most: int) -> Tried:
    """Let the other one come after all statements, and before each, or each nth, so that these are at most `most`.

    What is broken are the moments at which promises were, with them.
    """
    prepare, act = ACTORS[actor]
    lab.reset()
    with lab.app.app_context():
        prepared = prepare(lab)
        db.session.remove()
    case = Case(actor, partial(act, lab, prepared), lab.scene())
    afterwards = run_at(lab, case, other, NEVER)
    step = -(-len(afterwards.moments) // most) or 1
    outcomes = [afterwards, *(run_at(lab, case, other, nth) for nth in afterwards.moments[step // 2 :: step])]
    broken = [f"{outcome.moment}: {broken}" for outcome in outcomes for broken in outcome.broken]
    return Tried(len(outcomes), broken, {name for outcome in outcomes for name in outcome.applied})


def run_at(lab: Laboratory, case: Case, other_name: str, nth: int) -> Outcome:
    """Let the actor act, the other one come before the nth statement, or afterwards; then settle."""
    lab.bring_back(case.scene)
    other = Other(lab, other_name, nth)
    outcome = other.outcome
    with lab.app.app_context(), audit.acting(Actor("Анна")), _listening(lab, "after_cursor_execute", other.note):
        with _listening(lab, "before_cursor_execute", other):
            error = _error_of(case.act)
        other.finish()
    outcome.applied += [case.actor] if error or threading.get_ident() in outcome.writers else []
    outcome.applied += [other_name] if other.has_applied else []
    with lab.app.app_context():
        of_worker = _error_of(lab.settle)
    for who, failed in ((case.actor, error), (other_name, other.error), ("the worker", of_worker)):
        if failed is not None and not isinstance(failed, ANSWERS):
            outcome.broken.append(f"{who}: {type(failed).__name__}: {str(failed)[:200]}")
    outcome.broken += broken_promises(lab)
    return outcome


@contextmanager
def _listening(lab: Laboratory, name: str, listener: Callable[..., None]) -> Iterator[None]:
    event.listen(lab.engine, name, listener)
    try:
        yield
    finally:
        event.remove(lab.engine, name, listener)


def _error_of(act: Callable[[], object]) -> BaseException | None:
    """Act, and forget the session as a request does at its end."""
    try:
        act()
    except BaseException as error:  # noqa: BLE001 - it is told in the outcome
        return error
    finally:
        db.session.remove()
    return None


def _callers() -> str:
    """The functions of services that execute the current statement, the innermost first."""
    frames = [frame for frame, _ in traceback.walk_stack(None) if "/hikflask/services/" in frame.f_code.co_filename]
    return " < ".join(frame.f_code.co_name for frame in frames[:CALLERS])
