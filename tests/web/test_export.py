"""What is stored about one person, as a file."""

import io
import json
from typing import Any
from zipfile import ZipFile

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from hikflask.extensions import db
from hikflask.models import AuditEntry
from hikflask.models.operator import ADMIN, OPERATOR
from hikflask.services import employees, photos
from hikflask.services.drafts import Draft
from tests.signed_in import client_of
from tests.web.conftest import FACE, OTHER_FACE, Desk, typed


def opened(answer: TestResponse) -> tuple[dict[str, Any], dict[str, bytes]]:
    """data.json, and the other files by name."""
    with ZipFile(io.BytesIO(answer.data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    return json.loads(files.pop("data.json").decode()), files


def export(desk: Desk, place: str) -> tuple[dict[str, Any], dict[str, bytes]]:
    answer = desk.client.post(f"{place}/export")
    assert answer.status_code == 200, answer.text
    return opened(answer)


def exports(app: Flask) -> list[AuditEntry]:
    with app.app_context():
        wanted = db.select(AuditEntry).where(AuditEntry.action == "employee.exported")
        return list(db.session.execute(wanted).scalars())


def test_file_has_everything_and_the_photos(desk: Desk) -> None:
    place = desk.save(consent="y")

    data, files = export(desk, place)

    assert data["employee"]["number"] == "100222"
    assert data["employee"]["name"] == "Иван Иванов"
    assert data["consent"]["basis"] == "consent"
    (photo,) = data["photos"]
    assert photo["sha256"] == photos.sha256(FACE)
    assert photo["source"] == "capture"
    assert files == {photo["file"]: FACE}
    assert [(one["terminal"], one["state"], one["draft_name"]) for one in data["captures"]] == [
        ("Вход", "used", "Иван Иванов")
    ]
    assert [(one["terminal"], one["face"]) for one in data["terminals"]] == [("Вход", "confirmed")]
    assert "consent.recorded" in [entry["action"] for entry in data["audit"]]
    assert data["erasures"] == []


def test_answer_is_a_file_that_is_stored_nowhere(desk: Desk) -> None:
    answer = desk.client.post(f"{desk.save()}/export")

    assert answer.mimetype == "application/zip"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="employee-100222.zip"'
    assert "no-store" in answer.headers["Cache-Control"]


def test_export_is_in_the_trail(desk: Desk, app: Flask) -> None:
    export(desk, desk.save())

    (entry,) = exports(app)
    assert (entry.actor, entry.employee) == ("Анна", "100222")


def test_names_inside_are_safe_and_short(desk: Desk) -> None:
    data, files = export(desk, desk.save(department="../../etc"))

    assert all(name == f"photos/{name.removeprefix('photos/')}" and ".." not in name for name in files)
    assert data["employee"]["department"] == "../../etc"


def test_file_of_a_photo_that_is_gone_or_a_link_is_not_in_it(desk: Desk, app: Flask) -> None:
    place = desk.save()
    with app.app_context():
        (file,) = photos.folder().iterdir()
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
    desk.client.post("/employees/", data=typed(full_name="Ольга Ёлкина"))
    with desk.client.application.app_context():
        olga = employees.by_number("100222")
        assert olga is not None
        place = f"/employees/{olga.id}"

    data, files = export(desk, place)

    assert files == {}
    assert (data["captures"], data["erasures"], data["consent"]) == ([], [], None)
    assert not {"consent.recorded", "employee.erased"} & {entry["action"] for entry in data["audit"]}


def test_erasure_of_the_same_person_who_came_back_is_in_it(desk: Desk) -> None:
    desk.client.post(f"{desk.save()}/erase")
    desk.run_jobs()

    data, _ = export(desk, desk.save())

    assert [one["name"] for one in data["erasures"]] == ["Иван Иванов"]


@pytest.mark.parametrize(("role", "confirmed"), [(OPERATOR, True), (ADMIN, False)])
def test_others_and_an_unconfirmed_administrator_get_nothing(app: Flask, role: str, confirmed: bool) -> None:
    with app.app_context():
        employee = employees.save(Draft("100222", "Иван Иванов"))

    answer = client_of(app, role, confirmed=confirmed).post(f"/employees/{employee.id}/export")

    assert answer.status_code == 403
    assert exports(app) == []


def test_link_alone_exports_nothing(desk: Desk, app: Flask) -> None:
    assert desk.client.get(f"{desk.save()}/export").status_code == 405
    assert desk.client.post("/employees/9/export").status_code == 404
    assert exports(app) == []
