"""The ETag of what the API shows, and If-Match: a change is made only to what the program has seen."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, jsonify, request
from werkzeug.exceptions import PreconditionFailed
from werkzeug.http import generate_etag

Require = Callable[[], None]
CHANGED = "This was changed meanwhile. Read it again, and send the change with its new ETag."


def tagged(shown: Mapping[str, Any]) -> Response:
    """Return the answer with its ETag."""
    answer = jsonify(shown)
    answer.set_etag(generate_etag(answer.get_data()))
    return answer


def requirement(shown: Callable[[], Mapping[str, Any]]) -> Require | None:
    """Return the check that If-Match asks for, to be made once the row is locked; None where it asks for nothing.

    :param shown: reads and returns what a GET shows now.
    The check raises PreconditionFailed when that has another ETag.
    """
    if "If-Match" not in request.headers:
        return None
    wanted = request.if_match

    def require() -> None:
        if not wanted.contains(tagged(shown()).get_etag()[0] or ""):
            raise PreconditionFailed(CHANGED)

    return require
