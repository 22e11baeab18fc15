"""Who may call which view: each view is marked with a rule, and one without a rule is refused to everybody."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import current_app, g, request

from hikflask.models.accounts import ADMIN, OPERATOR, VIEWER, may

__all__ = [
    "ADMIN",
    "OPERATOR",
    "VIEWER",
    "Rule",
    "allow",
    "confirmed",
    "is_api_call",
    "is_open_by_session",
    "may",
    "open_by_session",
    "public",
    "rule",
    "rule_of",
]

View = TypeVar("View", bound=Callable[..., Any])
STATIC = "static"


@dataclass(frozen=True)
class Rule:
    """What a view asks for.

    `role`: the lowest role that may call it; None for everybody, signed in or not.
    `confirmed`: the operator's password must have been asked for again a moment ago.
    `is_activity`: such a request shows that a person is there and keeps the session open; polling does not.
    `answers_file`: the answer is a file, and the browser goes on showing the page that it had.
    `session_too`: of a call of the API that an operator's session opens, too.
    """

    role: str | None
    confirmed: bool = False
    is_activity: bool = True
    answers_file: bool = False
    session_too: bool = False


PUBLIC = Rule(None)


def public(view: View) -> View:
    """Open a view to everybody, such as the sign-in page and the health check."""
    return _marked(PUBLIC)(view)


def allow(role: str, *, is_activity: bool = True, session_too: bool = False) -> Callable[[View], View]:
    """Open a view to a role and the roles above it."""
    return _marked(Rule(role, is_activity=is_activity, session_too=session_too))


def confirmed(role: str, *, answers_file: bool = False) -> Callable[[View], View]:
    """Open a dangerous view to a role and the roles above it, after the password was asked for again."""
    return _marked(Rule(role, confirmed=True, answers_file=answers_file))


def _marked(rule: Rule) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        view.access_rule = rule  # type: ignore[attr-defined]
        return view

    return decorate


def rule_of(endpoint: str | None) -> Rule | None:
    """Return the rule of a view, or None."""
    if endpoint == STATIC:
        return PUBLIC
    view = current_app.view_functions.get(endpoint or "")
    return getattr(view, "access_rule", None)


def rule() -> Rule | None:
    """Return the rule of the view that the request is for."""
    return rule_of(request.endpoint)


def is_api_call() -> bool:
    """Return True when the request is a program's: its address begins with /api/, known or not, or is the metrics'."""
    return f"{request.path}/".startswith(("/api/", "/metrics/"))


def open_by_session() -> None:
    """Mark the call of the API that is being answered as opened by an operator's session."""
    g.opened_by_session = True


def is_open_by_session() -> bool:
    """Return True when an operator's session opened the call, so that no token is needed."""
    return bool(g.get("opened_by_session"))
