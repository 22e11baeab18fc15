"""How an import reads the cells of its table: chosen once for all rows, and remembered with a mapping."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from hikflask.services.imports.table.columns import DAYS, DEPARTMENT, VALID_TO

# Which rows are applied: those of people who are not here yet, of those who are, or of both.
ONLY_NEW, ONLY_CHANGES, BOTH = MODES = ("new", "changes", "both")
# What comes of a letter of the other alphabet in an ID, such as a Cyrillic А: the row is wrong, or a Latin A is read.
REFUSE, REPLACE = LETTERS = ("refuse", "replace")
# What comes of a path such as “All Departments/Workshop/Shift”: its last part, or all of it.
LAST_PART, WHOLE_PATH = PATHS = ("last", "whole")
# The fields whose empty cells may clear what is here, and those that may have one value for all rows.
CLEARABLE, FIXED = (DEPARTMENT, *DAYS), (DEPARTMENT, VALID_TO)


@dataclass(frozen=True)
class Options:
    """What was chosen for a table beside its columns.

    `clear`: the fields whose empty cells clear what is here; those of other fields leave it. `fixed`: field → the value
    that all rows have in place of a column; with `sheet_is_department` each has the name of its sheet. `strip_prefix`
    is taken from the beginning of each ID, which is then padded with zeros to `pad_to` digits. `mend_texts`: letters of
    the other alphabet and invisible signs in names and departments are mended. `unused_days` are the indexes of columns
    with days that somebody said not to use.
    """

    mode: str = BOTH
    clear: tuple[str, ...] = ()
    fixed: Mapping[str, str] = field(default_factory=dict)
    sheet_is_department: bool = False
    strip_prefix: str = ""
    pad_to: int = 0
    letters: str = REFUSE
    path: str = LAST_PART
    mend_texts: bool = False
    unused_days: tuple[int, ...] = ()

    @property
    def as_json(self) -> dict[str, Any]:
        """The values as an import and a mapping keep them."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Options":
        """Return what as_json made; what an earlier version did not know has its default."""
        values: dict[str, Any] = {n: tuple(value) if isinstance(value, list) else value for n, value in kept.items()}
        return cls(**values)


DEFAULT = Options()
