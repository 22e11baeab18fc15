"""The words for the schedules by which somebody may pass at a terminal."""

from collections.abc import Iterable
from datetime import datetime

from babel.dates import get_day_names
from flask_babel import get_locale
from flask_babel import gettext as _

from hikflask.models import Enrolment
from hikflask.models.enrolment import PRESENT
from hikflask.services.core.dates import local
from hikflask.services.passages.schedules import Rights, Schedule, rights_of
from hikflask.text_rules import isolated


def schedule_label(schedule: Schedule) -> str:
    """Return a schedule by its name, or by its place where it has none."""
    if schedule.name:
        return str(_("schedule “%(name)s”", name=isolated(schedule.name)))
    return str(_("schedule %(n)s", n=schedule.plan))


def at_terminals(enrolments: Iterable[Enrolment]) -> list[tuple[str, str]]:
    """Return the terminals that told by which schedules an employee may pass, each with its name and the schedules."""
    told = [(row.terminal.name, rights_of(row)) for row in enrolments if row.desired == PRESENT]
    return [(name, rights_label(rights)) for name, rights in told if rights]


def rights_label(rights: Rights) -> str:
    """Return by which schedules somebody may pass."""
    if rights.schedules is None:
        return str(_("the terminal does not tell"))
    return ", ".join(schedule_label(schedule) for schedule in rights.schedules) or str(_("no right to any door"))


def rights_on(rights: Rights, moment: datetime) -> str:
    """Return the same, with the hours on the local weekday of a moment where the terminal tells them."""
    told = [schedule.hours for schedule in rights.schedules or ()]
    if not told or any(hours is None for hours in told):
        return rights_label(rights)
    weekday = local(moment).weekday()
    times = sorted(f"{begin}–{end}" for hours in told for on, begin, end in hours or () if on == weekday)
    day = get_day_names("wide", locale=str(get_locale()))[weekday]
    hours = ", ".join(times) or _("closed all day")
    return f"{rights_label(rights)} ({day}: {hours})"
