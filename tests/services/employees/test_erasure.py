"""Erasing a person everywhere: nothing is left here, and the certificate waits for every terminal."""

import io
import threading
from typing import Any

import pytest
import requests
from flask import Flask

from hikflask.extensions import db
from hikflask.models import Capture, Consent, Employee, Enrolment, Erasure, PersonThere, Photo, Terminal
from hikflask.models.comparison import ONLY_THERE
from hikflask.services import audit
from hikflask.services.captures.drafts import Draft
from hikflask.services.changes.kinds import DEPARTMENT, SEND
from hikflask.services.comparisons import ignored
from hikflask.services.core.errors import NotFound
from hikflask.services.employees import photo_drafts, search
from hikflask.services.employees.erasure import erase_by_number, erase_employee, has_data_of
from hikflask.services.employees.lifecycle import delete_employee, set_active
from hikflask.services.employees.save import FaceSource, save_employee
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.photos import storage
from hikflask.services.privacy import certificates
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import FACE, OLGA, OTHER_FACE, capture_face
from tests.support.comparisons import compare, strangers
from tests.support.employees import by_number
from tests.support.erasures import IVAN, count, enrol, every_text, settle_all
from tests.support.jobs import add_people, items, run, started
from tests.support.removals import open_removals
from tests.support.retention import age, files, forget
from tests.support.trail import entries
from tests.support.wire import InProcess

pytestmark = pytest.mark.usefixtures("context", "worker_alive")


def erased(number: str) -> Erasure:
    """What is erased of a number that no employee has."""
    changed = erase_by_number(number)
    assert changed is not None
    return changed.row


@pytest.mark.both_databases
def test_nothing_of_the_person_is_left_once_the_terminal_confirmed(simulator: Simulated, terminal: Terminal) -> None:
    ivan = enrol(simulator, terminal)
    save_employee(IVAN, FaceSource(upload=io.BytesIO(OTHER_FACE)), employee_id=ivan.id)
    capture_face(simulator, terminal, IVAN)

    erasure = erase_employee(ivan.id).row
    settle_all()

    assert certificates.complete(erasure.id).completed_at is not None
    assert (count(Employee), count(Photo), count(Consent), count(Capture), count(Enrolment)) == (0, 0, 0, 0, 0)
    assert files() == []
    assert simulator.people == {}
    assert "Иван" not in every_text()
    assert (erasure.number, erasure.name, erasure.photos) == ("100222", "Иван Иванов", 3)


@pytest.mark.both_databases
def test_somebody_on_no_terminal_is_erased_at_once() -> None:
    ivan = save_employee(IVAN, FaceSource(upload=io.BytesIO(FACE))).row

    erasure = erase_employee(ivan.id).row

    assert erasure.completed_at is not None
    assert erasure.removals == []
    assert files() == []


@pytest.mark.both_databases
def test_photo_that_is_only_looked_at_is_erased_with_the_uploaded_file() -> None:
    ivan = save_employee(IVAN).row
    draft = photo_drafts.make(io.BytesIO(FACE), IVAN.number, "Анна")
    others = photo_drafts.make(io.BytesIO(FACE), OLGA.number, "Анна")
    assert len(files()) == 4

    erase_employee(ivan.id)

    assert photo_drafts.find(draft.token, "Анна") is None
    assert {name.strip(".").partition("_")[0] for name in files()} == {OLGA.number}
    assert erase_by_number(OLGA.number) is not None
    assert photo_drafts.find(others.token, "Анна") is None
    assert files() == []


def test_others_keep_what_is_theirs(simulator: Simulated, terminal: Terminal) -> None:
    olga = enrol(simulator, terminal, OLGA, OTHER_FACE)
    ivan = enrol(simulator, terminal)

    erase_employee(ivan.id)
    settle_all()

    kept = search.get(olga.id)
    assert kept is not None
    assert kept.photo is not None
    assert files() == [kept.photo.file]
    assert set(simulator.people) == {"100333"}
    assert count(Capture) == 1


def test_file_without_a_row_goes_at_once_though_the_terminal_is_away(
    simulator: Simulated, terminal: Terminal, wire: InProcess
) -> None:
    ivan = enrol(simulator, terminal)
    (storage.folder() / f"100222_{'x' * 22}.jpg").write_bytes(FACE)
    wire.away.add("terminal.test")

    erasure = erase_employee(ivan.id).row

    assert (erasure.waits_for_terminal, erasure.photos, files()) == (True, 2, [])


@pytest.mark.both_databases
def test_former_number_is_awaited_too(simulator: Simulated, terminal: Terminal, wire: InProcess) -> None:
    ivan = enrol(simulator, terminal)
    taken = capture_face(simulator, terminal, Draft("100555", "Иван Иванов"))
    wire.away.add("terminal.test")
    save_employee(Draft("100555", "Иван Иванов"), FaceSource(taken.id, taken.requested_by), employee_id=ivan.id)

    erasure = erase_employee(ivan.id).row

    assert {removal.number for removal in erasure.removals} == {"100222", "100555"}
    wire.away.clear()
    settle_all()
    assert certificates.complete(erasure.id).completed_at is not None
    assert simulator.people == {}
    assert count(Enrolment) == 0


@pytest.mark.both_databases
def test_earlier_number_of_somebody_who_stays_is_erased_once_the_terminal_confirmed(
    simulator: Simulated, terminal: Terminal, wire: InProcess
) -> None:
    ivan = enrol(simulator, terminal)
    taken = capture_face(simulator, terminal, Draft("100555", "Иван Иванов"))
    wire.away.add("terminal.test")
    save_employee(Draft("100555", "Иван Иванов"), FaceSource(taken.id, taken.requested_by), employee_id=ivan.id)

    erasure = erased("100222")

    assert certificates.complete(erasure.id).completed_at is None
    wire.away.clear()
    settle_all()
    assert certificates.complete(erasure.id).completed_at is not None
    assert by_number("100555").id == ivan.id
    assert "100222" not in simulator.people


@pytest.mark.both_databases
def test_what_is_kept_under_a_former_number_is_erased_and_not_under_one_that_somebody_has_now(
    simulator: Simulated, terminal: Terminal
) -> None:
    ivan = save_employee(Draft("100221", "Иван Иванов")).row
    save_employee(Draft("100222", "Иван Иванов"), employee_id=ivan.id)
    save_employee(Draft("100223", "Иван Иванов"), employee_id=ivan.id)
    save_employee(Draft("100221", "Ольга Ёлкина"))
    strangers(simulator, ["100221", "100222"])
    comparison = compare(terminal)
    ignored.ignore(comparison, ONLY_THERE, ["100222"], "запасная карта Иванова")

    erasure = erase_employee(ivan.id).row

    assert erasure.completed_at is not None
    assert "100222" not in every_text()
    assert "запасная карта Иванова" not in every_text()
    assert [person.number for person in db.session.query(PersonThere)] == ["100221"]


@pytest.mark.both_databases
def test_unsaved_picture_that_a_program_took_under_a_former_number_is_erased(
    simulator: Simulated, terminal: Terminal
) -> None:
    ivan = save_employee(Draft("100222", "Иван Иванов")).row
    capture_face(simulator, terminal, Draft("100222", ""))
    save_employee(Draft("100223", "Иван Иванов"), employee_id=ivan.id)

    erase_employee(ivan.id)

    assert (count(Capture), count(Photo), files()) == (0, 0, [])
    assert "100222" not in every_text()


@pytest.mark.both_databases
def test_name_of_a_picture_under_a_mistyped_number_goes_once_its_draft_is_blank(
    simulator: Simulated, terminal: Terminal
) -> None:
    capture = capture_face(simulator, terminal, Draft("10022", "Иван Иванов"))
    ivan = save_employee(IVAN, FaceSource(capture.id, "Борис", take_over=True)).row
    age(Capture, "deadline", 2 * 3600)
    forget()

    erase_employee(ivan.id)

    assert "Иван" not in str([(entry.before, entry.after) for entry in entries()])


def test_look_at_a_picture_under_a_mistyped_number_names_it_no_more(simulator: Simulated, terminal: Terminal) -> None:
    photo = capture_face(simulator, terminal, Draft("10022", "Иван Иванов")).photo
    assert photo is not None
    audit.record_photo_view(None, photo.file, "10022")
    ivan = save_employee(IVAN).row
    assert "10022" in {entry.employee for entry in entries()}

    erase_employee(ivan.id)

    assert "10022" not in {entry.employee for entry in entries()}


@pytest.mark.both_databases
def test_number_of_the_erased_is_free_and_its_next_owner_no_part_of_it(
    simulator: Simulated, terminal: Terminal
) -> None:
    erasure = erase_employee(enrol(simulator, terminal).id).row
    settle_all()
    enrol(simulator, terminal, Draft("100222", "Пётр Петров"), OTHER_FACE)

    assert certificates.complete(erasure.id).completed_at is not None
    assert simulator.people["100222"]["name"] == "Пётр Петров"


@pytest.mark.both_databases
def test_somebody_who_was_deleted_before_is_erased_by_number(
    simulator: Simulated, terminal: Terminal, wire: InProcess
) -> None:
    ivan = enrol(simulator, terminal)
    wire.away.add("terminal.test")
    delete_employee(ivan.id)

    erasure = erased("100222")

    assert (erasure.name, erasure.completed_at) == ("Иван Иванов", None)
    # The trail names the person no more, though the terminal has not confirmed.
    assert "100222" not in {entry.employee for entry in entries()}
    again = erased("100222")
    assert (again.id, count(Erasure)) == (erasure.id, 1)
    wire.away.clear()
    settle_all()
    assert certificates.complete(erasure.id).completed_at is not None


def test_number_that_somebody_has_now_erases_nobody() -> None:
    save_employee(IVAN)

    assert erase_by_number("100222") is None
    assert count(Employee) == 1


def test_unsaved_picture_of_a_number_that_nobody_has_is_erased_by_number(
    simulator: Simulated, terminal: Terminal
) -> None:
    capture_face(simulator, terminal, IVAN)

    erasure = erased("100222")

    assert (erasure.photos, files(), count(Capture)) == (1, [], 0)


@pytest.mark.both_databases
def test_number_that_is_not_here_has_nothing_to_erase() -> None:
    assert erase_by_number("100222") is None
    assert count(Erasure) == 0


def test_unknown_employee_leaves_nothing_behind() -> None:
    with pytest.raises(NotFound, match=r"^employee_unknown$"):
        erase_employee(7)

    assert count(Erasure) == 0


@pytest.mark.both_databases
def test_who_is_erased_while_the_terminal_is_asked_leaves_no_row(
    app: Flask, simulator: Simulated, terminal: Terminal, wire: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    ivan = enrol(simulator, terminal)
    set_active(ivan.id, active=False)
    (enrolment,) = open_removals()
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
                erase_employee(ivan.id)

    monkeypatch.setattr(wire, "send", erase_meanwhile)
    reconcile(enrolment.id, "Анна")

    (erasure,), _ = certificates.list_page(10)
    assert count(Enrolment) == 0
    assert certificates.complete(erasure.id).completed_at is not None


@pytest.mark.both_databases
def test_reports_of_jobs_name_the_erased_no_more_and_others_still() -> None:
    ivan = save_employee(IVAN).row
    (olga,) = add_people("200")
    done = started(DEPARTMENT, [ivan.id, olga], department="Охрана")
    failed = started(SEND, [ivan.id, olga], terminal_id=99, terminal="Вход")
    run(done)
    run(failed)

    erase_employee(ivan.id)

    assert sorted(items(done.job_id)) == [("", "done", ""), ("200", "done", "")]
    assert sorted(items(failed.job_id)) == [("", "failed", "terminal_unknown"), ("200", "failed", "terminal_unknown")]


def test_report_alone_is_reason_to_erase_a_number() -> None:
    (ivan,) = add_people("100222")
    done = started(DEPARTMENT, [ivan], department="Охрана")
    run(done)
    delete_employee(ivan)

    assert has_data_of("100222")
    assert erase_by_number("100222") is not None
    assert items(done.job_id) == [("", "done", "")]
    assert not has_data_of("100222")
