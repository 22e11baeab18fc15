"""The id of the request that this thread works for: one id from the page to the job, the terminal and the audit trail.

A request sets its own. The worker sets the id of the request that asked for its task, or that a row names.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token

MAX_LENGTH = 32
_present: ContextVar[str] = ContextVar("request_id", default="")


def present() -> str:
    """Return the id, or an empty text where nobody asked, as in the sweep."""
    return _present.get()


def begin(request_id: str) -> Token[str]:
    """Set the id from now on; the result is for end()."""
    return _present.set(request_id)


def end(token: Token[str]) -> None:
    """Set the id that was there before begin()."""
    _present.reset(token)


@contextmanager
def working_for(request_id: str) -> Iterator[None]:
    """Set the id within the block."""
    token = begin(request_id)
    try:
        yield
    finally:
        end(token)
