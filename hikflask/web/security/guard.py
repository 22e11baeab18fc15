"""Asks each request for a page who it is from, and whether that person may; before anything else looks at it."""

import secrets
from contextvars import Token
from http import HTTPStatus
from typing import NoReturn

from flask import Flask, Response, abort, g, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.exceptions import BadHost, SecurityError

from hikflask.http import body_limits, permissions
from hikflask.http.permissions import Rule
from hikflask.services import audit
from hikflask.services.accounts import sessions
from hikflask.services.accounts.sessions import SignedIn
from hikflask.services.audit import Actor
from hikflask.web.security import current_operator, password_prompt, reauthentication, same_origin
from hikflask.web.support import urls

# What somebody may do whose password must be changed first.
BEFORE_THE_CHANGE = {"account.password", "account.change_password", "sign_in.sign_out", "language.choose"}


def register(app: Flask) -> None:
    """Put the guard before everything else; the API and the photos have their own."""
    app.before_request(name_request)
    app.before_request(refuse_strange_host)
    app.before_request(same_origin.refuse)
    app.before_request(body_limits.limit)
    app.before_request(refuse_json)
    app.before_request(admit)
    app.teardown_request(forget_actor)


def name_request() -> None:
    """Give each request an id, which error pages, the log and the audit trail show."""
    g.request_id = secrets.token_hex(6)


def refuse_strange_host() -> Response | None:
    """Answer at once what asks for no host, or another one than HIKFLASK_HOSTS: no page can be made for it."""
    if isinstance(request.routing_exception, (BadHost, SecurityError)):
        return Response(_("This host name is not served here.") + "\n", HTTPStatus.BAD_REQUEST, mimetype="text/plain")
    return None


def refuse_json() -> None:
    """A page takes forms alone; Flask-WTF would take JSON for one, whose values may be anything."""
    if request.method == "POST" and request.is_json and not permissions.is_api_call():
        abort(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)


def act_as(name: str) -> None:
    """Let the audit trail say who is behind what this request does."""
    forget_actor()
    g.actor_token = audit.begin(Actor(name, request.remote_addr or "", g.request_id))


def forget_actor(error: BaseException | None = None) -> None:  # noqa: ARG001 - Flask passes it
    """Let nobody answer for what this thread does next."""
    token: Token[Actor] | None = g.pop("actor_token", None)
    if token is not None:
        audit.end(token)


def admit() -> ResponseReturnValue | None:
    """Let the request through (None), or answer it: sign in, confirm, or no."""
    if permissions.is_api_call() or request.blueprint == "uploads":
        return None
    return admit_page()


def admit_page() -> ResponseReturnValue | None:
    """Let the request of a browser through (None), or answer it."""
    rule = permissions.rule()
    if rule == permissions.PUBLIC:
        act_as(audit.NOBODY)
        return None
    person = current_operator.present()
    if person is None:
        act_as(audit.NOBODY)
        return password_prompt.to_sign_in()
    act_as(person.name)
    return _admit_person(person, rule)


def _admit_person(person: SignedIn, rule: Rule | None) -> ResponseReturnValue | None:
    if rule is None or rule.counts:
        sessions.touch(person.session_id)
    if person.must_change_password and request.endpoint not in BEFORE_THE_CHANGE:
        return password_prompt.to_change_password()
    if request.routing_exception is not None:
        return urls.led_on(request.routing_exception)  # else there is no such page, as the answer will say
    if rule is None or rule.role is None or not permissions.may(person.role, rule.role):
        _refused()
    return reauthentication.admit(person, rule) if rule.confirmed else None


def _refused() -> NoReturn:
    audit.note_refused_access(f"{request.method} {request.path}")
    abort(HTTPStatus.FORBIDDEN)
