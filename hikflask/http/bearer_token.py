"""The API token in the header `Authorization: Bearer …`, which programs send instead of a session cookie."""

import logging
from contextlib import suppress

from flask import current_app, g, request
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import ServiceUnavailable, TooManyRequests, Unauthorized

from hikflask.http import permissions
from hikflask.models import ApiToken
from hikflask.services import audit
from hikflask.services.accounts import api_tokens, rate_limit
from hikflask.services.accounts.errors import TooOften
from hikflask.services.audit import Actor
from hikflask.services.core import no_space

log = logging.getLogger(__name__)
MINUTE = 60.0
# When to call again while the database is away.
AWAY_SECONDS = 30
# Nobody guesses 256 bits: this limit protects the log and the database from many tries.
WRONG_TOKENS_A_MINUTE = 100
CHALLENGE = 'Bearer realm="hikflask"'


class TokenRefused(Unauthorized):
    """No token, or one that is not valid; the answer does not say which."""

    def get_headers(self, *about: object) -> list[tuple[str, str]]:
        """Return the error's headers with the challenge that RFC 6750 requires."""
        return [*super().get_headers(*about), ("WWW-Authenticate", CHALLENGE)]  # type: ignore[arg-type]


def is_given() -> bool:
    """Return True when the request has a bearer token, valid or not; a password for a proxy in front does not count."""
    return request.authorization is not None and request.authorization.type == "bearer"


def authenticate() -> ApiToken:
    """Return the token of this request, and count the call against the token's limit.

    :raises TokenRefused: :raises TooManyRequests: :raises ServiceUnavailable: both with Retry-After.
    """
    header = request.authorization
    secret = header.token if header is not None and header.type == "bearer" else None
    try:
        token = api_tokens.find(secret) if secret else None
    except OperationalError as error:
        if no_space.explain(error):
            raise  # It is answered as all that finds no space.
        log.warning("no token can be looked up: %s", error.orig)
        raise ServiceUnavailable("The database does not answer.", retry_after=AWAY_SECONDS) from error
    if token is None:
        _count(f"wrong-token:{rate_limit.place_of(request.remote_addr or '')}", WRONG_TOKENS_A_MINUTE)
        if secret:
            _record_refusal()
        raise TokenRefused("A valid token is expected: Authorization: Bearer …")
    with no_space.ignored():
        _count(f"token:{token.id}", current_app.config["API_LIMIT"])
    return token


def caller_name() -> str:
    """Return the name of the program that calls, as captures, leases and the audit trail store it."""
    return audit.current_actor().name


def token_id() -> int:
    """Return the id of the token that this request showed, in calls that no session opens."""
    row_id: int = g.caller_token_id
    return row_id


def may(role: str) -> bool:
    """Return True when the token of this request includes a role, in calls that no session opens."""
    return permissions.may(g.caller_role, role)


def begin(token: ApiToken) -> None:
    """Make the token the caller, whom the audit trail names until the request ends."""
    g.caller_token_id, g.caller_role = token.id, token.role
    g.during_request.enter_context(audit.acting(Actor(f"API {token.name}", request.remote_addr or "", g.request_id)))


def _record_refusal() -> None:
    """Record a refused token in the audit trail, at most once within audit.SAME_SECONDS for each network address."""
    with suppress(TooOften), audit.acting(Actor(audit.NOBODY, request.remote_addr or "", g.request_id)):
        rate_limit.count_try(f"noted-token:{rate_limit.place_of(request.remote_addr or '')}", 1, audit.SAME_SECONDS)
        audit.record_alone("token.refused")


def _count(key: str, limit: int) -> None:
    try:
        rate_limit.count_try(key, limit, MINUTE)
    except TooOften as error:
        seconds = error.params["seconds"]
        raise TooManyRequests("Too many calls: wait and try again.", retry_after=seconds) from error
