"""How long a body may be, and what pages and API do with one that is over the limit."""

from typing import IO

from flask import request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import RequestEntityTooLarge

WITH_FILES = "multipart/form-data"
# What a page carries along of a form (64 KB) is three times as long on its way.
LONGEST_FORM = 256 * 1024
MOST_BYTES = 64 * 1024 * 1024
CHUNK = 64 * 1024


class Body:
    """A request's body; one that breaks its own rules, such as a chunk without a length, is one that broke off."""

    def __init__(self, sent: IO[bytes]) -> None:
        self._sent = sent

    def read(self, size: int = -1) -> bytes:
        """Return at most so many bytes. :raises OSError: which Werkzeug answers as a bad request."""
        try:
            return self._sent.read(size)
        except ParseException as error:
            raise OSError("the body is broken") from error


def limit() -> None:
    """Let what brings no file be no longer than a form of ours: Flask's own limit of fields is for forms with files."""
    request.environ["wsgi.input"] = Body(request.environ["wsgi.input"])
    if not may_bring_file():
        limit_text()


def limit_text() -> None:
    """Let the body be no longer than a form of ours, whatever it is said to be."""
    request.max_content_length = LONGEST_FORM


def text() -> bytes:
    """Return the body of a call. :raises RequestEntityTooLarge: when it is longer than a form of ours."""
    limit_text()
    body = request.get_data()
    # One without a length, in chunks, is cut off at the limit.
    if len(body) >= LONGEST_FORM:
        raise RequestEntityTooLarge
    return body


def may_bring_file() -> bool:
    """True for the only kind of form that a file comes in."""
    return request.mimetype == WITH_FILES


def take_rest() -> None:
    """Read the rest of a body that is too large: a client that is cut off while it sends reads no answer."""
    left = min(request.content_length or 0, MOST_BYTES)
    while left > 0 and (chunk := request.environ["wsgi.input"].read(min(CHUNK, left))):
        left -= len(chunk)
