"""A terminal that answers OK and does nothing: each page says what is missing, with the next attempt."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.models import Enrolment
from tests.support.captures import OTHER_FACE
from tests.support.desk import ENGLISH, Desk, typed

OK = "ok-without-effect"
MODIFY, SET_UP, DELETE = "UserInfo/Modify", "FDSetUp", "UserInfoDetail/Delete"
LATER = datetime(2099, 11, 25, 8, 25, tzinfo=UTC)
NEXT = ("Программа повторит попытку 25 ноября 2099 г. в 11:25.", "The next try is on 25 November 2099 at 11:25.")
SAID = {
    "name_not_verified": (
        "Терминал ответил «OK», но под этим ID там другое имя: «Иван Иванов».",
        "The terminal said OK, but this ID has another name there: “Иван Иванов”.",
    ),
    "validity_not_verified": (
        "Терминал ответил «OK», но показывает другой срок доступа.",
        "The terminal said OK, but shows another validity.",
    ),
    "face_not_verified": (
        "Терминал ответил «OK», но нужного лица не показывает.",
        "The terminal said OK, but does not show the right face.",
    ),
    "removal_not_verified": (
        "Терминал ответил «OK», но сотрудник там ещё есть.",
        "The terminal said OK, but the person is still there.",
    ),
}


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"TIMEZONE": "Europe/Moscow"}


@dataclass
class Stuck:
    """The only enrolment, which the terminal answers with OK and does not do."""

    desk: Desk
    app: Flask

    def assert_said(self, code: str, *pages: str, name: str = "") -> None:
        """It comes again by itself, and each page says why it is not done, and when it is tried again, once."""
        with self.app.app_context():
            row = db.session.execute(db.select(Enrolment)).scalar_one()
            assert (row.refusal_code, row.next_attempt_at is not None) == (code, True)
            row.next_attempt_at = LATER
            db.session.commit()
        russian, english = SAID[code]
        if name:
            russian, english = (russian.replace("сотрудник", f"«{name}»"), english.replace("the person", f"“{name}”"))
        for page in pages:
            for headers, sentence, again in (({}, russian, NEXT[0]), (ENGLISH, english, NEXT[1])):
                said = re.sub("</?(?:bdi|time)[^>]*>", "", unescape(self.desk.client.get(page, headers=headers).text))
                assert f"{sentence} {again}" in said
                assert said.count(again) == 1

    def press(self, page: str, view: str) -> None:
        """Press a button of the enrolment."""
        wish = re.search(r'name="wish" value="(\d+)"', self.desk.text(page))
        self.desk.client.post(f"/enrolments/1/{view}", data={"wish": wish[1]} if wish else {})
        self.desk.run_jobs()


@pytest.fixture
def stuck(desk: Desk, app: Flask) -> Stuck:
    return Stuck(desk, app)


@pytest.mark.parametrize(
    ("changed", "code"),
    [({"full_name": "Иван Петров"}, "name_not_verified"), ({"valid_to": "2036-06-30"}, "validity_not_verified")],
)
def test_field_that_did_not_change(desk: Desk, stuck: Stuck, changed: dict[str, str], code: str) -> None:
    place = desk.save()
    desk.simulator.faults.add(OK, path=MODIFY)

    desk.client.post(place, data=typed(**changed))
    desk.run_jobs()

    stuck.assert_said(code, place)


def test_face_that_was_to_be_taken_off_and_is_still_there(desk: Desk, stuck: Stuck) -> None:
    place = desk.save()
    desk.simulator.faults.add("lost-before", path=SET_UP, times=1)
    capture_id = desk.capture(OTHER_FACE, employee_id="1")
    desk.client.post(place, data=typed(capture_id=capture_id))
    desk.run_jobs()
    desk.simulator.faults.add(OK, path="FDSearch/Delete")

    stuck.press(place, "retry")

    assert "100222" in desk.simulator.faces
    stuck.assert_said("face_not_verified", place)


@pytest.mark.parametrize(("deed", "data"), [("active", {"active": "0"}), ("erase", {})])
def test_removal_without_effect(desk: Desk, stuck: Stuck, deed: str, data: dict[str, str]) -> None:
    place = desk.save()
    desk.simulator.faults.add(OK, path=DELETE)

    leads_to = desk.client.post(f"{place}/{deed}", data=data).location
    desk.run_jobs()

    stuck.assert_said("removal_not_verified", leads_to, *(["/removals/"] if deed == "active" else []))


def test_somebody_who_was_to_be_replaced_is_named(desk: Desk, stuck: Stuck) -> None:
    desk.simulator.store.add("100222", {"name": "Чужой Человек"})
    place = desk.save()
    desk.simulator.faults.add(OK, path=DELETE)

    stuck.press(place, "replace")

    stuck.assert_said("removal_not_verified", place, name="Чужой Человек")
