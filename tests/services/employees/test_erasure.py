"""Erasing a person everywhere: nothing is left here, and the certificate waits for every terminal."""

import io
import json
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
from hikflask.models.capture import CANCELLED
from hikflask.services import audit
from hikflask.services.audit import Actor
from hikflask.services.captures import drafts, progress
from hikflask.services.captures.cancel import cancel_capture
from hikflask.services.captures.drafts import Draft
from hikflask.services.captures.runner import run_capture
from hikflask.services.captures.start import start_capture
from hikflask.services.core.errors import EmployeeUnknown, NumberTakenThere, ServiceError
from hikflask.services.employees import erasure as erasures
from hikflask.services.employees import search
from hikflask.services.employees.lifecycle import delete_employee, set_active
from hikflask.services.employees.save import FaceSource, save_employee
from hikflask.services.enrolments import manual_removal, queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.photos import storage
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
    return run_capture(start_capture(terminal.id, draft, "Анна", take_over=True).id)


def enrol(simulator: Simulated, terminal: Terminal, draft: Draft = IVAN, face: bytes = FACE) -> Employee:
    taken = take(simulator, terminal, draft, face)
    employee = save_employee(draft, FaceSource(taken.id, taken.requested_by)).row
    for enrolment in queries.of_number(draft.number):
        reconcile(enrolment.id, "Анна")
    return employee


def settle_all() -> None:
    for enrolment in queries.open_removals():
        with suppress(TerminalError, ServiceError):
            reconcile(enrolment.id, "test")


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
    save_employee(IVAN, FaceSource(upload=io.BytesIO(OTHER_FACE)), employee_id=ivan.id)
    take(simulator, terminal, IVAN)

    erasure = erasures.erase(ivan.id)
    settle_all()

    assert erasures.complete(erasure.id).completed_at is not None
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

    erasure = erasures.erase(ivan.id)
    settle_all()

    assert erasures.complete(erasure.id).completed_at is None
    (removal,) = erasures.removals_of(erasure)
    assert (removal.terminal, removal.number, removal.at) == ("Вход", "100222", "")

    wire.away.clear()
    settle_all()

    assert fresh(erasure).completed_at is None
    (removal,) = erasures.removals_of(fresh(erasure))
    assert removal.gone_at is not None
    assert removal.by_hand is False
    assert erasures.complete(erasure.id).completed_at is not None


def test_sweep_completes_what_the_last_terminal_confirmed(simulator: Simulated, terminal: Terminal) -> None:
    erasure = erasures.erase(enrol(simulator, terminal).id)
    settle_all()

    tasks.sweep()

    assert fresh(erasure).completed_at is not None


def test_completing_again_changes_nothing_and_writes_one_entry(simulator: Simulated, terminal: Terminal) -> None:
    erasure = erasures.erase(enrol(simulator, terminal).id)
    settle_all()
    first = erasures.complete(erasure.id).completed_at

    erasures.complete_open()

    assert erasures.complete(erasure.id).completed_at == first
    assert len(trail("erasure.completed")) == 1


def test_trail_has_the_number_and_never_the_name(simulator: Simulated, terminal: Terminal) -> None:
    erasure = erasures.erase(enrol(simulator, terminal).id)
    settle_all()
    erasures.complete(erasure.id)

    entries = trail("employee.erased") + trail("erasure.completed")
    assert [entry.employee for entry in entries] == ["100222", "100222"]
    assert all("Иван" not in f"{entry.subject}{entry.before}{entry.after}" for entry in entries)


def test_somebody_on_no_terminal_is_erased_at_once() -> None:
    ivan = save_employee(IVAN, FaceSource(upload=io.BytesIO(FACE))).row

    erasure = erasures.erase(ivan.id)

    assert erasure.completed_at is not None
    assert erasures.removals_of(erasure) == []
    assert files() == []


def test_file_that_cannot_be_removed_keeps_the_erasure_open() -> None:
    ivan = save_employee(IVAN, FaceSource(upload=io.BytesIO(FACE))).row
    (name,) = files()
    stuck = storage.folder() / name
    stuck.unlink()
    stuck.mkdir()

    erasures.erase(ivan.id)
    erasures.complete_open()

    (erasure,), _ = erasures.everything(10)
    assert (count(Employee), erasure.completed_at) == (0, None)

    stuck.rmdir()
    erasures.complete_open()

    assert fresh(erasure).completed_at is not None


def test_others_keep_what_is_theirs(simulator: Simulated, terminal: Terminal) -> None:
    olga = enrol(simulator, terminal, OLGA, OTHER_FACE)
    ivan = enrol(simulator, terminal)

    erasures.erase(ivan.id)
    settle_all()

    kept = search.get(olga.id)
    assert kept is not None
    assert kept.photo is not None
    assert files() == [kept.photo.file]
    assert set(simulator.people) == {"100333"}
    assert count(Capture) == 1


def test_capture_that_was_begun_for_this_number_and_saved_to_somebody_else_stays_theirs(
    simulator: Simulated, terminal: Terminal
) -> None:
    taken = take(simulator, terminal, IVAN)
    olga = save_employee(OLGA, FaceSource(taken.id, taken.requested_by)).row
    ivan = save_employee(IVAN).row

    erasures.erase(ivan.id)

    kept = progress.get(taken.id)
    assert kept is not None
    assert (kept.draft_number, kept.draft_name, kept.photo_id) == ("", "", olga.photo_id)


def test_typed_name_is_forgotten_under_a_number_that_nobody_has(simulator: Simulated, terminal: Terminal) -> None:
    ivan = save_employee(IVAN).row
    slip = take(simulator, terminal, Draft("100999", "  иван ИВАНОВ "))
    namesake = save_employee(Draft("100444", "Иван Иванов")).row
    theirs = take(simulator, terminal, Draft("100444", "Иван Иванов"))

    erasures.erase(ivan.id)

    assert progress.get(slip.id) is None
    assert progress.get(theirs.id) is not None
    assert search.get(namesake.id) is not None
    assert len(files()) == 1


def test_capture_that_runs_is_cancelled_and_says_nothing_any_more(terminal: Terminal) -> None:
    ivan = save_employee(IVAN).row
    running = start_capture(terminal.id, IVAN, "Анна")

    erasures.erase(ivan.id)

    left = progress.get(running.id)
    assert left is not None
    assert (left.state, left.draft_number, left.draft_name, left.draft_department) == (CANCELLED, "", "", "")


def test_what_is_typed_into_a_capture_after_its_erasure_is_not_kept_with_it(terminal: Terminal) -> None:
    ivan = save_employee(IVAN).row
    running = start_capture(terminal.id, IVAN, "Анна")
    assert erasures.erase(ivan.id).completed_at is not None

    drafts.keep(running.id, IVAN, "Анна")

    assert "Иван" not in every_text()


@pytest.mark.parametrize("cancelled", [False, True])
def test_what_is_typed_after_a_capture_ended_is_kept_with_it(
    terminal: Terminal, cancelled: bool, nobody_comes: NobodyComes
) -> None:
    with nobody_comes():
        ended = start_capture(terminal.id, IVAN, "Анна")
        if cancelled:
            cancel_capture(ended.id)
        run_capture(ended.id)

    drafts.keep(ended.id, OLGA, "Анна")

    assert progress.view(ended.id).capture.draft_name == OLGA.name


def test_removal_that_was_confirmed_before_is_on_the_certificate_with_its_own_time(
    simulator: Simulated, terminal: Terminal
) -> None:
    ivan = enrol(simulator, terminal)
    set_active(ivan.id, active=False)
    settle_all()
    confirmed_at = queries.of_number("100222")[0].confirmed_at

    erasure = erasures.erase(ivan.id)

    (removal,) = erasures.removals_of(erasure)
    assert removal.gone_at == confirmed_at
    assert erasure.completed_at is not None


def test_former_number_is_awaited_too(simulator: Simulated, terminal: Terminal, wire: InProcess) -> None:
    ivan = enrol(simulator, terminal)
    taken = take(simulator, terminal, Draft("100555", "Иван Иванов"))
    wire.away.add("terminal.test")
    save_employee(Draft("100555", "Иван Иванов"), FaceSource(taken.id, taken.requested_by), employee_id=ivan.id)

    erasure = erasures.erase(ivan.id)

    assert {removal.number for removal in erasures.removals_of(erasure)} == {"100222", "100555"}
    wire.away.clear()
    settle_all()
    assert erasures.complete(erasure.id).completed_at is not None
    assert simulator.people == {}
    assert count(Enrolment) == 0


def test_removal_by_hand_is_named_as_such(simulator: Simulated, terminal: Terminal, wire: InProcess) -> None:
    ivan = enrol(simulator, terminal)
    wire.away.add("terminal.test")
    erasure = erasures.erase(ivan.id)
    wire.away.clear()
    (enrolment,) = queries.open_removals()
    db.session.execute(db.update(Enrolment).values(on_old_device=True, written_name=""))
    db.session.commit()

    manual_removal.confirm_by_hand(enrolment.id, enrolment.generation)

    (removal,) = erasures.removals_of(erasures.complete(erasure.id))
    assert removal.by_hand is True
    assert fresh(erasure).completed_at is not None


def test_who_was_entered_at_the_terminal_by_hand_keeps_the_erasure_open_until_a_person_says_who_that_is(
    simulator: Simulated, terminal: Terminal
) -> None:
    simulator.register.add("100222", {"name": "Ivanov I.I."})
    with pytest.raises(NumberTakenThere):
        enrol(simulator, terminal)
    (ivan,) = db.session.query(Employee)
    erasure = erasures.erase(ivan.id)
    settle_all()
    assert erasures.complete(erasure.id).completed_at is None

    (enrolment,) = queries.open_removals()
    with audit.acting(Actor("Анна")):
        assert manual_removal.confirm_as_somebody_elses(enrolment.id, enrolment.generation, "Ivanov I.I.")

    (removal,) = erasures.removals_of(erasures.complete(erasure.id))
    assert (removal.by_hand, removal.said_by, removal.is_somebody_elses) == (True, "Анна", True)
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
    erasure = erasures.erase(ivan.id)
    settle_all()

    assert erasures.complete(erasure.id).completed_at is None
    assert [one.refusal_code for one in queries.open_removals()] == ["nonsense"]


def test_number_of_the_erased_is_free_and_its_next_owner_no_part_of_it(
    simulator: Simulated, terminal: Terminal
) -> None:
    erasure = erasures.erase(enrol(simulator, terminal).id)
    settle_all()
    enrol(simulator, terminal, Draft("100222", "Пётр Петров"), OTHER_FACE)

    assert erasures.complete(erasure.id).completed_at is not None
    assert simulator.people["100222"]["name"] == "Пётр Петров"


def test_somebody_who_was_deleted_before_is_erased_by_number(
    simulator: Simulated, terminal: Terminal, wire: InProcess
) -> None:
    ivan = enrol(simulator, terminal)
    wire.away.add("terminal.test")
    delete_employee(ivan.id)

    erasure = erasures.erase_number("100222")

    assert erasure is not None
    assert (erasure.name, erasure.completed_at) == ("Иван Иванов", None)
    again = erasures.erase_number("100222")
    assert again is not None
    assert (again.id, count(Erasure)) == (erasure.id, 1)
    wire.away.clear()
    settle_all()
    assert erasures.complete(erasure.id).completed_at is not None


def test_number_that_somebody_has_now_erases_nobody() -> None:
    save_employee(IVAN)

    assert erasures.erase_number("100222") is None
    assert count(Employee) == 1


def test_unsaved_picture_of_a_number_that_nobody_has_is_erased_by_number(
    simulator: Simulated, terminal: Terminal
) -> None:
    take(simulator, terminal, IVAN)

    erasure = erasures.erase_number("100222")

    assert erasure is not None
    assert (erasure.photos, files(), count(Capture)) == (1, [], 0)


def test_number_that_is_not_here_has_nothing_to_erase() -> None:
    assert erasures.erase_number("100222") is None
    assert count(Erasure) == 0


def test_unknown_employee_leaves_nothing_behind() -> None:
    with pytest.raises(EmployeeUnknown):
        erasures.erase(7)

    assert count(Erasure) == 0


def test_who_is_erased_while_the_terminal_is_asked_leaves_no_row(
    app: Flask, simulator: Simulated, terminal: Terminal, wire: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    ivan = enrol(simulator, terminal)
    set_active(ivan.id, active=False)
    (enrolment,) = queries.open_removals()
    answer = wire.send

    def erase_meanwhile(request: requests.PreparedRequest, **options: Any) -> requests.Response:
        if "UserInfoDetail/Delete" in str(request.url):
            another = threading.Thread(target=erase)
            another.start()
            another.join()
        return answer(request, **options)

    def erase() -> None:
        with app.app_context():
            if search.get(ivan.id):
                erasures.erase(ivan.id)

    monkeypatch.setattr(wire, "send", erase_meanwhile)
    reconcile(enrolment.id, "Анна")

    (erasure,), _ = erasures.everything(10)
    assert count(Enrolment) == 0
    assert erasures.complete(erasure.id).completed_at is not None


def test_terminals_are_kept_as_json() -> None:
    erasure = erasures.erase(save_employee(IVAN).row.id)

    assert (json.loads(erasure.terminals), json.loads(erasure.files)) == ([], [])
