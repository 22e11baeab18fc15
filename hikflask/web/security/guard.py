"""Checks each request for a page before any view runs: host, origin, length, session, password and role."""

import secrets
from contextlib import ExitStack
from http import HTTPStatus

from flask import Flask, Response, abort, g, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.exceptions import BadHost, SecurityError

from hikflask import request_id
from hikflask.http import bearer_token, body_limits, permissions
from hikflask.services import audit
from hikflask.services.accounts import sessions
from hikflask.services.audit import Actor
from hikflask.services.passages import push_slot
from hikflask.web.security import current_operator, forgery, password_prompt, reauthentication
from hikflask.web.support import urls

PUSH = "push.receive"
# The endpoints that are open to an operator whose password must be changed first.
BEFORE_PASSWORD_CHANGE = {"account.password", "account.change_password", "sign_in.sign_out", "language.choose"}
# The endpoints that are open to an operator who must set up a second factor first.
BEFORE_FACTOR = {
    *("second_factor.set_up", "second_factor.enrol", "confirmation.ask", "confirmation.confirm"),
    *("sign_in.sign_out", "language.choose"),
}


def register(app: Flask) -> None:
    """Run these checks before all others; API and photos have their own for the session."""
    app.before_request(assign_request_id)
    app.before_request(refuse_unknown_host)
    app.before_request(refuse_beside_pushes)
    app.before_request(forgery.refuse_other_sites)
    app.before_request(body_limits.limit_body)
    app.before_request(refuse_json)
    app.before_request(admit)
    app.teardown_request(end_request)


def assign_request_id() -> None:
    """Give the request an id, which error pages, the log and the audit trail show."""
    g.request_id = secrets.token_hex(6)
    g.during_request = ExitStack()
    g.during_request.enter_context(request_id.working_for(g.request_id))


def end_request(error: BaseException | None = None) -> None:  # noqa: ARG001 - Flask passes it
    """Reset the id and the actor, so that neither is named for what this thread does next."""
    if "during_request" in g:
        g.pop("during_request").close()


def refuse_unknown_host() -> Response | None:
    """Answer a request without a host, or for one that is not in HIKFLASK_HOSTS: no address can be built for it."""
    if isinstance(request.routing_exception, (BadHost, SecurityError)):
        return Response(_("This host name is not served here.") + "\n", HTTPStatus.BAD_REQUEST, mimetype="text/plain")
    return None


def refuse_beside_pushes() -> Response | None:
    """Answer what is no push, but asks below their address, as a push with an unknown secret: with nothing."""
    if request.path.startswith(push_slot.PATH) and request.endpoint != PUSH:
        return Response(b"", HTTPStatus.NOT_FOUND, mimetype="text/plain")
    return None


def refuse_json() -> None:
    """Refuse JSON where a form is expected: Flask-WTF would read it, and its values may have any type."""
    if request.method == "POST" and request.is_json and request.endpoint != PUSH and not permissions.is_api_call():
        abort(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)


def set_audit_actor(name: str) -> None:
    """Set the actor whom the audit trail names for what the request does."""
    g.during_request.enter_context(audit.acting(Actor(name, request.remote_addr or "", g.request_id)))


def admit() -> ResponseReturnValue | None:
    """Return the answer that stops a request, or None when it may go on; photos and API calls are checked elsewhere."""
    if not permissions.is_api_call():
        return None if request.blueprint == "uploads" else admit_page()
    rule = permissions.rule()
    if rule and rule.role and rule.session_too and not bearer_token.is_given():
        # An operator's session opens such a call, too.
        person = current_operator.get()
        if person is not None and not person.is_kept_back and permissions.may(person.role, rule.role):
            set_audit_actor(person.name)
            permissions.open_by_session()
    return None


def admit_page() -> ResponseReturnValue | None:
    """Return the question or the refusal that stops a browser's request, or None when it may go on."""
    rule = permissions.rule()
    is_public = rule == permissions.PUBLIC
    person = None if is_public else current_operator.get()
    set_audit_actor(person.name if person else audit.NOBODY)
    if person is None:
        return None if is_public else password_prompt.ask_to_sign_in()
    if rule is None or rule.is_activity:
        sessions.touch(person.session_id)
    if person.must_change_password and request.endpoint not in BEFORE_PASSWORD_CHANGE:
        return password_prompt.ask_for_new_password()
    if person.must_set_up_factor and not person.must_change_password and request.endpoint not in BEFORE_FACTOR:
        return password_prompt.ask_to_set_up_factor()
    if request.routing_exception is not None:
        return urls.relative_redirect(request.routing_exception)  # None: the answer will be that there is no such page
    if rule is None or rule.role is None or not permissions.may(person.role, rule.role):
        audit.record_refused_access(f"{request.method} {request.path}")
        abort(HTTPStatus.FORBIDDEN)
    body_limits.apply_view_limit()
    return reauthentication.admit(person, rule) if rule.confirmed else None
