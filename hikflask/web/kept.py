"""What was typed into a form that came when nobody was signed in any more: it goes through the page that asks who is
there, and is shown again as it was typed.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import current_app, flash, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException

from hikflask import access
from hikflask.services.sessions import SignedIn

# What is typed again, or belongs to the session that ended.
NOT_KEPT = {"csrf_token", "password"}
Restorer = TypeVar("Restorer", bound=Callable[..., ResponseReturnValue])
_restorers: dict[str, Callable[..., ResponseReturnValue]] = {}


@dataclass(frozen=True)
class Kept:
    """The path that a form went to, and its fields as JSON: a list of pairs."""

    path: str
    fields: str


def restores(*endpoints: str) -> Callable[[Restorer], Restorer]:
    """Let a function, called with the fields and the address's values, answer the page of these forms as typed."""

    def decorate(function: Restorer) -> Restorer:
        _restorers.update(dict.fromkeys(endpoints, function))
        return function

    return decorate


def of_request() -> Kept | None:
    """Return what this request's form holds, or None where nothing typed could be lost."""
    if request.method != "POST" or request.endpoint not in _restorers:
        return None
    pairs = [pair for pair in request.form.items(multi=True) if pair[0] not in NOT_KEPT]
    return Kept(request.path, json.dumps(pairs, ensure_ascii=False))


def carried() -> Kept | None:
    """Return what the page that asked who is there carried along."""
    path, fields = request.form.get("kept_path"), request.form.get("kept")
    return Kept(path, fields) if path and fields else None


def shown_again(kept: Kept, person: SignedIn) -> ResponseReturnValue | None:
    """Answer the form as it was typed; None when it is no form of ours, or not one for this person."""
    endpoint, values = _view(kept.path)
    rule = access.rule_of(endpoint)
    if endpoint not in _restorers or rule is None or rule.role is None or not access.may(person.role, rule.role):
        return None
    fields = _fields(kept.fields)
    if fields is None:
        return None
    flash(_("You are signed in again. Nothing typed is lost: press the button again."), "warning")
    return _restorers[endpoint](fields, **values)


def _view(path: str) -> tuple[str, dict[str, Any]]:
    try:
        endpoint, values = current_app.url_map.bind(request.host).match(path, "POST")
    except HTTPException:
        return "", {}
    return str(endpoint), dict(values)


def _fields(text: str) -> MultiDict[str, str] | None:
    try:
        pairs = [(str(name), str(value)) for name, value in json.loads(text)]
        # JSON may hold half a character, which no page can be written with.
        "".join(value for _, value in pairs).encode()
        return MultiDict(pairs)
    except (ValueError, TypeError, RecursionError):
        return None
