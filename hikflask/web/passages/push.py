"""Where terminals tell by themselves that something happened: without a session, by the secret in the address.

Whatever is refused is answered alike. What is believed is answered 200 with an empty body once the bell is rung: some
terminals send anything else again for ever, and all that is behind it waits. So is what comes too often. It is not
read, and the bell is rung all the same, or whoever has the secret could keep the terminal from being heard.
"""

from http import HTTPStatus

from flask import Blueprint, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from hikflask.extensions import csrf
from hikflask.http import body_limits
from hikflask.http.permissions import public
from hikflask.services.accounts import rate_limit
from hikflask.services.accounts.errors import TooOften
from hikflask.services.passages import intake, push_slot, pushes

bp = Blueprint("push", __name__)
csrf.exempt(bp)
# So many calls in WINDOW_SECONDS, of each terminal, and of each place that has no secret.
MAX_CALLS, MAX_REFUSED = 1200, 60
WINDOW_SECONDS = 60.0


@bp.post(f"{push_slot.PATH}<secret>", provide_automatic_options=False)
@public
def receive(secret: str) -> Response:
    """Take what a terminal tells."""
    address = request.remote_addr or ""
    sender = pushes.sender_of(secret, address)
    try:
        if sender is None:
            rate_limit.count_try(f"push@{rate_limit.place_of(address)}", MAX_REFUSED, WINDOW_SECONDS)
            return _answer(HTTPStatus.NOT_FOUND)
        rate_limit.count_try(f"push:{sender.terminal_id}", MAX_CALLS, WINDOW_SECONDS)
    except TooOften:
        if sender is None:
            return _answer(HTTPStatus.TOO_MANY_REQUESTS)
        intake.wake(sender.terminal_id)
        return _answer(HTTPStatus.OK)
    return _answer(HTTPStatus.OK if pushes.receive(sender, _body()) else HTTPStatus.NOT_FOUND)


def _body() -> bytes | None:
    """Return the body as it was sent, or None when it is too long; terminals break the rules of forms."""
    request.max_content_length = pushes.MAX_BYTES
    try:
        body = request.get_data(cache=False)
    except RequestEntityTooLarge:
        body_limits.drain()
        return None
    # A body in chunks has no Content-Length, and is cut off at the limit.
    return body if len(body) < pushes.MAX_BYTES else None


def _answer(status: HTTPStatus) -> Response:
    return Response(b"", status, mimetype="text/plain")
