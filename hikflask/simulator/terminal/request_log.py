"""The log of the requests that a terminal got, in the order they came."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

KEPT_HEADERS = ("Content-Type", "Content-Length", "Accept", "User-Agent", "Connection")
KEPT_REQUESTS = 5000
_TOKEN = re.compile(r"(?<=token=)[^&]+")


@dataclass
class LoggedRequest:
    """One request. `status` stays None until it is answered, and for ever when the answer is lost."""

    method: str
    path: str
    """Path with query. The log blanks the value of a token."""
    headers: Mapping[str, str]
    body: bytes
    time: float
    """In the clock's seconds."""
    has_credentials: bool
    """It had an Authorization header."""
    logged_in: bool = False
    status: int | None = None
    reply: bytes = field(default=b"", repr=False)

    @property
    def plain_path(self) -> str:
        """The path without the query."""
        return self.path.partition("?")[0]


class RequestLog(list[LoggedRequest]):
    """The newest requests, oldest first."""

    def append(self, request: LoggedRequest) -> None:
        request.path = _TOKEN.sub("…", request.path)
        super().append(request)
        del self[:-KEPT_REQUESTS]
