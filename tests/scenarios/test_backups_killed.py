"""Kill -9 in the middle of a backup or a restore: the file, or the installation, is as before or as after."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from hikflask.extensions import db
from hikflask.models import Terminal
from hikflask.simulator import Terminal as Simulated
from tests.support.apps import close
from tests.support.backups import RESTORED, another, back_up, restore, run
from tests.support.enrolments import enrol
from tests.support.postgresql import Cluster

pytestmark = pytest.mark.long

# Whatever changes what is on the disk, by the names of Python's audit events.
CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.truncate"}
KEYS = ("secret_key", "password_key")


@pytest.fixture
def filled(app: Flask, simulator: Simulated, terminal: Terminal) -> Flask:
    with app.app_context():
        enrol(simulator, terminal)
        db.session.remove()
    close(app)
    return app


def killed_at(place: int, action: Callable[[], object], *, program: str = "", wait: float = 0.0) -> bool:
    """Do something in a process of its own, which is killed before its so-many-th change; False when it came to its
    end before that.

    :param program: count only the starts of this one. :param wait: kill it so many seconds after the change instead.
    """
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGKILL
            return True
        assert os.WEXITSTATUS(status) == 0
        return False
    left = [place]

    def count(event: str, arguments: tuple[object, ...]) -> None:
        writes = event == "open" and str(arguments[1] or "r")[0] in "wax"
        is_change = event == "subprocess.Popen" and program in str(arguments[0])
        if not (is_change or (not program and (writes or event in CHANGES))):
            return
        left[0] -= 1
        if left[0] == 0 and wait:
            threading.Timer(wait, os.kill, (os.getpid(), signal.SIGKILL)).start()
        elif left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - of a process that ends here
    sys.addaudithook(count)
    with suppress(BaseException):
        action()
        os._exit(0)
    os._exit(1)


def places(action: Callable[[], object], step: int = 1) -> Iterator[int]:
    """Kill something at each of its changes, one time after another, until it comes to its end."""
    for place in range(1, 200, step):
        if not killed_at(place, action):
            return
        yield place
    pytest.fail("it does not come to its end")


def test_killed_backup_leaves_the_one_before_and_the_next_clears_the_rest(filled: Flask, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    file = folder / "b.tar"
    file.write_text("the one before")
    seen = set()
    for _ in places(lambda: back_up(filled, file)):
        seen.add(file.read_bytes() == b"the one before")
        if False in seen:
            assert run(filled, "restore", "--check", file).exit_code == 0
            close(filled)

    assert seen == {True, False}
    assert run(filled, "restore", "--check", file).exit_code == 0
    assert [path.name for path in folder.iterdir()] == [file.name]


@pytest.mark.both_databases
def test_killed_restore_leaves_an_empty_installation_or_the_whole_one(
    filled: Flask, tmp_path: Path, request: pytest.FixtureRequest, database: dict[str, str]
) -> None:
    server: Cluster | None = request.getfixturevalue("cluster") if database else None
    file = back_up(filled, tmp_path / "b.tar")
    close(filled)
    photos = {path.name for path in (tmp_path / "uploads").iterdir()}
    new = tmp_path / "new"
    seen = set()
    with another(filled, new, server) as other:

        def look() -> int:
            """Each attempt begins anew, with what the one before has left; a whole installation is taken away."""
            found = employees(other)
            seen.add(found)
            if found:
                assert {path.name for path in (new / "uploads").iterdir()} == photos
                assert all((new / key).read_text() == (tmp_path / key).read_text() for key in KEYS)
                clear(other, server)
            return found

        for _ in places(lambda: restored(other, file), step=9 if server else 2):
            look()
        assert look() == 1
        if server:
            for wait in (0.0, 0.05):
                assert killed_at(1, lambda: restored(other, file), program="psql", wait=wait)
                # What it has started goes on for a moment, or is rolled back.
                settled(server)
                look()
        assert seen == {0, 1}
        restored(other, file)
        assert employees(other) == 1
        assert not (new / ".restore").exists()


def restored(app: Flask, file: Path) -> None:
    done = restore(app, file)
    assert done.exit_code == 0, done.output


def employees(app: Flask) -> int:
    """How many employees there are, all of whose terminals are marked; none where there is no database, or no table."""
    counted = "SELECT count(*) FROM employee WHERE NOT EXISTS (SELECT 1 FROM terminal WHERE restored_from IS NULL)"
    found = 0
    with app.app_context():
        with suppress(DBAPIError):
            found = db.session.execute(text(counted)).scalar_one()
        db.session.remove()
    close(app)
    return int(found)


def clear(app: Flask, server: Cluster | None) -> None:
    folder = Path(app.config["INSTANCE_PATH"])
    for path in (*folder.glob("hikflask.sqlite3*"), *(folder / "uploads").iterdir()):
        path.unlink()
    if server:
        server.drop(RESTORED)
        server.create(RESTORED)


def settled(server: Cluster) -> None:
    """Wait until nobody is connected to the restored database any more."""
    mine = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{RESTORED}'"
    with psycopg.connect(server.address("postgres"), autocommit=True) as connection:
        give_up = time.monotonic() + 60
        while connection.execute(mine).fetchone() != (0,):
            assert time.monotonic() < give_up
            time.sleep(0.02)
