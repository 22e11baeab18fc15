"""A terminal's address as a way into other systems: tried through the page and the API that add one.

tests/isapi/test_sockets.py and test_limits.py judge the connection itself: names that change their answer, redirects,
packed answers, XML with entities.
"""

import socket
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.services.core.errors import ServiceError
from hikflask.services.terminals import registry
from hikflask.services.terminals.allowed_addresses import refuse_unallowed
from tests.support.signed_in import client_of

METADATA = [
    "http://169.254.169.254",
    "http://169.254.169.254:80",
    "http://2852039166",
    "http://0xa9fea9fe",
    "http://0xa9.0xfe.0xa9.0xfe",
    "http://0251.0376.0251.0376",
    "http://025177524776",
    "http://169.16689662",
    "http://169.254.43518",
    "http://[::ffff:169.254.169.254]",
    "http://[::ffff:a9fe:a9fe]",
    "http://[0:0:0:0:0:ffff:a9fe:a9fe]",
    "http://[64:ff9b::a9fe:a9fe]",
    "http://[2002:a9fe:a9fe::]",
    "http://[fd00:ec2::254]",
    "http://[fe80::1]",
    "http://100.100.100.200",
    "http://0",
    "http://0.0.0.0",
    "http://[::]",
    "http://224.0.0.1",
    "http://255.255.255.255",
    "https://169.254.169.254",
]
NO_ADDRESS = [
    "http://user:password@169.254.169.254",
    "http://192.168.1.64@169.254.169.254",
    "http://192.168.1.64#@169.254.169.254",
    "http://192.168.1.64\\@169.254.169.254",
    "http://192.168.1.64/latest/meta-data",
    "http://192.168.1.64?x=1",
    "http://192.168.1.64:99999",
    "http://192.168.1.64:0",
    "http://192.168.1.64:x",
    "http://[fe80::1%25eth0]",
    "http://[fe80::1%eth0]",
    "http://169.254.169.254%2f",
    "http://①⑥⑨.②⑤④.①⑥⑨.②⑤④",
    "http://１６９.254.169.254",
    "http://169。254。169。254",
    "http://192.168.1.64\r\nHost: x",
    "http://192.168.1.64 169.254.169.254",
    "http://",
    "http:///",
    "http:169.254.169.254",
    "//169.254.169.254",
    "file:///etc/passwd",
    "gopher://169.254.169.254",
    "ftp://192.168.1.64",
    "unix:///run/docker.sock",
    "dict://127.0.0.1:11211",
    "javascript:alert(1)",
    "http+unix://x",
]


def device(url: str) -> dict[str, Any]:
    more = {"fingerprint": "ab" * 32} if url.startswith("https") else {}
    return {"name": "Вход", "url": url, "username": "admin", "password": "Abc12345", **more}


@pytest.mark.parametrize("urls", [METADATA, NO_ADDRESS], ids=["never allowed", "no address"])
def test_neither_page_nor_api_saves_such_an_address(app: Flask, client: FlaskClient, urls: list[str]) -> None:
    good = client.post("/api/devices/", json=device("http://terminal.invalid")).get_json()["id"]

    for url in urls:
        added = client.post("/api/devices/", json={**device(url), "name": "Другой"})
        changed = client.put(f"/api/devices/{good}", json={"url": url})
        page = client.post("/terminals/", data={**device(url), "name": "Другой", "is_active": "y"})
        edited = client.post(f"/terminals/{good}", data={**device(url), "is_active": "y"})

        assert [answer.status_code for answer in (added, changed, page, edited)] == [422] * 4, url
        assert set(added.get_json()["fields"]) == {"url"}
    with app.app_context():
        assert [terminal.url for terminal in registry.list_all()] == ["http://terminal.invalid"]


def test_fingerprint_of_such_an_address_is_not_fetched(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    connected: list[object] = []
    monkeypatch.setattr(socket.socket, "connect", lambda _, place: connected.append(place))

    for url in [*METADATA[:12], "http://169.254.169.254."]:
        answer = client.post("/terminals/fingerprint", data=device(url.replace("http:", "https:")))

        assert (answer.status_code, connected) == (422, [])


@pytest.mark.usefixtures("context")
def test_name_that_stands_for_metadata_is_refused_however_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda _, port, **more: real("169.254.169.254", port, **more))

    for url in ("http://metadata.test", "http://metadata.test.", "http://xn--e1aybc.test", "http://metadata.test:8080"):
        with pytest.raises(ServiceError, match=r"^terminal_address_refused$"):
            refuse_unallowed(url)


@pytest.mark.usefixtures("context")
def test_address_of_the_link_with_a_zone_is_refused() -> None:
    for url in ("http://[fe80::1%1]", "http://[fe80::1%lo]", "http://[fe80::1%251]"):
        with pytest.raises(ServiceError, match=r"^terminal_address_refused$"):
            refuse_unallowed(url)


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_nobody_but_an_administrator_adds_an_address(app: Flask, role: str) -> None:
    client = client_of(app, role)

    answers = [
        client.post("/api/devices/", json=device("http://192.168.1.64")),
        client.put("/api/devices/1", json={"url": "http://192.168.1.64"}),
        client.post("/terminals/", data=device("http://192.168.1.64")),
        client.post("/terminals/fingerprint", data=device("https://192.168.1.64")),
    ]

    assert [answer.status_code for answer in answers] == [403] * 4
