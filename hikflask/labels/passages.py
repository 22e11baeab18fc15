"""The words of the list of passages: its days and times, and which terminals are missing in it."""

from datetime import date, timedelta

from flask_babel import format_decimal, ngettext
from flask_babel import gettext as _
from markupsafe import Markup

from hikflask.labels.dates import full_time, local_day
from hikflask.models import Event
from hikflask.services.core.dates import local, today
from hikflask.services.terminals.clock import WRONG_SECONDS


def day_label(day: date) -> str:
    """Return the day as the heading above its passages."""
    if day == today():
        return str(_("Today"))
    return str(_("Yesterday")) if day == today() - timedelta(days=1) else local_day(day)


def halted_sentence(day: date) -> str:
    """Return why reading a terminal's events stopped, and what to do."""
    sentence = _(
        "Recorded more events on %(day)s than are read in a day. Find out what they are; "
        "the rest is read from the next day on.",
        day=local_day(day),
    )
    return str(sentence)


def is_corrected(event: Event) -> bool:
    """Return True when the terminal's clock was so wrong that its time is not the one shown."""
    return abs((event.device_at - event.occurred_at).total_seconds()) >= WRONG_SECONDS


def event_time(event: Event) -> Markup:
    """Return the time of the day when something happened; its title has the day, and what a wrong clock showed."""
    moment = local(event.occurred_at)
    title = full_time(event.occurred_at)
    if is_corrected(event):
        title = _("%(time)s; the terminal's clock showed %(there)s", time=title, there=event.device_time)
    iso = moment.isoformat(timespec="seconds")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(iso, title, f"{moment:%H:%M:%S}")


def summary(passed: int, denied: int) -> str:
    """Return how many passed and how many times somebody was not let in; what there is none of is left out."""
    parts = [
        ngettext("%(num)s passage", "%(num)s passages", passed) if passed else "",
        _("not let in: %(n)s", n=format_decimal(denied)) if denied else "",
    ]
    return ", ".join(str(part) for part in parts if part) or str(_("nobody passed"))
