"""The record of an erasure: what it waits for, what a terminal or a person said, and how long it is kept."""

import io
from typing import Any

import pytest
import requests
from cryptography.fernet import Fernet
from flask import Flask
from urllib3 import HTTPResponse

from hikflask.background import tasks
from hikflask.encryption.vault import Keyring
from hikflask.extensions import db
from hikflask.models import Employee, Enrolment, Erasure, ErasureFile, ErasureRemoval, Terminal
from hikflask.models.columns import database_now
from hikflask.services import audit
from hikflask.services.audit import Actor
from hikflask.services.core.errors import CertificateUncheckable, NumberTakenThere
from hikflask.services.employees.erasure import erase_employee
from hikflask.services.employees.lifecycle import set_active
from hikflask.services.employees.save import FaceSource, save_employee
from hikflask.services.enrolments import manual_removal, queries
from hikflask.services.photos import storage
from hikflask.services.privacy import certificates
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import FACE
from tests.support.erasures import IVAN, count, enrol, fresh, settle_all
from tests.support.removals import open_removals
from tests.support.retention import DAY, age, files, forget
from tests.support.trail import entries
from tests.support.wire import InProcess

pytestmark = pytest.mark.usefixtures("context", "worker_alive")


@pytest.mark.both_databases
def test_erasure_is_open_until_the_terminal_confirmed(
    simulator: Simulated, terminal: Terminal, wire: InProcess
) -> None:
    ivan = enrol(simulator, terminal)
    wire.away.add("terminal.test")

    erasure = erase_employee(ivan.id).row
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


@pytest.mark.both_databases
def test_sweep_completes_what_the_last_terminal_confirmed(simulator: Simulated, terminal: Terminal) -> None:
    erasure = erase_employee(enrol(simulator, terminal).id).row
    settle_all()

    tasks.sweep()

    assert fresh(erasure).completed_at is not None


def test_completing_again_changes_nothing_and_writes_one_entry(simulator: Simulated, terminal: Terminal) -> None:
    erasure = erase_employee(enrol(simulator, terminal).id).row
    settle_all()
    first = certificates.complete(erasure.id).completed_at

    certificates.complete_all()

    assert certificates.complete(erasure.id).completed_at == first
    assert len(entries("erasure.completed")) == 1


def test_trail_names_the_certificate_and_nobody(simulator: Simulated, terminal: Terminal) -> None:
    erasure = erase_employee(enrol(simulator, terminal).id).row
    settle_all()
    certificates.complete(erasure.id)

    noted = entries("employee.erased") + entries("erasure.completed")
    assert [(one.employee, one.subject, one.is_readable) for one in noted] == [("", f"erasure {erasure.id}", True)] * 2


@pytest.mark.both_databases
def test_file_that_cannot_be_removed_keeps_the_erasure_open() -> None:
    ivan = save_employee(IVAN, FaceSource(upload=io.BytesIO(FACE))).row
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


@pytest.mark.both_databases
def test_removal_that_was_confirmed_before_is_on_the_certificate_with_its_own_time(
    simulator: Simulated, terminal: Terminal
) -> None:
    ivan = enrol(simulator, terminal)
    set_active(ivan.id, active=False)
    settle_all()
    confirmed_at = queries.of_number("100222")[0].confirmed_at

    erasure = erase_employee(ivan.id).row

    (removal,) = erasure.removals
    assert removal.gone_at == confirmed_at
    assert erasure.completed_at is not None


@pytest.mark.both_databases
def test_removal_by_hand_is_named_as_such(simulator: Simulated, terminal: Terminal, wire: InProcess) -> None:
    ivan = enrol(simulator, terminal)
    wire.away.add("terminal.test")
    erasure = erase_employee(ivan.id).row
    wire.away.clear()
    (enrolment,) = open_removals()
    db.session.execute(db.update(Enrolment).values(on_old_device=True, written_name=""))
    db.session.commit()

    manual_removal.confirm_by_hand(enrolment.id, enrolment.generation)

    (removal,) = certificates.complete(erasure.id).removals
    assert removal.confirmed_by == "worker"
    assert fresh(erasure).completed_at is not None


@pytest.mark.both_databases
def test_who_was_entered_at_the_terminal_by_hand_keeps_the_erasure_open_until_a_person_says_who_that_is(
    simulator: Simulated, terminal: Terminal
) -> None:
    simulator.store.add("100222", {"name": "Ivanov I.I."})
    with pytest.raises(NumberTakenThere):
        enrol(simulator, terminal)
    (ivan,) = db.session.query(Employee)
    erasure = erase_employee(ivan.id).row
    settle_all()
    assert certificates.complete(erasure.id).completed_at is None

    (enrolment,) = open_removals()
    with audit.acting(Actor("Анна")):
        assert manual_removal.confirm_as_somebody_elses(enrolment.id, enrolment.generation, "Ivanov I.I.")

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
    erasure = erase_employee(ivan.id).row
    settle_all()

    assert certificates.complete(erasure.id).completed_at is None
    assert [one.refusal_code for one in open_removals()] == ["removal_not_shown"]


@pytest.mark.both_databases
@pytest.mark.parametrize(("ago", "left"), [(1094, 1), (1096, 0), (None, 1)])
def test_certificate_of_an_erasure_goes_with_its_entries(ago: float | None, left: int) -> None:
    erasure = Erasure(number="100222", name="Иван Иванов", requested_by="Анна", requested_at=database_now(-2000 * DAY))
    erasure.removals = [ErasureRemoval(enrolment_id=1, terminal="Вход", number="100222")]
    erasure.files = [ErasureFile(file="100222_a.jpg")]
    db.session.add(erasure)
    db.session.commit()
    if ago is not None:
        age(Erasure, "completed_at", ago * DAY)

    forget()

    assert (count(Erasure), count(ErasureRemoval), count(ErasureFile)) == (left, left, left)


def test_certificate_names_nobody_after_thirty_days_and_can_be_checked_all_the_same(
    simulator: Simulated, terminal: Terminal
) -> None:
    erasure = erase_employee(enrol(simulator, terminal).id).row
    settle_all()
    certificates.complete(erasure.id)
    age(Erasure, "completed_at", 29.9 * DAY)
    forget()
    assert fresh(erasure).name == "Иван Иванов"
    assert certificates.matches(fresh(erasure), "100222", "иван  ИВАНОВ ")
    assert not certificates.matches(fresh(erasure), "100222", "Пётр Иванов")

    age(Erasure, "completed_at", 30.1 * DAY)
    forget()

    kept = fresh(erasure)
    assert (kept.number, kept.name, [one.number for one in kept.removals]) == ("", "", [""])
    assert certificates.matches(kept, "100222", "иван  ИВАНОВ ")
    assert not certificates.matches(kept, "100222", "Пётр Иванов")
    assert not certificates.matches(kept, "100223", "Иван Иванов")
    assert certificates.unfinished_of("") is None


def test_certificate_whose_key_is_lost_cannot_be_checked(app: Flask) -> None:
    erasure = erase_employee(save_employee(IVAN).row.id).row
    age(Erasure, "completed_at", 31 * DAY)
    forget()
    app.extensions["vault"] = Keyring(Fernet.generate_key().decode(), None)

    with pytest.raises(CertificateUncheckable):
        certificates.matches(fresh(erasure), "100222", "Иван Иванов")
