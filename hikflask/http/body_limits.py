"""How long the body of a request may be, and what happens to one that is longer.

A view that is marked with takes() gets longer files than others, but only of somebody with its role: the guard calls
apply_view_limit() after it has checked that. Until then the limit is that of all views.
"""

from collections.abc import Callable
from tempfile import TemporaryFile
from typing import IO, Any, TypeVar

from flask import Request, current_app, request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import RequestEntityTooLarge

WITH_FILES = "multipart/form-data"
# A page carries up to 64 KB of a form along; percent-encoded, that is three times as long.
MAX_FORM_BYTES = 256 * 1024
# No more than this is read of a body that is refused.
MAX_BYTES = 64 * 1024 * 1024
CHUNK = 64 * 1024
View = TypeVar("View", bound=Callable[..., Any])


class StreamingRequest(Request):
    """A request whose long files go to the instance folder: the /tmp of a machine may be a part of its memory."""

    def _get_file_stream(self, *about: Any, **more: Any) -> IO[bytes]:
        if _longest() is None:
            return super()._get_file_stream(*about, **more)
        return TemporaryFile(dir=current_app.config["UPLOADS"])


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


def takes(longest: Callable[[], int]) -> Callable[[View], View]:
    """Mark a view that takes longer files than others.

    :param longest: returns the largest size of the files together, in bytes; it is called within a request.
    """

    def decorate(view: View) -> View:
        view.longest_files = longest  # type: ignore[attr-defined]
        return view

    return decorate


def apply_view_limit() -> None:
    """Raise the limit of this request's body to that of its view. Call this once the sender is authorized."""
    longest = _longest()
    if longest is not None and may_bring_file():
        request.max_content_length = longest + MAX_FORM_BYTES


def exceeds_limit() -> bool:
    """Return True when the body has files that its view takes, but longer ones than its current limit; read nothing."""
    limit = request.max_content_length
    return _longest() is not None and limit is not None and (request.content_length or 0) > limit


def _longest() -> int | None:
    """Return how long the files of this request's view may be; None for a view that is not marked with takes()."""
    view = current_app.view_functions.get(request.endpoint or "")
    longest: Callable[[], int] | None = getattr(view, "longest_files", None)
    return None if longest is None else longest()


def limit_to_form() -> None:
    """Limit this request's body to the length of a form, whatever its content type is."""
    request.max_content_length = MAX_FORM_BYTES


def read() -> bytes:
    """Return the body of a call.

    :raises RequestEntityTooLarge: when it is longer than a form.
    """
    limit_to_form()
    body = request.get_data()
    # A body in chunks has no Content-Length, and is cut off at the limit.
    if len(body) >= MAX_FORM_BYTES:
        raise RequestEntityTooLarge
    return body


def may_bring_file() -> bool:
    """Return True when the content type is that of a form with files."""
    return request.mimetype == WITH_FILES


def drain() -> None:
    """Read and drop the rest of a body that is too large: a client that cannot finish sending reads no answer."""
    left = min(request.content_length or 0, MAX_BYTES)
    while left > 0 and (chunk := request.environ["wsgi.input"].read(min(CHUNK, left))):
        left -= len(chunk)
