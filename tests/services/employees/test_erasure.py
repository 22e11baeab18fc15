"""Erasing a person everywhere: nothing is left here, and the certificate waits for every terminal."""

import io
import threading
from contextlib import suppress
from typing import Any

import pytest
import requests
from flask import Flask
from urllib3 import HTTPResponse

from hikflask.background import tasks
from hikflask.extensions import db
from hikflask.isapi.errors import TerminalError
from hikflask.models import AuditEntry, Capture, Consent, Employee, Enrolment, Erasure, Photo, Terminal
from hikflask.services import audit
from hikflask.services.audit import Actor
from hikflask.services.captures import drafts, runner
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.errors import EmployeeUnknown, NumberTakenThere, ServiceError
from hikflask.services.employees import save
from hikflask.services.employees.erasure import erase_by_number, erase_employee
from hikflask.services.employees.save import FaceSource
from hikflask.services.enrolments import desired, manual_removal, reconcile
from hikflask.services.photos import storage
from hikflask.services.privacy import certificates
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.faces import NAMES, draw
from tests.conftest import NobodyComes
from tests.support.wire import InProcess

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]

IVAN = Draft("100222", "Иван Иванов", "Охрана", consent=True)
OLGA = Draft("100333", "Ольга Ёлкина")
FACE, OTHER_FACE = (draw(name) for name in NAMES[:2])


def take(simulator: Simulated, terminal: Terminal, draft: Draft, face: bytes = FACE) -> Capture:
    simulator.present_alone(face)
    return runner.run(runner.start(terminal.id, draft, "Анна", take_over=True).id)


def enrol(simulator: Simulated, terminal: Terminal, draft: Draft = IVAN, face: bytes = FACE) -> Employee:
    taken = take(simulator, terminal, draft, face)
    employee = save.save(draft, FaceSource(taken.id, taken.requested_by))
    for enrolment in desired.of_number(draft.number):
        reconcile.settle(enrolment.id, "Анна")
    return employee


def settle_all() -> None:
    for enrolment in desired.open_removals():
        with suppress(TerminalError, ServiceError):
            reconcile.settle(enrolment.id, "test")


def count(kind: Any) -> int:
    return int(db.session.execute(db.select(db.func.count()).select_from(kind)).scalar_one())


def trail(action: str) -> list[AuditEntry]:
    return list(db.session.execute(db.select(AuditEntry).where(AuditEntry.action == action)).scalars())


def files() -> list[str]:
    return sorted(path.name for path in storage.folder().iterdir())


def fresh(erasure: Erasure) -> Erasure:
    return db.session.get_one(Erasure, erasure.id, populate_existing=True)


def every_text() -> str:
    """All that the database holds, save what the certificate says that it keeps."""
    tables = [table for table in db.metadata.sorted_tables if table.name not in {"erasure", "audit"}]
    return "\n".join(str(tuple(row)) for table in tables for row in db.session.execute(table.select()))


def test_nothing_of_the_person_is_left_once_the_terminal_confirmed(simulator: Simulated, terminal: Terminal) -> None:
    ivan = enrol(simulator, terminal)
    save.save(IVAN, FaceSource(upload=io.BytesIO(OTHER_FACE)), employee_id=ivan.id)
    take(simulator, terminal, IVAN)

    erasure = erase_employee(ivan.id)
    settle_all()

    assert certificates.complete(erasure.id).completed_at is not None
    assert (count(Employee), count(Photo), count(Consent), count(Capture), count(Enrolment)) == (0, 0, 0, 0, 0)
    assert files() == []
    assert simulator.people == {}
    assert "Иван" not in every_text()
    assert (erasure.number, erasure.name, erasure.photos) == ("100222", "Иван Иванов", 3)


def test_erasure_is_open_until_the_terminal_confirmed(
    simulator: Simulated, terminal: Terminal, wire: InProcess
) -> None:
    ivan = enrol(simulator, terminal)
    wire.away.add("terminal.test")

    erasure = erase_employee(ivan.id)
    settle_all()

    assert certificates.complete(erasure.id).completed_at is None
    (removal,) = erasure.removals
    assert (removal.terminal, removal.number, removal.gone_at) == ("Вход", "100222", None)

    wire.away.clear()
    settle_all()

    assert fresh(erasure).completed_at is None
    (removal,) = fresh(erasure).removals
    assert removal.gone_at is not None
    assert removal.confirmed_by == ""
    assert certificates.complete(erasure.id).completed_at is not None


def test_sweep_completes_what_the_last_terminal_confirmed(simulator: Simulated, terminal: Terminal) -> None:
    erasure = erase_employee(enrol(simulator, terminal).id)
    settle_all()

    tasks.sweep()

    assert fresh(erasure).completed_at is not None


def test_completing_again_changes_nothing_and_writes_one_entry(simulator: Simulated, terminal: Terminal) -> None:
    erasure = erase_employee(enrol(simulator, terminal).id)
    settle_all()
    first = certificates.complete(erasure.id).completed_at

    certificates.complete_all()

    assert certificates.complete(erasure.id).completed_at == first
    assert len(trail("erasure.completed")) == 1


def test_trail_has_the_number_and_never_the_name(simulator: Simulated, terminal: Terminal) -> None:
    erasure = erase_employee(enrol(simulator, terminal).id)
    settle_all()
    certificates.complete(erasure.id)

    entries = trail("employee.erased") + trail("erasure.completed")
    assert [entry.employee for entry in entries] == ["100222", "100222"]
    assert all("Иван" not in f"{entry.subject}{entry.before}{entry.after}" for entry in entries)


def test_somebody_on_no_terminal_is_erased_at_once() -> None:
    ivan = save.save(IVAN, FaceSource(upload=io.BytesIO(FACE)))

    erasure = erase_employee(ivan.id)

    assert erasure.completed_at is not None
    assert erasure.removals == []
    assert files() == []


def test_file_that_cannot_be_removed_keeps_the_erasure_open() -> None:
    ivan = save.save(IVAN, FaceSource(upload=io.BytesIO(FACE)))
    (name,) = files()
    stuck = storage.folder() / name
    stuck.unlink()
    stuck.mkdir()

    erase_employee(ivan.id)
    certificates.complete_all()

    (erasure,), _ = certificates.list_page(10)
    assert (count(Employee), erasure.completed_at) == (0, None)

    stuck.rmdir()
    certificates.complete_all()

    assert fresh(erasure).completed_at is not None


def test_others_keep_what_is_theirs(simulator: Simulated, terminal: Terminal) -> None:
    olga = enrol(simulator, terminal, OLGA, OTHER_FACE)
    ivan = enrol(simulator, terminal)

    erase_employee(ivan.id)
    settle_all()

    kept = save.get(olga.id)
    assert kept is not None
    assert kept.photo is not None
    assert files() == [kept.photo.file]
    assert set(simulator.people) == {"100333"}
    assert count(Capture) == 1


def test_what_is_typed_into_a_capture_after_its_erasure_is_not_kept_with_it(terminal: Terminal) -> None:
    ivan = save.save(IVAN)
    running = runner.start(terminal.id, IVAN, "Анна")
    assert erase_employee(ivan.id).completed_at is not None

    drafts.keep(running.id, IVAN, "Анна")

    assert "Иван" not in every_text()


@pytest.mark.parametrize("cancelled", [False, True])
def test_what_is_typed_after_a_capture_ended_is_kept_with_it(
    terminal: Terminal, cancelled: bool, nobody_comes: NobodyComes
) -> None:
    with nobody_comes():
        ended = runner.start(terminal.id, IVAN, "Анна")
        if cancelled:
            runner.cancel(ended.id)
        runner.run(ended.id)

    drafts.keep(ended.id, OLGA, "Анна")

    assert runner.view(ended.id).capture.draft_name == OLGA.name


def test_removal_that_was_confirmed_before_is_on_the_certificate_with_its_own_time(
    simulator: Simulated, terminal: Terminal
) -> None:
    ivan = enrol(simulator, terminal)
    save.set_active(ivan.id, active=False)
    settle_all()
    confirmed_at = desired.of_number("100222")[0].confirmed_at

    erasure = erase_employee(ivan.id)

    (removal,) = erasure.removals
    assert removal.gone_at == confirmed_at
    assert erasure.completed_at is not None


def test_former_number_is_awaited_too(simulator: Simulated, terminal: Terminal, wire: InProcess) -> None:
    ivan = enrol(simulator, terminal)
    taken = take(simulator, terminal, Draft("100555", "Иван Иванов"))
    wire.away.add("terminal.test")
    save.save(Draft("100555", "Иван Иванов"), FaceSource(taken.id, taken.requested_by), employee_id=ivan.id)

    erasure = erase_employee(ivan.id)

    assert {removal.number for removal in erasure.removals} == {"100222", "100555"}
    wire.away.clear()
    settle_all()
    assert certificates.complete(erasure.id).completed_at is not None
    assert simulator.people == {}
    assert count(Enrolment) == 0


def test_removal_by_hand_is_named_as_such(simulator: Simulated, terminal: Terminal, wire: InProcess) -> None:
    ivan = enrol(simulator, terminal)
    wire.away.add("terminal.test")
    erasure = erase_employee(ivan.id)
    wire.away.clear()
    (enrolment,) = desired.open_removals()
    db.session.execute(db.update(Enrolment).values(on_old_device=True, written_name=""))
    db.session.commit()

    manual_removal.end_by_hand(enrolment.id, enrolment.generation)

    (removal,) = certificates.complete(erasure.id).removals
    assert removal.confirmed_by == "worker"
    assert fresh(erasure).completed_at is not None


def test_who_was_entered_at_the_terminal_by_hand_keeps_the_erasure_open_until_a_person_says_who_that_is(
    simulator: Simulated, terminal: Terminal
) -> None:
    simulator.register.add("100222", {"name": "Ivanov I.I."})
    with pytest.raises(NumberTakenThere):
        enrol(simulator, terminal)
    (ivan,) = db.session.query(Employee)
    erasure = erase_employee(ivan.id)
    settle_all()
    assert certificates.complete(erasure.id).completed_at is None

    (enrolment,) = desired.open_removals()
    with audit.acting(Actor("Анна")):
        assert manual_removal.end_as_somebody_elses(enrolment.id, enrolment.generation, "Ivanov I.I.")

    (removal,) = certificates.complete(erasure.id).removals
    assert (removal.confirmed_by, removal.is_somebody_elses) == ("Анна", True)
    assert fresh(erasure).completed_at is not None
    assert "100222" in simulator.people


@pytest.mark.parametrize("words", [b"{}", b'{"responseStatusStrg":"FAILED"}', b'{"UserInfo":"100222"}'])
def test_search_that_says_nothing_completes_no_erasure(
    simulator: Simulated, terminal: Terminal, wire: InProcess, monkeypatch: pytest.MonkeyPatch, words: bytes
) -> None:
    ivan = enrol(simulator, terminal)
    answer = wire.send

    def odd(request: requests.PreparedRequest, **options: Any) -> requests.Response:
        response = answer(request, **options)
        if response.status_code == 200 and "UserInfo/Search" in str(request.url):
            body = b'{"UserInfoSearch":' + words + b"}"
            response.raw = HTTPResponse(body=io.BytesIO(body), status=200, preload_content=False)
        return response

    monkeypatch.setattr(wire, "send", odd)
    erasure = erase_employee(ivan.id)
    settle_all()

    assert certificates.complete(erasure.id).completed_at is None
    assert [one.refusal_code for one in desired.open_removals()] == ["nonsense"]


def test_number_of_the_erased_is_free_and_its_next_owner_no_part_of_it(
    simulator: Simulated, terminal: Terminal
) -> None:
    erasure = erase_employee(enrol(simulator, terminal).id)
    settle_all()
    enrol(simulator, terminal, Draft("100222", "Пётр Петров"), OTHER_FACE)

    assert certificates.complete(erasure.id).completed_at is not None
    assert simulator.people["100222"]["name"] == "Пётр Петров"


def test_somebody_who_was_deleted_before_is_erased_by_number(
    simulator: Simulated, terminal: Terminal, wire: InProcess
) -> None:
    ivan = enrol(simulator, terminal)
    wire.away.add("terminal.test")
    save.delete(ivan.id)

    erasure = erase_by_number("100222")

    assert erasure is not None
    assert (erasure.name, erasure.completed_at) == ("Иван Иванов", None)
    again = erase_by_number("100222")
    assert again is not None
    assert (again.id, count(Erasure)) == (erasure.id, 1)
    wire.away.clear()
    settle_all()
    assert certificates.complete(erasure.id).completed_at is not None


def test_number_that_somebody_has_now_erases_nobody() -> None:
    save.save(IVAN)

    assert erase_by_number("100222") is None
    assert count(Employee) == 1


def test_unsaved_picture_of_a_number_that_nobody_has_is_erased_by_number(
    simulator: Simulated, terminal: Terminal
) -> None:
    take(simulator, terminal, IVAN)

    erasure = erase_by_number("100222")

    assert erasure is not None
    assert (erasure.photos, files(), count(Capture)) == (1, [], 0)


def test_number_that_is_not_here_has_nothing_to_erase() -> None:
    assert erase_by_number("100222") is None
    assert count(Erasure) == 0


def test_unknown_employee_leaves_nothing_behind() -> None:
    with pytest.raises(EmployeeUnknown):
        erase_employee(7)

    assert count(Erasure) == 0


def test_who_is_erased_while_the_terminal_is_asked_leaves_no_row(
    app: Flask, simulator: Simulated, terminal: Terminal, wire: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    ivan = enrol(simulator, terminal)
    save.set_active(ivan.id, active=False)
    (enrolment,) = desired.open_removals()
    answer = wire.send

    def erase_meanwhile(request: requests.PreparedRequest, **options: Any) -> requests.Response:
        if "UserInfoDetail/Delete" in str(request.url):
            another = threading.Thread(target=erase)
            another.start()
            another.join()
        return answer(request, **options)

    def erase() -> None:
        with app.app_context():
            if save.get(ivan.id):
                erase_employee(ivan.id)

    monkeypatch.setattr(wire, "send", erase_meanwhile)
    reconcile.settle(enrolment.id, "Анна")

    (erasure,), _ = certificates.list_page(10)
    assert count(Enrolment) == 0
    assert certificates.complete(erasure.id).completed_at is not None
