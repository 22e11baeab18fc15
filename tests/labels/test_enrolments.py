"""What a page says about an enrolment on a terminal that is busy or full."""

import re
from typing import Any

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.models import Enrolment, Terminal
from hikflask.models.columns import database_now
from hikflask.models.enrolment import CONFIRMED, PENDING, REFUSED
from tests.support.desk import ENGLISH, Desk
from tests.support.refusals import refusal


def page(desk: Desk, app: Flask, **columns: Any) -> str:
    """The page of an employee whose enrolment has these columns."""
    place = desk.save()
    with app.app_context():
        db.session.execute(db.update(Terminal).values(people_capacity=3000, face_capacity=1500))
        db.session.execute(db.update(Enrolment).values(confirmed_photo_id=None, confirmed_at=None, **columns))
        db.session.commit()
    return desk.client.get(place, headers=ENGLISH).text


@pytest.mark.parametrize("code", ["devicebusy", "facedatamodeling"])
def test_busy_terminal_says_once_when_it_is_tried_again(desk: Desk, app: Flask, code: str) -> None:
    shown = page(desk, app, person=CONFIRMED, face=PENDING, refusal=refusal(code), next_attempt_at=database_now(30))

    assert "The terminal is busy. Trying again in " in shown
    assert "Try again in a moment" not in shown
    assert "The next try is" not in shown


@pytest.mark.parametrize(
    ("code", "room"),
    [
        ("deviceuserfull", 3000),
        ("userexceedlimit", 3000),
        ("devicefacefull", 1500),
        ("faceimagesnumerror", 1500),
        ("facenumfull", 1500),
    ],
)
def test_full_terminal_says_how_many_it_holds(desk: Desk, app: Flask, code: str, room: int) -> None:
    shown = page(desk, app, person=REFUSED, face=PENDING, refusal=refusal(code), next_attempt_at=None)

    says = (
        f"The terminal says that it is full, though 1 of {room} are counted on it. Check the terminal, then try again."
    )
    assert says in shown
    with app.app_context():
        db.session.execute(db.update(Terminal).values(people=room, faces=room + 1))
        db.session.commit()
    shown = desk.client.get("/employees/1", headers=ENGLISH).text
    assert f"The terminal is full ({room} of {room}). Remove leavers first." in shown


FULL = {"faces": 1500}


@pytest.mark.parametrize(
    ("code", "counted"),
    [("devicefacefull", {"faces": None}), ("facenumfull", {"faces": 3}), ("no_photo", FULL), ("file_gone", FULL)],
)
def test_full_library_of_faces_offers_no_capture(
    desk: Desk, app: Flask, code: str, counted: dict[str, int | None]
) -> None:
    page(desk, app, person=CONFIRMED, face=REFUSED, refusal=refusal(code), next_attempt_at=None)
    with app.app_context():
        db.session.execute(db.update(Terminal).values(**counted))
        db.session.commit()

    shown = desk.client.get("/employees/1", headers=ENGLISH).text

    is_less = counted["faces"] == 3
    assert ("The terminal is full (1500 of 1500). Remove leavers first." in shown) is not is_less
    assert ("The terminal says that it is full, though 3 of 1500 are counted on it." in shown) is is_less
    assert re.findall(r'id="capture-[^"]*"', shown) == []
    assert "A photo must be taken at the terminal." not in shown
    assert "no-face-capture" not in desk.client.get("/attention", headers=ENGLISH).text


def test_person_who_exceeds_the_limit_of_a_terminal_needs_no_capture(desk: Desk, app: Flask) -> None:
    shown = page(desk, app, person=CONFIRMED, face=REFUSED, refusal=refusal("userexceedlimit"), next_attempt_at=None)

    assert "The terminal says that it is full, though 1 of 3000 are counted on it." in shown
    assert re.findall(r'id="capture-[^"]*"', shown) == []
