"""Who is at the page."""

from flask import g, session
from flask_login import UserMixin, current_user, login_user, logout_user

from hikflask.extensions import login_manager
from hikflask.http import permissions
from hikflask.services.accounts import sessions
from hikflask.services.accounts.sessions import SignedIn


class Visitor(UserMixin):  # type: ignore[misc]
    """An operator with an open session, as Flask-Login keeps one: known by the session's key."""

    def __init__(self, key: str, signed_in: SignedIn) -> None:
        self.key = key
        self.signed_in = signed_in

    def get_id(self) -> str:
        """The session's key, which the signed cookie holds."""
        return self.key


@login_manager.user_loader  # type: ignore[untyped-decorator]
def _load(key: str) -> Visitor | None:
    signed_in = sessions.find(key)
    return Visitor(key, signed_in) if signed_in else None


def present() -> SignedIn | None:
    """Return who is signed in, or None."""
    return current_user.signed_in if current_user.is_authenticated else None


def signed_in() -> SignedIn:
    """Return who is signed in, for views that the guard let nobody else into."""
    visitor: SignedIn = current_user.signed_in
    return visitor


def present_operator() -> str:
    """Return the operator's name, as captures and leases keep it."""
    found = present()
    return found.name if found else "?"


def may(role: str) -> bool:
    """Tell whether whoever is signed in may do what this role may."""
    found = present()
    return found is not None and permissions.may(found.role, role)


def enter(key: str) -> None:
    """Begin to be signed in, with nothing in the cookie of what was there before."""
    found = sessions.find(key)
    if found is None:
        return
    session.clear()
    g.pop("csrf_token", None)
    login_user(Visitor(key, found))


def leave() -> None:
    """Stop being signed in, with an empty cookie."""
    logout_user()
    session.clear()
    g.pop("csrf_token", None)
