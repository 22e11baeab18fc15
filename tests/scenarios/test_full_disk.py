"""A disk that is full, a real one: what only reads goes on, what cannot be saved says why, and nothing gets green."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask import create_app, disk_space, logging_setup, startup_checks
from hikflask.background.worker import Worker
from hikflask.config import ConfigError
from hikflask.extensions import db
from hikflask.models import Capture, Employee, Enrolment, OperatorSession
from hikflask.models.columns import database_now
from hikflask.services.core.db import transaction
from hikflask.services.core.errors import ServiceError
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.privacy import secure_delete
from hikflask.services.spreadsheets import table_file
from tests.processes.processes import Served, until
from tests.support.apps import close
from tests.support.captures import FACE
from tests.support.desk import ENGLISH, Desk, typed
from tests.support.small_disk import SmallDisk, small_disk

NO_SPACE = (
    "No space left where {} is: 0 of 41,943,040 bytes are free. "
    "Make room elsewhere on this disk, or make it larger; what lies in that folder is needed."
)
# A picture of 800 KB, and space for all that is stored besides.
COMMENT = b"\xff\xfe\xff\xff" + bytes(0xFFFD)
LARGE_FACE = FACE[:2] + 12 * COMMENT + FACE[2:]
LITTLE = 600_000


@pytest.fixture(scope="module")
def mounted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallDisk]:
    """A disk of 40 MB; skips where there can be none."""
    try:
        with small_disk(tmp_path_factory.mktemp("disk")) as made:
            yield made
    except OSError as error:
        pytest.skip(f"this machine lets nobody mount a disk: {error}")


@pytest.fixture
def disk(mounted: SmallDisk, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallDisk]:
    """The disk, with nothing on it."""
    monkeypatch.setattr(disk_space, "shutil", shutil)
    yield mounted
    mounted.empty()


@pytest.fixture
def tmp_path(disk: SmallDisk) -> Path:
    """The instance folder, on the disk."""
    folder = disk.folder / "instance"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def again(app: Flask, tmp_path: Path) -> Callable[[], Flask]:
    """Make the app as the next start makes it."""

    def start() -> Flask:
        return create_app({"INSTANCE_PATH": str(tmp_path), "TESTING": True, "WORKER": app.config["WORKER"]})

    return start


def files_of(folder: Path) -> dict[str, int]:
    """When each file was written."""
    return {str(path): path.stat().st_mtime_ns for path in sorted(folder.rglob("*"))}


def refusal(start: Callable[[], object]) -> str:
    with pytest.raises(ConfigError) as refused:
        start()
    return str(refused.value)


def test_start_reads_keys_and_tables_and_writes_nothing(
    app: Flask, again: Callable[[], Flask], disk: SmallDisk, tmp_path: Path
) -> None:
    with app.app_context():
        db.session.execute(db.select(Employee.id))  # Another process has the database open.
        disk.fill()
        before = files_of(tmp_path)

        started = again()
        startup_checks.prepare(started)

        assert files_of(tmp_path) == before
        close(started)


def test_start_that_has_to_write_says_that_no_space_is_left_and_not_whose_the_key_is(
    app: Flask, again: Callable[[], Flask], disk: SmallDisk, tmp_path: Path
) -> None:
    close(app)
    disk.fill()
    started = again()

    # SQLite needs a file beside its own to read, too.
    assert refusal(lambda: startup_checks.prepare(started)) == NO_SPACE.format(tmp_path)
    close(started)
    for path in (tmp_path / "secret_key", tmp_path / "uploads"):
        disk.empty()
        path.rename(disk.folder / path.name)
        disk.fill()
        assert refusal(again) == NO_SPACE.format(tmp_path)


def test_restart_of_the_service_ends_in_one_line(app: Flask, disk: SmallDisk, tmp_path: Path) -> None:
    close(app)
    disk.fill(leave=40_000)  # Enough for the files beside the database, and not for those beside the queue.

    ended = Served(tmp_path).refused("gunicorn", "--config", "deploy/gunicorn.conf.py", "wsgi:app")

    assert ended.returncode == 3
    said = [line for line in ended.stderr.splitlines() if "No space left" in line]
    assert [line.partition(" is: ")[0] for line in said] == [f"No space left where {tmp_path}"]
    assert "Traceback" not in ended.stderr


def test_commands_name_the_full_disk(
    app: Flask, disk: SmallDisk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HIKFLASK_INSTANCE_PATH", str(tmp_path))
    run = app.test_cli_runner().invoke
    close(app)
    disk.fill()
    sentence = NO_SPACE.format(tmp_path)

    doctor = run(args=["doctor", "--without-nginx"])
    init = run(args=["init"])
    worker = run(args=["worker"])
    disk.empty()
    with app.app_context():
        db.session.execute(db.select(Employee.id))
        disk.fill()
        backup = run(args=["backup", str(tmp_path / "backup.tar")])

    wrong = [line for line in doctor.output.splitlines() if line.startswith("WRONG")]
    assert wrong[:2] == [f"WRONG  {sentence}", f"WRONG  {sentence}"]  # Of the folder and of the database.
    assert "belongs to" not in doctor.output.replace("what is in it belong to", "")
    for refused in (init, worker, backup):
        assert (refused.exit_code, refused.stderr) == (1, f"Error: {sentence}\n")


@pytest.mark.usefixtures("worker_alive")
def test_health_check_names_the_folder_and_its_free_bytes(app: Flask, disk: SmallDisk, tmp_path: Path) -> None:
    browser = app.test_client()
    assert browser.get("/health/ready").json == {
        "status": "ok",
        "database": "ok",
        "queue": "ok",
        "worker": "ok",
        "disk": "ok",
        "photos": "ok",
    }

    disk.fill()
    answer = browser.get("/health/ready")

    assert answer.status_code == 503
    assert answer.json == {
        "status": "error",
        "database": "ok",
        "queue": "ok",
        "worker": "ok",
        "disk": "error",
        "photos": "ok",
        "no_space_left": {"path": str(tmp_path), "free_bytes": 0},
    }


def test_who_is_signed_in_goes_on_reading_and_is_told_that_nothing_can_be_saved(
    app: Flask, client: FlaskClient, disk: SmallDisk, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert client.post("/employees/", data=typed()).status_code == 303
    with app.app_context(), transaction():
        db.session.execute(db.update(OperatorSession).values(seen_at=database_now(-1800)))
    client.get("/health")
    disk.fill()

    for address in ("/attention", "/employees/", "/employees/1", "/administration", "/jobs/", "/api/users/"):
        assert client.get(address).status_code == 200, address
    for address in ("/attention", "/administration"):
        assert f"{tmp_path}: 0 MB of 40 MB are free." in client.get(address, headers=ENGLISH).text
        assert f"{tmp_path}: свободно 0 МБ из 40 МБ." in client.get(address).text
    caplog.clear()
    new = typed(hikvision_id="100223")
    page, english = client.post("/employees/", data=new), client.post("/employees/", data=new, headers=ENGLISH)
    program = client.post("/api/users/", json={"hikvision_id": "100223", "full_name": "Иван Иванов"})

    assert (page.status_code, english.status_code, program.status_code) == (507, 507, 507)
    assert (
        "На диске сервера нет места, и это могло не сохраниться. Сохранённое раньше не потеряно. "
        "Попросите администратора освободить место и повторите попытку."
    ) in page.text
    assert (
        "The server&#39;s disk is full, so this may not have been saved. Nothing that was saved before is lost. "
        "Ask the administrator to make room, then try again."
    ) in english.text
    assert f"{tmp_path}: 0 MB of 40 MB are free." in english.text
    assert program.json == {
        "error": "no_space",
        "message": f"The server's disk is full ({tmp_path}), so this could not be done. "
        "Ask the administrator to make room, then try again.",
    }
    assert [record.getMessage() for record in caplog.records] == 3 * [NO_SPACE.format(tmp_path)]
    assert not any(record.exc_info for record in caplog.records)
    disk.empty()
    assert client.post("/employees/", data=new).status_code == 303


def test_who_cannot_even_read_is_told_that_the_disk_is_full(
    app: Flask, client: FlaskClient, disk: SmallDisk, tmp_path: Path
) -> None:
    close(app)
    disk.fill()

    page, program = client.get("/employees/", headers=ENGLISH), client.get("/api/users/")

    assert (page.status_code, program.status_code) == (507, 507)
    assert f"{tmp_path}: 0 MB of 40 MB are free." in page.text
    assert program.get_json()["error"] == "no_space"


@pytest.mark.usefixtures("client")
def test_clean_up_leaves_what_reading_needs_on_a_full_disk(app: Flask, tmp_path: Path) -> None:
    close(app)
    with app.app_context():
        db.session.execute(db.select(Employee.id))
        db.session.rollback()

        secure_delete.empty_log()

        assert (tmp_path / "hikflask.sqlite3-shm").exists()


def test_capture_that_cannot_be_stored_says_why_and_the_next_one_is_enrolled(
    app: Flask, desk: Desk, disk: SmallDisk
) -> None:
    desk.client.get("/health/ready")
    disk.fill(leave=LITTLE)

    failed = desk.capture(LARGE_FACE)

    page = desk.text(f"/employees/new?capture={failed}")
    assert "На диске сервера нет места, выполнить это не удалось." in page
    with app.app_context():
        capture = db.session.get_one(Capture, int(failed))
        assert (capture.state, capture.photo_id) == ("failed", None)
    assert [path.name for path in Path(app.config["UPLOADS"]).iterdir()] == []
    disk.empty()
    desk.save()
    with app.app_context():
        assert [row.is_green for row in db.session.execute(db.select(Enrolment)).scalars()] == [True]


@pytest.mark.usefixtures("context")
def test_table_whose_half_written_files_fill_the_disk_is_refused_as_that_though_they_are_gone(
    disk: SmallDisk, tmp_path: Path
) -> None:
    disk.fill(leave=18_000_000)

    with pytest.raises(ServiceError, match=r"^no_space$") as refused:
        table_file.write(tmp_path / "people.xlsx", "", [[["x" * 30_000]] for _ in range(1000)])

    assert refused.value.params == {"place": str(tmp_path)}
    assert disk.free > disk_space.FULL_BYTES


def test_enrolment_that_cannot_be_recorded_is_not_green_and_is_made_good_later(
    app: Flask, desk: Desk, disk: SmallDisk
) -> None:
    capture_id = desk.capture()
    desk.client.post("/employees/", data=typed(capture_id=capture_id))
    disk.fill()

    with app.app_context():
        with pytest.raises(disk_space.ERRORS):
            reconcile(1, "test", wait=0.0)
        assert not db.session.get_one(Enrolment, 1, populate_existing=True).is_green
        assert desk.simulator.people.keys() <= {"100222"}
        db.session.remove()
        disk.empty()
        reconcile(1, "test", wait=0.0)
        assert db.session.get_one(Enrolment, 1, populate_existing=True).is_green


def test_worker_starts_and_says_in_a_line_what_it_cannot_do(
    app: Flask, disk: SmallDisk, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app.config["SWEEP_INTERVAL"] = 0.05
    with app.app_context():
        db.session.execute(db.select(Employee.id))
        worker = Worker(app)
        disk.fill()
        worker.start()
        until(lambda: "sweep" in caplog.text)
        worker.stop()

    lines = {logging_setup.OneLine(None, tmp_path).format(record) for record in caplog.records}
    assert f"the sweep failed: {NO_SPACE.format(tmp_path)}" in lines
    assert not [line for line in lines if "Traceback" in line]
