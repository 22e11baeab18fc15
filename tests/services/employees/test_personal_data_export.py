"""The file for one person: everything that is stored, and nothing of anybody else."""

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zipfile import ZipFile

import pytest
from flask import Flask

from hikflask.extensions import Base, db
from hikflask.models import (
    AuditEntry,
    Capture,
    Card,
    CardThere,
    Consent,
    Employee,
    Enrolment,
    Erasure,
    ErasureFile,
    ErasureRemoval,
    Event,
    ImportBatch,
    ImportRow,
    Job,
    JobItem,
    Photo,
    Terminal,
)
from hikflask.services.cards import registry
from hikflask.services.changes.kinds import SEND
from hikflask.services.employees import personal_data_export as exports
from hikflask.services.employees.personal_data_export import export_employee
from hikflask.services.photos import storage
from tests.support.captures import FACE, OTHER_FACE
from tests.support.desk import Desk, typed
from tests.support.employees import by_number
from tests.support.events import AT, add_events, event_row
from tests.support.imports import checked
from tests.support.jobs import add_people, run, started
from tests.support.refusals import refusal

A_ROW = "which row it is here says nothing about the person"
WORK = "how the program proceeds with the terminal, over once the terminal has answered"
# Table → the columns of it that an export is given, and those that it is not, each with the reason.
GIVEN: dict[type[Base], tuple[str, ...]] = {
    Employee: exports.OF_EMPLOYEE,
    Consent: exports.OF_CONSENT,
    Card: exports.OF_CARD,
    CardThere: exports.OF_CARD_THERE,
    Photo: exports.OF_PHOTO,
    Capture: exports.OF_CAPTURE,
    Enrolment: exports.OF_ENROLMENT,
    AuditEntry: exports.OF_ENTRY,
    Erasure: exports.OF_ERASURE,
    ErasureRemoval: ("enrolment_id", "terminal", "number", "gone_at", "confirmed_by", "confirmation_note"),
    ErasureFile: (),
    Event: exports.OF_EVENT,
    Job: exports.OF_JOB,
    JobItem: (*exports.OF_ITEM, "refusal"),
    ImportBatch: exports.OF_IMPORT,
    ImportRow: exports.OF_IMPORT_ROW,
}
TO_THE_LOG = "leads to the server's log, and to nobody"
TOLD = "given as the code and the text that programs are told"
LEFT_OUT: dict[type[Base], dict[str, str]] = {
    Employee: {
        "id": A_ROW,
        "photo_id": "the photos themselves are given",
        "search": "made of name, number and department",
        "has_face": "made of the records on terminals, which are given",
        "has_consent": "the consent itself is given",
    },
    Consent: {"id": A_ROW, "employee_id": A_ROW},
    Card: {"id": A_ROW, "employee_id": A_ROW, "key": "made of the number"},
    CardThere: {"id": A_ROW, "terminal_id": "the terminal's name is given"},
    Photo: {"id": A_ROW, "employee_id": A_ROW, "file": "the picture itself is given, under a name of its own"},
    Capture: {
        "id": A_ROW,
        "terminal_id": "the terminal's name is given",
        "photo_id": "the photo itself is given",
        "retake_of": A_ROW,
        "deadline": WORK,
        "hold_until": WORK,
        "lease_number": WORK,
        "draft_groups": "the groups of the employee are given by name",
        "refusal": TOLD,
        "draft_version": "a digest of what the form showed, to notice changes by others",
        "request_id": TO_THE_LOG,
    },
    Enrolment: {
        "id": A_ROW,
        "terminal_id": "the terminal's name is given",
        "employee_id": A_ROW,
        "photo_id": "the photos themselves are given",
        "confirmed_photo_id": "the photos themselves are given",
        "state": "the facts that it follows from are given",
        "generation": WORK,
        "request_id": TO_THE_LOG,
        "overwrite": WORK,
        "in_bulk": WORK,
        "by_group": WORK,
        "face_there": "the terminal's own copy of a photo that is given",
        "face_unverified": WORK,
        "refusal": TOLD,
        "step": WORK,
        "attempts": WORK,
        "next_attempt_at": WORK,
        "may_arrive_until": WORK,
        "tried_at": WORK,
        "changed_at": WORK,
    },
    AuditEntry: {
        "id": A_ROW,
        "employee_id": A_ROW,
        "request_id": TO_THE_LOG,
        "sealed": "what is given, under the person's key",
    },
    Erasure: {
        "id": A_ROW,
        "employee_id": A_ROW,
        "version": "how the program notices what is added meanwhile",
        **dict.fromkeys(("check_key_encrypted", "digest"), "stands in for ID and name once these are deleted"),
    },
    ErasureRemoval: {"id": A_ROW, "erasure_id": A_ROW},
    ErasureFile: dict.fromkeys(("id", "erasure_id", "file"), "a picture that is being removed, and not to be given"),
    Event: {
        **dict.fromkeys(("id", "employee_id"), A_ROW),
        "terminal_id": "the terminal's name is given",
        **dict.fromkeys(("device_serial", "serial_no"), "which record of which device it is, as in the record given"),
        "device_at": "the time as the terminal wrote it is given",
        "is_duress": "read from the record given",
        "picture": "the picture itself is given",
    },
    Job: {
        "id": A_ROW,
        "terminal_id": "the terminal of each record is given with that record",
        "request_id": TO_THE_LOG,
        "params": "the department or terminal of each employee is given with that employee",
        **dict.fromkeys(("total", "done", "failed"), "counts others, too"),
        **dict.fromkeys(("created_at", "ended_at", "claim_number", "claimed_until", "attempts", "pause"), WORK),
    },
    JobItem: {
        "id": A_ROW,
        "job_id": A_ROW,
        "employee_id": A_ROW,
        "number": "the employee's own, which is given",
        "state": WORK,
        "desired": WORK,
        "enrolment_id": A_ROW,
    },
    ImportBatch: {
        "id": A_ROW,
        "photos_name": "each photo's name in it is given",
        **dict.fromkeys(("table_file", "photos_file", "layout", "fields", "options", "checked_at"), WORK),
        **dict.fromkeys(("new", "changed", "unchanged", "wrong", "effects", "new_departments"), "counts others, too"),
        **dict.fromkeys(("terminal_id", "groups"), "the terminals of the employee are given"),
        **dict.fromkeys(("check_job_id", "import_job_id", "undo_job_id"), A_ROW),
    },
    ImportRow: {
        **dict.fromkeys(("id", "batch_id", "employee_id"), A_ROW),
        "number": "the employee's own, which is given",
        "sheet": "a name of the file, which names others",
        **dict.fromkeys(("warnings", "effects", "confirmed", "corrected"), "what the row says of the person, compared"),
        **dict.fromkeys(("before", "written"), "what changed is given with the audit trail"),
        "former_photo_id": "the photos themselves are given",
    },
}


def export(desk: Desk, place: str) -> tuple[dict[str, Any], dict[str, bytes]]:
    """data.json of the employee with this address, and the other files by name."""
    with desk.client.application.app_context():
        content = export_employee(int(place.rpartition("/")[2]))
    with ZipFile(io.BytesIO(content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    return json.loads(files.pop("data.json").decode()), files


def test_file_has_everything_and_the_photos(desk: Desk) -> None:
    place = desk.save(consent="y")

    data, files = export(desk, place)

    assert data["employee"]["number"] == "100222"
    assert data["employee"]["name"] == "Иван Иванов"
    assert data["consent"]["basis"] == "consent"
    (photo,) = data["photos"]
    assert photo["sha256"] == storage.sha256(FACE)
    assert photo["source"] == "capture"
    assert files == {photo["file"]: FACE}
    assert [(one["terminal"], one["state"], one["draft_name"]) for one in data["captures"]] == [
        ("Вход", "used", "Иван Иванов")
    ]
    assert [(one["terminal"], one["face"]) for one in data["terminals"]] == [("Вход", "confirmed")]
    assert "consent.recorded" in [entry["action"] for entry in data["audit"]]
    assert data["erasures"] == []


def test_passages_of_the_person_are_in_it_with_their_pictures(desk: Desk, app: Flask) -> None:
    place = desk.save()
    with app.app_context():
        ivan = db.session.execute(db.select(Employee)).scalar_one()
        terminal = db.session.execute(db.select(Terminal)).scalar_one()
        (storage.folder() / "passage_seen.jpg").write_bytes(OTHER_FACE)
        long_ago = ivan.created_at - timedelta(days=1)
        add_events(
            event_row(terminal, at=long_ago, number="100222", name="Пётр Первый"),
            event_row(terminal, at=long_ago, number="100222", name="иван иванов"),
            event_row(terminal, at=datetime.now(UTC), number="100222", name="Пётр Второй"),
            event_row(terminal, employee=ivan, name="Иван Иванов", picture="passage_seen.jpg"),
            event_row(terminal, number="100333", name="Иван Иванов"),
        )

    data, files = export(desk, place)

    seen = {one["name"]: one for one in data["passages"]}
    assert seen.keys() == {"иван иванов", "Иван Иванов"}
    passage = seen["Иван Иванов"]
    assert (passage["terminal"], passage["kind"], passage["number"]) == ("Вход", "passed", "100222")
    assert (passage["occurred_at"], passage["record"]["employeeNoString"]) == (AT.isoformat(), "100222")
    assert files[passage["picture"]] == OTHER_FACE
    assert seen["иван иванов"]["picture"] is None


def test_cards_of_the_person_are_in_it(desk: Desk, app: Flask, terminal: Terminal) -> None:
    place = desk.save()
    with app.app_context():
        registry.give(by_number("100222").id, "00aB12")
        registry.give(add_people("200")[0], "8")
        db.session.add(CardThere(terminal_id=terminal.id, number="9", owner="100222", is_lost=True))
        db.session.add(CardThere(terminal_id=terminal.id, number="10", owner="200"))
        db.session.commit()

    data, _ = export(desk, place)

    assert [(card["number"], card["given_by"]) for card in data["cards"]] == [("00aB12", "worker")]
    (there,) = data["cards_there"]
    assert there == {"terminal": "Вход", "number": "9", "owner": "100222", "is_lost": True, "confirmed_at": None}


def test_jobs_that_meant_the_person_are_in_it(desk: Desk, app: Flask) -> None:
    place = desk.save()
    with app.app_context():
        ivan = db.session.execute(db.select(Employee.id)).scalar_one()
        run(started(SEND, [ivan], terminal_id=99, terminal="Склад"))
        run(started(SEND, add_people("200"), terminal_id=99, terminal="Склад"))

    data, _ = export(desk, place)

    (job,) = data["jobs"]
    assert (job["kind"], job["requested_by"], job["state"]) == ("send", "Анна", "done")
    assert job["error"] == "terminal_unknown"


def test_rows_of_imports_about_the_person_are_in_it(desk: Desk, app: Flask) -> None:
    place = desk.save()
    with app.app_context():
        checked("100222;Иван Иванов;Склад", "200;Ольга Ёлкина;Склад")
        checked("100222;Иван;=1+1")

    data, _ = export(desk, place)

    row, wrong = data["imports"]
    assert (row["table_name"], row["line"], row["verdict"]) == ("люди.csv", 2, "changed")
    assert row["values"] == {"number": "100222", "name": "Иван Иванов", "department": "Склад"}
    assert (row["errors"], wrong["errors"]) == (None, {"department": ["formula", {}]})


@pytest.mark.parametrize("table", GIVEN, ids=lambda table: table.__name__)
def test_every_column_is_given_or_left_out_for_a_reason(table: type[Base]) -> None:
    columns = [column.key for column in table.__table__.columns]

    given = [exports.COLUMN_OF.get(name, name) for name in GIVEN[table]]
    assert sorted([*given, *LEFT_OUT[table]]) == sorted(columns)
    assert all(LEFT_OUT[table].values())


def test_what_was_written_down_about_the_person_is_in_it(desk: Desk, app: Flask) -> None:
    place = desk.save(consent="y")
    write(app, Consent, note="said so by phone")
    write(
        app, Capture, refusal=refusal("nonsense", text="a word of the terminal"), face_url="http://192.0.2.1/face.jpg"
    )
    write(
        app,
        Enrolment,
        sent_name="Иван",
        name_on_old_device="Иванов",
        confirmation_note="scrapped",
        refusal=refusal("nonsense", text="not now"),
    )
    desk.client.post(place, data=typed(department="Склад"))

    data, _ = export(desk, place)

    assert data["consent"]["note"] == "said so by phone"
    (capture,) = data["captures"]
    assert (capture["draft_number"], capture["draft_department"], capture["draft_consent"]) == (
        "100222",
        "Охрана",
        True,
    )
    assert (capture["reason_text"], capture["face_url"]) == ("a word of the terminal", "http://192.0.2.1/face.jpg")
    (there,) = data["terminals"]
    assert (there["written_name"], there["sent_name"], there["old_name"]) == ("Иван Иванов", "Иван", "Иванов")
    assert (there["said_note"], there["refusal_text"]) == ("scrapped", "not now")
    changed = next(entry for entry in data["audit"] if entry["action"] == "employee.changed")
    assert ("Охрана" in changed["before"], "Склад" in changed["after"]) == (True, True)
    assert (changed["employee"], changed["address"]) == ("100222", "127.0.0.1")


def write(app: Flask, table: type[Base], **columns: object) -> None:
    """Write into every row of a table."""
    with app.app_context():
        db.session.execute(db.update(table).values(**columns))
        db.session.commit()


def test_picture_under_a_mistyped_number_is_in_it_as_it_would_be_erased(desk: Desk) -> None:
    desk.capture(OTHER_FACE, hikvision_id="100999", full_name="  иван ИВАНОВ ")
    place = desk.save(take_over="1")
    with desk.client.application.app_context():
        (slip,) = db.session.execute(db.select(Photo.file).where(Photo.employee_id.is_(None))).scalars()
    desk.client.get(f"/uploads/{slip}", buffered=True)

    data, files = export(desk, place)

    assert sorted(files.values()) == sorted([FACE, OTHER_FACE])
    assert [one["draft_number"] for one in data["captures"]] == ["100222", "100999"]
    (look,) = [entry for entry in data["audit"] if entry["action"] == "photo.viewed"]
    assert (look["employee"], look["subject"]) == ("100999", slip)


def test_picture_of_another_under_a_number_that_nobody_has_is_not_in_it(desk: Desk) -> None:
    desk.capture(OTHER_FACE, hikvision_id="100999", full_name="Ольга Ёлкина")

    data, files = export(desk, desk.save(take_over="1"))

    assert list(files.values()) == [FACE]
    assert [one["draft_number"] for one in data["captures"]] == ["100222"]


def test_mistyped_number_lets_nothing_in_of_whoever_had_the_right_one_then(desk: Desk) -> None:
    desk.capture(OTHER_FACE, hikvision_id="100999")
    desk.capture(OTHER_FACE, full_name="Пётр Первый", take_over="1")
    desk.client.post("/employees/", data=typed(without_face="1"))
    with desk.client.application.app_context():
        ivan = by_number("100222")
    write(desk.client.application, Employee, created_at=datetime.now(UTC) + timedelta(hours=1))

    data, _ = export(desk, f"/employees/{ivan.id}")

    assert [one["draft_number"] for one in data["captures"]] == ["100999"]
    assert "capture.started" not in [entry["action"] for entry in data["audit"]]


def test_entries_under_a_former_number_are_in_it(desk: Desk) -> None:
    place = desk.client.post("/employees/", data=typed(without_face="1")).location
    desk.client.post(place, data=typed(hikvision_id="100333"))

    data, _ = export(desk, place)

    assert data["employee"]["number"] == "100333"
    assert ("employee.created", "100222") in [(entry["action"], entry["employee"]) for entry in data["audit"]]


def test_terminals_that_knew_a_former_number_are_in_it(desk: Desk) -> None:
    place = desk.save()
    employee_id = place.rpartition("/")[2]
    capture_id = desk.capture(hikvision_id="100333", employee_id=employee_id)
    assert desk.client.post(place, data=typed(hikvision_id="100333", capture_id=capture_id)).status_code == 303

    data, _ = export(desk, place)

    assert sorted((one["number"], one["wanted"]) for one in data["terminals"]) == [
        ("100222", "absent"),
        ("100333", "present"),
    ]


def test_names_inside_are_safe_and_short(desk: Desk) -> None:
    data, files = export(desk, desk.save(department="../../etc"))

    assert all(name == f"photos/{name.removeprefix('photos/')}" and ".." not in name for name in files)
    assert data["employee"]["department"] == "../../etc"


def test_file_of_a_photo_that_is_gone_or_a_link_is_not_in_it(desk: Desk, app: Flask) -> None:
    place = desk.save()
    with app.app_context():
        (file,) = storage.folder().iterdir()
    file.unlink()
    file.symlink_to("/etc/hostname")

    data, files = export(desk, place)

    assert files == {}
    assert data["photos"][0]["file"] is None


def test_unsaved_picture_of_the_number_is_in_it(desk: Desk) -> None:
    place = desk.save()
    desk.capture(OTHER_FACE, employee_id=place.rpartition("/")[2])

    _, files = export(desk, place)

    assert sorted(files.values()) == sorted([FACE, OTHER_FACE])


def test_nothing_of_whoever_had_the_number_before_is_in_it(desk: Desk) -> None:
    desk.client.post(f"{desk.save(consent='y')}/erase")
    desk.run_jobs()
    desk.capture(OTHER_FACE, full_name="Пётр Первый")
    desk.client.post("/employees/", data=typed(full_name="Ольга Ёлкина", without_face="1"))
    with desk.client.application.app_context():
        olga = by_number("100222")
        place = f"/employees/{olga.id}"

    data, files = export(desk, place)

    assert files == {}
    assert (data["captures"], data["erasures"], data["consent"]) == ([], [], None)
    assert not {"consent.recorded", "employee.erased"} & {entry["action"] for entry in data["audit"]}


def test_erasure_of_the_same_person_who_came_back_is_in_it(desk: Desk) -> None:
    desk.client.post(f"{desk.save()}/erase")
    desk.run_jobs()

    data, _ = export(desk, desk.save())

    (erasure,) = data["erasures"]
    assert (erasure["name"], erasure["photos"]) == ("Иван Иванов", 1)
    keys = [
        "number",
        "name",
        "terminals",
        "other_names",
        "photos",
        "requested_by",
        "requested_at",
        "completed_at",
        "passages",
    ]
    assert list(erasure) == keys
    (removal,) = erasure["terminals"]
    assert datetime.fromisoformat(removal.pop("at")).tzinfo == UTC
    assert list(removal.items()) == [
        ("enrolment", 1),
        ("terminal", "Вход"),
        ("number", "100222"),
        ("by_hand", False),
        ("said_by", ""),
        ("note", ""),
    ]
