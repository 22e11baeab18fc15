"""What the terminal was asked, in the order the requests came."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

KEPT_HEADERS = ("Content-Type", "Content-Length", "Accept", "User-Agent", "Connection")
KEPT_ENTRIES = 5000
_SECRET = re.compile(r"(?<=token=)[^&]+")


@dataclass
class Entry:
    """One request. `status` is None while nobody answered it, and for ever when the answer was lost."""

    method: str
    path: str
    """Path with query; the value of a token is blanked."""
    headers: Mapping[str, str]
    body: bytes
    time: float
    """The clock's seconds."""
    has_credentials: bool
    """It carried an Authorization header."""
    logged_in: bool = False
    status: int | None = None
    reply: bytes = field(default=b"", repr=False)

    @property
    def plain_path(self) -> str:
        """The path without the query."""
        return self.path.partition("?")[0]


@dataclass
class Journal:
    """The log of one terminal; the oldest entries go when it grows too long."""

    entries: list[Entry] = field(default_factory=list)

    def begin(self, entry: Entry) -> Entry:
        entry.path = _SECRET.sub("…", entry.path)
        self.entries.append(entry)
        del self.entries[:-KEPT_ENTRIES]
        return entry

    def clear(self) -> None:
        self.entries.clear()
