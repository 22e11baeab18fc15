"""An app with two simulated terminals, which is emptied before each try, and whose worker ends what is left open."""

import copy
import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import select, update

from hikflask import create_app
from hikflask.background import tasks
from hikflask.extensions import db, task_queue
from hikflask.models import Capture, Employee, Enrolment, Erasure, EventLog, Job, Terminal
from hikflask.models.capture import RUNNING
from hikflask.models.columns import database_now
from hikflask.models.job import OPEN
from hikflask.services.captures.drafts import Draft
from hikflask.services.captures.lifecycle import start_capture
from hikflask.services.captures.runner import run_capture
from hikflask.services.core import heartbeat
from hikflask.services.core.db import end_read, transaction
from hikflask.services.core.errors import NumberTakenThere
from hikflask.services.employees.lifecycle import send_to_terminal
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.groups import changing
from hikflask.services.groups.registry import Wanted
from hikflask.services.passages import switch
from hikflask.services.terminals import checks, registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator import SEED, SkippingClock
from hikflask.simulator import Terminal as Simulated
from tests.conftest import PASSWORD
from tests.invariants.world import passing_time
from tests.support.apps import close
from tests.support.captures import FACE, IVAN, OTHER_FACE
from tests.support.employees import save_with_face
from tests.support.fleet import device
from tests.support.postgresql import ACCOUNT, Cluster, Rows
from tests.support.removals import AGREED
from tests.support.wire import InProcess

SETTINGS = {
    "TESTING": True,
    "WORKER": "external",
    "LEASE_WAIT": 0.05,
    "CAPTURE_TIMEOUT": 20.0,
    "CAPTURE_PAUSE": 0.001,
    "BACKUP_MAX_AGE": 0,
    "RETRY_BASE": 0.01,
    "RETRY_MAX": 0.02,
    "FACE_DETECTION": "off",
}
DATABASE = "test"
SOMEBODY_WAITS = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"
# Whatever is still open after so many sweeps is not going to end.
SWEEPS = 10
SOON_OVER = 2.0


@dataclass
class Passages:
    """What happened to the log of the second terminal in a try.

    Webhooks are told of what has a higher serial number than `told_after`; None: of nothing. `are_forgotten`: retention
    or an administrator deleted what was read. `is_new_log`: the log began anew, or is another device's.
    """

    told_after: int | None = None
    are_forgotten: bool = False
    is_new_log: bool = False


@dataclass(frozen=True)
class Scene:
    """The rows (on SQLite they are files), the files, the memory of each device, what was saved, and passages."""

    rows: Rows | None
    files: dict[Path, bytes]
    devices: dict[int, dict[str, Any]]
    saved: dict[tuple[int, str], set[str]]
    passages: Passages
    recorded: str


class Laboratory:
    """`entrance` takes captures, `store` picture files, too; `simulated` are the devices by the terminals' ids.

    `saved` are an employee's id and a field → what was saved there, in this try.
    """

    entrance: Terminal
    store: Terminal
    simulated: dict[int, Simulated]

    def __init__(self, app: Flask, cluster: Cluster | None) -> None:
        self.app = app
        self._cluster = cluster
        self.saved: dict[tuple[int, str], set[str]] = defaultdict(set)
        self.passages = Passages()
        self._watcher = cluster.connection(ACCOUNT, "postgres") if cluster else None
        self._folder = Path(app.config["INSTANCE_PATH"])
        with app.app_context():
            self.engine = db.engine
            self._add_terminals()
            task_queue.lanes(app).run_pending()  # opens the queue
        self._beginning = self.scene()

    def close(self) -> None:
        """Close the connection that looks at locks."""
        if self._watcher:
            self._watcher.close()

    def somebody_waits(self) -> bool:
        """Tell whether a connection waits for a lock of another one."""
        return self._watcher is not None and self._watcher.execute(SOMEBODY_WAITS).fetchone() == (True,)

    def reset(self) -> None:
        """Begin anew: no rows, no files, nothing queued, and two terminals as from the factory."""
        self.bring_back(self._beginning)

    def scene(self) -> Scene:
        """Return everything as it is now."""
        self._disconnect()
        rows = self._cluster.rows(DATABASE) if self._cluster else None
        files = {path: path.read_bytes() for path in self._files()}
        devices = {its_id: _copied(simulated, vars(simulated)) for its_id, simulated in self.simulated.items()}
        passages, recorded = copy.copy(self.passages), self.app.config["PASSAGES"]
        return Scene(rows, files, devices, copy.deepcopy(self.saved), passages, recorded)

    def bring_back(self, scene: Scene) -> None:
        """Let everything be as it was."""
        self._disconnect()
        if self._cluster and scene.rows:
            self._cluster.fill(DATABASE, scene.rows)
        for path in self._files():
            path.unlink()
        for path, content in scene.files.items():
            path.write_bytes(content)
        for its_id, simulated in self.simulated.items():
            vars(simulated).update(_copied(simulated, scene.devices[its_id]))
        self.saved = copy.deepcopy(scene.saved)
        self.passages, self.app.config["PASSAGES"] = copy.copy(scene.passages), scene.recorded
        with self.app.app_context():
            heartbeat.beat("test")
            db.session.remove()

    def logs(self) -> list[tuple[str, int]]:
        """How far the logs of the devices are, each with the serial number of its device."""
        return [(simulated.serial, simulated.events.next_serial) for simulated in self.simulated.values()]

    def _disconnect(self) -> None:
        self.app.extensions["terminal_clients"].close()
        task_queue.lanes(self.app).close()
        with self.app.app_context():
            db.session.remove()
        self.engine.dispose()

    def _files(self) -> list[Path]:
        """The files that change. On SQLite the database and the queue are among them."""
        folders = (self._folder / name for name in ("uploads", "imports", "exports"))
        return [*self._folder.glob("*.sqlite3*"), *(path for folder in folders for path in folder.glob("*"))]

    def _add_terminals(self) -> None:
        # Its waiting takes no time, so two captures may follow within a moment.
        profile = dataclasses.replace(SEED, refuse_after_success=0)
        by_url, by_picture = Simulated(PASSWORD, clock=SkippingClock(), profile=profile), device()
        by_url.store.deletion_polls = 0
        self.entrance = self._add_terminal("entrance.test", "Вход", by_url)
        self.store = self._add_terminal("store.test", "Склад", by_picture)
        self.simulated = {self.entrance.id: by_url, self.store.id: by_picture}

    def _add_terminal(self, host: str, name: str, simulated: Simulated) -> Terminal:
        self.app.extensions["terminal_transport"].put(host, simulated)
        return checks.check(registry.add(Access(name, f"http://{host}", "admin", PASSWORD)).id, "test")

    def capture(self, draft: Draft = IVAN, face: bytes = OTHER_FACE, employee_id: int | None = None) -> int:
        """Take a picture at the entrance, as Анна, unless somebody prevents it, and return the id of the capture."""
        self.simulated[self.entrance.id].present_alone(face)
        started = start_capture(self.entrance.id, draft, "Анна", take_over=True, employee_id=employee_id)
        return run_capture(started.id).id

    def save_ivan(self) -> int:
        """Save Ivan with his face; no terminal is told yet."""
        return save_with_face(self.simulated[self.entrance.id], self.entrance, IVAN, FACE).id

    def enrol_ivan(self, *also: Terminal) -> int:
        """Enrol Ivan at the entrance and at these terminals, and return his id."""
        ivan = self.save_ivan()
        for terminal in also:
            send_to_terminal(ivan, terminal.id)
        self.reconcile_ivan()
        return ivan

    def reconcile_ivan(self) -> None:
        """Bring Ivan to the terminals where he is desired, or take him off."""
        for enrolment in queries.of_number(IVAN.number):
            reconcile(enrolment.id, "worker")

    def ivans_id(self) -> int | None:
        """Return the id of whoever has Ivan's number, or None."""
        ivan: int | None = db.session.execute(select(Employee.id).where(Employee.number == IVAN.number)).scalar()
        end_read()
        return ivan

    def add_group(self, *terminals: Terminal, department: str = "Охрана", added: Sequence[str] = ()) -> int:
        """Add a group for a department, with a job for those who are in it, and return its id."""
        wanted = Wanted(department, [terminal.id for terminal in terminals], [department], added)
        return changing.change(None, wanted, tasks.enqueue_job, AGREED).group_id

    def work(self) -> None:
        """Let the worker do once what is due, or would be in a while."""
        with transaction():
            due = database_now(-5)
            db.session.execute(
                update(Enrolment).where(Enrolment.next_attempt_at.is_not(None)).values(next_attempt_at=due)
            )
            db.session.execute(update(EventLog).values(next_at=due))
        tasks.sweep()
        task_queue.lanes(self.app).run_pending()

    def settle(self) -> None:
        """Let the worker do whatever is open, with leases, pauses and deadlines that are over at once."""
        for _ in range(SWEEPS):
            heartbeat.beat("test")
            with transaction():
                db.session.execute(update(Terminal).values(backoff_until=None, wanted_until=None, lease_until=None))
                db.session.execute(update(Capture).where(Capture.state.in_(RUNNING)).values(deadline=database_now(-60)))
                db.session.execute(update(Job).where(Job.state.in_(OPEN)).values(claimed_until=database_now(-5)))
            self._check_replaced()
            self.work()
            for simulated in self.simulated.values():
                simulated.clock.advance(SOON_OVER)  # type: ignore[attr-defined]
                simulated.store.finish_due_removal()
            if not self._is_open():
                return

    def _check_replaced(self) -> None:
        """Notice another device in place of the one that is known."""
        in_use = select(Terminal.id, Terminal.serial).where(Terminal.retired_at.is_(None))
        for terminal_id, serial in db.session.execute(in_use).all():
            if not serial.endswith(self.simulated[terminal_id].serial):
                checks.check(terminal_id, "test")

    def _is_open(self) -> bool:
        """Tell whether anything is left that the worker will do; a number that others have is tried for ever."""
        others = Enrolment.refusal_code.in_((NumberTakenThere.code, "other_device"))
        tried = select(Enrolment.id).where(Enrolment.next_attempt_at.is_not(None), ~others)
        jobs, erasures = (
            select(Job.id).where(Job.state.in_(OPEN)),
            select(Erasure.id).where(Erasure.completed_at.is_(None)),
        )
        is_open = any(db.session.execute(open_ones.limit(1)).first() for open_ones in (tried, jobs, erasures))
        is_open = is_open or (switch.is_on() and self.is_left_to_read())
        end_read()
        return is_open

    def is_left_to_read(self) -> bool:
        """Tell whether a log has records that were not read yet."""
        columns = (EventLog.anchor_serial, EventLog.older_than, EventLog.state)
        for terminal_id, simulated in self.simulated.items():
            at_terminal = select(*columns).join(Terminal).where(EventLog.terminal_id == terminal_id)
            row = db.session.execute(at_terminal.where(Terminal.retired_at.is_(None))).first()
            last = simulated.events.next_serial - 1
            if row and last and (row.anchor_serial != last or row.older_than is not None or "pass" in row.state):
                return True
        return False


def _copied(simulated: Simulated, state: dict[str, Any]) -> dict[str, Any]:
    """A copy of a device's state, whose parts know the same device. A lock cannot be copied, a profile need not be."""
    return copy.deepcopy(state, {id(same): same for same in (simulated, simulated.lock, simulated.profile)})


@contextmanager
def laboratory(folder: Path, cluster: Cluster | None) -> Iterator[Laboratory]:
    """A laboratory on the migrated database DATABASE of a server, or on the one in a folder."""
    address = {"DATABASE_URL": cluster.address(DATABASE)} if cluster else {}
    app = create_app({**SETTINGS, **address, "INSTANCE_PATH": str(folder)})
    app.extensions["terminal_transport"] = InProcess()
    with passing_time():
        lab = Laboratory(app, cluster)
        yield lab
    lab.close()
    close(app)
