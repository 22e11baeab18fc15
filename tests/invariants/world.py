"""A whole installation in one process: two server processes on one database, and terminals made of memory."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from hikflask import create_app, extensions
from hikflask.extensions import db
from hikflask.isapi.errors import TerminalError
from hikflask.services.captures import runner
from hikflask.services.core import heartbeat
from hikflask.services.core.errors import ServiceError
from hikflask.services.terminals import checks, leases, registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator import SkippingClock
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.faces import NAMES, draw
from hikflask.simulator.profiles import Profile
from tests.conftest import PASSWORD
from tests.support.apps import close
from tests.support.wire import InProcess
from tests.support.worlds import Killed

TABLES = (
    "UPDATE employee SET photo_id = NULL",
    "DELETE FROM enrolment",
    "DELETE FROM capture",
    "DELETE FROM photo",
    "DELETE FROM employee",
    "DELETE FROM terminal",
    "DELETE FROM sqlite_sequence WHERE name = 'terminal'",
)
SOON_OVER = 2.0


class PassingTime:
    """Stands where a service reads `time`: its sleep is over at once, and its clock moves by sleeping only."""

    def __init__(self) -> None:
        self._now = 1000.0

    def monotonic(self) -> float:
        """Return the seconds slept so far."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Let the seconds pass."""
        self._now += seconds


class Pictures:
    """Faces to show, no two alike: a drawn JPEG with a comment of its own."""

    def __init__(self) -> None:
        self._drawn = [draw(name) for name in NAMES]
        self.shown = 0

    def new(self) -> bytes:
        """Return the next picture."""
        self.shown += 1
        drawn = self._drawn[self.shown % len(self._drawn)]
        comment = f"{self.shown:08d}".encode()
        return drawn[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + drawn[2:]


class World:
    """Two server processes (`app`, `other`) on one database, and one simulated terminal per given profile."""

    profiles: tuple[Profile, ...]
    simulated: list[Simulated]

    def __init__(self, folder: Path, migrated: Path) -> None:
        self.file = folder / "hikflask.sqlite3"
        self.file.write_bytes(migrated.read_bytes())
        self.wire = InProcess()
        self.app, self.other = (self._process(folder) for _ in range(2))
        self.uploads = Path(self.app.config["UPLOADS"])
        self.pictures = Pictures()
        self._rows = sqlite3.connect(self.file, timeout=0.001, isolation_level=None)
        self._rows.row_factory = sqlite3.Row
        self._rows.execute("PRAGMA synchronous=OFF")
        self._checked: dict[tuple[Profile, ...], list[dict[str, Any]]] = {}

    def close(self) -> None:
        """Close what is open."""
        self._rows.close()
        for app in (self.app, self.other):
            close(app)

    def equip(self, profiles: tuple[Profile, ...]) -> None:
        """Begin anew with terminals of these profiles."""
        self.profiles = profiles
        if profiles not in self._checked:
            self._clear()
            self._checked[profiles] = self._checked_terminals()
        self.reset()

    def reset(self) -> None:
        """Begin anew: no rows but the terminals', no files, terminals as from the factory."""
        self._clear()
        for row in self._checked[self.profiles]:
            self.sql(f"INSERT INTO terminal ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", *row.values())

    def _clear(self) -> None:
        for statement in TABLES:
            self.sql(statement)
        for file in self.uploads.iterdir():
            file.unlink()
        self.wire.away.clear()
        self.keep_photos("employed")
        for app in (self.app, self.other):
            app.extensions["terminal_clients"].close()
        self.simulated = [Simulated(PASSWORD, clock=SkippingClock(), profile=profile) for profile in self.profiles]
        for position, terminal in enumerate(self.simulated):
            terminal.store.deletion_polls = 0
            self.wire.put(_host(position), terminal)

    def keep_photos(self, policy: str) -> None:
        """Set HIKFLASK_PHOTO_RETENTION in both processes."""
        for app in (self.app, self.other):
            app.config["PHOTO_RETENTION"] = policy

    def sql(self, statement: str, *values: Any) -> list[sqlite3.Row]:
        """Run a statement beside the app, as another process would, and return its rows."""
        with closing(self._rows.execute(statement, values)) as cursor:
            return cursor.fetchall()

    @contextmanager
    def process(self, app: Flask | None = None) -> Iterator[None]:
        """Act within a server process; what a service or a terminal refuses is an answer, not an error."""
        with (app or self.app).app_context():
            try:
                yield
            except (ServiceError, TerminalError):
                pass
            except Killed:
                self._die()

    def kill(self) -> None:
        """Kill the worker that talks to a terminal now; what its clean-up does with leases is undone afterwards."""
        self._leases = self.sql("SELECT lease_holder, lease_purpose, lease_until, id FROM terminal")
        raise Killed

    def _die(self) -> None:
        for row in self._leases:
            self.sql("UPDATE terminal SET lease_holder = ?, lease_purpose = ?, lease_until = ? WHERE id = ?", *row)
        self.app.extensions["terminal_clients"].close()

    def end_leases(self) -> None:
        """Let the holders be late."""
        self.sql("UPDATE terminal SET lease_until = '2001-01-01 00:00:00.000000' WHERE lease_until IS NOT NULL")

    def let_time_pass(self) -> None:
        """Let leases, holds, deadlines and pauses be over."""
        self.end_leases()
        self.sql("UPDATE capture SET hold_until = '2001-01-01 00:00:00.000000' WHERE hold_until IS NOT NULL")
        self.sql("UPDATE capture SET deadline = strftime('%Y-%m-%d %H:%M:%f', 'now', '-60 seconds') || '000'")
        for column in ("unlock_at", "backoff_until"):
            self.sql(f"UPDATE terminal SET {column} = '2001-01-01 00:00:00.000000' WHERE {column} IS NOT NULL")
        self.make_due()
        for terminal in self.simulated:
            terminal.clock.advance(3600)  # type: ignore[attr-defined]

    def make_due(self) -> None:
        """Let the pauses before the next attempts be over."""
        for column in ("next_attempt_at", "may_arrive_until"):
            self.sql(f"UPDATE enrolment SET {column} = '2001-01-01 00:00:00.000000' WHERE {column} > ''")

    def tick(self) -> None:
        """Let two seconds pass at the terminals: a removal that was begun is done."""
        for terminal in self.simulated:
            terminal.clock.advance(SOON_OVER)  # type: ignore[attr-defined]
            terminal.store.finish_due_removal()

    def _process(self, folder: Path) -> Flask:
        app = create_app(
            {
                "INSTANCE_PATH": str(folder),
                "TESTING": True,
                "WORKER": "external",
                "LEASE_WAIT": 0.001,
                "CAPTURE_TIMEOUT": 30,
            }
        )
        app.extensions["terminal_transport"] = self.wire
        return app

    def _checked_terminals(self) -> list[dict[str, Any]]:
        with self.app.app_context():
            heartbeat.beat("test")
            for position, profile in enumerate(self.profiles):
                access = Access(
                    f"T{position}",
                    f"http://{_host(position)}",
                    "admin",
                    PASSWORD,
                    face_by_picture=not profile.face_by_url,
                )
                checks.check(registry.add(access).id, "test")
            db.session.remove()
        return [dict(row) for row in self.sql("SELECT * FROM terminal ORDER BY id")]


def _host(position: int) -> str:
    return f"terminal{position}.test"


@contextmanager
def passing_time() -> Iterator[PassingTime]:
    """Let captures and waits for leases sleep without time; who waits for a lock here waits for its own thread."""
    clock = PassingTime()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "time", clock)
        patch.setattr(leases, "time", clock)
        patch.setattr(extensions, "BUSY_MILLISECONDS", 1)
        yield clock
