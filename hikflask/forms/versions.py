"""Forms that change what is stored: what somebody else has saved since their page was made is not undone.

A page carries the version of what it shows: a digest of each field, or the ids that are ticked in it, which tells later
what was changed here and what was changed by others.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from wtforms import HiddenField

from hikflask.forms.base import Form
from hikflask.forms.fields import row_ids

# Hex digits of a field's digest: only the one value that the page showed must be told from others.
DIGITS = 10


@dataclass(frozen=True)
class Difference:
    """A field that somebody else has saved since the page was made: what is saved now, and what stands in the form.

    `is_conflict`: it was changed here, too.
    """

    name: str
    saved: Any
    typed: Any
    is_conflict: bool


class ChangedMeanwhile(Exception):
    """Somebody else has saved another value in a field that was changed here, too (differences: all such fields)."""

    def __init__(self, differences: list[Difference]) -> None:
        super().__init__()
        self.differences = differences


class VersionedForm(Form):
    """A form of something stored, whose fields in `stored` are compared with what is saved meanwhile.

    Without a version, as in a form that adds something, all that is typed counts. Fields in `together` mean something
    only with each other: a change of one of them counts as a change of all. Fields in `ticks` are boxes to tick, each
    with the id of a row; each box is changed by itself, so that there are no conflicts.
    """

    stored: ClassVar[tuple[str, ...]] = ()
    together: ClassVar[frozenset[str]] = frozenset()
    ticks: ClassVar[frozenset[str]] = frozenset()
    version = HiddenField()

    def value(self, name: str) -> Any:
        """Return the value of a stored field; None when the page does not show it."""
        if name in self.ticks:
            return sorted(self.ids(name))
        data = self[name].data
        return "" if data is None else data

    def set_value(self, name: str, value: Any) -> None:
        """Set the value of a stored field."""
        self[name].data = value
        if name in self.ticks:
            self[name].raw_data = [str(ticked) for ticked in value]

    def ids(self, name: str) -> list[int]:
        """Return the ids that are ticked in a field, each once."""
        return row_ids(self[name].raw_data)

    def ticked_here(self, name: str) -> set[int]:
        """Return the ids that are ticked and were not when the page was made."""
        return {*self.ids(name)} - (self._shown_ids(name) or set())

    def unticked_here(self, name: str) -> set[int] | None:
        """Return the ids that were unticked since the page was made; None when it is not known which were ticked."""
        shown = self._shown_ids(name)
        return None if shown is None else shown - {*self.ids(name)}

    def as_saved(self) -> Self:
        """Return the form with the version of its values, which are the saved ones."""
        self.version.data = ".".join(self._digest_of(name) for name in self.stored)
        return self

    def changed(self) -> set[str]:
        """Return the stored fields that were changed since the page was made; all when that is not known."""
        shown = self._shown()
        changed = {name for name in self.stored if shown.get(name) != self._digest_of(name)}
        return changed | self.together if changed & self.together else changed

    def merge_saved(self, saved: "VersionedForm") -> list[Difference]:
        """Update the fields that were not changed here with what somebody else has saved since the page was made.

        Return these fields. The form then has the current version, so that saving it again is deliberate.

        :param saved: the form as it is filled in now.
        :raises ChangedMeanwhile: when a field was changed here, too.
        """
        shown, changed = self._shown(), self.changed()
        differences = []
        for name in shown:
            there, here = saved.value(name), self.value(name)
            if here not in (None, there) and shown[name] != saved._digest_of(name):
                differences.append(Difference(name, there, here, name in changed - self.ticks))
        for field in differences:
            if field.name in self.ticks:
                kept = {*field.saved} - (self.unticked_here(field.name) or set())
                self.set_value(field.name, sorted(kept | self.ticked_here(field.name)))
            elif not field.is_conflict:
                self.set_value(field.name, field.saved)
        if shown:
            self.version.data = saved.version.data
        if any(field.is_conflict for field in differences):
            raise ChangedMeanwhile(differences)
        return differences

    def _digest_of(self, name: str) -> str:
        value = self.value(name)
        if name in self.ticks:
            return "-".join(map(str, value))
        return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:DIGITS]

    def _shown(self) -> dict[str, str]:
        marks = (self.version.data or "").split(".")
        return dict(zip(self.stored, marks, strict=True)) if len(marks) == len(self.stored) else {}

    def _shown_ids(self, name: str) -> set[int] | None:
        mark = self._shown().get(name)
        return None if mark is None else {*row_ids(mark.split("-"))}
