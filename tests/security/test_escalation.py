"""Ways around a role: other methods, other spellings of an address; and what an error gives away."""

import itertools
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.extensions import db
from hikflask.http import permissions
from hikflask.models import AuditEntry, Employee, Operator, Terminal
from hikflask.models.accounts import ADMIN, OPERATOR, VIEWER
from hikflask.services.audit.log import MAX_REFUSALS
from tests.support.signed_in import client_of

OVERRIDES = ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"]
ELSEWHERE = [
    "X-Original-URL",
    "X-Rewrite-URL",
    "X-Forwarded-Prefix",
    "X-Forwarded-Path",
    "X-Script-Name",
    "X-Custom-IP-Authorization",
]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get", "POST ", "FOO"]
LEAKS = re.compile(
    r"Traceback|File \"|site-packages|"
    r"sqlalchemy|sqlite|psycopg|werkzeug|SELECT .* FROM|INSERT INTO|/tmp/|/home/|\.py\b|jinja|python/",
    re.IGNORECASE,
)


def closed_to(app: Flask, role: str) -> Iterator[tuple[str, str]]:
    """Each address and method that is not for this role."""
    with app.app_context():
        for rule in app.url_map.iter_rules():
            found = permissions.rule_of(rule.endpoint)
            if found and found.role and not permissions.may(role, found.role):
                for method in (rule.methods or set()) - {"OPTIONS"}:
                    yield re.sub(r"<int:\w+>", "1", rule.rule), method


def spellings(path: str) -> list[str]:
    """Other ways to write an address."""
    first = path.split("/")[1]
    return [
        path.upper(),
        path.rstrip("/") + "/",
        path.rstrip("/"),
        f"/{path}",
        path.replace("/", "//"),
        f"/./{path[1:]}",
        f"/x/..{path}",
        path.replace(first, f"{first};x=1", 1),
        f"{path}%00",
        f"{path}%20",
        f"{path}.json",
        f"{path}?role=admin",
        path.replace(first[0], f"%{ord(first[0]):02x}", 1),
        path.replace(first[0], f"%25{ord(first[0]):02x}", 1),
        "%2f" + path[1:],
    ]


def state(app: Flask) -> list[Any]:
    """What nobody may have changed."""
    with app.app_context():
        tables = [Operator.__table__, Terminal.__table__, Employee.__table__]
        return [list(db.session.execute(db.select(table))) for table in tables]


@pytest.mark.parametrize("role", [VIEWER, OPERATOR])
def test_no_other_method_and_no_other_spelling_opens_what_is_closed(app: Flask, role: str) -> None:
    client_of(app, ADMIN)
    client = client_of(app, role)
    with app.app_context():
        db.session.add(Employee(number="1", name="Иван", search=""))
        db.session.commit()
    before, found = state(app), sorted(closed_to(app, role))
    assert len(found) > 15

    for place, (path, method) in enumerate(found):
        assert client.open(path, method=method).status_code == 403, (path, method)
        # How an address is read does not depend on what lies there: each gets one of the spellings, in turn.
        for way in spellings(path)[place % 15 :: 15]:
            answer = client.open(way, method=method, follow_redirects=False)
            asked = answer.status_code == 303 and answer.location.startswith("/sign-in")
            assert asked or answer.status_code in {308, 400, 401, 403, 404, 405}, (way, method, answer.status_code)
    assert state(app) == before


@pytest.mark.parametrize("role", [VIEWER, OPERATOR])
def test_no_header_changes_method_or_address(app: Flask, role: str) -> None:
    client_of(app, ADMIN)
    client = client_of(app, role)
    before = state(app)
    overrides = itertools.cycle(itertools.product(OVERRIDES, ("POST", "DELETE")))
    elsewhere = itertools.cycle(ELSEWHERE)
    for place, (path, closed) in enumerate(sorted(closed_to(app, role))):
        headers = dict([next(overrides)])
        answer = client.open(path, method=closed, headers=headers, data={"_method": "GET"})
        assert answer.status_code == 403, (path, headers)
        client.get(path, headers=headers, query_string={"_method": "DELETE"})
        # No such header is read at all: each names some of the addresses.
        if place % 12 == 0:
            page = client.get("/employees/", headers={next(elsewhere): path})
            assert page.request.path == "/employees/"
            assert 'aria-current="page"' in page.text
    assert state(app) == before


def test_no_method_lets_nobody_in(nobody: FlaskClient) -> None:
    for path in ["/operators/", "/operators/1/password", "/tokens/", "/api/devices/", "/terminals/new"]:
        for method in METHODS:
            answer = nobody.open(path, method=method)

            assert answer.status_code in {303, 401, 405}, method
            assert "Анна" not in answer.text


def test_role_that_was_taken_away_is_gone_at_once(app: Flask) -> None:
    client_of(app, ADMIN, "Другая")
    client = client_of(app, ADMIN)
    assert client.get("/operators/").status_code == 200
    with app.app_context():
        db.session.execute(db.update(Operator).where(Operator.name == "Анна").values(role=VIEWER))
        db.session.commit()

    assert client.get("/operators/").status_code == 403
    assert client.post("/employees/", data={}).status_code == 403


def test_somebody_who_is_kept_out_is_signed_out_at_once(app: Flask) -> None:
    admin, other = client_of(app, ADMIN), client_of(app, OPERATOR)
    with app.app_context():
        other_id = db.session.execute(db.select(Operator.id).where(Operator.role == OPERATOR)).scalar_one()

    admin.post(f"/operators/{other_id}", data={"role": OPERATOR})

    assert other.get("/employees/").location == "/sign-in?next=/employees/"


@pytest.mark.new_app
def test_view_without_a_rule_is_closed_to_everybody(app: Flask, client: FlaskClient) -> None:
    app.add_url_rule("/forgotten", "forgotten", lambda: "open")
    app.add_url_rule("/api/forgotten", "api_forgotten", lambda: "open")

    assert [client.get(path).status_code for path in ("/forgotten", "/api/forgotten")] == [403, 403]


def test_refused_tries_are_in_the_audit_trail(app: Flask) -> None:
    client = client_of(app, VIEWER)
    client.get("/operators/")
    client.get("/terminals/1/comparison/face?number=100222")
    client.post("/api/users/", json={})

    with app.app_context():
        found = db.session.execute(db.select(AuditEntry).where(AuditEntry.action == "access.refused")).scalars().all()
        assert [(one.actor, one.subject) for one in found] == [
            ("Анна viewer", "GET /operators/"),
            ("Анна viewer", "GET /terminals/1/comparison/face"),
            ("API viewer-0", "POST /api/users/"),
        ]


def test_refused_tries_do_not_fill_the_audit_trail(app: Flask) -> None:
    viewer, other = client_of(app, VIEWER), client_of(app, VIEWER, "Ольга")
    for number in range(2 * MAX_REFUSALS):
        viewer.post("/operators/")
        viewer.post(f"/operators/{number + 1}")
        viewer.post("/api/users/", json={})
    other.post("/operators/")

    with app.app_context():
        found = db.session.execute(db.select(AuditEntry).where(AuditEntry.action == "access.refused")).scalars().all()
        said = [(one.actor, one.subject) for one in found]
    assert said[:2] == [("Анна viewer", "POST /operators/"), ("Анна viewer", "POST /operators/1")]
    assert len(said) == len(set(said)) == MAX_REFUSALS + 2
    assert said[-1] == ("Ольга", "POST /operators/")


ROUNDS: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/nothing", {}),
    ("GET", "/employees/999", {}),
    ("GET", "/employees/" + "9" * 30, {}),
    ("DELETE", "/employees/", {}),
    ("GET", "/uploads/'%22%3bSELECT", {}),
    ("GET", "/employees/?q='%22%25_%5c&page=-1", {}),
    ("GET", "/employees/?page=" + "9" * 5000, {}),
    ("POST", "/employees/", {"data": b"\xff\xfe\x00", "content_type": "application/x-www-form-urlencoded"}),
    ("POST", "/employees/", {"data": b"x", "content_type": "multipart/form-data"}),
    ("POST", "/employees/", {"data": b"x", "content_type": "multipart/form-data; boundary=" + "x" * 300}),
    ("POST", "/captures", {"data": {"capture_id": "9" * 50, "terminal_id": "'"}}),
    ("POST", "/api/users/", {"data": b"{", "content_type": "application/json"}),
    ("POST", "/api/users/", {"data": b"[" * 100_000, "content_type": "application/json"}),
    ("POST", "/api/users/", {"data": b'{"full_name": 1' + b"0" * 5000 + b"}", "content_type": "application/json"}),
    ("POST", "/api/users/", {"data": b'{"full_name": "\\ud800", "hikvision_id": "1"}'}),
    ("GET", "/api/users/?limit=1e9&offset=-1", {}),
    ("GET", "/api/users/?q='%22--", {}),
    ("GET", "/static/nothing.css", {}),
]  # fmt: skip


def test_no_error_tells_what_lies_inside(client: FlaskClient) -> None:
    for method, path, more in ROUNDS:
        answer = client.open(path, method=method, **more)
        assert answer.status_code < 500, path
        assert not LEAKS.search(answer.text), path
        # gunicorn writes a Server header of its own, without a version; the app adds none.
        assert {"Server", "X-Powered-By"}.isdisjoint(dict(answer.headers))


@pytest.mark.parametrize("path", ["/employees/", "/api/users/", "/sign-in", "/uploads/x.jpg", "/health"])
def test_failure_of_ours_tells_nothing_but_its_id(app: Flask, client: FlaskClient, path: str) -> None:
    with app.app_context():
        db.session.execute(db.text("DROP TABLE photo"))
        db.session.execute(db.text("DROP TABLE throttle"))
        db.session.execute(db.text("ALTER TABLE employee RENAME TO lost_table"))
        db.session.commit()

    answer = client.get(path)

    assert not LEAKS.search(answer.text)
    assert "lost_table" not in answer.text
    assert "employee." not in answer.text
    assert answer.status_code == (500 if path not in {"/sign-in", "/health"} else answer.status_code)
