"""Lists by cursor: `limit` and `after`, and the header Link that leads to the next page."""

from urllib.parse import urlencode

from flask import Response, request

from hikflask.api.openapi.described import WHOLE, Schema
from hikflask.api.support import body

PAGE = 100
MAX_PAGE_SIZE = 1000
ARGUMENTS: dict[str, Schema] = {
    "limit": {**WHOLE, "minimum": 0, "default": PAGE, "description": f"At most {MAX_PAGE_SIZE}; more is taken so."},
    "after": {"type": "string", "description": "Where the page begins, from the header Link of the page before."},
}


def limit() -> int:
    """Return how many rows are asked for. :raises InputError: when it is no number."""
    return whole("limit", PAGE, MAX_PAGE_SIZE)


def whole(name: str, default: int, most: int) -> int:
    """Return an argument that is a whole number, and `most` for more than that.

    :raises InputError: when it is none.
    """
    value = body.number(request.args, name)
    return default if value is None else min(value, most)


def with_link(answer: Response, after: str) -> Response:
    """Return the answer with the way to the next page; "" when there is none."""
    if after:
        # The path alone: the client knows the host, and a request's own words for it are not repeated.
        arguments = {**request.args.to_dict(), "after": after}
        answer.headers["Link"] = f'<{request.path}?{urlencode(arguments)}>; rel="next"'
    return answer
