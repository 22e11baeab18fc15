"""Fields that nobody may set: whatever comes along in JSON or in a form, only the named fields are taken."""

from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import inspect

from hikflask.extensions import db
from hikflask.models import ApiToken, Employee, Operator, OperatorSession, Terminal
from hikflask.models.accounts import OPERATOR, VIEWER
from tests.support.signed_in import OPERATOR_PASSWORD, client_of

USER = {"hikvision_id": "100222", "full_name": "Иван Иванов", "department": "Охрана"}
DEVICE = {"name": "Вход", "url": "http://terminal.invalid", "username": "admin", "password": "Abc12345"}
MAY_CHANGE = {
    Employee: {"number", "name", "department", "search", "is_active", "valid_from", "valid_to", "left_at", "version"},
    Terminal: {"name", "url", "username", "password", "fingerprint", "is_active", "face_by_picture", "direction"},
    Operator: {"role", "is_active"},
}
# The app itself writes these when a terminal is changed and asked.
WRITTEN = {"password_encrypted", "lease_number", "backoff_until", "version", "check_until"}
OTHER_NAMES = {
    "synced_to_device": True,
    "photo_path": "/uploads/../secret_key",
    "photo": "/etc/passwd",
    "created_at": "2001-01-01T00:00:00",
    "password_hash": "scrypt:32768:8:1$x$x",
    "token": "x",
    "admin": True,
    "__class__": "x",
    "__proto__": "x",
    "_sa_instance_state": "x",
    "metadata": "x",
}


def columns(kind: type[Any]) -> dict[str, str]:
    """Each column that nobody may set, with a value that could be one."""
    every = inspect(kind).columns.keys()
    return dict.fromkeys(sorted(set(every) - MAY_CHANGE.get(kind, set())), "7")


def row(app: Flask, kind: type[Any]) -> dict[str, Any]:
    """The columns of the last row that nobody may set."""
    with app.app_context():
        last = db.session.execute(db.select(kind).order_by(kind.id.desc()).limit(1)).scalar_one()
        found = {name: getattr(last, name) for name in columns(kind)}
    assert "7" not in {str(value) for value in found.values()}
    return {name: value for name, value in found.items() if name not in WRITTEN}


@pytest.mark.parametrize(
    ("path", "good", "kind"), [("/api/users/", USER, Employee), ("/api/devices/", DEVICE, Terminal)]
)
def test_json_sets_no_other_column(
    app: Flask, client: FlaskClient, path: str, good: dict[str, str], kind: type
) -> None:
    more = {**columns(kind), **OTHER_NAMES}
    if kind is Terminal:
        more.pop("is_active", None)

    added = client.post(path, json={**good, **more})
    assert added.status_code == 201, added.text
    before = row(app, kind)
    assert added.get_json()["id"] == 1
    changed = client.put(f"{path}1", json={**good, **more})

    assert changed.status_code == 200, changed.text
    assert row(app, kind) == before


def test_new_user_is_active_and_on_no_terminal_whatever_is_said(client: FlaskClient) -> None:
    added = client.post("/api/users/", json={**USER, **OTHER_NAMES, "is_active": False, "id": "99"}).get_json()

    assert (added["id"], added["is_active"], added["photo_path"], added["synced_to_device"]) == (1, True, None, False)


def test_employee_form_sets_no_other_column(app: Flask, client: FlaskClient) -> None:
    more = {**columns(Employee), **OTHER_NAMES, "is_active": "", "active": "0"}
    more.pop("photo")
    more.pop("terminal_name")  # A field of the form.

    assert client.post("/employees/", data={**USER, **more}).location == "/employees/1"
    before = row(app, Employee)
    assert client.post("/employees/1", data={**USER, **more, "employee_id": "7"}).location == "/employees/1"

    assert row(app, Employee) == before
    assert client.get("/api/users/1").get_json()["is_active"] is True


def test_terminal_form_sets_no_other_column(app: Flask, client: FlaskClient) -> None:
    more = {**columns(Terminal), **OTHER_NAMES}

    client.post("/terminals/", data={**DEVICE, **more, "is_active": "y"})
    before = row(app, Terminal)
    client.post("/terminals/1", data={**DEVICE, **more, "is_active": "y"})

    assert row(app, Terminal) == before


def test_operator_form_sets_no_other_column(app: Flask, client: FlaskClient) -> None:
    more = {**columns(Operator), **OTHER_NAMES, "must_change_password": "", "password": "четыре слова без связи"}

    answer = client.post("/operators/", data={**more, "name": "Пётр", "role": VIEWER, "is_active": ""})
    added = row(app, Operator)
    assert (answer.status_code, added["name"], added["must_change_password"]) == (200, "Пётр", True)
    client.post(
        f"/operators/{added['id']}", data={**more, "name": "Другой", "login": "x", "role": VIEWER, "is_active": "y"}
    )

    assert row(app, Operator) == added


@pytest.mark.parametrize("path", ["/operators/", "/operators/2"])
def test_of_a_field_that_comes_twice_the_one_that_is_checked_is_taken(
    app: Flask, client: FlaskClient, path: str
) -> None:
    client_of(app, OPERATOR, "Ольга")
    form: dict[str, Any] = {"name": ["Пётр", "Анна"], "is_active": "y"}

    refused = client.post(path, data={**form, "role": ["root", VIEWER]})
    taken = client.post(path, data={**form, "role": [VIEWER, "admin"]}, query_string={"role": "admin", "name": "Яна"})

    assert (refused.status_code, taken.status_code < 400) == (422, True)
    with app.app_context():
        found = {one.name: one.role for one in db.session.execute(db.select(Operator)).scalars()}
    added = {"Анна": "admin", "Ольга": OPERATOR, "Пётр": VIEWER}
    assert found == (added if path == "/operators/" else {"Анна": "admin", "Ольга": VIEWER})


@pytest.mark.parametrize("path", ["/confirm", "/operators/"])
def test_password_that_comes_twice_is_one_try(app: Flask, path: str) -> None:
    name = "password" if path == "/confirm" else "own_password"
    client = client_of(app, confirmed=False)

    answer = client.post(path, data={"name": "Пётр", "role": VIEWER, name: ["wrong", OPERATOR_PASSWORD]})

    assert answer.status_code == 422
    assert client.get("/operators/").status_code == 303


def test_own_password_is_all_that_the_account_changes(app: Flask) -> None:
    viewer, new = client_of(app, VIEWER), "четыре слова без связи"
    form = {"password": OPERATOR_PASSWORD, "new_password": new, "repeated": new}
    others = {
        "role": "admin",
        "operator_id": "1",
        "id": "1",
        "name": "Анна",
        "is_active": "y",
        "must_change_password": "1",
    }

    assert viewer.post("/account/password", data={**form, **others}).status_code == 303

    with app.app_context():
        found = db.session.execute(db.select(Operator)).scalars().all()
        assert [(one.role, one.must_change_password) for one in found] == [(VIEWER, False)]


def test_password_that_was_given_cannot_stay(app: Flask) -> None:
    client = client_of(app, OPERATOR)
    with app.app_context():
        db.session.execute(db.update(Operator).values(must_change_password=True))
        db.session.commit()
    form = {"password": OPERATOR_PASSWORD, "new_password": OPERATOR_PASSWORD, "repeated": OPERATOR_PASSWORD}

    assert client.post("/account/password", data=form).status_code == 422

    assert client.get("/employees/").location == "/account/password?next=/employees/"


def test_sign_in_and_confirmation_set_nothing_of_a_session(app: Flask) -> None:
    client = client_of(app, VIEWER, confirmed=False)
    more = {"role": "admin", "operator_id": "9", "confirmed_at": "2099-01-01", "key_sha256": "x", "address": "1.1.1.1"}

    client.post("/confirm", data={"password": "wrong", **more})
    app.test_client().post("/sign-in", data={"name": "Анна viewer", "password": OPERATOR_PASSWORD, **more})

    with app.app_context():
        rows = db.session.execute(db.select(OperatorSession).order_by(OperatorSession.id)).scalars().all()
        assert [(one.operator_id, one.address) for one in rows] == [(1, "127.0.0.1")] * 2
        # To sign in counts as the password typed once more.
        assert rows[0].confirmed_at is None
        assert rows[1].confirmed_at == rows[1].started_at
    assert client.get("/operators/").status_code == 403


def test_token_form_sets_no_other_column(app: Flask, client: FlaskClient) -> None:
    day = datetime.now(UTC).date()
    more = {**columns(ApiToken), "token_sha256": "x", "created_by": "nobody", "revoked_at": "2001-01-01", "id": "77"}

    client.post("/tokens/", data={**more, "name": "Кадры", "role": VIEWER, "expires_on": day.isoformat()})

    added = row(app, ApiToken)
    assert (added["name"], added["role"], added["created_by"], added["revoked_at"]) == ("Кадры", VIEWER, "Анна", None)
    assert added["id"] != 77
    assert len(added["token_sha256"]) == 64
