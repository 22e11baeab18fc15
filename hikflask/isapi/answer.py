"""What crosses the one seam to the wire: a request goes in, an answer comes out, with a verdict in it."""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Answer:
    """One HTTP answer of a terminal, read to its end; `path` is the asked one without its query.

    The body stays out of the repr: it may be somebody's face or name.
    """

    status: int
    content_type: str
    body: bytes = field(repr=False)
    path: str


@dataclass(frozen=True)
class ResponseStatus:
    """The terminal's own verdict (ISAPI "ResponseStatus"), as far as it was given."""

    status_code: int | None = None
    status_string: str = ""
    sub_status: str = ""
    error_code: int | None = None
    message: str = ""


class Requester(Protocol):
    """Anything that can put one request to a terminal: a Client, or what a caller wraps around one."""

    def request(
        self,
        method: str,
        path: str,
        *,
        data: bytes | None = None,
        content_type: str | None = None,
        timeout: tuple[float, float] | None = None,
    ) -> Answer:
        """Send one request and return the answer, or raise a TerminalError; timeout is (connect, read) in seconds."""
        ...
