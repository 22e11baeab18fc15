"""The operator who is signed in at this page: Flask-Login's current user, and the start and end of a session."""

from flask import g, session
from flask_login import UserMixin, current_user, login_user, logout_user

from hikflask.extensions import login_manager
from hikflask.http import permissions
from hikflask.models import OperatorSession
from hikflask.services.accounts import sessions
from hikflask.services.accounts.sessions import SignedIn

PENDING = "pending"


class SessionUser(UserMixin):  # type: ignore[misc]
    """An operator with an open session, as Flask-Login wants a user: its id is the session's key."""

    def __init__(self, key: str, signed_in: SignedIn) -> None:
        self.key = key
        self.signed_in = signed_in

    def get_id(self) -> str:
        """Return the session's key, which the signed cookie holds."""
        return self.key


@login_manager.user_loader  # type: ignore[untyped-decorator]
def _load(key: str) -> SessionUser | None:
    signed_in = sessions.find(key)
    return SessionUser(key, signed_in) if signed_in else None


def get() -> SignedIn | None:
    """Return who is signed in, or None."""
    return current_user.signed_in if current_user.is_authenticated else None


def required() -> SignedIn:
    """Return who is signed in, in views that the guard lets only signed-in operators into."""
    found: SignedIn = current_user.signed_in
    return found


def operator_name() -> str:
    """Return the name of the operator, as captures and leases store it."""
    found = get()
    return found.name if found else "?"


def may(role: str) -> bool:
    """Tell whether whoever is signed in may do what this role may."""
    found = get()
    return found is not None and permissions.may(found.role, role)


def begin_session(key: str) -> None:
    """Sign in with this session; nothing that the cookie held before stays in it."""
    found = sessions.find(key)
    if found is None:
        return
    session.clear()
    g.pop("csrf_token", None)
    login_user(SessionUser(key, found))


def begin_pending(key: str) -> None:
    """Keep a session that waits for the second factor in the cookie; nobody is signed in with it."""
    end_session()
    session[PENDING] = key


def pending() -> OperatorSession | None:
    """Return the session of this browser that waits for the second factor, or None."""
    key = session.get(PENDING)
    return sessions.find_pending(key) if key else None


def end_session() -> None:
    """Sign out, and empty the cookie."""
    logout_user()
    session.clear()
    g.pop("csrf_token", None)
