"""A terminal at an address that is not allowed: refused when saved, and left alone when it is found out later."""

import socket
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from flask import Flask

from hikflask import messages
from hikflask.extensions import db
from hikflask.isapi.errors import AddressRefused
from hikflask.models import Enrolment, Terminal
from hikflask.services.core.errors import ServiceError
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.terminals import registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator import SimulatorServer
from hikflask.simulator import Terminal as Simulated
from tests.conftest import HOST, PASSWORD
from tests.support.enrolments import desire

pytestmark = pytest.mark.usefixtures("context")

HTTP, HTTPS = f"http://{HOST}", f"https://{HOST}"
OFFICE = (ip_network("192.168.1.0/24"),)


def access(url: str, **more: Any) -> Access:
    return Access("Вход", url, "admin", PASSWORD, **more)


def named(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Let each name stand for these addresses."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


def test_name_that_stands_for_refused_addresses_alone_is_not_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    named(monkeypatch, "169.254.169.254", "224.0.0.1")

    with pytest.raises(ServiceError, match=r"^terminal_address_refused$"):
        registry.add(access("http://door.test"))

    assert registry.list_all() == []


def test_name_with_one_allowed_address_is_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    named(monkeypatch, "169.254.169.254", "192.168.1.64")

    assert registry.add(access("http://door.test")).id


def test_name_that_is_not_resolved_is_saved() -> None:
    assert registry.add(access("http://door.invalid")).id


def test_address_outside_the_networks_is_not_saved(app: Flask) -> None:
    app.config["TERMINAL_NETWORKS"] = OFFICE

    assert registry.add(access("http://192.168.1.64")).id
    with pytest.raises(ServiceError, match=r"^terminal_address_refused$") as refused:
        registry.change(1, access("http://192.168.2.64"), "operator")
    assert messages.english(refused.value.code, **refused.value.params) == (
        "This address is not in a network of HIKFLASK_TERMINAL_NETWORKS. Correct it, or add its network there."
    )

    assert [terminal.url for terminal in registry.list_all()] == ["http://192.168.1.64"]


def test_certificate_outside_the_networks_is_not_looked_at(app: Flask) -> None:
    app.config["TERMINAL_NETWORKS"] = OFFICE
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)

        with pytest.raises(AddressRefused):
            registry.shown_fingerprint(f"https://127.0.0.1:{server.getsockname()[1]}")

        with pytest.raises(TimeoutError):
            server.accept()


def test_terminal_that_is_outside_since_the_setting_changed_can_be_switched_off(app: Flask) -> None:
    registry.add(access("http://192.168.2.64"))
    app.config["TERMINAL_NETWORKS"] = OFFICE

    assert not registry.change(1, access("http://192.168.2.64", is_active=False), "operator").is_active


def test_http_address_is_not_saved_where_https_is_required(app: Flask) -> None:
    registry.add(access(HTTP))
    app.config["TERMINAL_REQUIRE"] = ("https",)

    with pytest.raises(ServiceError, match=r"^terminal_https_required$"):
        registry.add(access("http://192.168.1.65"))
    with pytest.raises(ServiceError, match=r"^terminal_https_required$"):
        registry.change(1, access(HTTP, face_by_picture=True), "operator")

    assert [(one.url, one.face_by_picture) for one in registry.list_all()] == [(HTTP, False)]
    assert registry.change(1, access(HTTPS), "operator").url == HTTPS


def test_http_terminal_may_be_switched_off_where_https_is_required(app: Flask) -> None:
    registry.add(access(HTTP))
    app.config["TERMINAL_REQUIRE"] = ("https",)

    assert not registry.change(1, access(HTTP, is_active=False), "operator").is_active


def seconds_until(waiting: Enrolment) -> float:
    assert waiting.next_attempt_at is not None
    return (waiting.next_attempt_at - datetime.now(UTC)) / timedelta(seconds=1)


def test_wish_for_a_refused_address_is_tried_seldom_and_goes_on_when_it_is_corrected(app: Flask) -> None:
    del app.extensions["terminal_transport"]
    with SimulatorServer(Simulated(PASSWORD)) as server:
        terminal = registry.add(access(server.url))
        wish = desire(terminal)
        app.config["TERMINAL_NETWORKS"] = OFFICE

        with pytest.raises(AddressRefused):
            reconcile(wish.id, "operator")

        waiting = queries.get_one(wish.id)
        assert (waiting.refusal_code, waiting.step, waiting.attempts) == ("address_refused", "", 0)
        assert seconds_until(waiting) > app.config["RETRY_MAX"] - 60
        assert db.session.get_one(Terminal, terminal.id, populate_existing=True).last_error_code == "address_refused"

        app.config["TERMINAL_NETWORKS"] = ()
        registry.change(terminal.id, access(server.url), "operator")
        assert seconds_until(queries.get_one(wish.id)) <= 0
        reconcile(wish.id, "operator")
        assert queries.get_one(wish.id).refusal_code != "address_refused"
