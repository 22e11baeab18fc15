"""The hours in which people may pass: templates by number, and the week plans that they name."""

from dataclasses import dataclass
from datetime import datetime

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
