"""What the page tests share: a valid employee, a captured one, and the same pages in both languages."""

import io
from collections.abc import Callable
from dataclasses import dataclass

from flask.testing import FlaskClient
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from hikflask.models import Terminal
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import FACE

ENGLISH = {"Accept-Language": "en"}
HTMX = {"HX-Request": "true"}
# A moment on a certificate, as a pattern, in English and in Russian.
ON_PAPER = r"on \d{1,2} \w+ \d{4} at \d\d:\d\d:\d\d UTC(?:[+-]\d\d:\d\d)?"
ON_RUSSIAN_PAPER = r"\d{1,2} \w+ \d{4} г\. в \d\d:\d\d:\d\d UTC(?:[+-]\d\d:\d\d)?"
# Moments on pages, as patterns: what was just now, and a time of today.
JUST_NOW = r'<time datetime="[^"]+" title="[^"]+" data-minutes="0" data-at="[^"]+">только что</time>'
TODAY = r'<time datetime="[^"]+" title="[^"]+">\d\d:\d\d</time>'


def typed(**changed: str) -> dict[str, str]:
    """A valid employee form."""
    return {"hikvision_id": "100222", "full_name": "Иван Иванов", "department": "Охрана", **changed}


@dataclass
class Desk:
    """An operator's desk: a browser without JavaScript, a terminal, and the worker."""

    client: FlaskClient
    terminal: Terminal
    simulator: Simulated
    run_jobs: Callable[[], int]

    def capture(self, face: bytes = FACE, /, **changed: str) -> str:
        """Capture a face for the form and return the capture's id."""
        self.simulator.present_alone(face)
        place = self.client.post("/captures", data=typed(**changed)).location
        self.run_jobs()
        return place.rpartition("=")[2]

    def upload(self, content: bytes, address: str = "/employees/", **changed: str) -> TestResponse:
        """Save the form with a picture file; encoded here, since the client's own way leaves a file open."""
        form = {**typed(**changed), "photo": FileStorage(io.BytesIO(content), "face.jpg", "photo")}
        boundary, body = encode_multipart(form)
        return self.client.post(address, data=body, content_type=f"multipart/form-data; boundary={boundary}")

    def save(self, **changed: str) -> str:
        """Capture, save, and let the terminal be told; return the employee's address."""
        capture_id = self.capture(**changed)
        saved = self.client.post("/employees/", data=typed(capture_id=capture_id, **changed))
        assert saved.status_code == 303, saved.text
        self.run_jobs()
        return saved.location

    def text(self, address: str) -> str:
        """The page at an address."""
        return self.client.get(address).text
