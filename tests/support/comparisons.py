"""A terminal that is compared, and people whom others wrote to it."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
import requests

from hikflask.extensions import db
from hikflask.models import Comparison, Enrolment, Job, JobItem, Terminal
from hikflask.services.captures.drafts import Draft
from hikflask.services.comparisons import plan, plan_choices, queries, reading
from hikflask.services.comparisons.apply import applying
from hikflask.services.comparisons.plan import TAKE_OVER, Choices
from hikflask.services.comparisons.take_over import Confirmed, taking_over
from hikflask.services.core.db import transaction
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments import mass_removals
from hikflask.services.enrolments.desired import desire_present
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.photos import storage
from hikflask.services.terminals.connection import get_terminal
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import FACE, IVAN
from tests.support.jobs import looked_again, run
from tests.support.wire import InProcess, _response

LONG = 60.0
SHOWN_NUMBER = re.compile(r'("employeeNo": ")0*([^"]*)')


def compare(terminal: Terminal, by: str = "Анна") -> Comparison:
    """Read the terminal to its end in one slice after another, and return the finished comparison."""
    comparison_id = reading.start(terminal.id, by).id
    while reading.read_slice(comparison_id, by, LONG):
        pass
    return queries.get_comparison(comparison_id)


def differences(comparison: Comparison) -> dict[str, list[str]]:
    """The kinds that have differences, with their numbers."""
    return {kind: listed for kind, listed in queries.numbers(comparison).items() if listed}


def take_over(terminal_id: int, number: str, name_seen: str, **confirmed: Any) -> Enrolment:
    """Take somebody over, as Anna who confirmed that."""
    with taking_over(terminal_id, number, name_seen, "Анна", Confirmed(**confirmed)) as taken, transaction():
        return taken().enrolment


def carry_out(item: JobItem, params: Mapping[str, Any]) -> Enrolment | None:
    """Do an item of a plan, as its job does."""
    with applying(item, params) as done, transaction():
        return next(iter(done()), None)


def strangers(simulator: Simulated, numbers: Iterable[str], faces: Iterable[bytes] = ()) -> None:
    """Let other software write people to the terminal, the first of them with these faces."""
    pictures = iter(faces)
    for number in numbers:
        simulator.store.add(number, {"name": f"Гость {number}"})
        if picture := next(pictures, None):
            simulator.store.bind(number, picture)


def last_row_again(
    simulator: Simulated, wire: InProcess, monkeypatch: pytest.MonkeyPatch, *, without: str = ""
) -> None:
    """A firmware that gives its last row for each position after it, and leaves somebody out."""
    plain = wire.send
    last = len(simulator.people) - 1 - bool(without)

    def send(request: requests.PreparedRequest, **options: Any) -> requests.Response:
        words = json.loads(request.body or b"{}") if "UserInfo/Search" in str(request.url) else {}
        condition = words.get("UserInfoSearchCond", {})
        if not condition or "EmployeeNoList" in condition:
            return plain(request, **options)
        condition["searchResultPosition"] = min(condition["searchResultPosition"], last)
        request.body = json.dumps(words).encode()
        response = plain(request, **options)
        if response.status_code != 200:
            return response
        said = json.loads(response.content)["UserInfoSearch"]
        people = [person for person in said["UserInfo"] if person["employeeNo"] != without]
        said |= {"UserInfo": people, "totalMatches": len(people)}
        return _response(request, 200, {}, json.dumps({"UserInfoSearch": said}).encode())

    monkeypatch.setattr(wire, "send", send)


def show_numbers_otherwise(wire: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """A firmware that shows numbers without leading zeros and in upper case."""
    plain = wire.send

    def send(request: requests.PreparedRequest, **options: Any) -> requests.Response:
        response = plain(request, **options)
        if "UserInfo/Search" not in str(request.url) or response.status_code != 200:
            return response
        said = json.dumps(json.loads(response.content), ensure_ascii=False)
        shown = SHOWN_NUMBER.sub(lambda match: match[1] + match[2].upper(), said)
        return _response(request, 200, {}, shown.encode())

    monkeypatch.setattr(wire, "send", send)


def limit_there(simulator: Simulated, number: str, end: str, begin: str = "2000-01-01T00:00:00") -> None:
    """Let other software limit somebody on the terminal."""
    simulator.people[number]["Valid"] = {"enable": True, "beginTime": begin, "endTime": end, "timeType": "local"}


def desire_with_photo(terminal: Terminal, draft: Draft = IVAN, face: bytes = FACE) -> Enrolment:
    """Save somebody with a photo that is on the terminal's side of all checks, and desire both there."""
    employee = save_employee(draft).row
    photo = storage.keep(face, draft.number)
    storage.save(photo)
    photo.employee_id, employee.photo_id = employee.id, photo.id
    enrolment = desire_present(get_terminal(terminal.id), employee, photo)
    db.session.commit()
    return enrolment


def enrol_with_photo(terminal: Terminal, draft: Draft = IVAN, face: bytes = FACE) -> Enrolment:
    """Save somebody with a photo, and bring both to a terminal that takes pictures."""
    return reconcile(desire_with_photo(terminal, draft, face).id, "Анна")


def people_kept() -> int:
    """How many people comparisons hold."""
    number: int = db.session.execute(db.text("SELECT count(*) FROM person_there")).scalar_one()
    return number


def taken_over(terminal: Terminal, *numbers: str, **choices: Any) -> Job:
    """Take these people over by a plan, as an administrator."""
    chosen = Choices(dict.fromkeys(numbers, TAKE_OVER), **choices)
    made = plan.make(compare(terminal), chosen)
    claim = plan_choices.begin(made, mass_removals.Confirmation(made.losses.people, by_admin=True))
    run(claim)
    due = db.session.execute(db.select(Enrolment.id).where(Enrolment.next_attempt_at.is_not(None))).scalars().all()
    db.session.commit()
    for enrolment_id in due:
        reconcile(enrolment_id, "Анна")
    return looked_again(claim)
