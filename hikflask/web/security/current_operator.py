"""The operator who is signed in at this page: Flask-Login's current user, and the start and end of a session."""

from flask import g, session
from flask_login import UserMixin, current_user, login_user, logout_user
from sqlalchemy.exc import SQLAlchemyError

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
    """Return who has this session. When it cannot be read, it is read once, and nobody's on the page that says so."""
    if g.get("session_unreadable"):
        return None
    try:
        signed_in = sessions.find(key)
    except SQLAlchemyError:
        g.session_unreadable = True
        raise
    return SessionUser(key, signed_in) if signed_in else None


def get() -> SignedIn | None:
    """Return the operator who is signed in, or None."""
    return current_user.signed_in if current_user.is_authenticated else None


def required() -> SignedIn:
    """Return the operator who is signed in. Call this in views that need a role, where somebody is."""
    signed_in: SignedIn = current_user.signed_in
    return signed_in


def operator_name() -> str:
    """Return the name of the operator, as captures and leases store it."""
    operator = get()
    return operator.name if operator else "?"


def may(role: str) -> bool:
    """Return True when the operator who is signed in may do what this role may."""
    operator = get()
    return operator is not None and permissions.may(operator.role, role)


def begin_session(key: str) -> None:
    """Sign in with this session; nothing that the cookie held before stays in it."""
    signed_in = sessions.find(key)
    if signed_in is not None:
        session.clear()
        g.pop("csrf_token", None)
        login_user(SessionUser(key, signed_in))


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
