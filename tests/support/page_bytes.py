"""How much a browser loads for a page with many faces, once it has the styles and scripts, which it keeps."""

import re
from functools import cache
from pathlib import Path

from flask import Flask, current_app
from flask.testing import FlaskClient

from hikflask.extensions import db
from hikflask.models import Employee, Photo
from hikflask.services.core.db import transaction
from tests.support import drawn_faces

PICTURE = re.compile(r'<img[^>]* src="(/(?:uploads|passages)/[^"]+)"')


@cache
def camera_picture() -> bytes:
    """A picture of some 150 KB, as terminals take it."""
    return drawn_faces.jpeg(drawn_faces.grainy(drawn_faces.portrait()), 78)


def add_people_with_photos(app: Flask, departments: list[str]) -> list[int]:
    """Add an employee with a photo to each of these departments; return their ids."""
    with app.app_context(), transaction():
        people = []
        for place, department in enumerate(departments):
            photo = Photo(file=f"{place}_{place:022}.jpg", sha256="0" * 64, source="capture")
            people.append(Employee(number=f"{place}", name=f"Иван {place}", department=department, photo=photo))
            (Path(current_app.config["UPLOADS"]) / photo.file).write_bytes(camera_picture())
        db.session.add_all(people)
        db.session.flush()
        return [person.id for person in people]


def loaded_for(client: FlaskClient, address: str) -> tuple[int, int]:
    """Return how many bytes a page and all pictures that it names have, and how many pictures there are."""
    page = client.get(address)
    pictures = {named.replace("&amp;", "&") for named in PICTURE.findall(page.text)}
    return len(page.data) + sum(len(client.get(picture).data) for picture in pictures), len(pictures)
