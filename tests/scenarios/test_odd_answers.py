"""A terminal that answers oddly: nothing is taken for proven by it, and all comes right once it answers well."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests
from sqlalchemy import update

from hikflask.extensions import db
from hikflask.isapi.errors import Refused
from hikflask.models import Enrolment, Terminal
from hikflask.models.enrolment import CONFIRMED, PENDING, REFUSED
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.errors import CaptureSuperseded, NumberTakenThere, ServiceError
from hikflask.services.employees.lifecycle import set_active
from hikflask.services.enrolments import desired, queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.terminals import checks
from hikflask.services.terminals.checks import ask_status
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.faces import NAMES, draw
from tests.support.captures import IVAN
from tests.support.employees import save_with_face
from tests.support.wire import InProcess, _response

pytestmark = pytest.mark.usefixtures("context", "worker_alive")

OK = b'{"statusCode":1,"statusString":"OK","subStatusCode":"ok"}'
OLGA = Draft("100333", "Ольга Петрова")
SEARCH, DELETE, SET_UP = "UserInfo/Search", "UserInfoDetail/Delete?", "FDSetUp"
ENROLLED = "LOCALS/pic/enrlFace"
OPTIONAL = ("CaptureFaceData/capabilities", "UserInfo/capabilities", "FDLib/capabilities", "UserInfo/Count")


class Oddly:
    """Between app and terminal: says OK to what it does not pass on, spoils who is found, and turns statuses."""

    def __init__(self, wire: InProcess) -> None:
        self._plain = wire.send
        self.swallowed = ""
        self.spoilt: dict[str, Any] = {}
        self.statuses: dict[str, int] = {}
        self.bodies: dict[str, Callable[[bytes], bytes]] = {}

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Answer one request."""
        if self.swallowed and self.swallowed in str(request.url) and "Authorization" in request.headers:
            return _response(request, 200, {}, OK)
        response = self._plain(request, **options)
        for path, status in self.statuses.items():
            if path in str(request.url) and response.status_code == 200:
                return _response(request, status, {}, response.content)
        for path, changed in self.bodies.items():
            if path in str(request.url) and response.status_code == 200:
                return _response(request, 200, {}, changed(response.content))
        if not self.spoilt or SEARCH not in str(request.url) or response.status_code != 200:
            return response
        words = json.loads(response.content)
        for person in words["UserInfoSearch"].get("UserInfo", []):
            person.update(self.spoilt)
        return _response(request, 200, {}, json.dumps(words).encode())

    def be_well(self) -> None:
        """Answer as the terminal does."""
        self.swallowed, self.spoilt, self.statuses, self.bodies = "", {}, {}, {}


@pytest.fixture
def oddly(wire: InProcess, monkeypatch: pytest.MonkeyPatch) -> Oddly:
    between = Oddly(wire)
    monkeypatch.setattr(wire, "send", between.send)
    return between


@pytest.fixture
def wish(simulator: Simulated, terminal: Terminal) -> Enrolment:
    """Somebody with a face, who is not on the terminal yet."""
    save_with_face(simulator, terminal)
    return queries.of_number("100222")[0]


def settled(enrolment: Enrolment, code: str = "", error: type[Exception] = ServiceError) -> Enrolment:
    with pytest.raises(error, match=f"^{code}"):
        reconcile(enrolment.id, "test")
    return queries.get_one(enrolment.id)


NO_NUMBERS: list[Any] = [["100222"], {"value": "100222"}, 100222.0, True, "\x00"]
PADDED: list[Any] = [100222, "100222 ", "100222\x00\x00"]


@pytest.mark.parametrize(
    ("number", "code"),
    [*((odd, "removal_not_shown") for odd in NO_NUMBERS), *((odd, "removal_not_verified") for odd in PADDED)],
)
def test_who_is_listed_with_an_odd_number_is_not_gone(
    simulator: Simulated, wish: Enrolment, oddly: Oddly, number: Any, code: str
) -> None:
    reconcile(wish.id, "test")
    set_active(wish.employee_id or 0, active=False)
    oddly.swallowed, oddly.spoilt = DELETE, {"employeeNo": number}

    left = settled(wish, code)

    assert left.is_leaving
    assert left.next_attempt_at is not None
    oddly.be_well()
    assert reconcile(wish.id, "test").is_confirmed
    assert simulator.people == {}


@pytest.mark.parametrize("faces", [-1, "-1", True, [1], "many"])
def test_face_that_is_oddly_counted_is_not_proven(
    simulator: Simulated, wish: Enrolment, oddly: Oddly, faces: Any
) -> None:
    oddly.swallowed, oddly.spoilt = SET_UP, {"numOfFace": faces}

    sent = settled(wish, "face_not_verified")

    assert (sent.person, sent.face) == (CONFIRMED, PENDING)
    assert sent.next_attempt_at is not None
    oddly.be_well()
    assert reconcile(wish.id, "test").is_confirmed
    assert list(simulator.faces) == ["100222"]


def test_only_so_much_of_a_strangers_name_is_passed_on(wish: Enrolment, oddly: Oddly) -> None:
    reconcile(wish.id, "test")
    desired.retry(wish.id)
    oddly.spoilt = {"name": "я" * 100_000}

    with pytest.raises(NumberTakenThere) as caught:
        reconcile(wish.id, "test")

    refusal = queries.get_one(wish.id).refusal
    assert refusal is not None
    assert caught.value.params["name"] == "я" * 255 == refusal["params"]["name"]


@pytest.mark.parametrize("status", [400, 403, 500, 503])
def test_face_that_is_refused_and_taken_in_one_is_in_doubt(wish: Enrolment, oddly: Oddly, status: int) -> None:
    oddly.statuses = {SET_UP: status}

    sent = settled(wish, error=Refused)

    assert sent.face_unverified
    assert sent.next_attempt_at is not None
    oddly.be_well()
    assert reconcile(wish.id, "test").is_confirmed


def photographed(simulator: Simulated, terminal: Terminal, draft: Draft, face: int) -> Enrolment:
    """Capture this face for the employee and save it; return what is wanted."""
    save_with_face(simulator, terminal, draft, draw(NAMES[face]))
    return queries.of_number(draft.number)[0]


@pytest.mark.parametrize("body", [b"<html/>", b'{"something":{}}', b"[]", b""])
def test_optional_call_with_an_answer_that_nobody_understands_stops_nothing(
    simulator: Simulated, terminal: Terminal, oddly: Oddly, body: bytes
) -> None:
    db.session.execute(update(Terminal).values(capture_mode=None, face_mode=None, name_bytes=None))
    db.session.commit()
    oddly.bodies = dict.fromkeys(OPTIONAL, lambda _: body)

    checked = checks.check(terminal.id, "test")
    told = checked.capture_mode, checked.face_mode, checked.people, checked.face_capacity, checked.name_bytes
    status = ask_status(terminal.id, "test")
    wish = photographed(simulator, terminal, IVAN, 0)

    assert told == ("unknown", "unknown", None, None, None)
    assert (status.reachable, status.login, status.people) == (True, True, None)
    assert reconcile(wish.id, "test").is_confirmed
    assert simulator.faces["100222"].jpeg == draw(NAMES[0])


def test_enrolled_picture_that_is_not_shown_stops_no_new_face(
    simulator: Simulated, terminal: Terminal, oddly: Oddly
) -> None:
    reconcile(photographed(simulator, terminal, IVAN, 0).id, "test")
    for face, odd in enumerate((403, 500, b"<html>sign in</html>", b""), start=1):
        oddly.be_well()
        if isinstance(odd, int):
            oddly.statuses = {ENROLLED: odd}
        else:
            oddly.bodies = {ENROLLED: lambda _, body=odd: body}  # type: ignore[misc]
        wish = photographed(simulator, terminal, IVAN, face % 2)

        assert reconcile(wish.id, "test").is_confirmed
        assert simulator.faces["100222"].jpeg == draw(NAMES[face % 2])


def test_confirmed_face_stays_so_when_the_file_shows_the_next_one_and_its_own_picture_is_not_shown(
    simulator: Simulated, terminal: Terminal, oddly: Oddly
) -> None:
    oddly.statuses = {ENROLLED: 404}
    first = photographed(simulator, terminal, IVAN, 0)
    reconcile(first.id, "test")
    reconcile(photographed(simulator, terminal, OLGA, 1).id, "test")

    assert reconcile(first.id, "test", prove_again=True).is_confirmed
    assert simulator.faces["100222"].jpeg == draw(NAMES[0])

    simulator.faces.pop("100222")
    assert settled_again(first, CaptureSuperseded).face == REFUSED


def test_face_that_the_terminal_keeps_in_its_own_coding_is_proven_once_more(
    simulator: Simulated, terminal: Terminal, oddly: Oddly
) -> None:
    oddly.bodies = {ENROLLED: lambda jpeg: jpeg[:-2] + b"\x00" + jpeg[-2:]}
    wish = photographed(simulator, terminal, IVAN, 0)
    reconcile(wish.id, "test")

    assert reconcile(wish.id, "test", prove_again=True).is_confirmed
    assert simulator.faces["100222"].jpeg == draw(NAMES[0])


def settled_again(enrolment: Enrolment, error: type[Exception]) -> Enrolment:
    with pytest.raises(error):
        reconcile(enrolment.id, "test", prove_again=True)
    return queries.get_one(enrolment.id)
