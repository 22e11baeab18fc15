"""A moment's trouble with a terminal stops nothing for ever; a refused password is never sent again by itself."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from unittest.mock import Mock

import pytest
import requests
from flask import Flask
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from hikflask.extensions import db
from hikflask.isapi.errors import CertificateChanged, TerminalError, WrongPassword
from hikflask.models import Enrolment, Terminal
from hikflask.models.enrolment import CONFIRMED, PENDING
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.errors import LoginStopped, ServiceError
from hikflask.services.employees.lifecycle import send_to_terminal, set_active
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.terminals import checks, connection, leases, recovery, registry
from hikflask.services.terminals.checks import ask_status
from hikflask.services.terminals.registry import Access
from hikflask.simulator import Terminal as Simulated
from tests.conftest import PASSWORD
from tests.support.due import claim_due
from tests.support.enrolments import desire, employee_of
from tests.support.wire import InProcess, _response

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]

Answer = Callable[[requests.PreparedRequest], requests.Response]
Stranger = Callable[[Answer], AbstractContextManager[None]]
CHALLENGE = {"WWW-Authenticate": 'Digest realm="x", nonce="a", qop="auth"'}


def other_certificate(request: requests.PreparedRequest) -> requests.Response:
    raise requests.exceptions.SSLError(request=request)


def no_password_will_do(request: requests.PreparedRequest) -> requests.Response:
    return _response(request, 401, CHALLENGE, b"")


@contextmanager
def nobody_writes_enrolments() -> Iterator[None]:
    """Within the block the database refuses each change of an enrolment, as when its table is locked."""

    def refuse(*about: object) -> None:
        if str(about[2]).startswith("UPDATE enrolment"):
            raise OperationalError("UPDATE", {}, Exception("locked"))

    event.listen(db.engine, "before_cursor_execute", refuse)
    yield
    event.remove(db.engine, "before_cursor_execute", refuse)


def nobody(request: requests.PreparedRequest) -> requests.Response:
    raise requests.ConnectionError(request=request)


@pytest.fixture
def stranger(wire: InProcess, monkeypatch: pytest.MonkeyPatch) -> Stranger:
    """Within its block something else answers in the terminal's place."""

    @contextmanager
    def answers(answer: Answer) -> Iterator[None]:
        with monkeypatch.context() as patched:
            patched.setattr(wire, "send", lambda request, **_: answer(request))
            yield

    return answers


@pytest.fixture
def leaving(terminal: Terminal) -> Enrolment:
    """Somebody who is on the terminal, and just left."""
    there = desire(terminal)
    reconcile(there.id, "test")
    set_active(employee_of(there), active=False)
    return queries.get_one(there.id)


def fail(enrolment: Enrolment) -> TerminalError | ServiceError:
    with pytest.raises((TerminalError, ServiceError)) as caught:
        reconcile(enrolment.id, "test")
    assert isinstance(caught.value, TerminalError | ServiceError)
    return caught.value


def let_the_quiet_pass() -> None:
    db.session.execute(db.update(Terminal).values(backoff_until=None))
    db.session.commit()


def seconds_until_tried(enrolment: Enrolment) -> float:
    found = queries.get_one(enrolment.id).next_attempt_at
    assert found is not None
    return (found - datetime.now(UTC)) / timedelta(seconds=1)


def test_removal_goes_on_when_the_own_certificate_is_back(
    simulator: Simulated, terminal: Terminal, leaving: Enrolment, stranger: Stranger
) -> None:
    with stranger(other_certificate):
        assert isinstance(fail(leaving), CertificateChanged)

    checks.check(terminal.id, "test")

    assert claim_due() == [leaving.id]
    assert reconcile(leaving.id, "sweep").person == CONFIRMED
    assert simulator.people == {}


def test_other_certificate_is_looked_at_again_after_a_long_while(
    app: Flask, leaving: Enrolment, stranger: Stranger
) -> None:
    with stranger(other_certificate):
        fail(leaving)
        let_the_quiet_pass()

        assert claim_due() == []
        assert app.config["RETRY_MAX"] - 60 < seconds_until_tried(leaving) <= app.config["RETRY_MAX"]


def test_removal_that_waits_for_a_terminal_is_due_once_that_answers_again(
    terminal: Terminal, leaving: Enrolment, stranger: Stranger
) -> None:
    with stranger(nobody):
        for _ in range(6):
            fail(leaving)
    assert seconds_until_tried(leaving) > 60

    assert ask_status(terminal.id, "test").reachable

    assert claim_due() == [leaving.id]


def test_terminal_is_given_back_though_resuming_what_waits_there_fails(
    terminal: Terminal, leaving: Enrolment, stranger: Stranger
) -> None:
    with stranger(nobody):
        fail(leaving)

    with nobody_writes_enrolments(), pytest.raises(OperationalError):
        checks.check(terminal.id, "test")

    assert leases.acquire(terminal.id, "somebody else", "check", 1.0)
    assert connection.get_terminal(terminal.id).reachable


def test_refused_password_is_never_sent_again_by_itself(
    terminal: Terminal, leaving: Enrolment, stranger: Stranger
) -> None:
    with stranger(no_password_will_do):
        assert isinstance(fail(leaving), WrongPassword)

    let_the_quiet_pass()
    with pytest.raises(LoginStopped):
        checks.check(terminal.id, "test")
    ask_status(terminal.id, "test")
    assert isinstance(fail(leaving), LoginStopped)

    assert queries.get_one(leaving.id).next_attempt_at is None
    assert claim_due() == []


def test_removal_goes_on_when_the_password_does_after_all(
    simulator: Simulated, terminal: Terminal, leaving: Enrolment, stranger: Stranger
) -> None:
    with stranger(no_password_will_do):
        fail(leaving)
    assert registry.allow_once(terminal.id)
    assert claim_due() == []

    checks.check(terminal.id, "test")

    assert claim_due() == [leaving.id]
    assert reconcile(leaving.id, "sweep").person == CONFIRMED
    assert simulator.people == {}


def test_removal_goes_on_though_the_process_died_once_the_password_was_corrected(
    simulator: Simulated,
    terminal: Terminal,
    leaving: Enrolment,
    stranger: Stranger,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with stranger(no_password_will_do):
        fail(leaving)
    let_the_quiet_pass()
    corrected = Access(terminal.name, terminal.url, terminal.username, PASSWORD)

    with monkeypatch.context() as killed:
        killed.setattr(leases.Lease, "release", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            registry.change(terminal.id, corrected, "Анна")
    db.session.execute(db.update(Terminal).values(lease_until=None))  # It is over after a while.
    db.session.commit()

    assert claim_due() == [leaving.id]
    assert reconcile(leaving.id, "sweep").person == CONFIRMED
    assert simulator.people == {}


def test_who_is_there_without_a_face_is_not_sent_again_for_a_trouble_of_others(
    terminal: Terminal, stranger: Stranger
) -> None:
    faceless = send_to_terminal(save_employee(Draft("100333", "Ольга Ёлкина")).row.id, terminal.id).row
    assert reconcile(faceless.id, "test").face == PENDING
    with stranger(nobody), pytest.raises(TerminalError):
        checks.check(terminal.id, "test")

    checks.check(terminal.id, "test")

    assert claim_due() == []


def test_terminal_that_was_well_makes_nothing_due(terminal: Terminal, leaving: Enrolment) -> None:
    db.session.execute(db.update(Enrolment).values(next_attempt_at=None))
    db.session.commit()

    checks.check(terminal.id, "test")

    assert queries.get_one(leaving.id).next_attempt_at is None


def test_employees_are_locked_before_the_enrolments_that_get_a_photo(terminal: Terminal, leaving: Enrolment) -> None:  # noqa: ARG001
    asked: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        asked.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    recovery.bring_photos(terminal.id)
    event.remove(db.engine, "before_cursor_execute", note)

    assert [" ".join(one.split()[:2]) for one in asked] == [
        "SELECT employee.id",
        "SELECT enrolment.id",
        "UPDATE enrolment",
    ]
