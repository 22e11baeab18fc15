"""Where a request came from: the proxy's word alone counts, for one hop, for the throttle and for the audit trail."""

import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request
from gunicorn.config import Config
from gunicorn.http.message import Request
from gunicorn.http.unreader import IterUnreader

from hikflask import create_app
from hikflask.extensions import db
from hikflask.models import AuditEntry, OperatorSession
from tests.support.apps import close
from tests.support.signed_in import OPERATOR_NAME, OPERATOR_PASSWORD, client_of

ROOT = Path(__file__).parents[2]
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
PROXY, STRANGER = "127.0.0.1", "192.0.2.7"
BY_SOCKET = ""


@pytest.fixture
def settings() -> dict[str, Any]:
    """A proxy that is trusted by its address."""
    return {"TRUSTED_PROXY": PROXY}


@pytest.fixture
def behind_a_socket(database: dict[str, str], tmp_path: Path) -> Iterator[Flask]:
    """An app as it is by default."""
    app = create_app({**database, "INSTANCE_PATH": str(tmp_path), "TESTING": True})
    yield app
    close(app)


def seen(app: Flask, peer: str, **headers: str) -> tuple[str | None, str, str, str]:
    """The address, the scheme, the path and the host that the app believes in."""
    found: list[tuple[str | None, str, str, str]] = []
    app.before_request_funcs[None].insert(
        0, lambda: found.append((request.remote_addr, request.scheme, request.root_path, request.host))
    )
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    app.test_client().get("/health", headers=named, environ_overrides={"REMOTE_ADDR": peer})
    return found[0]


def test_of_what_the_proxy_says_the_last_hop_alone_is_believed(app: Flask) -> None:
    for said, believed in [
        ("198.51.100.1", "198.51.100.1"),
        ("203.0.113.66, 198.51.100.1", "198.51.100.1"),
        ("127.0.0.1, 10.0.0.1, 198.51.100.1", "198.51.100.1"),
        ("2001:db8::1", "2001:db8::1"),
    ]:
        assert seen(app, PROXY, X_Forwarded_For=said)[0] == believed


def test_of_what_the_proxy_says_nothing_else_is_believed(app: Flask) -> None:
    headers = {
        "X_Forwarded_Prefix": "/evil",
        "X_Forwarded_Host": "evil.example",
        "X_Forwarded_Port": "1",
        "X_Real_IP": "9.9.9.9",
        "Forwarded": "for=9.9.9.9",
    }

    assert seen(app, PROXY, X_Forwarded_Proto="https", **headers) == (PROXY, "https", "", "localhost")


@pytest.mark.parametrize(
    ("proxy", "peer"), [("192.0.2.7", "::ffff:192.0.2.7"), ("2001:DB8:0::7", "2001:db8::7"), ("::1", "::1")]
)
def test_proxy_is_believed_by_ipv6_too(database: dict[str, str], tmp_path: Path, proxy: str, peer: str) -> None:
    app = create_app({**database, "INSTANCE_PATH": str(tmp_path), "TESTING": True, "TRUSTED_PROXY": proxy})
    try:
        assert seen(app, peer, X_Forwarded_For="2001:db8::1", X_Forwarded_Proto="https")[:2] == ("2001:db8::1", "https")
    finally:
        close(app)


def test_of_what_anybody_else_says_nothing_is_believed(app: Flask) -> None:
    for peer in [STRANGER, f"::ffff:{STRANGER}", "::1", "127.0.0.2", ""]:
        assert seen(app, peer, X_Forwarded_For="198.51.100.1", X_Forwarded_Proto="https")[:2] == (peer, "http")


def sign_in(app: Flask, peer: str, said: str, password: str = "wrong", name: str = OPERATOR_NAME) -> int:
    answer = app.test_client().post(
        "/sign-in",
        data={"name": name, "password": password},
        headers={"X-Forwarded-For": said},
        environ_overrides={"REMOTE_ADDR": peer},
    )
    return answer.status_code


def test_made_up_addresses_get_around_no_throttle(app: Flask) -> None:
    statuses = [sign_in(app, STRANGER, f"198.51.100.{number}", name=f"nobody{number}") for number in range(31)]
    behind = [sign_in(app, PROXY, f"198.51.100.{number}, {STRANGER}9", name=f"n{number}") for number in range(31)]

    assert (statuses[29], statuses[30]) == (401, 429)
    assert (behind[29], behind[30]) == (401, 429)


def test_addresses_of_one_ipv6_network_are_one_place(app: Flask) -> None:
    statuses = [sign_in(app, f"2001:db8:1:2:{number:x}::1", "", name=f"nobody{number}") for number in range(31)]

    assert (statuses[29], statuses[30]) == (401, 429)
    assert sign_in(app, "2001:db8:1:3::1", "", name="another") == 401
    assert sign_in(app, "::ffff:192.0.2.1", "", name="another") == 401


def test_audit_trail_has_the_address_that_is_believed(app: Flask) -> None:
    client_of(app)
    sign_in(app, STRANGER, "203.0.113.66", OPERATOR_PASSWORD)
    sign_in(app, PROXY, "203.0.113.66, 198.51.100.1", OPERATOR_PASSWORD)

    with app.app_context():
        entries = db.select(AuditEntry.address).where(AuditEntry.action == "sign_in").order_by(AuditEntry.id)
        assert list(db.session.execute(entries).scalars()) == [STRANGER, "198.51.100.1"]
        rows = db.select(OperatorSession.address).order_by(OperatorSession.id.desc()).limit(1)
        assert db.session.execute(rows).scalar_one() == "198.51.100.1"


def test_by_default_only_what_comes_by_the_unix_socket_is_believed(behind_a_socket: Flask) -> None:
    said = {"X_Forwarded_For": "203.0.113.66, 198.51.100.1", "X_Forwarded_Proto": "https"}

    assert seen(behind_a_socket, BY_SOCKET, **said)[:2] == ("198.51.100.1", "https")


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", STRANGER, "unix"])
def test_by_default_no_address_is_believed_not_even_of_this_machine(behind_a_socket: Flask, peer: str) -> None:
    assert seen(behind_a_socket, peer, X_Forwarded_For="198.51.100.1", X_Forwarded_Proto="https")[:2] == (peer, "http")


def test_without_a_proxy_nobody_is_believed(database: dict[str, str], tmp_path: Path) -> None:
    app = create_app({**database, "INSTANCE_PATH": str(tmp_path), "TESTING": True, "TRUSTED_PROXY": ""})
    try:
        for peer in (PROXY, ""):
            assert seen(app, peer, X_Forwarded_For="198.51.100.1", X_Forwarded_Proto="https")[:2] == (peer, "http")
    finally:
        close(app)


def gunicorn_reads(raw: bytes, peer: object) -> Any:
    """A request, as gunicorn with our settings reads it."""
    config = Config()
    for name, value in runpy.run_path(str(ROOT / "deploy/gunicorn.conf.py")).items():
        if name in config.settings:
            config.set(name, value)
    return Request(config, IterUnreader(iter([raw])), peer)


@pytest.mark.parametrize("peer", [(PROXY, 1), BY_SOCKET])
def test_gunicorn_believes_nobody_either(peer: object) -> None:
    spoof = b"X-Forwarded-Proto: https\r\nX-Forwarded-Ssl: on\r\nSCRIPT_NAME: /evil\r\nPATH_INFO: /evil\r\n"

    read = gunicorn_reads(b"GET /health HTTP/1.1\r\nHost: x\r\n" + spoof + b"\r\n", peer)

    assert read.scheme == "http"
    assert {name for name, _ in read.headers} == {"HOST", "X-FORWARDED-PROTO", "X-FORWARDED-SSL"}


def test_over_https_the_cookie_is_for_this_host_alone(app: Flask) -> None:
    client_of(app)
    secure = {"base_url": "https://localhost", "headers": {"X-Forwarded-Proto": "https"}}
    browser = app.test_client()
    form = {"name": OPERATOR_NAME, "password": OPERATOR_PASSWORD}

    answer = browser.post("/sign-in", data=form, **secure)
    device, session = (cookie.split("; ") for cookie in answer.headers.getlist("Set-Cookie"))

    assert device[0].startswith("__Host-hikflask_device=")
    assert session[0].startswith("__Host-hikflask=")
    for cookie in (device, session):
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie)
        assert not any(part.startswith("Domain") for part in cookie)
    assert browser.get("/employees/", **secure).status_code == 200


def test_cookie_of_plain_http_signs_nobody_in_over_https(app: Flask) -> None:
    planted = client_of(app).get_cookie("hikflask")
    assert planted is not None
    browser = app.test_client()
    browser.set_cookie("hikflask", planted.value)

    answer = browser.get("/employees/", base_url="https://localhost", headers={"X-Forwarded-Proto": "https"})

    assert answer.status_code == 303


@pytest.mark.parametrize(("host", "status"), [("localhost:8443", 303), ("localhost", 400)])
def test_form_on_another_port_than_443_needs_the_port_in_the_host(app: Flask, host: str, status: int) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    client_of(app)
    browser, place = app.test_client(), f"https://{host}"
    headers = {"X-Forwarded-Proto": "https", "Referer": "https://localhost:8443/sign-in"}
    token = TOKEN.search(browser.get("/sign-in", base_url=place, headers=headers).text)
    assert token
    form = {"csrf_token": token[1], "name": OPERATOR_NAME, "password": OPERATOR_PASSWORD}

    assert browser.post("/sign-in", base_url=place, headers=headers, data=form).status_code == status


def test_nginx_passes_the_host_on_with_its_port() -> None:
    assert "proxy_set_header Host $http_host;" in (ROOT / "deploy" / "hikflask_proxy.conf").read_text()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_cookie_of_the_language_has_its_attributes(app: Flask, scheme: str) -> None:
    client_of(app)

    answer = app.test_client().get("/sign-in?lang=en", headers={"X-Forwarded-Proto": scheme})
    cookie = answer.headers["Set-Cookie"].split("; ")

    assert cookie[0] == "lang=en"
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie)
    assert ("Secure" in cookie) == (scheme == "https")
