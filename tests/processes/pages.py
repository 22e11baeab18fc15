"""The enrolment page as a browser without JavaScript uses it."""

from html import unescape
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

import requests

from tests.processes.processes import Served


class Sender(Protocol):
    """Who asks for pages: a session of requests that is signed in, and where the pages are."""

    url: str
    http: requests.Session


FORM = {"hikvision_id": "100222", "full_name": "Иван Иванов", "department": ""}


def page(served: Sender, address: str) -> str:
    """Return a page in English."""
    return unescape(served.http.get(address, headers={"Accept-Language": "en"}, timeout=60).text)


def page_shows(served: Served, address: str, text: str) -> bool:
    """True when the page shows the text now."""
    return text in page(served, address)


def press_capture(served: Served, own: str = "") -> str:
    """Press the capture button and return the address of the page that waits."""
    return send(served, "/captures", {**FORM, "capture_id": own})


def save(served: Served, address: str) -> str:
    """Press Save on the page of a capture and return the address of the employee's page."""
    capture = parse_qs(urlsplit(address).query)["capture"][0]
    return send(served, "/employees/", {**FORM, "capture_id": capture})


def send_everybody(served: Served, terminal_id: int) -> int:
    """Select all employees on the list, send them to a terminal, and return the id of the job."""
    draft = send(served, "/jobs/preview", {"action": "send", "all": "1"})
    return int(send(served, f"{urlsplit(draft).path}/start", {"terminal_id": str(terminal_id)}).rpartition("/")[2])


def send(served: Sender, path: str, fields: dict[str, str]) -> str:
    """Send a form and return where its answer leads."""
    data = {**fields, "csrf_token": _token(served)}
    answer = served.http.post(f"{served.url}{path}", data=data, timeout=60, allow_redirects=False)
    assert answer.status_code == 303, answer.text
    return served.url + answer.headers["Location"]


def _token(served: Sender) -> str:
    form = page(served, f"{served.url}/employees/new")
    return form.split('name="csrf_token"', 1)[1].split('value="', 1)[1].split('"', 1)[0]
