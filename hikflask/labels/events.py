"""The words for events: what happened, its kind, its tone and its icon."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from hikflask.codes.events import CRITICAL, INFO, NOTICE, WARNING, type_of
from hikflask.models import Event
from hikflask.models.event import (
    ALARM,
    BREAK_IN,
    BREAK_OUT,
    CHECK_IN,
    CHECK_OUT,
    DOOR,
    EXIT_BUTTON,
    EXPIRED,
    LIVENESS,
    NO_PERMISSION,
    OPERATION,
    OTHER,
    OUTSIDE_HOURS,
    OVERTIME_IN,
    OVERTIME_OUT,
    PASSED,
    REFUSED,
    TROUBLE,
    UNKNOWN_PERSON,
)

# The word and the icon of each kind.
KINDS = {
    PASSED: (_l("Passed"), "ok"),
    UNKNOWN_PERSON: (_l("Unknown person"), "question"),
    NO_PERMISSION: (_l("No permission"), "inactive"),
    OUTSIDE_HOURS: (_l("Outside hours"), "clock"),
    EXPIRED: (_l("Access expired"), "calendar"),
    LIVENESS: (_l("Not a living face"), "snapshot"),
    REFUSED: (_l("Refused"), "inactive"),
    DOOR: (_l("Door"), "door"),
    EXIT_BUTTON: (_l("Exit button"), "sign-out"),
    ALARM: (_l("Alarm"), "alarm"),
    TROUBLE: (_l("Fault"), "warning"),
    OPERATION: (_l("Operation at the terminal"), "administration"),
    OTHER: (_l("Other event"), "none"),
}
BUTTONS = {
    CHECK_IN: _l("Check in"),
    CHECK_OUT: _l("Check out"),
    BREAK_OUT: _l("Break begins"),
    BREAK_IN: _l("Break ends"),
    OVERTIME_IN: _l("Overtime begins"),
    OVERTIME_OUT: _l("Overtime ends"),
}
TONES = {INFO: "none", NOTICE: "warn", WARNING: "warn", CRITICAL: "bad"}


def sentence(event: Event) -> str:
    """Return what happened, in a few words without a full stop, such as "Passed by face"."""
    words = code_sentence(event.major, event.minor)
    if event.attendance:
        words = str(_("%(sentence)s, button “%(button)s”", sentence=words, button=BUTTONS[event.attendance]))
    return str(_("%(sentence)s, under duress", sentence=words)) if event.is_duress else words


def code_sentence(major: int, minor: int) -> str:
    """Return what a code of a terminal means, as sentence() says it."""
    text, code = type_of(major, minor).text, f"{major}/{minor}"
    return str(_(text, code=code))


def kind_of(major: int, minor: int) -> str:
    """Return the kind of a code, as the list of passages is filtered by it."""
    return type_of(major, minor).kind


def kind_label(kind: str) -> str:
    """Return the words for a kind."""
    return str(KINDS[kind][0])


def tone(event: Event) -> str:
    """Return the tone of an event: good for a passage, warn, bad, or none for what is neither."""
    if event.is_duress:
        return "bad"
    if event.kind == PASSED:
        return "good"
    return TONES[type_of(event.major, event.minor).severity]


def icon(event: Event) -> str:
    """Return the name of the icon of an event."""
    return kind_icon(event.kind)


def kind_icon(kind: str) -> str:
    """Return the name of the icon of a kind."""
    return KINDS[kind][1]
