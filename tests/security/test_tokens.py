"""API tokens: what is no valid token opens nothing, wherever and however it is shown."""

import base64
import hashlib
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from hikflask import create_app
from hikflask.extensions import db
from hikflask.http import bearer_token
from hikflask.http.permissions import Rule
from hikflask.models import ApiToken, AuditEntry
from hikflask.models.accounts import OPERATOR, ROLES, VIEWER
from hikflask.models.columns import database_now
from hikflask.services.accounts import api_tokens
from tests.support.apps import close
from tests.support.signed_in import client_of, make_token

PATHS = ["/api/users/", "/api/devices/", "/uploads/nothing.jpg"]


@pytest.fixture
def settings() -> dict[str, Any]:
    """A small limit."""
    return {"API_LIMIT": 6, "PROPAGATE_EXCEPTIONS": False}


@pytest.fixture
def program(app: Flask) -> FlaskClient:
    """A program without any cookie."""
    return app.test_client()


@pytest.fixture
def token(app: Flask) -> str:
    return make_token(app, VIEWER)


def shown(program: FlaskClient, authorization: str, path: str = "/api/users/", **more: Any) -> TestResponse:
    return program.get(path, headers={"Authorization": authorization}, **more)


def is_refused(answer: TestResponse) -> bool:
    challenge = answer.headers.get("WWW-Authenticate", "")
    return answer.status_code == 401 and challenge == 'Bearer realm="hikflask"' and "Set-Cookie" not in answer.headers


def test_valid_token_opens(program: FlaskClient, token: str) -> None:
    assert shown(program, f"Bearer {token}").status_code == 200
    # RFC 9110, 11.1: the name of a scheme is the same in any case.
    assert shown(program, f"bearer {token}").status_code == 200


def test_token_in_any_other_shape_is_refused(program: FlaskClient, token: str) -> None:
    basic = base64.b64encode(f"x:{token}".encode()).decode()
    alone = base64.b64encode(token.encode()).decode()
    shapes = ["", token, "Bearer", "Bearer ", f"Bearer{token}", f"Token {token}", f"Digest {token}", f"Basic {basic}"]
    shapes += [
        f"Basic {alone}",
        f"Basic {token}",
        f"Bearer {token[:-1]}",
        f"Bearer {token}x",
        f"Bearer {token.upper()}",
    ]
    shapes += [f"Bearer {token}, Bearer {token}", f'Bearer token="{token}"', f"Bearer {token} {token}", "Bearer %"]
    shapes += [f"Bearer {hashlib.sha256(token.encode()).hexdigest()}", "Bearer ' OR 1=1 --", "Bearer \xff\xfe"]

    for shape in shapes:
        assert is_refused(shown(program, shape)), shape


def test_token_anywhere_else_is_refused(app: Flask, program: FlaskClient, token: str) -> None:
    client_of(app)
    for name in ("token", "access_token", "api_key", "Authorization"):
        program.set_cookie(name, token)
    program.set_cookie("hikflask", token)
    for path in PATHS[:2]:
        for name in ("token", "access_token", "api_key", "Authorization", "bearer"):
            assert is_refused(program.get(path, query_string={name: f"Bearer {token}"}))
            assert is_refused(program.get(path, query_string={name: token}))
        for name in ("X-Api-Key", "X-Auth-Token", "Proxy-Authorization", "X-Authorization"):
            assert is_refused(program.get(path, headers={name: f"Bearer {token}"}))
        assert is_refused(program.post(path, data={"access_token": token}))
    assert program.get(PATHS[2], query_string={"token": token}).status_code == 303


@pytest.mark.parametrize("column", ["expires_at", "revoked_at"])
def test_token_that_is_over_is_refused_at_once(app: Flask, program: FlaskClient, token: str, column: str) -> None:
    assert shown(program, f"Bearer {token}").status_code == 200
    with app.app_context():
        db.session.execute(db.update(ApiToken).values(**{column: database_now(-1.0)}))
        db.session.commit()

    assert all(is_refused(shown(program, f"Bearer {token}", path)) for path in PATHS)


def test_refused_token_hides_behind_no_cookie(app: Flask) -> None:
    client = client_of(app)

    for path in PATHS:
        answer = client.get(path, headers={"Authorization": "Bearer wrong"})
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="hikflask"')


def test_hash_alone_is_stored_and_the_token_is_shown_once(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        ends = db.session.execute(db.select(database_now(3600.0))).scalar_one()
        found, secret = api_tokens.create("Кадры", VIEWER, ends)
        row = db.session.execute(db.text("SELECT * FROM api_token WHERE id = :id"), {"id": found.id}).one()
        entries = db.session.execute(db.select(AuditEntry.subject, AuditEntry.after)).all()
    page = client.get("/tokens/").text

    assert found.token_sha256 == hashlib.sha256(secret.encode()).hexdigest()
    assert len(secret) >= len("hik_") + 43
    for text in (str(row), str(entries), page, repr(found)):
        assert secret not in text
        assert secret.removeprefix("hik_") not in text
    assert found.token_sha256 not in page


def test_photo_asks_a_token_for_the_role_that_its_view_asks_for(app: Flask) -> None:
    def show(name: str) -> str:
        return name

    show.access_rule = Rule(OPERATOR)  # type: ignore[attr-defined]
    app.view_functions["uploads.show"] = show

    answers = [shown(app.test_client(), f"Bearer {make_token(app, role)}", "/uploads/x") for role in ROLES]

    assert [answer.status_code for answer in answers] == [403, 200, 200]


def test_use_is_noted_and_a_refusal_is_none(app: Flask, program: FlaskClient, token: str) -> None:
    def last_used() -> object:
        with app.app_context():
            return db.session.execute(db.select(ApiToken.last_used_at)).scalar_one()

    shown(program, "Bearer wrong")
    assert last_used() is None
    shown(program, f"Bearer {token}")
    assert last_used() is not None


def test_limit_is_each_tokens_own_and_not_the_addresss(app: Flask, program: FlaskClient, token: str) -> None:
    other = make_token(app, VIEWER)
    here = [shown(program, f"Bearer {token}").status_code for _ in range(6)]
    there = {"environ_overrides": {"REMOTE_ADDR": "192.0.2.9"}}

    for path in PATHS:
        refused = shown(program, f"Bearer {token}", path, **there)
        assert refused.status_code == 429
        assert 1 <= int(refused.headers["Retry-After"]) <= 60

    assert here == [200] * 6
    assert shown(program, f"Bearer {other}").status_code == 200


def test_wrong_tokens_of_one_address_are_slowed_down_and_right_ones_are_not(program: FlaskClient, token: str) -> None:
    statuses = [shown(program, f"Bearer wrong{number}").status_code for number in range(101)]

    assert (statuses[99], statuses[100]) == (401, 429)
    assert shown(program, f"Bearer {token}").status_code == 200
    with program.application.app_context():
        assert len(db.session.execute(db.select(AuditEntry).where(AuditEntry.action == "token.refused")).all()) == 1


def test_wrong_tokens_of_one_machine_are_slowed_down_by_whichever_address_it_takes(
    program: FlaskClient, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bearer_token, "WRONG_TOKENS_A_MINUTE", 3)

    def ask(address: str, secret: str = "wrong") -> int:
        return shown(program, f"Bearer {secret}", environ_overrides={"REMOTE_ADDR": address}).status_code

    assert [ask(f"2001:db8::{number}") for number in range(1, 5)] == [401, 401, 401, 429]
    assert ask("2001:db8::4", token) == 200
    assert ask("2001:db8:0:1::1") == 401


def test_refused_tokens_are_in_the_trail_once_for_each_place(program: FlaskClient) -> None:
    # The second and the third address are two of one machine.
    for address in ("192.0.2.9", "2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"):
        for number in range(2):
            shown(program, f"Bearer wrong{number}", environ_overrides={"REMOTE_ADDR": address})

    with program.application.app_context():
        found = db.session.execute(db.select(AuditEntry.address).where(AuditEntry.action == "token.refused")).scalars()
        assert list(found) == ["192.0.2.9", "2001:db8::1", "2001:db8:0:1::1"]


@pytest.mark.parametrize("path", PATHS)
def test_refused_token_is_in_the_trail_with_where_it_came_from(program: FlaskClient, path: str) -> None:
    shown(program, "Bearer wrong", path, environ_overrides={"REMOTE_ADDR": "192.0.2.9"})

    with program.application.app_context():
        entry = db.session.execute(db.select(AuditEntry).where(AuditEntry.action == "token.refused")).scalar_one()
        assert (entry.actor, entry.address, len(entry.request_id)) == ("nobody", "192.0.2.9", 12)


def test_limit_is_six_thousand_calls_a_minute_unless_said(tmp_path: Path) -> None:
    app = create_app({"INSTANCE_PATH": str(tmp_path), "TESTING": True})

    assert app.config["API_LIMIT"] == 6000
    close(app)
