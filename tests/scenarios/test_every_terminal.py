"""Every terminal at once: one that is off or slow delays nobody at another, and a photo reaches all that take it."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from flask import Flask
from requests.adapters import BaseAdapter

from hikflask.background import tasks
from hikflask.background.worker import Worker
from hikflask.extensions import db
from hikflask.models import Enrolment, Photo
from hikflask.services.captures.drafts import Draft
from hikflask.services.employees.lifecycle import send_to_terminal
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments import queries
from hikflask.services.terminals import checks
from tests.support.captures import FACE, IVAN, OTHER_FACE
from tests.support.employees import save_with_file
from tests.support.fleet import add_terminal, device
from tests.support.wire import InProcess

# Far less than the terminals that never answer are waited for here.
USUAL_SECONDS = 30.0


class Stuck(BaseAdapter):
    """The wire, on which some hosts do not answer before they are released: one that is off, and one that is slow."""

    def __init__(self, wire: InProcess) -> None:
        super().__init__()
        self.wire = wire
        self.stuck: set[str] = set()
        self.off: set[str] = set()
        self.released = threading.Event()

    def send(self, request: requests.PreparedRequest, *_: Any, **options: Any) -> requests.Response:
        """Answer, after the release where the host is stuck."""
        host = str(request.url).partition("://")[2].partition("/")[0]
        if host in self.stuck:
            self.released.wait(60)
        if host in self.off:
            raise requests.ConnectTimeout(request=request)
        return self.wire.send(request, **options)

    def close(self) -> None:
        """Nothing is kept open."""


@pytest.fixture
def settings() -> dict[str, object]:
    """A sweep that comes soon."""
    return {"SWEEP_INTERVAL": 0.1}


@pytest.fixture
def stuck(app: Flask, wire: InProcess) -> Stuck:
    """The wire of the app, which may be stuck."""
    found = Stuck(wire)
    app.extensions["terminal_transport"] = found
    return found


@pytest.fixture
def three(context: None, wire: InProcess, stuck: Stuck) -> dict[str, int]:  # noqa: ARG001
    """The ids of a terminal that goes off, of one that becomes slow, and of a good one, by host."""
    return {host: add_terminal(wire, host, host, device(serial=host)).id for host in ("off", "slow", "good")}


@pytest.fixture
def worker(app: Flask, three: dict[str, int]) -> Iterator[Worker]:  # noqa: ARG001
    """The threads of a worker."""
    started = Worker(app)
    started.start()
    yield started
    app.extensions["terminal_transport"].released.set()
    started.stop()


def confirmed_at(terminal_id: int) -> set[str]:
    db.session.rollback()
    rows = db.session.execute(db.select(Enrolment).where(Enrolment.terminal_id == terminal_id)).scalars().all()
    found = {one.number for one in rows if one.is_confirmed}
    db.session.commit()
    return found


def wait_for(terminal_id: int, numbers: set[str]) -> None:
    give_up = time.monotonic() + USUAL_SECONDS
    while confirmed_at(terminal_id) != numbers:
        assert time.monotonic() < give_up, confirmed_at(terminal_id)
        time.sleep(0.02)


@pytest.mark.usefixtures("worker")
def test_good_terminal_confirms_everybody_while_two_others_do_not_answer(three: dict[str, int], stuck: Stuck) -> None:
    stuck.stuck, stuck.off = {"off", "slow"}, {"off"}
    drafts = [Draft(f"N{number}", f"Иван {number}") for number in range(6)]

    for draft in drafts:
        employee = save_with_file(draft, three["good"], FACE)
        others = [send_to_terminal(employee.id, three[host]).row.id for host in ("off", "slow")]
        tasks.enqueue_due([*others, *(one.id for one in queries.of_number(draft.number))])

    wait_for(three["good"], {draft.number for draft in drafts})
    assert not stuck.released.is_set()
    assert confirmed_at(three["off"]) == confirmed_at(three["slow"]) == set()
    stuck.released.set()
    wait_for(three["slow"], {draft.number for draft in drafts})


@pytest.mark.usefixtures("context", "worker_alive")
def test_new_face_goes_to_every_terminal_that_takes_pictures_also_once_that_is_known(wire: InProcess) -> None:
    first = add_terminal(wire, "first.test", "Склад", device())
    later = add_terminal(wire, "later.test", "Ворота", device(serial="0000007"), check=False)
    employee = save_with_file(IVAN, first.id, FACE)
    send_to_terminal(employee.id, later.id)

    save_with_file(IVAN, None, OTHER_FACE)
    assert [wanted(one.id) == employee_photo(employee.id) for one in (first, later)] == [True, False]
    checks.check(later.id, "test")

    assert [wanted(one.id) == employee_photo(employee.id) for one in (first, later)] == [True, True]


@pytest.mark.usefixtures("context", "worker_alive")
def test_first_face_goes_to_a_terminal_of_which_nothing_is_known_yet(wire: InProcess) -> None:
    later = add_terminal(wire, "later.test", "Ворота", device(), check=False)
    employee = save_employee(IVAN).row
    send_to_terminal(employee.id, later.id)

    save_with_file(IVAN, None, FACE)

    assert wanted(later.id) == employee_photo(employee.id)


@pytest.mark.usefixtures("context", "worker_alive")
def test_photo_that_was_forgotten_is_brought_nowhere(wire: InProcess) -> None:
    later = add_terminal(wire, "later.test", "Ворота", device(), check=False)
    employee = save_with_file(IVAN, None, FACE)
    send_to_terminal(employee.id, later.id)
    nothing = {"photo_id": None}
    db.session.execute(db.update(Enrolment).values(**nothing))
    db.session.execute(db.update(Photo).values(forgotten_at=db.func.current_timestamp()))
    db.session.commit()

    checks.check(later.id, "test")

    assert wanted(later.id) is None


def wanted(terminal_id: int) -> int | None:
    found = queries.find(terminal_id, IVAN.number)
    assert found is not None
    return found.photo_id


def employee_photo(employee_id: int) -> int | None:
    query = db.text(f"SELECT photo_id FROM employee WHERE id = {int(employee_id)}")
    photo_id: int | None = db.session.execute(query).scalar_one()
    return photo_id
