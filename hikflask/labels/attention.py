"""The words for what needs attention: who is meant, what is wrong with them, and why."""

from collections.abc import Sequence

from flask_babel import format_decimal, ngettext
from flask_babel import gettext as _

from hikflask.codes import refusals
from hikflask.models import JournalAlarm
from hikflask.services.attention.people_problems import LINGERING_ACCESS, PeopleProblem
from hikflask.services.core.db import MAX_COUNTED
from hikflask.services.enrolments import causes
from hikflask.text_rules import N_, isolated

# So many people are named; of more it is said how many they are.
MAX_NAMED = 2
# So many terminals of one row are named.
MAX_TERMINALS = 3
FACTS = {
    causes.LEAVING: N_("access not withdrawn yet on “%(t)s”"),
    LINGERING_ACCESS: N_("left, but still on “%(t)s”"),
    refusals.FACE: N_("the face on “%(t)s” is not confirmed"),
    refusals.PHOTO: N_("no photo on “%(t)s”"),
    refusals.TAKEN: N_("the ID is taken on “%(t)s”"),
    refusals.CHANGED: N_("otherwise on “%(t)s” than in the restored backup"),
    refusals.LEFT_ALONE: N_("left as they are on “%(t)s”"),
    refusals.FORM: N_("“%(t)s” does not take the name or the ID"),
    refusals.FULL: N_("no room on “%(t)s”"),
}
# What helps against an alarm of a terminal.
DURESS_HELP = N_("Somebody may have been forced to open the door. Call security.")
ALARM_HELP = N_("Look at the terminal on the spot.")
OTHER_FACT = N_("not enrolled on “%(t)s”")


def who(names: Sequence[str], count: int, *, has_more: bool = False) -> str:
    """Return who is meant: their names, or how many they are.

    :param names: of the first. :param count: up to MAX_COUNTED + 1. :param has_more: they may be more.
    """
    if has_more:
        return str(ngettext("At least %(num)s employee", "At least %(num)s employees", count))
    if count == MAX_COUNTED + 1:
        return str(_("More than %(n)s employees", n=format_decimal(MAX_COUNTED)))
    if count <= MAX_NAMED and len(names) == count:
        return ", ".join(map(isolated, names))
    return str(ngettext("%(num)s employee", "%(num)s employees", count))


def terminals(names: Sequence[str]) -> str:
    """Return the names of terminals, of many those of the first."""
    named = ", ".join(map(isolated, names[:MAX_TERMINALS]))
    more = len(names) - MAX_TERMINALS
    return str(_("%(names)s and %(n)s more", names=named, n=format_decimal(more))) if more > 0 else named


def alarm_help(alarm: JournalAlarm) -> str:
    """Return what helps against an alarm."""
    return str(_(DURESS_HELP if alarm.is_duress else ALARM_HELP))


def fact(problem: PeopleProblem) -> str:
    """Return what is wrong with these people, as it follows a colon."""
    return str(_(FACTS.get(problem.cause, OTHER_FACT), t=isolated(problem.terminal.name)))
