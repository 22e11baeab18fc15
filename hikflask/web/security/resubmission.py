"""A typed form is not lost when a password must be asked for first.

The page that asks (sign-in, new password, confirmation) carries the form's fields along in hidden fields; after the
answer the form is shown again as it was typed, to be sent once more.
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

from hikflask.http import body_limits, permissions
from hikflask.services.accounts.sessions import SignedIn

# The token of one session, and the fields of the question beside the form.
NOT_CARRIED = {"csrf_token", "own_password", "own_page", "lang"}
# Never written into a page: only that something was typed there is carried along.
SECRET = {"password"}
# No form of ours has more, nor has a page of the list on which everybody is selected. A forged form would otherwise be
# answered several times as long.
MAX_FIELDS = 100
MAX_BYTES = 64 * 1024
Pairs = tuple[tuple[str, str], ...]
Restorer = TypeVar("Restorer", bound=Callable[..., ResponseReturnValue])
_restorers: dict[str, Callable[..., ResponseReturnValue]] = {}


@dataclass(frozen=True)
class TypedForm:
    """A form that was sent: the path that it went to, and its fields as pairs of name and value."""

    path: str
    pairs: Pairs

    @property
    def as_json(self) -> str:
        """The fields as a page carries them: a JSON list of pairs."""
        return json.dumps(self.pairs, ensure_ascii=False)

    @property
    def is_too_much(self) -> bool:
        """True when it has more than MAX_FIELDS fields or MAX_BYTES bytes, which no form of this program has."""
        return len(self.pairs) > MAX_FIELDS or len(self.as_json.encode()) > MAX_BYTES

    @property
    def has_secret(self) -> bool:
        """True when a password was typed, which must be typed again."""
        return any(name in SECRET for name, value in self.pairs)


def restores(*endpoints: str) -> Callable[[Restorer], Restorer]:
    """Register the function that shows the page of these forms again, as it was typed.

    It is called with the fields and the values in the form's address. A password field that was filled is among the
    fields, but empty: the page asks for it again.
    """

    def decorate(function: Restorer) -> Restorer:
        _restorers.update(dict.fromkeys(endpoints, function))
        return function

    return decorate


def typed_fields() -> Pairs:
    """Return the fields of this request's form, with passwords emptied.

    :raises werkzeug.exceptions.BadRequest: when they are more than a page carries.
    """
    typed = _typed()
    if typed.is_too_much:
        raise BadRequest
    return typed.pairs


def _typed() -> TypedForm:
    typed = ((name, value) for name, value in request.form.items(multi=True) if name not in NOT_CARRIED)
    filled = ((name, value) for name, value in typed if value or name not in SECRET)
    fields = [(name, "" if name in SECRET else value) for name, value in filled]
    # A page cannot carry a file: only its name, which says that one was chosen.
    files = [(name, file.filename) for name, file in request.files.items(multi=True) if file.filename]
    return TypedForm(request.path, (*fields, *files))


def typed_in_request() -> TypedForm | None:
    """Return the form that this request sends; None where nothing typed could be lost, or where it is too long."""
    if request.method != "POST" or request.endpoint not in _restorers:
        return None
    if body_limits.exceeds_limit():
        # No page carries files, so nothing else is lost by not reading them.
        body_limits.drain()
        return None
    typed = _typed()
    return None if typed.is_too_much else typed


def carried_form() -> TypedForm | None:
    """Return the form that the page with the question carried along; None when there is none or it cannot be read."""
    path, fields = request.form.get("kept_path"), request.form.get("kept")
    if not path or not fields or len(fields) > MAX_BYTES:
        return None
    try:
        typed = TypedForm(path, tuple((str(name), str(value)) for name, value in json.loads(fields)))
        # JSON may hold half a character, which no page can be written with.
        typed.as_json.encode()
    except (ValueError, TypeError, RecursionError):
        return None
    return None if typed.is_too_much else typed


def show_again(typed: TypedForm, person: SignedIn, why: str = "", *, silent: bool = False) -> Response | None:
    """Answer the page of a form as it was typed.

    :param why: a sentence that says why it is shown again.
    :param silent: say nothing, unless a password must be typed again.
    :returns: None when it is no form of ours, not allowed to this person, or about something that was deleted.
    """
    endpoint, values = _view(typed.path)
    rule = permissions.rule_of(endpoint)
    if endpoint not in _restorers or rule is None or rule.role is None or not permissions.may(person.role, rule.role):
        return None
    flashes_before = list(session.get("_flashes", []))
    g.form_shown_again = endpoint
    if typed.has_secret or not silent:
        what_to_do = (
            _("Nothing is saved yet: type the terminal's password again, then press the button once more.")
            if typed.has_secret
            else _("Nothing typed is lost, but nothing is saved yet: press the button again.")
        )
        flash(f"{why} {what_to_do}".strip(), "warning")
    try:
        return make_response(_restorers[endpoint](MultiDict(typed.pairs), **values))
    except NotFound:
        session["_flashes"] = flashes_before
        del g.form_shown_again
        return None


def page_endpoint() -> str:
    """Return the endpoint whose page is answered: that of a form shown again, even at another address."""
    return str(g.get("form_shown_again") or request.endpoint or "")


def rule_of(typed: TypedForm) -> permissions.Rule | None:
    """Return who may send this form; None when it is no form of ours."""
    return permissions.rule_of(_view(typed.path)[0])


def _view(path: str) -> tuple[str, dict[str, Any]]:
    try:
        endpoint, values = current_app.url_map.bind(request.host).match(path, "POST")
    except HTTPException:
        return "", {}
    return str(endpoint), dict(values)
