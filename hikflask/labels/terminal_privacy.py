"""The words for what a terminal does with events by itself, and for what the owner decided about it."""

from flask_babel import lazy_gettext as _l

from hikflask.services.passages import terminal_privacy
from hikflask.services.passages.terminal_privacy import Fact

FACTS = {
    terminal_privacy.PICTURES: _l("Pictures of passages"),
    terminal_privacy.NAMES: _l("Names on its screen"),
    terminal_privacy.IDS: _l("IDs on its screen"),
    terminal_privacy.STORAGE: _l("When its memory is full"),
}
SHOWN, NOT_SHOWN = _l("visible"), _l("hidden")
# Each fact by whether it is so.
WORDS = {
    terminal_privacy.PICTURES: {True: _l("kept"), False: _l("not kept")},
    terminal_privacy.NAMES: {True: SHOWN, False: NOT_SHOWN},
    terminal_privacy.IDS: {True: SHOWN, False: NOT_SHOWN},
    terminal_privacy.STORAGE: {True: _l("the oldest events are overwritten"), False: _l("events are deleted by age")},
}
UNKNOWN = _l("the terminal does not tell")


def fact_label(fact: Fact) -> str:
    """Return what a fact is about."""
    return str(FACTS[fact.name])


def state_label(fact: Fact) -> str:
    """Return what the terminal does."""
    return str(UNKNOWN if fact.is_on is None else WORDS[fact.name][fact.is_on])


def decided_label(fact: Fact) -> str:
    """Return what the owner decided; an empty text for nothing."""
    return "" if fact.decided is None else str(WORDS[fact.name][fact.decided])
