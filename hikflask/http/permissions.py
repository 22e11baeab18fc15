"""Who may call which view. What is not said here of a view is refused: a new one is closed until somebody opens it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import current_app, request

from hikflask.models.operator import ADMIN, OPERATOR, VIEWER, may

__all__ = [
    "ADMIN",
    "OPERATOR",
    "VIEWER",
    "Rule",
    "allow",
    "confirmed",
    "is_api_call",
    "may",
    "public",
    "rule",
    "rule_of",
]

View = TypeVar("View", bound=Callable[..., Any])
STATIC = ("static", "bootstrap.static")


@dataclass(frozen=True)
class Rule:
    """What a view asks for: a role (None: nothing, for everybody), and whether the password must be asked for again.

    `counts`: whether such a request shows that a person is there; what a page asks by itself does not.
    `answers_file`: a browser keeps the answer and goes on showing the page that it had.
    """

    role: str | None
    confirmed: bool = False
    counts: bool = True
    answers_file: bool = False


PUBLIC = Rule(None)


def public(view: View) -> View:
    """Let everybody call a view: the sign-in page, the health check."""
    return _ruled(view, PUBLIC)


def allow(role: str, *, counts: bool = True) -> Callable[[View], View]:
    """Let a role, and those that include it, call a view."""

    def decorate(view: View) -> View:
        return _ruled(view, Rule(role, counts=counts))

    return decorate


def confirmed(role: str, *, answers_file: bool = False) -> Callable[[View], View]:
    """Let a role call a view that can hurt: after its password was asked for again."""

    def decorate(view: View) -> View:
        return _ruled(view, Rule(role, confirmed=True, answers_file=answers_file))

    return decorate


def rule_of(endpoint: str | None) -> Rule | None:
    """Return the rule of a view; None where nobody wrote one."""
    if endpoint in STATIC:
        return PUBLIC
    view = current_app.view_functions.get(endpoint or "")
    return getattr(view, "access_rule", None)


def rule() -> Rule | None:
    """Return the rule of the view that the request is for."""
    return rule_of(request.endpoint)


def is_api_call() -> bool:
    """True where the request's address is one of the API's, whether or not there is such a call."""
    return f"{request.path}/".startswith("/api/")


def _ruled(view: View, found: Rule) -> View:
    view.access_rule = found  # type: ignore[attr-defined]
    return view
