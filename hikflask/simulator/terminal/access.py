"""Who may pass: what the terminal decides about somebody who shows a face, a card or a finger."""

from datetime import datetime

from hikflask.simulator.terminal.person_store import Person, PersonStore
from hikflask.simulator.terminal.right_plans import RightPlans

FACE, CARD, FINGER = 75, 1, 38
UNKNOWN = {FACE: 76, CARD: 9, FINGER: 39}
"""The minor of what nobody's was, by that of what somebody's was. Any other minor is written as it is given."""
NO_RIGHT, OUTSIDE_HOURS, EXPIRED, KEPT_CLOSED = 6, 7, 8, 117
REFUSED = (NO_RIGHT, OUTSIDE_HOURS, EXPIRED, KEPT_CLOSED)
DOOR = "1"


def decide(store: PersonStore, plans: RightPlans, number: str | None, minor: int, moment: datetime) -> int:
    """The minor of the record when a person (None: a stranger) shows what `minor` stands for at this local time."""
    if minor not in UNKNOWN:
        return minor
    person = store.people.get(number) if number is not None else None
    if person is None or number is None or not _is_recognised(store, number, minor):
        return UNKNOWN[minor]
    if not _is_valid(person, moment):
        return EXPIRED
    if DOOR not in str(person.get("doorRight", "")).split(",") or not person.get("RightPlan"):
        return NO_RIGHT
    return minor if plans.allow(_templates(person), moment) else OUTSIDE_HOURS


def _is_recognised(store: PersonStore, number: str, minor: int) -> bool:
    if minor == FACE:
        return number in store.faces
    return minor != CARD or any(card.employee_no == number for card in store.cards.values())


def _is_valid(person: Person, moment: datetime) -> bool:
    valid = person.get("Valid")
    if not isinstance(valid, dict) or not valid.get("enable"):
        return True
    local = moment.replace(tzinfo=None).isoformat(timespec="seconds")
    return str(valid.get("beginTime", local)) <= local <= str(valid.get("endTime", local))


def _templates(person: Person) -> list[str]:
    """The numbers of the templates for the door, such as ["1", "3"]."""
    plans = person["RightPlan"]
    rows = plans if isinstance(plans, list) else []
    return [number for row in rows for number in str(row.get("planTemplateNo", "")).split(",")]
