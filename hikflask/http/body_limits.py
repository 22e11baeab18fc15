"""How long the body of a request may be, and what happens to one that is longer."""

from typing import IO

from flask import request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import RequestEntityTooLarge

WITH_FILES = "multipart/form-data"
# A page carries up to 64 KB of a form along; percent-encoded, that is three times as long.
LONGEST_FORM = 256 * 1024
# No more than this is read of a body that is refused.
MOST_BYTES = 64 * 1024 * 1024
CHUNK = 64 * 1024


class Body:
    """A request's body; one with broken chunks reads as one that ended too early, which Werkzeug answers with 400."""

    def __init__(self, sent: IO[bytes]) -> None:
        self._sent = sent

    def read(self, size: int = -1) -> bytes:
        """Return at most so many bytes.

        :raises OSError: when the chunks are broken.
        """
        try:
            return self._sent.read(size)
        except ParseException as error:
            raise OSError("the body is broken") from error


def limit_body() -> None:
    """Limit a request without files to the length of a form; MAX_CONTENT_LENGTH is the limit for those with files."""
    request.environ["wsgi.input"] = Body(request.environ["wsgi.input"])
    if not may_bring_file():
        limit_to_form()


def limit_to_form() -> None:
    """Let this request's body be no longer than a form, whatever its content type is."""
    request.max_content_length = LONGEST_FORM


def read() -> bytes:
    """Return the body of a call.

    :raises RequestEntityTooLarge: when it is longer than a form.
    """
    limit_to_form()
    body = request.get_data()
    # A body in chunks has no Content-Length, and is cut off at the limit.
    if len(body) >= LONGEST_FORM:
        raise RequestEntityTooLarge
    return body


def may_bring_file() -> bool:
    """Tell whether the content type is that of a form with files."""
    return request.mimetype == WITH_FILES


def drain() -> None:
    """Read and drop the rest of a body that is too large: a client that cannot finish sending reads no answer."""
    left = min(request.content_length or 0, MOST_BYTES)
    while left > 0 and (chunk := request.environ["wsgi.input"].read(min(CHUNK, left))):
        left -= len(chunk)
