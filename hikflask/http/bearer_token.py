"""The API token that a request shows instead of a session: `Authorization: Bearer …`, and nothing else."""

from flask import current_app, g, request
from werkzeug.exceptions import TooManyRequests, Unauthorized

from hikflask.models import ApiToken
from hikflask.services import audit
from hikflask.services.accounts import api_tokens, rate_limit
from hikflask.services.accounts.errors import TooOften
from hikflask.services.audit import Actor

MINUTE = 60.0
# A token has 256 bits: this does not protect it, but the log and the database of what tries all the same.
WRONG_A_MINUTE = 100
CHALLENGE = 'Bearer realm="hikflask"'


class TokenRefused(Unauthorized):
    """No token, or none that is valid now; which of both is not said."""

    def get_headers(self, *about: object) -> list[tuple[str, str]]:
        """The error's headers with the challenge that RFC 6750 asks for."""
        return [*super().get_headers(*about), ("WWW-Authenticate", CHALLENGE)]  # type: ignore[arg-type]


def is_shown() -> bool:
    """True when the request tries to show a token; a password for a proxy in front is none."""
    return request.authorization is not None and request.authorization.type == "bearer"


def token() -> ApiToken:
    """Return the token of this request, counted against its limit.

    :raises TokenRefused: :raises TooManyRequests: with Retry-After.
    """
    given = request.authorization
    secret = given.token if given is not None and given.type == "bearer" else None
    found = api_tokens.find(secret) if secret else None
    if found is None:
        _count(f"wrong-token:{rate_limit.place_of(request.remote_addr or '')}", WRONG_A_MINUTE)
        if secret:
            _note_refusal()
        raise TokenRefused("A valid token is expected: Authorization: Bearer …")
    _count(f"token:{found.id}", current_app.config["API_LIMIT"])
    return found


def caller(of: ApiToken) -> str:
    """Return a token's name as captures, leases and the audit trail keep it."""
    return f"API {of.name}"


def act_as(of: ApiToken) -> None:
    """Let the token answer for what this request does; whoever begins the request ends this with it."""
    g.actor_token = audit.begin(Actor(caller(of), request.remote_addr or "", g.request_id))


def _note_refusal() -> None:
    """Note it once in a while for each place, as what the same actor does again: an address alone is easily changed."""
    try:
        rate_limit.take(f"noted-token:{rate_limit.place_of(request.remote_addr or '')}", 1, audit.SAME_SECONDS)
    except TooOften:
        return
    with audit.acting(Actor(audit.NOBODY, request.remote_addr or "", g.request_id)):
        audit.note_alone("token.refused")


def _count(key: str, limit: int) -> None:
    try:
        rate_limit.take(key, limit, MINUTE)
    except TooOften as error:
        seconds = error.params["seconds"]
        raise TooManyRequests("Too many calls: wait and try again.", retry_after=seconds) from error
