"""Who may pass: at which hours, and what the terminal decides about somebody who shows a face, a card or a finger."""

from dataclasses import dataclass
from datetime import datetime

from hikflask.simulator.terminal.person_store import Person, PersonStore

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
PERIODS = 8
MAX_TEMPLATE, MAX_WEEK_PLAN = 255, 128
ALWAYS = 1
"""The number of the template, and of its week plan, that is open at all times."""
Period = tuple[str, str]
"""Begin and end of day, such as ("09:30:00", "24:00:00")."""
Week = dict[str, list[Period]]


@dataclass(frozen=True)
class Template:
    name: str = ""
    week_plan: int = 0
    enable: bool = True


class RightPlans:
    """Templates and week plans by their numbers. Numbers without one are disabled."""

    def __init__(self) -> None:
        self.templates = {ALWAYS: Template(week_plan=ALWAYS)}
        self.weeks: dict[int, Week] = {ALWAYS: {day: [("00:00:00", "24:00:00")] for day in DAYS}}

    def add(self, number: int, name: str, week: Week) -> None:
        """Add a template with a week plan of the same number, at most 128."""
        self.templates[number] = Template(name, number)
        self.weeks[number] = week

    def template(self, number: int) -> Template:
        return self.templates.get(number, Template(enable=False))

    def allow(self, numbers: list[str], moment: datetime) -> bool:
        """Whether one of the templates is open at this local time."""
        time = moment.strftime("%H:%M:%S")
        templates = [self.template(int(number)) for number in numbers if number.isdecimal()]
        weeks = [self.weeks.get(template.week_plan, {}) for template in templates if template.enable]
        return any(begin <= time < end for week in weeks for begin, end in week.get(DAYS[moment.weekday()], []))


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
