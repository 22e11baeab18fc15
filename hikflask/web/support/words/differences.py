"""The words for what differs between a terminal and the list here: by a comparison, or noticed without one."""

from collections.abc import Sequence

from flask_babel import gettext as _
from flask_babel import ngettext

from hikflask.invisible_characters import all_isolated
from hikflask.messages import N_
from hikflask.models.comparison import COUNT, FACE_MISSING, FACE_OTHER, NAME, ONLY_HERE, ONLY_THERE, VALIDITY, Drift

TITLES = {
    NAME: N_("Name differs"),
    FACE_MISSING: N_("No face"),
    FACE_OTHER: N_("Another face"),
    ONLY_HERE: N_("Only here"),
    ONLY_THERE: N_("Only on the terminal"),
    VALIDITY: N_("Validity differs"),
}
SENTENCES = {
    COUNT: N_("There should be %(expected)s people on the terminal, and there are %(found)s."),
    NAME: N_("ID %(number)s has another name on the terminal: %(found)s instead of %(expected)s."),
    ONLY_HERE: N_("Not on the terminal any more: %(expected)s, ID %(number)s."),
}


def title(kind: str) -> str:
    """Return a kind of difference as the heading of its rows."""
    return str(_(TITLES[kind]))


def sentence(one: Drift) -> str:
    """Return one finding as a sentence, with the names in it."""
    about = {"number": one.number, "expected": one.expected, "found": one.found}
    return str(_(SENTENCES[one.kind], **all_isolated(about)))


def summary(found: Sequence[Drift]) -> str:
    """Return all findings of a terminal in a few words: how many, and no names."""
    kinds = [one.kind for one in found]
    renamed, gone = kinds.count(NAME), kinds.count(ONLY_HERE)
    parts = [sentence(one) for one in found if one.kind == COUNT]
    if renamed:
        parts.append(str(ngettext("%(num)s person has another name.", "%(num)s people have another name.", renamed)))
    if gone:
        parts.append(str(ngettext("%(num)s person is gone.", "%(num)s people are gone.", gone)))
    return " ".join(parts)
