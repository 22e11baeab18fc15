"""Very many people who are to come to terminals, each with a face of their own, written to the tables directly."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import insert, text

from hikflask.extensions import db
from hikflask.models import Employee, Enrolment, Photo
from hikflask.services.core.db import transaction
from hikflask.simulator.faces import NAMES, draw
from hikflask.text_rules import folded

FIRST = 5001


def face_of(number: int) -> bytes:
    """Return a drawn face that nobody else has: a comment in the JPEG makes it so."""
    drawn, comment = draw(NAMES[number % len(NAMES)]), f"{number:08d}".encode()
    return drawn[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + drawn[2:]


def desire_crowd(count: int, terminals: Callable[[int], Sequence[int]], *, first: int = FIRST) -> list[str]:
    """Add so many employees, desired with their faces on these terminals and due now; return their numbers.

    :param terminals: returns the ids of the terminals of the employee at this place. :param first: the first number.
    """
    uploads = Path(current_app.config["UPLOADS"])
    people: list[dict[str, Any]] = []
    photos: list[dict[str, Any]] = []
    wishes: list[dict[str, Any]] = []
    for place in range(count):
        row_id, name = first + place, f"Работник {first + place}"
        picture, file = face_of(row_id), f"{row_id}_crowd.jpg"
        (uploads / file).write_bytes(picture)
        people.append({"id": row_id, "number": str(row_id), "name": name, "search": folded(f"{name} {row_id} ")})
        sha256 = hashlib.sha256(picture).hexdigest()
        photos.append({"id": row_id, "file": file, "sha256": sha256, "source": "upload", "employee_id": row_id})
        same = {"number": str(row_id), "employee_id": row_id, "photo_id": row_id, "in_bulk": True}
        wishes += [{**same, "terminal_id": terminal_id} for terminal_id in terminals(place)]
    with transaction():
        db.session.execute(insert(Employee), people)
        db.session.execute(insert(Photo), photos)
        db.session.execute(text("UPDATE employee SET photo_id = id WHERE id IN (SELECT id FROM photo)"))
        db.session.execute(insert(Enrolment), wishes)
    return [str(person["number"]) for person in people]
