"""A worker that cannot work is no process that looks alive: systemd hears of it, or the process ends."""

import queue
import socket
import sqlite3
import struct
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.processes.processes import Served, until
from tests.support.migrated import FILE, migrate

APP = "tests.processes.ending_threads:app"
CREDENTIALS = struct.Struct("3i")


class Systemd:
    """The socket on which systemd hears its services, and who said what on it."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._socket.bind(str(path))
        self._messages: queue.SimpleQueue[tuple[int, str]] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def hear(self) -> tuple[int, str]:
        """Wait for the next message; return the process that sent it, and the message."""
        return self._messages.get(timeout=30)

    def forget(self) -> None:
        """Forget what has been said."""
        while not self._messages.empty():
            self._messages.get()

    def close(self) -> None:
        """Hear nothing more."""
        self._socket.shutdown(socket.SHUT_RD)
        self._reader.join()
        self._socket.close()

    def _read(self) -> None:
        # Who speaks waits while nobody reads.
        while True:
            text, about, _, _ = self._socket.recvmsg(1024, socket.CMSG_SPACE(CREDENTIALS.size))
            if not text:
                return
            self._messages.put((CREDENTIALS.unpack(about[0][2])[0], text.decode()))


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Systemd]:
    """What the processes of a test tell systemd."""
    path = tmp_path / "notify"
    monkeypatch.setenv("NOTIFY_SOCKET", str(path))
    listening = Systemd(path)
    yield listening
    listening.close()


@pytest.fixture
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    """The app on a migrated database; its worker sweeps once a minute, or as often as a test says."""
    migrate(tmp_path)
    app = Served(tmp_path, SWEEP_INTERVAL=getattr(request, "param", "60"))
    yield app
    app.stop()


def end_thread(folder: Path, process: int, name: str) -> None:
    (folder / f"end {process} {name}").touch()


def heartbeats(folder: Path) -> set[int]:
    """The processes of the workers that have written a heartbeat."""
    with closing(sqlite3.connect(folder / FILE)) as database:
        return {int(name.rpartition(":")[2]) for (name,) in database.execute("SELECT worker FROM heartbeat")}


@pytest.mark.parametrize("served", ["0.2"], indirect=True)
def test_worker_tells_systemd_that_it_works_also_without_a_database_until_its_sweep_ends(
    systemd: Systemd, served: Served, capfd: pytest.CaptureFixture[str]
) -> None:
    worker = served.start_worker(APP)
    first = [systemd.hear() for _ in range(2)]
    assert heartbeats(served.folder) == {worker.pid}
    with closing(sqlite3.connect(served.folder / FILE, timeout=30, isolation_level=None)) as database:
        database.execute("DROP TABLE heartbeat")
    until(lambda: "the sweep failed" in capfd.readouterr().err)
    systemd.forget()
    without_database = [systemd.hear() for _ in range(3)]

    end_thread(served.folder, worker.pid, "sweep")

    assert worker.wait(60) == 1
    assert "threads ended: sweep; this process ends with them" in capfd.readouterr().err
    assert first == [(worker.pid, "READY=1"), (worker.pid, "WATCHDOG=1")]
    assert without_database == [(worker.pid, "WATCHDOG=1")] * 3


def test_worker_ends_with_any_thread_of_its_queue(served: Served, capfd: pytest.CaptureFixture[str]) -> None:
    threads = ("Scheduler", "Worker-1")
    workers = [served.start_worker(APP) for _ in threads]
    until(lambda: heartbeats(served.folder) == {worker.pid for worker in workers}, 30)

    for worker, name in zip(workers, threads, strict=True):
        end_thread(served.folder, worker.pid, name)

    assert [worker.wait(60) for worker in workers] == [1, 1]
    errors = capfd.readouterr().err
    for name in threads:
        assert f"threads ended: {name}; this process ends with them" in errors


def test_gunicorn_tells_systemd_that_it_works_and_replaces_a_process_whose_worker_has_lost_a_thread(
    systemd: Systemd, served: Served, capfd: pytest.CaptureFixture[str]
) -> None:
    served.serve(APP)
    [first] = heartbeats(served.folder)

    end_thread(served.folder, first, "Worker-1")

    until(lambda: len(heartbeats(served.folder)) == 2, 30)
    errors = capfd.readouterr().err
    assert "threads ended: Worker-1; this process ends with them" in errors
    assert f"Worker (pid:{first}) exited with code 1." in errors
    systemd.forget()
    assert [systemd.hear() for _ in range(2)] == [(served.web.pid, "WATCHDOG=1")] * 2
    assert served.http.get(f"{served.url}/health", timeout=60).json() == {"status": "ok"}


def test_worker_goes_on_telling_systemd_while_a_step_waits_for_the_database(systemd: Systemd, served: Served) -> None:
    worker = served.start_worker(APP)
    until(lambda: heartbeats(served.folder) == {worker.pid}, 30)
    assert systemd.hear() == (worker.pid, "READY=1")
    with closing(sqlite3.connect(served.folder / FILE, timeout=30, isolation_level=None)) as database:
        database.execute("BEGIN EXCLUSIVE")
        systemd.forget()
        assert [systemd.hear() for _ in range(3)] == [(worker.pid, "WATCHDOG=1")] * 3


def test_gunicorn_ends_when_each_serving_process_dies_at_once(
    served: Served, capfd: pytest.CaptureFixture[str]
) -> None:
    gunicorn = served._serve("tests.processes.dying:app")

    assert gunicorn.wait(30) == 1
    errors = capfd.readouterr().err
    assert errors.count("was sent SIGSEGV!") == 5
    assert "Reason: Each serving process dies at once." in errors
