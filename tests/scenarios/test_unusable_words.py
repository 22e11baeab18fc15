"""A terminal's words hold what no database takes; what it refused is noted all the same."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

from hikflask.extensions import db
from hikflask.isapi.errors import Refused
from hikflask.models import Capture, Terminal
from hikflask.models.capture import FAILED
from hikflask.services.captures.drafts import Draft
from hikflask.services.captures.lifecycle import start_capture
from hikflask.services.captures.runner import run_capture
from hikflask.services.core.errors import NumberTakenThere, told
from hikflask.services.employees.lifecycle import set_active
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from tests.support.enrolments import desire
from tests.support.wire import InProcess, _response

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]

Say = Callable[[str, int, dict[str, Any]], None]
UNUSABLE = ["\ud800", "\x00", "\x1b", "\u0085"]


@pytest.fixture
def say(wire: InProcess, monkeypatch: pytest.MonkeyPatch) -> Say:
    """Let the terminal say so on this path from now on."""
    plain = wire.send
    said: dict[str, tuple[int, bytes]] = {}

    def send(request: requests.PreparedRequest, **options: Any) -> requests.Response:
        found = next((words for path, words in said.items() if path in str(request.url)), None)
        return _response(request, found[0], {}, found[1]) if found else plain(request, **options)

    def answer(path: str, status: int, words: dict[str, Any]) -> None:
        said[path] = status, json.dumps(words).encode()

    monkeypatch.setattr(wire, "send", send)
    return answer


def refusal(**words: str) -> dict[str, Any]:
    return {"statusCode": 6, "statusString": "x", "subStatusCode": "bad", "errorMsg": "text", **words}


@pytest.mark.parametrize("bad", UNUSABLE)
def test_refusal_is_noted(say: Say, terminal: Terminal, bad: str) -> None:
    wanted = desire(terminal)
    say("UserInfo/Record", 400, refusal(subStatusCode=f"bad{bad}", errorMsg=f"{bad}text"))

    with pytest.raises(Refused):
        reconcile(wanted.id, "test")

    row = queries.get_one(wanted.id)
    assert (told(row.refusal), row.attempts) == (("terminal:bad\ufffd", "\ufffdtext"), 1)


@pytest.mark.parametrize("bad", UNUSABLE)
def test_name_of_a_stranger_is_noted(say: Say, terminal: Terminal, bad: str) -> None:
    wanted = desire(terminal)
    found = {"totalMatches": 1, "responseStatusStrg": "OK", "UserInfo": [{"employeeNo": "100222", "name": f"A{bad}"}]}
    say("UserInfo/Record", 400, refusal(subStatusCode="employeeNoAlreadyExist"))
    say("UserInfo/Search", 200, {"UserInfoSearch": found})

    with pytest.raises(NumberTakenThere):
        reconcile(wanted.id, "test")

    assert told(queries.get_one(wanted.id).refusal)[1] == "A\ufffd"


@pytest.mark.parametrize("bad", UNUSABLE)
def test_removal_that_is_refused_comes_again_later_and_later(say: Say, terminal: Terminal, bad: str) -> None:
    wanted = desire(terminal)
    reconcile(wanted.id, "test")
    set_active(wanted.employee_id or 0, active=False)
    say("UserInfoDetail/Delete", 400, refusal(errorMsg=bad))

    for attempts in (1, 2):
        with pytest.raises(Refused):
            reconcile(wanted.id, "test")
        row = queries.get_one(wanted.id)
        assert (row.attempts, told(row.refusal)[1], row.next_attempt_at is None) == (attempts, "\ufffd", False)


@pytest.mark.parametrize("bad", UNUSABLE)
def test_capture_that_is_refused_fails_at_once(say: Say, terminal: Terminal, bad: str) -> None:
    say("CaptureFaceData", 400, refusal(subStatusCode=f"bad{bad}", errorMsg=bad))

    taken = run_capture(start_capture(terminal.id, Draft(), "Анна").id)

    assert (taken.state, told(taken.refusal)) == (FAILED, ("terminal:bad\ufffd", "\ufffd"))
    assert db.session.get_one(Capture, taken.id).state == FAILED
