"""Erased means erased: once the certificate is there, every file of the program and of its database is searched."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.models import Employee, Erasure, Photo, Terminal
from hikflask.services.photos.storage import HALF_WRITTEN
from hikflask.simulator.faces import NAMES, draw
from hikflask.text_rules import folded
from tests.support.captures import FACE, OTHER_FACE, THIRD_FACE
from tests.support.desk import ENGLISH, Desk
from tests.support.events import add_events, event_row
from tests.support.imports import checked
from tests.support.postgresql import Cluster
from tests.support.retention import DAY, age, forget

NUMBER, NAME, DEPARTMENT = "100222", "Иннокентий Смоктуновский", "Отдел главного механика"
NOTE, OTHERS_NOTE = "Папка 17, подписано при Голицыне", "Папка 18, подписано при Бекетове"
DRAFT = "Цех опытных образцов"
IMPORTED = "Kulibin's workshop"  # the database escapes other letters in JSON
IMPORTED_FACE = draw(NAMES[3])
SEEN_FACE, SEEN_FILE, CARD = draw(NAMES[4]), f"passage_{'p' * 22}.jpg", "0007654321"
DATABASE = {"hikflask.sqlite3", "hikflask.sqlite3-wal"}


@pytest.fixture(autouse=True)
def opened(app: Flask) -> Iterator[None]:
    """A connection of the app's that stays open, as those of other threads do."""
    with app.app_context():
        connection = db.engine.connect()
    with connection:
        connection.exec_driver_sql("SELECT * FROM employee").all()
        connection.rollback()
        yield


@dataclass
class Attacker:
    """Somebody who reads every file in some folders, and knows what to look for."""

    folders: list[Path]
    wanted: dict[str, bytes]

    def finds(self, kept: list[re.Pattern[bytes]]) -> dict[str, set[str]]:
        """Return what is found and in which files, save in the texts that are kept by design."""
        files = {path: self._read(path) for folder in self.folders for path in folder.rglob("*") if path.is_file()}
        for text in kept:
            files = {path: text.sub(b"", content) for path, content in files.items()}
        places = {what: {p.name for p, read in files.items() if words in read} for what, words in self.wanted.items()}
        return {what: names for what, names in places.items() if names}

    def _read(self, path: Path) -> bytes:
        return f"{path.name}\n".encode() + path.read_bytes()


def give_consent(desk: Desk, place: str, note: str) -> None:
    given = {"given_on": "2025-11-25", "basis": "consent", "note": note}
    assert desk.client.post(f"{place}/consent", data=given).status_code == 303


@pytest.fixture
def place(desk: Desk, tmp_path: Path) -> str:
    """The address of somebody of whom all is kept that can be; somebody else is there as well."""
    place = desk.save(full_name=NAME, department=DEPARTMENT)
    give_consent(desk, place, NOTE)
    (shown,) = (tmp_path / "uploads").iterdir()
    assert desk.client.get(f"/uploads/{shown.name}").status_code == 200
    desk.capture(OTHER_FACE, full_name=NAME, department=DRAFT, employee_id="1")
    (tmp_path / "uploads" / f".{NUMBER}_{'h' * 22}.jpg{HALF_WRITTEN}").write_bytes(FACE)
    other = desk.upload(THIRD_FACE, hikvision_id="100333", full_name="Ольга Ёлкина", department="")
    give_consent(desk, other.location, OTHERS_NOTE)
    desk.client.post("/jobs/preview", data={"action": "print", "all": "1"})
    with desk.client.application.app_context():
        checked(f"{NUMBER};{NAME};{IMPORTED}", f"N 1;{NAME};{IMPORTED}", pictures={f"{NUMBER}.jpg": IMPORTED_FACE})
        ivan = db.session.execute(db.select(Employee).where(Employee.number == NUMBER)).scalar_one()
        passage = event_row(db.session.execute(db.select(Terminal)).scalar_one(), employee=ivan, name=NAME)
        passage.record, passage.picture = {**passage.record, "cardNo": CARD}, SEEN_FILE
        (tmp_path / "uploads" / SEEN_FILE).write_bytes(SEEN_FACE)
        add_events(passage)
    return place


@pytest.fixture
def wanted(app: Flask, place: str) -> dict[str, bytes]:  # noqa: ARG001
    """What an attacker looks for, by what it is."""
    with app.app_context():
        theirs = db.select(Photo).where(Photo.file.startswith(NUMBER)).order_by(Photo.id)
        saved, unsaved = db.session.execute(theirs).scalars()
    texts = {
        "number": NUMBER,
        "name": NAME,
        "search": folded(NAME),
        "department": DEPARTMENT,
        "consent": NOTE,
        "draft": DRAFT,
        "hash": saved.sha256,
        "file": saved.file.partition("_")[2],
        "unsaved file": unsaved.file.partition("_")[2],
        "half-written file": "h" * 22,
        "import": IMPORTED,
        "card": CARD,
        "picture of a passage": SEEN_FILE,
    }
    faces = {"face": FACE[-256:-64], "unsaved face": OTHER_FACE[-256:-64]}
    faces |= {"imported face": IMPORTED_FACE[-256:-64], "face of a passage": SEEN_FACE[-256:-64]}
    return {what: text.encode() for what, text in texts.items()} | faces


def kept_by_design(app: Flask) -> list[re.Pattern[bytes]]:
    """The certificate's own row (its columns in the table's order)."""
    with app.app_context():
        requested_by = db.session.execute(db.select(Erasure.requested_by)).scalar_one()
    certificate = NUMBER.encode() + b".{0,1}" + NAME.encode() + b".{0,8}" + re.escape(requested_by.encode())
    return [re.compile(certificate, re.DOTALL)]


def erase(desk: Desk, place: str) -> None:
    location = desk.client.post(f"{place}/erase").location
    desk.run_jobs()
    assert "Certificate of erasure No. 1" in desk.client.get(location, headers=ENGLISH).text


def test_no_file_holds_anything_of_the_erased_but_what_the_certificate_names(
    app: Flask, desk: Desk, place: str, wanted: dict[str, bytes], tmp_path: Path
) -> None:
    attacker = Attacker([tmp_path], wanted | {"somebody else's consent": OTHERS_NOTE.encode()})
    assert attacker.finds([]).keys() == attacker.wanted.keys()

    erase(desk, place)

    found = attacker.finds(kept_by_design(app))
    assert found.pop("somebody else's consent")
    # The certificate is found by it, and has it again with each terminal.
    assert found.pop("number") <= DATABASE
    # There are departments without people, too.
    assert found.pop("department") <= DATABASE
    assert found == {}
    with app.app_context():
        age(Erasure, "completed_at", 31 * DAY)
        forget()
    assert attacker.finds([]).keys() == {"somebody else's consent", "department"}


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_postgresql_holds_it_in_its_own_log_alone(
    app: Flask, desk: Desk, place: str, wanted: dict[str, bytes], tmp_path: Path, cluster: Cluster
) -> None:
    with app.app_context():
        db.session.execute(db.text("ANALYZE"))  # As the server does by itself; it quotes from the tables.
        db.session.commit()
    attacker = Attacker([tmp_path, cluster.files() / "data" / "base"], wanted)
    assert attacker.finds([]).keys() == attacker.wanted.keys()

    erase(desk, place)

    cluster.files()
    assert attacker.finds(kept_by_design(app)).keys() == {"number", "department"}
    attacker.folders = [cluster.files() / "data" / "pg_wal"]
    # A text that goes over the end of a page of the log is cut there, so any one of them may be missed.
    assert attacker.finds([]).keys() - {"number", "department"}
