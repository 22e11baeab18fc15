"""What the attacks share: an app that answers its errors, somebody with a photo, and what an upload needs."""

import io
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from hikflask.extensions import db
from hikflask.models import Employee, Photo
from hikflask.models.people import CAPTURED
from hikflask.services.photos import storage
from tests.support.captures import FACE

EVIL = "evil.example"


@pytest.fixture
def settings() -> dict[str, Any]:
    """Errors are answered, as when the app serves; a proxy in front says where requests come from."""
    return {"PROPAGATE_EXCEPTIONS": False, "TRUSTED_PROXY": "127.0.0.1"}


@pytest.fixture
def nobody(app: Flask, client: FlaskClient) -> FlaskClient:  # noqa: ARG001 - somebody must exist
    """A browser on which nobody is signed in; there is an administrator."""
    return app.test_client()


@pytest.fixture
def address(app: Flask) -> str:
    """The address of a terminal's picture, with a row, whose bytes are a polyglot."""
    with app.app_context():
        photo = storage.keep(FACE + b"<script>alert(1)</script>", "100222")
        storage.save(photo)
        db.session.add(Employee(number="100222", name="Иван Иванов", search="", photo=photo))
        db.session.commit()
        return photo.path


@pytest.fixture
def folder(app: Flask) -> Path:
    """The uploads folder."""
    return Path(app.config["UPLOADS"])


def add_photo(app: Flask, file: str) -> None:
    """Add a row for a file of this name."""
    with app.app_context():
        db.session.add(Photo(file=file, sha256="0" * 64, source=CAPTURED))
        db.session.commit()


def multipart(**form: Any) -> dict[str, Any]:
    """A form with a file as the test client posts it; encoded here, since its own way leaves a file open."""
    parts = {
        name: FileStorage(io.BytesIO(value), "face.jpg", name) if isinstance(value, bytes) else value
        for name, value in form.items()
    }
    boundary, body = encode_multipart(parts)
    return {"data": body, "content_type": f"multipart/form-data; boundary={boundary}"}


def upload(client: FlaskClient, content: bytes) -> TestResponse:
    """Give a new employee this file as a photo, over the API; return the answer."""
    number = f"U{len(client.get('/api/users/').get_json())}"
    added = client.post("/api/users/", json={"hikvision_id": number, "full_name": "Иван"}).get_json()
    return client.post(f"/api/users/{added['id']}/photo", **multipart(photo=content))
