"""The fixtures of the app's tests: an app on a fresh database, and a simulated terminal on the same process's wire."""

import dataclasses
import gc
import hashlib
import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from sqlalchemy import event, insert
from sqlalchemy.engine import Engine

from hikflask import create_app, disk_space, owned_session
from hikflask.extensions import db, task_queue
from hikflask.models import Heartbeat, Terminal
from hikflask.models.columns import database_now
from hikflask.services.changes import run
from hikflask.services.core.db import transaction
from hikflask.services.employees import list_export
from hikflask.services.enrolments import mass_removals
from hikflask.services.terminals.registry import Access
from hikflask.simulator import SEED, SkippingClock
from hikflask.simulator import Terminal as SimulatedTerminal
from tests.processes.processes import IPV6, has_ipv6
from tests.support import ldap
from tests.support.apps import Apps, close
from tests.support.between import Between, WatchedLock
from tests.support.checked_terminals import CheckedTerminals
from tests.support.compiled_templates import CompiledTemplates
from tests.support.correlated import named_again
from tests.support.desk import Desk
from tests.support.fitting_answers import check_each_answer
from tests.support.in_this_process import without_children
from tests.support.kept_addresses import keep_compiled
from tests.support.migrated import FILE, migrate
from tests.support.owned import allow_tests_to_write
from tests.support.postgresql import Cluster, programs
from tests.support.signed_in import client_of
from tests.support.wire import InProcess

NobodyComes = Callable[[], AbstractContextManager[None]]
HOST = "terminal.test"
PASSWORD = "Abc12345"
BEAT = insert(Heartbeat).values(seen_at=database_now())
TESTS = Path(__file__).parent
BROWSER = "tests/browser"
SLOWEST_FIRST = (
    "browser",
    "invariants/test_interleavings.py",
    "invariants",
    "processes",
    "benchmarks",
    "scenarios",
    "services",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where a real terminal is, for tests/real_terminal; its password comes from HIKFLASK_TERMINAL_PASSWORD."""
    group = parser.getgroup("terminal", "a real terminal for tests/real_terminal, with somebody in front of it")
    group.addoption("--terminal", metavar="URL", help="its address, such as https://192.168.1.67")
    group.addoption("--terminal-user", metavar="NAME", default="admin", help="its account (default: %(default)s)")
    group.addoption("--terminal-fingerprint", metavar="SHA256", help="of its certificate (default: what it shows now)")
    parser.addoption(
        "--renew", action="store_true", help="write the pictures of the guides that are not as the pages are"
    )
    parser.addoption("--schemathesis-examples", type=int, default=3, help="calls of each kind (default: %(default)s)")
    group.addoption("--terminal-takes-pictures", action="store_true", help="mark it as taking pictures of faces")


def pytest_configure(config: pytest.Config) -> None:
    """Name the marks, and hold what the API answers against its description."""
    check_each_answer()
    keep_compiled()
    Flask.jinja_options = {"bytecode_cache": CompiledTemplates()}
    config.addinivalue_line(
        "markers", "both_databases: what is promised is held by the database: SQLite and PostgreSQL"
    )
    config.addinivalue_line("markers", "child_processes: tables and photos are read by them, as in the program")
    config.addinivalue_line("markers", "new_app: the test adds addresses to its app, which nobody else may have")
    config.addinivalue_line("markers", "long: one promise in very many cases, or with processes that are killed")
    config.addinivalue_line("markers", "full_scrypt: the time that a password's hash takes is what is tested")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Look for no garbage among what is collected: nearly all of it stays, and a quarter of the time went there."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def pytest_collection_finish() -> None:
    """Let the garbage collector leave alone what was collected: thousands of tests, looked at again and again."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no process is left alone with it in the end."""
    first = [TESTS / name for name in SLOWEST_FIRST]

    @cache
    def place(file: Path) -> int:
        return next((number for number, path in enumerate(first) if file.is_relative_to(path)), len(first))

    items.sort(key=lambda item: place(item.path))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Any:
    """Give all tests of a browser to one process: what they share is started once, and others work while they wait."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling  # noqa: PLC0415 - it is not among the packages of a plain `pytest`

    scheduler: Any = LoadFileScheduling(config, log)
    file_of = scheduler._split_scope
    scheduler._split_scope = lambda test: BROWSER if test.startswith(f"{BROWSER}/") else file_of(test)
    return scheduler


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what is marked so on SQLite and on PostgreSQL."""
    if "database" in metafunc.fixturenames and metafunc.definition.get_closest_marker("both_databases"):
        metafunc.parametrize("database", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture(scope="session", autouse=True)
def no_waiting_for_the_disk() -> Iterator[None]:
    """No test takes the power away, so nothing needs to be on the disk: neither files nor what SQLite writes."""

    def write_no_more_than_needed(connection: object, _: object) -> None:
        if type(connection).__module__.startswith("sqlite3"):
            connection.execute("PRAGMA synchronous=OFF").close()  # type: ignore[attr-defined]

    event.listen(Engine, "connect", write_no_more_than_needed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        patch.setattr(os, "sync", lambda: None)
        allow_tests_to_write(patch)
        patch.setattr(owned_session, "WRITER", WatchedLock())
        yield
    event.remove(Engine, "connect", write_no_more_than_needed)


@pytest.fixture(scope="session", autouse=True)
def no_table_is_named_again() -> Iterator[None]:
    """An EXISTS is about the rows of the statement around it; see tests/support/correlated.py."""

    def refuse(_: object, __: object, statement: str, *___: object) -> None:
        assert not named_again(statement), statement

    event.listen(Engine, "before_cursor_execute", refuse)
    yield
    event.remove(Engine, "before_cursor_execute", refuse)


@pytest.fixture(scope="session", autouse=True)
def no_pauses() -> Iterator[None]:
    """A job pauses after each person, as long as that took, so that others can save; tests/browser waits for it."""
    passing = SimpleNamespace(monotonic=time.monotonic, sleep=lambda _: time.sleep(0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "time", passing)
        patch.setattr(list_export, "time", passing)
        yield


@pytest.fixture(scope="session", autouse=True)
def half_empty_disk() -> Iterator[None]:
    """What pages count and say does not depend on how full the disk of the machine is that runs the tests."""
    usage = SimpleNamespace(total=100 * 1024**3, free=50 * 1024**3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(disk_space, "shutil", SimpleNamespace(disk_usage=lambda _: usage))
        yield


@pytest.fixture(scope="session", autouse=True)
def no_names() -> Iterator[None]:
    """The hosts of the tests are nobody's, and no server of names is asked for them (RFC 2606)."""
    resolve = socket.getaddrinfo

    def resolve_others(host: Any, *about: Any, **given: Any) -> Any:
        if str(host).endswith(".test"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return resolve(host, *about, **given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", resolve_others)
        yield


@pytest.fixture
def one_is_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test of what is asked where many lose access need not make many people."""
    monkeypatch.setattr(mass_removals, "MIN_MANY", 1)


@pytest.fixture(scope="session")
def instance_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the folder of each test is."""
    return tmp_path_factory.mktemp("test") / "instance"


@pytest.fixture
def tmp_path(instance_folder: Path) -> Path:
    """An empty folder; the same one for all tests of a process, since an app stays in its folder."""
    shutil.rmtree(instance_folder, ignore_errors=True)
    instance_folder.mkdir(mode=0o700)
    return instance_folder


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty migrated database, copied for each test."""
    folder = tmp_path_factory.mktemp("migrated")
    migrate(folder)
    return folder / FILE


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL server with two migrated databases, a template and "test"; skips without a server, save in CI."""
    bin_folder = programs()
    if bin_folder is None:
        assert not os.environ.get("CI"), "PostgreSQL must be installed in CI"
        pytest.skip("PostgreSQL is not installed")
    server = Cluster(bin_folder)
    server.start()
    with TemporaryDirectory() as folder:
        app = create_app({"INSTANCE_PATH": folder, "TESTING": True, "DATABASE_URL": server.create("migrated")})
        with app.app_context():
            upgrade()
        close(app)
    server.create("test", template="migrated")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def ipv6() -> str:
    """The address of IPv6 that each machine has for itself; skips without one, save in CI."""
    if not has_ipv6():
        assert not os.environ.get("CI"), "IPv6 must be there in CI, on loopback at least"
        pytest.skip("loopback has no IPv6 here")
    return IPV6


@pytest.fixture(scope="session")
def company() -> Iterator[ldap.Directory]:
    """The directory of a company, a real server; skips without one, save in CI."""
    if ldap.program() is None:
        assert not os.environ.get("CI"), "slapd must be installed in CI"
        pytest.skip("slapd is not installed (apt-get install slapd)")
    server = ldap.Directory()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def settings() -> dict[str, Any]:
    """Settings of the app under test; a test module may override them."""
    return {}


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    """A fresh migrated database: SQLite in the instance folder, or PostgreSQL where a test is parametrised so."""
    if getattr(request, "param", "sqlite") == "sqlite":
        migrated: Path = request.getfixturevalue("migrated")
        (tmp_path / "hikflask.sqlite3").write_bytes(migrated.read_bytes())
        yield {}
        return
    server: Cluster = request.getfixturevalue("cluster")
    yield {"DATABASE_URL": server.address("test")}
    server.empty("test")


@pytest.fixture(scope="session")
def apps() -> Apps:
    """The apps of this process."""
    return Apps()


@pytest.fixture
def app(
    request: pytest.FixtureRequest, apps: Apps, database: dict[str, str], tmp_path: Path, settings: dict[str, Any]
) -> Iterator[Flask]:
    """The app as it is after its start, on a database of its own, with the in-process wire."""
    given = {
        **database,
        "INSTANCE_PATH": str(tmp_path),
        "TESTING": True,
        "WORKER": "external",
        "WTF_CSRF_ENABLED": False,
        "LEASE_WAIT": 0.2,
        "CAPTURE_TIMEOUT": 20.0,
        "CAPTURE_PAUSE": 0.001,
        "BACKUP_MAX_AGE": 0,
        **settings,
    }
    app = create_app(given) if request.node.get_closest_marker("new_app") else apps.get(given)
    app.extensions["terminal_transport"] = InProcess()
    yield app
    close(app)


@pytest.fixture
def context(app: Flask) -> Iterator[None]:
    """An app context around the test, for tests of services. What the test wrote last may stay uncommitted."""
    with app.app_context():
        yield
        db.session.rollback()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without JavaScript on which an administrator is signed in, or a program with such a token."""
    return client_of(app)


@pytest.fixture
def wire(app: Flask) -> InProcess:
    """The wire between the app and its simulated terminals."""
    transport: InProcess = app.extensions["terminal_transport"]
    return transport


@pytest.fixture
def simulator(wire: InProcess) -> SimulatedTerminal:
    """A simulated seed terminal at http://terminal.test."""
    # Its waiting takes no time, so two captures may follow within a moment; and a removal is done when it is asked for
    # the first time, since the client waits for half a second of the real time before it asks again.
    profile = dataclasses.replace(SEED, refuse_after_success=0)
    terminal = SimulatedTerminal(PASSWORD, clock=SkippingClock(), profile=profile)
    terminal.store.deletion_polls = 0
    wire.put(HOST, terminal)
    return terminal


@pytest.fixture(scope="session")
def checked_terminals() -> CheckedTerminals:
    """What checks wrote in this process."""
    return CheckedTerminals()


@pytest.fixture
def terminal(app: Flask, simulator: SimulatedTerminal, checked_terminals: CheckedTerminals) -> Terminal:
    """The row of the simulated terminal, checked once."""
    with app.app_context():
        checked = checked_terminals.add(app, Access("Вход", f"http://{HOST}", "admin", PASSWORD), simulator)
        simulator.log.clear()
        db.session.expunge_all()
        return checked


@pytest.fixture
def nobody_comes(app: Flask) -> NobodyComes:
    """Within its block a capture waits a moment only: a face that does come may need longer on a busy machine."""

    @contextmanager
    def shortened() -> Iterator[None]:
        usual, app.config["CAPTURE_TIMEOUT"] = app.config["CAPTURE_TIMEOUT"], 0.3
        yield
        app.config["CAPTURE_TIMEOUT"] = usual

    return shortened


@pytest.fixture
def between(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Between:
    """Let somebody else act between two statements of a transaction."""
    return Between(app, monkeypatch)


@pytest.fixture(autouse=True)
def quick_passwords(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let scrypt take no time, though every hash still names what it costs; save where the time itself is tested."""
    if request.node.get_closest_marker("full_scrypt"):
        return
    scrypt = hashlib.scrypt
    least = {"n": 128, "r": 1, "p": 1}  # as the hash that the tests' operators share
    monkeypatch.setattr(hashlib, "scrypt", lambda password, **given: scrypt(password, **{**given, **least}))


@pytest.fixture(autouse=True)
def no_child_processes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read tables and photos in this process; save where the child processes that do it are tested."""
    if not request.node.get_closest_marker("child_processes"):
        without_children(monkeypatch)


@pytest.fixture
def worker_alive(app: Flask) -> None:
    """The heartbeat of a worker."""
    with app.app_context(), transaction():
        db.session.execute(BEAT, {"worker": "test"})


@pytest.fixture
def run_jobs(app: Flask) -> Callable[[], int]:
    """Run what is queued, in this thread."""
    return task_queue.lanes(app).run_pending


@pytest.fixture
def desk(
    client: FlaskClient,
    terminal: Terminal,
    simulator: SimulatedTerminal,
    run_jobs: Callable[[], int],
    worker_alive: None,  # noqa: ARG001
) -> Desk:
    return Desk(client, terminal, simulator, run_jobs)
