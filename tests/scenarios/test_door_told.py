"""What a terminal decided at its door is what the pages say: why it did not open, and who is inside."""

from datetime import UTC, datetime
from typing import Any

import pytest

from hikflask.extensions import db
from hikflask.models import Employee, Terminal
from hikflask.services.core.db import transaction
from hikflask.services.passages import intake, presence, schedules
from hikflask.services.passages.why import Answer, why
from hikflask.simulator import Terminal as Simulated
from tests.support.enrolments import enrol

pytestmark = pytest.mark.usefixtures("context", "worker_alive")
NUMBER = "100222"


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"PASSAGES": "poll", "FACE_DETECTION": "off"}


def answer_after(simulator: Simulated, terminal: Terminal, number: str | None = NUMBER) -> Answer:
    """Let somebody stand at the door, read what the terminal recorded, and ask why."""
    simulator.pass_by(number)
    while intake.read_log(terminal.id, "test"):
        pass
    employee = db.session.execute(db.select(Employee)).scalar_one()
    return why(employee, datetime.now(UTC), terminal)


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"RightPlan": [{"doorNo": 1, "planTemplateNo": "5"}]}, "outside_hours"),
        (
            {"Valid": {"enable": True, "beginTime": "2000-01-01T00:00:00", "endTime": "2001-01-01T00:00:00"}},
            "expired_there",
        ),
        ({"doorRight": ""}, "no_right"),
        ({}, "opened"),
    ],
)
def test_terminals_decision_is_the_cause(
    simulator: Simulated, terminal: Terminal, change: dict[str, Any], cause: str
) -> None:
    enrolment = enrol(simulator, terminal)
    intake.claim_due()
    simulator.plans.add(5, "Никогда", {})
    simulator.store.people[NUMBER].update(change)

    answer = answer_after(simulator, terminal)

    assert answer.cause == cause
    schedules.read(enrolment.id, "test")
    rights = answer_after(simulator, terminal).facts.rights
    assert rights is not None
    assert [plan.name for plan in rights.schedules or ()] == {"outside_hours": ["Никогда"], "no_right": []}.get(
        cause, [""]
    )


def test_a_face_that_is_gone_there_is_somebody_whom_the_terminal_did_not_recognise(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrol(simulator, terminal)
    intake.claim_due()
    simulator.store.unbind([NUMBER])

    assert answer_after(simulator, terminal).cause == "not_recognised"


def test_who_passes_at_an_entrance_is_inside(simulator: Simulated, terminal: Terminal) -> None:
    enrol(simulator, terminal)
    intake.claim_due()
    with transaction():
        db.session.get_one(Terminal, terminal.id).direction = "in"
    assert presence.presence().people == []

    answer_after(simulator, terminal)

    inside = presence.presence()
    assert [(person.number, person.terminal) for person in inside.people] == [(NUMBER, "Вход")]
    assert inside.unread == []
