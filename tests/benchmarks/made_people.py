"""Many employees at once, written to the tables directly: on the terminals, waiting, refused, left, as in real use."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, text

from hikflask.extensions import db, vault
from hikflask.models import Consent, Department, Employee, Enrolment, Photo, Terminal
from hikflask.models.employee import folded
from hikflask.models.enrolment import ABSENT, CONFIRMED, PENDING, PRESENT, REFUSED

TERMINALS = ("Проходная", "Склад", "Офис")
SURNAMES = (
    "Иванов Смирнов Кузнецов Попов Васильев Петров Соколов Михайлов Новиков Фёдоров Морозов Волков Алексеев Лебедев "
    "Семёнов Егоров Павлов Козлов Степанов Николаев Орлов Андреев Макаров Никитин Захаров Зайцев Соловьёв Борисов "
    "Яковлев Григорьев Романов Воробьёв Сергеев Кузьмин Фролов Александров Дмитриев Королёв Гусев Киселёв"
)
NAMES = "Александр Сергей Дмитрий Андрей Алексей Максим Евгений Иван Михаил Пётр Павел Роман Юрий Фёдор Глеб"
PATRONYMICS = "Александрович Сергеевич Дмитриевич Андреевич Иванович Михайлович Петрович Павлович Юрьевич"
DEPARTMENTS = [f"{kind} {number}" for kind in ("Цех", "Склад", "Отдел", "Участок") for number in range(1, 11)]
# Which share of the employees left, and of these, who has not been removed yet; which share is on no terminal.
LEFT, LEAVING, ON_NONE = 0.08, 0.02, 0.03
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ROWS = 5000
GREEN = {"person": CONFIRMED, "face": CONFIRMED, "confirmed_at": NOW, "next_attempt_at": None}
OPEN = {"person": PENDING, "face": PENDING, "confirmed_at": None, "next_attempt_at": None}
# The last enrolment of the others, by how often it is so: all the rest is green.
GONE = {**OPEN, "desired": ABSENT, "person": CONFIRMED, "confirmed_at": NOW}
NO_PHOTO = {**OPEN, "person": CONFIRMED, "refusal_code": "no_photo"}
AWAITED = {**OPEN, "next_attempt_at": NOW, "refusal_code": "unreachable"}
FACE_REFUSED = {**OPEN, "person": CONFIRMED, "face": REFUSED, "refusal_code": "lowScore"}
STATES = [(GREEN, 0.975), (NO_PHOTO, 0.01), (AWAITED, 0.01), (FACE_REFUSED, 0.005)]


def fill(count: int) -> None:
    """Add three terminals and so many employees with photos, enrolments and consents; always the same ones."""
    chance = random.Random(count)  # noqa: S311 - the same people each time
    access = {"username": "admin", "password_encrypted": vault.encrypt(""), "face_mode": "picture"}
    for number, name in enumerate(TERMINALS, 1):
        db.session.add(Terminal(id=number, name=name, url=f"http://10.0.0.{number}", **access))
    db.session.add_all([Department(name=name) for name in DEPARTMENTS])
    db.session.flush()
    for first in range(1, count + 1, ROWS):
        _add(range(first, min(first + ROWS, count + 1)), chance)
    db.session.execute(text("UPDATE employee SET photo_id = id WHERE id IN (SELECT id FROM photo)"))
    db.session.commit()


def who(count: int) -> Iterator[tuple[str, str]]:
    """Yield name and department of so many people; always the same ones."""
    chance = random.Random(count)  # noqa: S311 - the same people each time
    for _ in range(count):
        yield _name(chance), chance.choice(DEPARTMENTS)


def _name(chance: random.Random) -> str:
    return " ".join(chance.choice(words.split()) for words in (SURNAMES, NAMES, PATRONYMICS))


def _add(ids: range, chance: random.Random) -> None:
    employees, photos, enrolments, consents = [], [], [], []
    for number in ids:
        states = _states(chance)
        active, has_face = states is not None, states is None or any(state is not NO_PHOTO for state in states)
        employees.append(_employee(number, active, chance))
        if has_face:
            photo = {"file": f"{number}.jpg", "sha256": f"{number:064x}", "source": "capture", "employee_id": number}
            photos.append({"id": number, **photo})
        for terminal, state in enumerate(states if states is not None else _removals(chance), 1):
            enrolments.append(_enrolment(number, terminal, state))
        if chance.random() < 0.7:
            consents.append({"employee_id": number, "given_on": NOW.date(), "recorded_by": "Анна"})
    for model, rows in ((Employee, employees), (Photo, photos), (Enrolment, enrolments), (Consent, consents)):
        if rows:
            db.session.execute(insert(model.__table__), rows)
    db.session.commit()


def _employee(number: int, active: bool, chance: random.Random) -> dict[str, Any]:
    name = _name(chance)
    department, code = chance.choice(DEPARTMENTS), f"{100000 + number}"
    added = NOW + timedelta(minutes=number)
    left = {"is_active": active, "left_at": None if active else added}
    about = {"number": code, "name": name, "department": department, "search": folded(f"{name} {code} {department}")}
    return {"id": number, **about, **left, "created_at": added}


def _states(chance: random.Random) -> list[dict[str, Any]] | None:
    """Return the columns of somebody's enrolments, or None for one who left."""
    drawn, on = chance.random(), chance.randint(1, len(TERMINALS))
    if drawn < LEFT:
        return None
    if drawn < LEFT + ON_NONE:
        return []
    (last,) = chance.choices(*zip(*STATES, strict=True))
    return [last] if last is NO_PHOTO else [*[GREEN] * (on - 1), last]


def _removals(chance: random.Random) -> list[dict[str, Any]]:
    open_still = chance.random() < LEAVING
    return [{**OPEN, "desired": ABSENT, "next_attempt_at": NOW} if open_still else GONE]


def _enrolment(number: int, terminal: int, state: dict[str, Any]) -> dict[str, Any]:
    photo = None if state is NO_PHOTO or "desired" in state else number
    row = {"terminal_id": terminal, "employee_id": number, "number": f"{100000 + number}", "desired": PRESENT}
    confirmed = photo if state is GREEN else None
    return {"refusal_code": "", **row, "photo_id": photo, "confirmed_photo_id": confirmed, **state}
