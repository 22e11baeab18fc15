"""Consent: recorded with its trail, and what a missing one stops where it is required."""

import io
from datetime import date, timedelta

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.models import Capture, Consent, Employee, Photo, Terminal
from hikflask.models.capture import CAPTURED
from hikflask.models.columns import database_now
from hikflask.services import audit
from hikflask.services.audit import Actor
from hikflask.services.captures import deadline
from hikflask.services.captures.drafts import Draft
from hikflask.services.captures.lifecycle import start_capture
from hikflask.services.core.dates import today
from hikflask.services.core.errors import ServiceError
from hikflask.services.employees.lifecycle import delete_employee
from hikflask.services.employees.save import FaceSource, save_employee
from hikflask.services.employees.sync import sync_employee
from hikflask.services.photos import storage
from hikflask.services.privacy import consents
from hikflask.services.privacy.consents import Given
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import FACE, IVAN, capture_face
from tests.support.erasures import count
from tests.support.trail import entries

pytestmark = pytest.mark.usefixtures("context", "worker_alive")

AGREED = Draft("100222", "Иван Иванов", "Охрана", consent=True)
GIVEN = Given(date(2026, 3, 1), "contract", "папка 7")


@pytest.fixture
def required(app: Flask) -> None:
    """The stricter setting."""
    app.config["CONSENT"] = "require"


def kept(employee_id: int) -> Consent:
    """The consent as the database has it now."""
    db.session.expire_all()
    consent = consents.get(employee_id)
    assert consent is not None
    return consent


def test_recorded_consent_says_when_why_and_who() -> None:
    ivan = save_employee(IVAN).row

    with audit.acting(Actor("Анна")):
        consents.record(ivan.id, GIVEN)

    consent = kept(ivan.id)
    assert (consent.given_on, consent.basis, consent.note) == (date(2026, 3, 1), "contract", "папка 7")
    assert (consent.recorded_by, consent.recorded_at is not None) == ("Анна", True)
    assert consents.is_missing("100222") is False


@pytest.mark.both_databases
def test_consent_that_is_replaced_says_when_that_was() -> None:
    ivan = save_employee(IVAN).row
    consents.record(ivan.id, GIVEN)
    db.session.execute(db.update(Consent).values(recorded_at=database_now(-3600)))
    db.session.commit()
    before = kept(ivan.id).recorded_at

    consents.record(ivan.id, Given(date(2026, 4, 1), "contract", "папка 8"))

    assert kept(ivan.id).recorded_at - before > timedelta(minutes=59)


def test_trail_has_the_day_and_the_basis_and_not_the_note() -> None:
    ivan = save_employee(IVAN).row

    consents.record(ivan.id, GIVEN)
    consents.record(ivan.id, Given(date(2026, 4, 1), "contract", "папка 8"))

    first, second = entries("consent.recorded")
    assert (first.employee, first.before) == ("100222", None)
    assert first.after == {"given_on": "2026-03-01", "basis": "contract"}
    assert second.before == {"given_on": "2026-03-01"}
    assert second.after == {"given_on": "2026-04-01"}
    assert "папка" not in str(first.after) + str(second.after)


def test_recording_anew_replaces_what_was_recorded() -> None:
    ivan = save_employee(IVAN).row
    consents.record(ivan.id, GIVEN)

    consents.record(ivan.id, Given(date(2026, 4, 1)))

    kept = consents.get(ivan.id)
    assert kept is not None
    assert (kept.given_on, kept.basis, kept.note) == (date(2026, 4, 1), "consent", "")
    assert count(Consent) == 1


def test_withdrawn_consent_is_gone_and_the_employee_stays() -> None:
    ivan = save_employee(IVAN, FaceSource(upload=io.BytesIO(FACE))).row
    consents.record(ivan.id, GIVEN)

    assert consents.withdraw(ivan.id) is True
    assert consents.withdraw(ivan.id) is False

    assert consents.get(ivan.id) is None
    assert (count(Employee), count(Photo)) == (1, 1)
    assert [entry.employee for entry in entries("consent.withdrawn")] == ["100222"]


@pytest.mark.both_databases
def test_deleted_employee_takes_the_consent_along() -> None:
    ivan = save_employee(IVAN).row
    consents.record(ivan.id, GIVEN)
    assert ivan.consent is not None

    delete_employee(ivan.id)

    assert count(Consent) == 0


@pytest.mark.both_databases
def test_box_beside_the_form_records_this_day_together_with_the_employee() -> None:
    ivan = save_employee(AGREED).row

    kept = consents.get(ivan.id)
    assert kept is not None
    assert (kept.given_on, kept.basis) == (today(), "consent")
    assert len(entries("consent.recorded")) == 1


def test_box_changes_nothing_of_what_is_recorded() -> None:
    ivan = save_employee(IVAN).row
    consents.record(ivan.id, GIVEN)

    save_employee(AGREED, employee_id=ivan.id)

    kept = consents.get(ivan.id)
    assert kept is not None
    assert (kept.given_on, kept.basis) == (date(2026, 3, 1), "contract")


def test_save_that_fails_records_no_consent() -> None:
    with pytest.raises(Exception, match="photo_unreadable"):
        save_employee(AGREED, FaceSource(upload=io.BytesIO(b"no picture")))

    assert (count(Employee), count(Consent), entries("consent.recorded")) == (0, 0, [])


def test_without_the_stricter_setting_a_face_is_taken_all_the_same(simulator: Simulated, terminal: Terminal) -> None:
    taken = capture_face(simulator, terminal, IVAN)

    assert taken.state == CAPTURED
    assert save_employee(IVAN, FaceSource(taken.id, taken.requested_by)).row.photo is not None
    assert consents.is_missing("100222") is True


@pytest.mark.both_databases
@pytest.mark.usefixtures("required")
@pytest.mark.parametrize("draft", [IVAN, Draft()], ids=["a number without consent", "no number"])
def test_required_consent_stops_the_capture_before_it_begins(
    simulator: Simulated, terminal: Terminal, draft: Draft
) -> None:
    with pytest.raises(ServiceError, match=r"^consent_missing$"):
        start_capture(terminal.id, draft, "Анна")

    assert count(Capture) == 0
    assert simulator.log == []


@pytest.mark.both_databases
@pytest.mark.usefixtures("required")
@pytest.mark.parametrize("draft", [AGREED, Draft(consent=True)], ids=["with a number", "no number yet"])
def test_box_of_somebody_new_is_enough(simulator: Simulated, terminal: Terminal, draft: Draft) -> None:
    taken = capture_face(simulator, terminal, draft)

    ivan = save_employee(AGREED, FaceSource(taken.id, taken.requested_by)).row

    assert ivan.photo_id == taken.photo_id
    assert consents.get(ivan.id) is not None


@pytest.mark.both_databases
@pytest.mark.usefixtures("required")
def test_recorded_consent_is_enough_under_another_number_too(simulator: Simulated, terminal: Terminal) -> None:
    ivan = save_employee(IVAN).row
    consents.record(ivan.id, GIVEN)

    assert capture_face(simulator, terminal, IVAN).state == CAPTURED
    assert capture_face(simulator, terminal, Draft("100999"), employee_id=ivan.id, take_over=True).state == CAPTURED


@pytest.mark.usefixtures("required")
def test_capture_is_not_saved_once_the_box_is_not_ticked_any_more(simulator: Simulated, terminal: Terminal) -> None:
    taken = capture_face(simulator, terminal, AGREED)

    with pytest.raises(ServiceError, match=r"^consent_missing$"):
        save_employee(IVAN, FaceSource(taken.id, taken.requested_by))

    assert (count(Employee), deadline.view(taken.id).state) == (0, CAPTURED)


@pytest.mark.both_databases
@pytest.mark.usefixtures("required")
def test_upload_without_consent_leaves_no_file() -> None:
    ivan = save_employee(IVAN).row

    with pytest.raises(ServiceError, match=r"^consent_missing$"):
        save_employee(IVAN, FaceSource(upload=io.BytesIO(FACE)), employee_id=ivan.id)

    assert (count(Photo), list(storage.folder().iterdir())) == (0, [])


@pytest.mark.both_databases
@pytest.mark.usefixtures("required")
def test_consent_that_was_withdrawn_since_stops_the_adoption_of_a_capture(
    simulator: Simulated, terminal: Terminal
) -> None:
    ivan = save_employee(AGREED).row
    taken = capture_face(simulator, terminal, IVAN)
    consents.withdraw(ivan.id)

    with pytest.raises(ServiceError, match=r"^consent_missing$"):
        sync_employee(ivan.id, terminal.id, "Анна")

    assert deadline.view(taken.id).state == CAPTURED


@pytest.mark.both_databases
@pytest.mark.usefixtures("required")
def test_what_has_no_face_needs_no_consent() -> None:
    ivan = save_employee(IVAN).row

    assert save_employee(Draft("100222", "Иван Петров"), employee_id=ivan.id).row.name == "Иван Петров"
