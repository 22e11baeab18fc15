"""The types of the interface between the ISAPI modules and the HTTP client."""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Answer:
    """One complete HTTP answer of a terminal. `path` is the requested path without its query.

    `login_sent`: the request had credentials. A terminal that asks for none gets none.
    The body is not in the repr: it may hold a person's face or name.
    """

    status: int
    content_type: str
    body: bytes = field(repr=False)
    path: str
    login_sent: bool = False


@dataclass(frozen=True)
class ResponseStatus:
    """The terminal's own verdict (ISAPI "ResponseStatus"). Fields that it did not send are None or empty."""

    status_code: int | None = None
    sub_status: str = ""
    message: str = ""


class Requester(Protocol):
    """Anything that can send one request to a terminal: a Client, or a wrapper around one."""

    def request(
        self,
        method: str,
        path: str,
        *,
        data: bytes | None = None,
        content_type: str | None = None,
        timeout: tuple[float, float] | None = None,
    ) -> Answer:
        """Send one request and return the answer.

        Args: timeout is (connect, read) in seconds.
        :raises TerminalError:
        """
        ...
