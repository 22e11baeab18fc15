"""The API token in the header `Authorization: Bearer …`, which programs send instead of a session cookie."""

import logging

from flask import current_app, g, request
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import ServiceUnavailable, TooManyRequests, Unauthorized

from hikflask.http import permissions
from hikflask.models import ApiToken
from hikflask.services import audit
from hikflask.services.accounts import api_tokens, rate_limit
from hikflask.services.accounts.errors import TooOften
from hikflask.services.audit import Actor

log = logging.getLogger(__name__)
MINUTE = 60.0
# When to call again while the database is away.
AWAY_SECONDS = 30
# Nobody guesses 256 bits: this limit protects the log and the database from whoever tries.
WRONG_TOKENS_A_MINUTE = 100
CHALLENGE = 'Bearer realm="hikflask"'


class TokenRefused(Unauthorized):
    """No token, or one that is not valid; the answer does not say which."""

    def get_headers(self, *about: object) -> list[tuple[str, str]]:
        """Return the error's headers with the challenge that RFC 6750 requires."""
        return [*super().get_headers(*about), ("WWW-Authenticate", CHALLENGE)]  # type: ignore[arg-type]


def is_given() -> bool:
    """Tell whether the request has a bearer token, valid or not; a password for a proxy in front is none."""
    return request.authorization is not None and request.authorization.type == "bearer"


def authenticate() -> ApiToken:
    """Return the token of this request, and count the call against the token's limit.

    :raises TokenRefused: :raises TooManyRequests: :raises ServiceUnavailable: both with Retry-After.
    """
    given = request.authorization
    secret = given.token if given is not None and given.type == "bearer" else None
    found = _find(secret) if secret else None
    if found is None:
        _count(f"wrong-token:{rate_limit.place_of(request.remote_addr or '')}", WRONG_TOKENS_A_MINUTE)
        if secret:
            _note_refusal()
        raise TokenRefused("A valid token is expected: Authorization: Bearer …")
    _count(f"token:{found.id}", current_app.config["API_LIMIT"])
    return found


def _find(secret: str) -> ApiToken | None:
    try:
        return api_tokens.find(secret)
    except OperationalError as error:
        log.warning("no token can be looked up: %s", error.orig)
        raise ServiceUnavailable("The database does not answer.", retry_after=AWAY_SECONDS) from error


def caller_name() -> str:
    """Return the name of the program that calls, as captures, leases and the audit trail store it."""
    return audit.present_actor().name


def token_id() -> int:
    """Return the id of the token that this request showed, in calls that no session opens."""
    found: int = g.caller_token_id
    return found


def may(role: str) -> bool:
    """Tell whether the token of this request includes a role, in calls that no session opens."""
    return permissions.may(g.caller_role, role)


def begin(token: ApiToken) -> None:
    """Let the token be the caller, whom the audit trail names; web/security/guard.py clears that at the end."""
    g.caller_token_id, g.caller_role = token.id, token.role
    g.actor_token = audit.begin(Actor(f"API {token.name}", request.remote_addr or "", g.request_id))


def _note_refusal() -> None:
    """Note a refused token in the audit trail, at most once within audit.SAME_SECONDS for each network address."""
    try:
        rate_limit.take(f"noted-token:{rate_limit.place_of(request.remote_addr or '')}", 1, audit.SAME_SECONDS)
    except TooOften:
        return
    with audit.acting(Actor(audit.NOBODY, request.remote_addr or "", g.request_id)):
        audit.record_alone("token.refused")


def _count(key: str, limit: int) -> None:
    try:
        rate_limit.take(key, limit, MINUTE)
    except TooOften as error:
        seconds = error.params["seconds"]
        raise TooManyRequests("Too many calls: wait and try again.", retry_after=seconds) from error
