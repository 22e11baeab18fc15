"""What was typed into a form that could not be dealt with yet: it goes through the page that asks for something first,
and is shown again as it was typed.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Response, current_app, flash, g, make_response, request, session
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest, HTTPException, NotFound

from hikflask.http import permissions
from hikflask.services.accounts.sessions import SignedIn

# What belongs to one page of one session, and what is asked for beside the form.
NOT_KEPT = {"csrf_token", "own_password", "own_page", "lang"}
# What is never written into a page: that one was typed is all that is kept of it.
SECRET = {"password"}
# No form of ours has more; what is sent by others would come back several times as long.
MOST_FIELDS = 50
MOST_BYTES = 64 * 1024
Pairs = tuple[tuple[str, str], ...]
Restorer = TypeVar("Restorer", bound=Callable[..., ResponseReturnValue])
_restorers: dict[str, Callable[..., ResponseReturnValue]] = {}


@dataclass(frozen=True)
class Kept:
    """The path that a form went to, and its fields."""

    path: str
    pairs: Pairs

    @property
    def fields(self) -> str:
        """The fields as JSON, as a page carries them: a list of pairs."""
        return json.dumps(self.pairs, ensure_ascii=False)

    @property
    def is_too_much(self) -> bool:
        """True when it is longer than a form of ours ever is."""
        return len(self.pairs) > MOST_FIELDS or len(self.fields.encode()) > MOST_BYTES

    @property
    def has_secret(self) -> bool:
        """True when something was typed that must be typed again."""
        return any(name in SECRET for name, value in self.pairs)


def restores(*endpoints: str) -> Callable[[Restorer], Restorer]:
    """Let a function, called with the fields and the address's values, answer the page of these forms as typed.

    A secret field is among the fields, empty, when something was typed into it: the page asks for it again.
    """

    def decorate(function: Restorer) -> Restorer:
        _restorers.update(dict.fromkeys(endpoints, function))
        return function

    return decorate


def pairs() -> Pairs:
    """Return the fields of this request's form, with secrets emptied.

    :raises werkzeug.exceptions.BadRequest: when they are more than a page carries.
    """
    found = _typed()
    if found.is_too_much:
        raise BadRequest
    return found.pairs


def _typed() -> Kept:
    typed = ((name, value) for name, value in request.form.items(multi=True) if name not in NOT_KEPT)
    filled = ((name, value) for name, value in typed if value or name not in SECRET)
    fields = tuple((name, "" if name in SECRET else value) for name, value in filled)
    return Kept(request.path, fields + _files())


def _files() -> Pairs:
    # A page carries no file, and a browser fills none in: that one was chosen is all that can be said again.
    files = request.files.items(multi=True)
    return tuple((name, file.filename) for name, file in files if file.filename)


def of_request() -> Kept | None:
    """Return what this request's form holds, or None where nothing typed could be lost, or too much was."""
    if request.method != "POST" or request.endpoint not in _restorers:
        return None
    found = _typed()
    return None if found.is_too_much else found


def carried() -> Kept | None:
    """Return what the page that asked for something carried along; None when it makes no sense."""
    path, fields = request.form.get("kept_path"), request.form.get("kept")
    found = _read(fields) if path and fields and len(fields) <= MOST_BYTES else None
    typed = Kept(path, found) if path and found is not None else None
    return None if typed is None or typed.is_too_much else typed


def shown_again(kept: Kept, person: SignedIn, why: str = "", *, silent: bool = False) -> Response | None:
    """Answer the form as it was typed, and say why; silent where it was not sent and nothing must be typed again.

    None when it is no form of ours, or not one for this person, or what it is about was deleted.
    """
    endpoint, values = _view(kept.path)
    rule = permissions.rule_of(endpoint)
    if endpoint not in _restorers or rule is None or rule.role is None or not permissions.may(person.role, rule.role):
        return None
    said = list(session.get("_flashes", []))
    g.form_shown_again = endpoint
    if kept.has_secret or not silent:
        flash(f"{why} {_what_to_do(kept)}".strip(), "warning")
    try:
        return make_response(_restorers[endpoint](MultiDict(kept.pairs), **values))
    except NotFound:
        session["_flashes"] = said
        del g.form_shown_again
        return None


def shown_endpoint() -> str:
    """Return the view whose page is answered: that of a form shown again, whatever address it is shown at."""
    return str(g.get("form_shown_again") or request.endpoint or "")


def rule_of(kept: Kept) -> permissions.Rule | None:
    """Return who may send this form; None when it is no form of ours."""
    return permissions.rule_of(_view(kept.path)[0])


def _what_to_do(kept: Kept) -> str:
    if kept.has_secret:
        return str(_("Nothing is saved yet: type the terminal's password again, then press the button once more."))
    return str(_("Nothing typed is lost, but nothing is saved yet: press the button again."))


def _view(path: str) -> tuple[str, dict[str, Any]]:
    try:
        endpoint, values = current_app.url_map.bind(request.host).match(path, "POST")
    except HTTPException:
        return "", {}
    return str(endpoint), dict(values)


def _read(text: str) -> Pairs | None:
    try:
        found = tuple((str(name), str(value)) for name, value in json.loads(text))
        # JSON may hold half a character, which no page can be written with.
        "".join(f"{name}{value}" for name, value in found).encode()
    except (ValueError, TypeError, RecursionError):
        return None
    return found
