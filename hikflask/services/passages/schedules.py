"""By which schedules a person may pass at a terminal: asked of it when somebody wants to know, and kept with the time.

Schedules are made at the terminal, or by another program, and belong to all its people, so they are only read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hikflask.extensions import db
from hikflask.isapi import persons, right_plans
from hikflask.isapi.errors import PersonUnknown
from hikflask.models import Enrolment
from hikflask.services.state import enrolment as state
from hikflask.services.terminals import connection
from hikflask.services.terminals.connection import Conversation, usable_answer

READ = "schedules"
# A person waits for the page.
MAX_SECONDS = 12.0


@dataclass(frozen=True)
class Schedule:
    """A schedule by its place at the terminal, and its name, empty when it has none or the terminal does not tell.

    `hours` are (weekday, begin, end), 0 is Monday, as the terminal has them; None when it does not tell.
    """

    plan: int
    name: str
    hours: Sequence[tuple[int, str, str]] | None


@dataclass(frozen=True)
class Rights:
    """What a terminal said of a person: the schedules, none without a right to any door; None: it does not tell."""

    read_at: datetime
    schedules: Sequence[Schedule] | None


def read(enrolment_id: int, holder: str) -> None:
    """Ask the terminal of an enrolment for the schedules of the person, and keep them.

    :raises PersonUnknown: when nobody has the number there.
    :raises TerminalError: :raises ServiceError: as a check of the terminal does.
    """
    row = db.session.get_one(Enrolment, enrolment_id)
    with connection.converse(row.terminal_id, holder, READ, total=MAX_SECONDS) as conversation:
        person = persons.find(conversation, row.number)
        if person is None:
            raise PersonUnknown
        plans = _plans(conversation, person)
        told = {"read_at": datetime.now(UTC).isoformat(timespec="seconds"), "schedules": plans}
        with conversation.lease.write():
            state.apply(state.SCHEDULES_TOLD, Enrolment.id == enrolment_id, plans_there=told)


def _plans(conversation: Conversation, person: persons.TerminalPerson) -> list[dict[str, Any]] | None:
    if person.doors == "":
        return []
    if person.plans is None:
        return None
    numbers = sorted({int(plan) for _, plans in person.plans for plan in plans.split(",") if plan})
    return [_plan(conversation, number) for number in numbers if 0 < number <= right_plans.MAX_NUMBER]


def _plan(conversation: Conversation, number: int) -> dict[str, Any]:
    template = usable_answer(lambda: right_plans.template(conversation, number))
    if template is None:
        return {"plan": number, "name": "", "hours": None}
    hours: Sequence[right_plans.Period] | None = ()
    if template.is_enabled and template.week_plan is not None:
        week = template.week_plan
        hours = usable_answer(lambda: right_plans.week(conversation, week))
    rows = None if hours is None else [[period.weekday, period.begins, period.ends] for period in hours]
    return {"plan": number, "name": template.name, "hours": rows}


def rights_of(enrolment: Enrolment) -> Rights | None:
    """Return what the terminal said of the person when it was asked last; None when it never was."""
    told = enrolment.plans_there
    if told is None:
        return None
    schedules = told["schedules"]
    if schedules is not None:
        schedules = [
            Schedule(row["plan"], row["name"], row["hours"] and [*map(tuple, row["hours"])]) for row in schedules
        ]
    return Rights(datetime.fromisoformat(told["read_at"]), schedules)
