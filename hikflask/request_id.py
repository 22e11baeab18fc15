"""The id of the request that this thread works for: one id from the page to the job, the terminal and the audit trail.

A request sets its own. The worker sets the id of the request that asked for its task, or that a row names.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

MAX_LENGTH = 32
_current: ContextVar[str] = ContextVar("request_id", default="")


def current() -> str:
    """Return the id, or an empty text where nobody asked, as in the sweep."""
    return _current.get()


@contextmanager
def working_for(request_id: str) -> Iterator[None]:
    """Set the id within the block."""
    token = _current.set(request_id)
    try:
        yield
    finally:
        _current.reset(token)
