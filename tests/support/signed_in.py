"""Clients that are somebody: an operator with an open session, or a program with a token."""

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import requests
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from flask.testing import FlaskClient
from sqlalchemy import Table, bindparam, func, insert, select
from werkzeug.security import generate_password_hash
from werkzeug.test import TestResponse

from hikflask import create_app
from hikflask.extensions import db, task_queue
from hikflask.models import ApiToken, Operator, OperatorSession
from hikflask.models.accounts import ADMIN, login_of
from hikflask.models.columns import database_now
from hikflask.services import audit
from hikflask.services.accounts import api_tokens, sessions
from hikflask.services.core.db import transaction

OPERATOR_NAME = "Анна"
OPERATOR_PASSWORD = "лодка под синим мостом"
# scrypt is slow by design; this hash names about the least cost that there is.
QUICK_HASH = generate_password_hash(OPERATOR_PASSWORD, method="scrypt:128:1:1")
# Made once, and without the ORM: nearly every test begins with them.
FIND_OPERATOR = select(Operator.id).where(Operator.login == bindparam("login"))
ADD_OPERATOR = insert(cast("Table", Operator.__table__)).returning(Operator.id)
ADD_SESSION = insert(cast("Table", OperatorSession.__table__))
ADD_CONFIRMED_SESSION = ADD_SESSION.values(confirmed_at=database_now())
COUNT_TOKENS = select(func.count(ApiToken.id))
ADD_TOKEN = insert(cast("Table", ApiToken.__table__)).values(expires_at=database_now(3600.0))


class SignedInClient(FlaskClient):
    """A browser that is signed in, and, for the API's addresses, a program with a token of the same role."""

    token: str = ""

    def open(self, *args: object, **kwargs: object) -> TestResponse:
        path = args[0] if args else kwargs.get("path", "")
        if self.token and isinstance(path, str) and path.startswith("/api"):
            headers = dict(kwargs.pop("headers", None) or {})  # type: ignore[call-overload]
            headers.setdefault("Authorization", f"Bearer {self.token}")
            kwargs["headers"] = headers
        return super().open(*args, **kwargs)  # type: ignore[arg-type]


def add_operator(
    name: str = OPERATOR_NAME, role: str = ADMIN, *, password_hash: str = QUICK_HASH, **columns: object
) -> Operator:
    """Add an operator without the wait for scrypt; needs an app context."""
    operator = Operator(name=name, login=name.casefold(), password_hash=password_hash, role=role, **columns)
    with transaction():
        db.session.add(operator)
    return operator


def open_session(operator: Operator, *, confirmed: bool = True) -> str:
    """Open a session and return its key; needs an app context."""
    key = f"key-of-{operator.name}-{secrets.token_hex(4)}"
    row = OperatorSession(key_sha256=sessions._hash(key), operator_id=operator.id, address="127.0.0.1")
    row.confirmed_at = database_now() if confirmed else None
    with transaction():
        db.session.add(row)
    return key


def client_of(app: Flask, role: str = ADMIN, name: str = "", *, confirmed: bool = True) -> SignedInClient:
    """Return a client that is signed in with this role and has a token of this role."""
    name = name or (OPERATOR_NAME if role == ADMIN else f"{OPERATOR_NAME} {role}")
    key = f"key-of-{name}-{secrets.token_hex(4)}"
    with app.app_context(), transaction():
        row = {"key_sha256": sessions._hash(key), "operator_id": _operator_id(name, role), "address": "127.0.0.1"}
        db.session.execute(ADD_CONFIRMED_SESSION if confirmed else ADD_SESSION, row)
        token = _add_token(role)
    client = SignedInClient(app, app.response_class, use_cookies=True)
    client.token = token
    client.set_cookie(app.config["SESSION_COOKIE_NAME"], _cookie(app, {"_user_id": key, "_fresh": True}))
    return client


def _cookie(app: Flask, content: dict[str, object]) -> str:
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert serializer is not None
    return serializer.dumps(content)


def _operator_id(name: str, role: str) -> int:
    login = login_of(name)
    row = {"name": name, "login": login, "password_hash": QUICK_HASH, "role": role}
    known: int | None = db.session.execute(FIND_OPERATOR, {"login": login}).scalar()
    return known or db.session.execute(ADD_OPERATOR, row).scalar_one()


@dataclass(frozen=True)
class LetIn:
    """What a served app lets in: the value of the session's cookie, and an API token, both an administrator's."""

    cookie: str
    token: str

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Show the token, as `auth` of a requests session, to the API alone."""
        if "/api/" in str(request.url):
            request.headers["Authorization"] = f"Bearer {self.token}"
        return request


def let_in(folder: Path, **settings: str) -> LetIn:
    """Add an administrator with an open session and a token to the migrated database of an instance folder."""
    app = create_app({"INSTANCE_PATH": str(folder), "TESTING": True, **settings})
    try:
        return let_in_by(app)
    finally:
        app.extensions["terminal_clients"].close()
        task_queue.lanes(app).close()
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


def let_in_by(app: Flask) -> LetIn:
    """Do so with an app on that folder."""
    client = client_of(app)
    cookie = client.get_cookie(app.config["SESSION_COOKIE_NAME"])
    assert cookie is not None
    return LetIn(cookie.value, client.token)


def make_token(app: Flask, role: str = ADMIN) -> str:
    """Return a fresh token of this role."""
    with app.app_context(), transaction():
        return _add_token(role)


def _add_token(role: str) -> str:
    secret = api_tokens.PREFIX + secrets.token_urlsafe(api_tokens.TOKEN_BYTES)
    name = f"{role}-{db.session.execute(COUNT_TOKENS).scalar_one()}"
    row = {"name": name, "role": role, "token_sha256": api_tokens._hash(secret)}
    db.session.execute(ADD_TOKEN, row | {"created_by": audit.current_actor().name})
    audit.record("token.created", subject=name, after={"role": role})
    return secret
