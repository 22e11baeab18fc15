"""Where messages may go: checked addresses, no redirects, a time for all of it."""

import ipaddress
import socket
import time
from typing import Any

import pytest
from flask import Flask

from hikflask.services.webhooks import receivers
from hikflask.services.webhooks.errors import WebhookAddressRefused
from hikflask.services.webhooks.receivers import NotSent
from tests.support.receivers import receiving

pytestmark = pytest.mark.usefixtures("context")
LAN = (ipaddress.ip_network("192.168.1.0/24"),)


def test_http_is_for_this_machine_and_allowed_networks_and_https_for_any(app: Flask) -> None:
    refused = ["http://192.168.1.5/", "http://8.8.8.8/", "http://169.254.169.254/latest", "https://169.254.169.254/"]
    allowed = ["http://127.0.0.1:9/", "http://[::1]/", "https://8.8.8.8/", "https://192.168.1.5/"]
    for url in refused:
        with pytest.raises(WebhookAddressRefused):
            receivers.refuse_unallowed(url)
        with pytest.raises(NotSent, match="address_refused"):
            receivers.post(url, b"{}", {})
    for url in allowed:
        receivers.refuse_unallowed(url)
    app.config["WEBHOOK_NETWORKS"] = LAN
    for url in ("http://192.168.1.5/", "https://192.168.1.5/"):
        receivers.refuse_unallowed(url)
    for url in ("http://127.0.0.1/", "https://8.8.8.8/", "http://10.0.0.1/"):
        with pytest.raises(WebhookAddressRefused):
            receivers.refuse_unallowed(url)


def test_redirect_is_not_followed() -> None:
    with receiving() as other, receiving(status=307, location=other.url) as first:
        assert receivers.post(first.url, b"{}", {}) == 307

    assert (len(first.got), other.got) == (1, [])


def test_receiver_that_never_ends_its_answer_is_given_up_in_time() -> None:
    with receiving(hangs=True) as slow:
        began = time.monotonic()
        with pytest.raises(NotSent, match="no_answer"):
            receivers.post(slow.url, b"{}", {}, seconds=0.3)

    assert time.monotonic() - began < 3


def test_addresses_of_a_name_are_tried_in_turn_and_forbidden_ones_never(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[object] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda _host, port, **_: [
        (family, socket.SOCK_STREAM, 6, "", (address, port))
        for family, address in ((socket.AF_INET, "8.8.8.8"), (socket.AF_INET6, "::1"), (socket.AF_INET, "127.0.0.1"))
    ])  # fmt: skip
    connect = socket.socket.connect

    def noted(self: socket.socket, address: Any) -> None:
        tried.append(address[0])
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", noted)
    with receiving() as plain:
        url = plain.url.replace("127.0.0.1", "receiver.test")
        assert receivers.post(url, b"{}", {}) == 204
    with pytest.raises(NotSent, match="no_answer"):
        receivers.post(url, b"{}", {})

    assert tried == ["::1", "127.0.0.1"] * 2
    assert len(plain.got) == 1


def test_nobody_there_and_no_tls_there_are_no_answer() -> None:
    with receiving() as plain, pytest.raises(NotSent, match="no_answer"):
        receivers.post(plain.url.replace("http:", "https:"), b"{}", {})
    with pytest.raises(NotSent, match="no_answer"):
        receivers.post(plain.url, b"{}", {})
