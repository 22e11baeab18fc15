"""By which schedules a person may pass: as the terminal tells them, also where it tells less."""

import pytest

from hikflask.extensions import db
from hikflask.isapi.errors import PersonUnknown
from hikflask.models import Enrolment, Terminal
from hikflask.services.passages import schedules
from hikflask.services.passages.schedules import Rights, Schedule
from hikflask.simulator import Terminal as Simulated
from tests.support.enrolments import enrol

pytestmark = pytest.mark.usefixtures("context")


def told(enrolment: Enrolment) -> Rights:
    """What the terminal says now, as it is kept."""
    schedules.read(enrolment.id, "test")
    rights = schedules.rights_of(db.session.get_one(Enrolment, enrolment.id, populate_existing=True))
    assert rights is not None
    return rights


def test_schedules_of_a_person_have_their_names_and_hours(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    assert schedules.rights_of(enrolment) is None
    simulator.plans.add(5, "Офис", {"Monday": [("09:00:00", "13:00:00"), ("14:00:00", "18:00:00")]})
    simulator.store.people["100222"]["RightPlan"] = [{"doorNo": 1, "planTemplateNo": "5,7"}]

    rights = told(enrolment)

    assert rights.schedules == [
        Schedule(5, "Офис", [(0, "09:00", "13:00"), (0, "14:00", "18:00")]),
        Schedule(7, "", []),
    ]


def test_a_person_without_a_door_has_no_schedule(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    simulator.store.people["100222"]["doorRight"] = ""
    assert told(enrolment).schedules == []

    del simulator.store.people["100222"]["doorRight"], simulator.store.people["100222"]["RightPlan"]
    assert told(enrolment).schedules is None


def test_a_person_who_is_not_there_is_an_error_and_nothing_is_kept(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    simulator.store.remove(["100222"])

    with pytest.raises(PersonUnknown):
        schedules.read(enrolment.id, "test")

    assert schedules.rights_of(db.session.get_one(Enrolment, enrolment.id, populate_existing=True)) is None
