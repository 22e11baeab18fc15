"""Two workers and two web processes on one database: a worker killed in a bulk run loses and doubles nothing."""

import os
import re
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from flask import request
from sqlalchemy import func, select, update

from hikflask import create_app
from hikflask.extensions import db
from hikflask.models import Employee, Enrolment, Heartbeat, Job, JobItem, Photo
from hikflask.models import Terminal as Row
from hikflask.models.columns import database_now
from hikflask.models.enrolment import CONFIRMED
from hikflask.models.people import UPLOADED
from hikflask.services.photos import storage
from hikflask.simulator import SimulatorServer, Terminal
from hikflask.simulator.faces import NAMES, draw
from hikflask.simulator.profiles import PROFILES
from tests.processes.conftest import PASSWORD, add_terminal
from tests.processes.pages import page, send_everybody
from tests.processes.processes import Served, until
from tests.support.apps import close
from tests.support.postgresql import Cluster

PEOPLE = [str(number) for number in range(1000, 1012)]
# The worker that sends this Record is not alive any more when the answer comes.
LAST_RECORD = 6
WEB_PROCESSES = 2
# On a busy machine, in seconds.
SLOWEST = 120.0
RECORD = "/ISAPI/AccessControl/UserInfo/Record"


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """The setting with the database's address; without one it is SQLite."""
    if request.param == "sqlite":
        yield {}
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    yield {"DATABASE_URL": cluster.create("many_processes", template="migrated")}
    cluster.drop("many_processes")


@pytest.fixture
def served(tmp_path: Path, address: dict[str, str], migrated: Path) -> Iterator[Served]:
    """The app in two web processes, without a worker yet."""
    (tmp_path / "hikflask.sqlite3").write_bytes(migrated.read_bytes())
    quick = {"SWEEP_INTERVAL": "0.5", "RETRY_BASE": "1", "CONNECT_TIMEOUT": "2", "READ_TIMEOUT": "3"}
    # A worker talks to one terminal at a time, so the one that is killed holds no other.
    one_by_one = {"WORKER_THREADS": "2", "WORKER_TERMINALS": "1"}
    app = Served(tmp_path, WORKER="external", PROCESSES=str(WEB_PROCESSES), **quick, **one_by_one, **address)
    app.serve()
    yield app
    app.kill()


@pytest.fixture
def context(served: Served, tmp_path: Path, address: dict[str, str]) -> Iterator[None]:  # noqa: ARG001
    """The app on the same database, in this process."""
    app = create_app({"INSTANCE_PATH": str(tmp_path), "TESTING": True, "WORKER": "external", **address})
    with app.app_context():
        yield
    close(app)


@pytest.fixture
def terminals(served: Served) -> Iterator[dict[int, SimulatorServer]]:
    """Two terminals that take pictures, by their ids."""
    with ExitStack() as stack:
        servers = [stack.enter_context(SimulatorServer(made())) for _ in range(2)]
        yield {add_terminal(served, server, f"Вход {number}"): server for number, server in enumerate(servers, 1)}


def made() -> Terminal:
    """A terminal that takes pictures."""
    return Terminal(PASSWORD, profile=PROFILES["K1T342MX-E1"])


def face_of(number: str) -> bytes:
    """A picture that nobody else has: the number is in it as a comment."""
    comment = number.encode()
    drawn = draw(NAMES[int(number) % len(NAMES)])
    return drawn[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2) + comment + drawn[2:]


def add_people_with_photos() -> None:
    """Add everybody with a photo of their own."""
    storage.folder().mkdir(exist_ok=True)
    for number in PEOPLE:
        picture, file = face_of(number), f"{number}_{'x' * 22}.jpg"
        (storage.folder() / file).write_bytes(picture)
        person = Employee(number=number, name=f"Иван Иванов {number}")
        db.session.add(person)
        db.session.flush()
        photo = Photo(file=file, sha256=storage.sha256(picture), source=UPLOADED, employee_id=person.id)
        person.photo = photo
    db.session.commit()


def count_workers() -> int:
    """How many workers have written a heartbeat."""
    found = db.session.execute(select(func.count()).select_from(Heartbeat)).scalar_one()
    db.session.commit()
    return found


def children_of(process: int) -> int:
    """How many processes a process has started that are there."""
    return len(Path(f"/proc/{process}/task/{process}/children").read_text().split())


def let_claims_end(terminal_id: int) -> None:
    """Let the time pass after which what the killed worker has claimed is claimed again, and its terminal is free."""
    later = Enrolment.next_attempt_at > database_now(1.0)
    db.session.execute(update(Enrolment).where(later).values(next_attempt_at=database_now()))
    db.session.execute(update(Job).where(Job.claimed_until > database_now()).values(claimed_until=database_now(-1.0)))
    db.session.execute(update(Row).where(Row.id == terminal_id).values(lease_until=database_now()))
    db.session.commit()


def states(jobs: list[int], http: Served) -> list[str]:
    """The state of each job, as a program reads it."""
    return [http.http.get(f"{http.url}/api/jobs/{job}", timeout=60).json()["state"] for job in jobs]


@pytest.mark.usefixtures("context")
def test_worker_killed_in_a_bulk_run_leaves_everybody_confirmed_exactly_once(
    served: Served, terminals: dict[int, SimulatorServer]
) -> None:
    add_people_with_photos()
    workers = [served.start_worker() for _ in range(2)]
    until(lambda: count_workers() == 2, SLOWEST)
    killed: list[subprocess.Popen[bytes]] = []
    records: Counter[str] = Counter()
    first_id = next(iter(terminals))
    first = terminals[first_id].terminal
    first.before("UserInfo/Record", lambda: kill_at_the_last_record(workers, records, killed))

    jobs = [send_everybody(served, terminal_id) for terminal_id in terminals]
    until(lambda: bool(killed), SLOWEST)
    killed[0].wait()
    assert len(first.people) < len(PEOPLE)
    let_claims_end(first_id)
    until(lambda: states(jobs, served) == ["done", "done"], SLOWEST)

    for job in jobs:
        told = served.http.get(f"{served.url}/api/jobs/{job}", timeout=60).json()
        assert told == {"state": "done", "done": len(PEOPLE), "total": len(PEOPLE), "failed": []}
        assert "The job is done." in page(served, f"{served.url}/jobs/{job}")
    for server in terminals.values():
        assert sorted(server.terminal.people) == PEOPLE
        assert {number: face.jpeg for number, face in server.terminal.faces.items()} == {
            number: face_of(number) for number in PEOPLE
        }
        assert successes(server.terminal, RECORD) == dict.fromkeys(PEOPLE, 1)
    confirmed = select(func.count(Enrolment.id)).where(Enrolment.person == CONFIRMED, Enrolment.face == CONFIRMED)
    assert db.session.execute(confirmed).scalar_one() == 2 * len(PEOPLE)
    assert set(db.session.execute(select(JobItem.state)).scalars()) == {"done"}
    assert children_of(served.web.pid) == WEB_PROCESSES
    assert [worker.poll() for worker in workers if worker not in killed] == [None]


def kill_at_the_last_record(
    workers: "list[subprocess.Popen[bytes]]",
    records: Counter[str],
    killed: "list[subprocess.Popen[bytes]]",
) -> None:
    """Kill the worker for which a terminal writes a person."""
    records["Record"] += 1
    if records["Record"] == LAST_RECORD:
        (worker,) = (worker for worker in workers if has_connection(worker.pid, request.environ["REMOTE_PORT"]))
        worker.send_signal(signal.SIGKILL)
        killed.append(worker)


def has_connection(process: int, port: int) -> bool:
    """True when a process holds the connection that begins at a port of this machine."""
    connections = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines())
    sockets = {f"socket:[{one[9]}]" for one in connections if one[1].endswith(f":{port:04X}")}
    return any(os.path.realpath(file).endswith(tuple(sockets)) for file in Path(f"/proc/{process}/fd").iterdir())


def successes(terminal: Terminal, path: str) -> dict[str, int]:
    """By number, how often the terminal wrote a person for a call of this path."""
    written = [one for one in terminal.log if one.plain_path == path and one.status == 200]
    numbers = [re.findall(rb'"employeeNo":\s*"(\w+)"', one.body)[0].decode() for one in written]
    return dict(sorted(Counter(numbers).items()))
