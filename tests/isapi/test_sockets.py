"""Which addresses are connected to: judged at the connection, whatever a name says before or after."""

import errno
import socket
import ssl
import threading
import time
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from hikflask.isapi import errors
from hikflask.isapi.client import Client, certificate_fingerprint
from hikflask.net.addresses import ANY_ADDRESS, AllowedAddresses

from .helpers import Reply, terminal
from .test_tls import Identity

NAME = "terminal.test"
ELSEWHERE = AllowedAddresses((ip_network("10.0.0.0/8"),))

Names = Callable[..., list[str]]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """Let the name resolve to these addresses, one list a question; returns the list of questions."""

    def answer(*answers: list[str]) -> list[str]:
        asked: list[str] = []
        real, waiting = socket.getaddrinfo, list(answers)

        def getaddrinfo(host: str, port: int, *args: Any, **options: Any) -> list[Any]:
            if host != NAME:
                return real(host, port, *args, **options)
            asked.append(host)
            addresses = waiting.pop(0) if len(waiting) > 1 else waiting[0]
            return [found for address in addresses for found in real(address, port, *args, **options)]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        return asked

    return answer


def client_of(url: str, addresses: AllowedAddresses = ANY_ADDRESS, fingerprint: str | None = None) -> Client:
    return Client(url, "admin", "x", timeout=(2.0, 2.0), fingerprint=fingerprint, resolve=addresses.places)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_address_that_is_not_allowed_is_not_connected_to(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        client = client_of(f"{scheme}://127.0.0.1:{server.getsockname()[1]}", ELSEWHERE)
        with pytest.raises(errors.AddressRefused) as caught:
            client.request("PUT", "/x?token=1", data=b"x")
        with pytest.raises(TimeoutError):
            server.accept()
    assert (caught.value.code, caught.value.path, caught.value.message) == ("address_refused", "/x", "127.0.0.1")
    assert not caught.value.retryable


def test_an_http_address_is_not_connected_to_where_only_https_is_wanted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        client = Client(f"http://127.0.0.1:{server.getsockname()[1]}", "admin", "x", https_only=True)
        with pytest.raises(errors.HttpsRequired) as caught:
            client.request("PUT", "/x?token=1", data=b"x")
        with pytest.raises(TimeoutError):
            server.accept()
    assert (caught.value.code, caught.value.path, caught.value.retryable) == ("https_required", "/x", False)


def test_the_certificate_of_an_address_that_is_not_allowed_is_not_looked_at() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        with pytest.raises(errors.AddressRefused):
            certificate_fingerprint(f"https://127.0.0.1:{server.getsockname()[1]}", 1.0, ELSEWHERE.places)
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "2852039166", "0xa9fea9fe", "[::ffff:a9fe:a9fe]", "0", "[fe80::1]"]
)
def test_no_way_of_writing_an_address_gets_around_it(host: str) -> None:
    with pytest.raises(errors.AddressRefused):
        client_of(f"http://{host}").request("GET", "/latest/meta-data/")
    with pytest.raises(errors.AddressRefused):
        certificate_fingerprint(f"https://{host}", 1.0, ANY_ADDRESS.places)


def test_a_name_that_stands_for_such_an_address_is_not_connected_to(names: Names) -> None:
    names(["169.254.169.254", "fe80::1"])
    with pytest.raises(errors.AddressRefused):
        client_of(f"http://{NAME}").request("GET", "/x")


def test_of_several_addresses_only_an_allowed_one_is_connected_to(names: Names) -> None:
    names(["169.254.169.254", "127.0.0.1"])
    with terminal(lambda *_: Reply()) as server:
        port = server.url.rpartition(":")[2]
        assert client_of(f"http://{NAME}:{port}").request("GET", "/x").status == 200
    assert server.seen[0].headers["host"] == f"{NAME}:{port}"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_others_of_a_name_are_not_even_tried(names: Names, monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    """Of a mixed answer, whatever its order: none is tried but those that are allowed, also when they refuse."""
    names(["169.254.169.254", "127.0.0.1", "fd00:ec2::254", "10.0.0.5", "127.0.0.2"])
    tried: list[str] = []

    def connect(self: socket.socket, place: tuple[Any, ...]) -> None:  # noqa: ARG001 - a method's
        tried.append(place[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    networks = AllowedAddresses((ip_network("127.0.0.0/8"),))
    with pytest.raises(errors.Unreachable):
        client_of(f"{scheme}://{NAME}", networks).request("GET", "/x")
    assert tried == ["127.0.0.1", "127.0.0.2"]

    with pytest.raises(errors.Unreachable):
        certificate_fingerprint(f"https://{NAME}", 1.0, networks.places)
    assert tried == ["127.0.0.1", "127.0.0.2"] * 2


@pytest.mark.parametrize(
    "failure", [ConnectionResetError(errno.ECONNRESET, "reset"), BrokenPipeError(), TimeoutError()]
)
def test_connection_that_breaks_while_it_is_made_is_none(monkeypatch: pytest.MonkeyPatch, failure: OSError) -> None:
    def connect(self: socket.socket, place: tuple[Any, ...]) -> None:  # noqa: ARG001 - a method's
        raise failure

    monkeypatch.setattr(socket.socket, "connect", connect)

    with pytest.raises(errors.Unreachable):
        client_of("http://127.0.0.1").request("PUT", "/x", data=b"x")


def test_the_address_that_was_judged_is_the_one_connected_to(names: Names) -> None:
    asked = names(["127.0.0.1"], ["169.254.169.254"])
    with terminal(lambda *_: Reply(headers={"Connection": "close"})) as server:
        client = client_of(server.url.replace("127.0.0.1", NAME))
        assert client.request("GET", "/x").status == 200
        assert asked == [NAME]
        with pytest.raises(errors.AddressRefused):
            client.request("GET", "/x")
        assert len(server.seen) == 1


def test_the_next_address_is_tried_when_one_does_not_answer(names: Names) -> None:
    names(["127.0.0.2", "127.0.0.1"])
    with terminal(lambda *_: Reply()) as server:
        assert client_of(server.url.replace("127.0.0.1", NAME)).request("GET", "/x").status == 200


def test_the_server_is_greeted_by_its_name(names: Names, tmp_path: Path) -> None:
    names(["127.0.0.1"])
    identity, greeted = Identity(tmp_path), list[str | None]()

    def greet(_: ssl.SSLObject, name: str | None, __: ssl.SSLContext) -> None:
        greeted.append(name)

    identity.context.sni_callback = greet
    with terminal(lambda *_: Reply(), identity.context) as server:
        url = server.url.replace("127.0.0.1", NAME)
        assert client_of(url, fingerprint=identity.fingerprint).request("GET", "/x").status == 200
        assert certificate_fingerprint(url, 2.0) == identity.fingerprint
    assert greeted == [NAME, NAME]


def test_a_name_server_that_is_silent_is_waited_for_no_longer_than_a_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    end = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: end.wait(10) and [])
    client, start = (
        Client(f"http://{NAME}", "admin", "x", timeout=(0.2, 5.0), resolve=ANY_ADDRESS.places),
        time.monotonic(),
    )
    with pytest.raises(errors.Unreachable):
        client.request("GET", "/x")
    assert time.monotonic() - start < 5.0
    end.set()


def test_what_the_terminal_did_not_take_before_it_was_given_up_never_arrives() -> None:
    sent, received = b"x" * 40_000, bytearray()

    def read(taken: socket.socket) -> None:
        while part := taken.recv(4096):
            received.extend(part)

    with socket.socket() as listening:
        # The kernel of the terminal takes little, and that of the client keeps the rest for later.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        client = Client(f"http://127.0.0.1:{listening.getsockname()[1]}", "admin", "x", timeout=(0.1, 0.1))
        with pytest.raises(errors.NoAnswer):
            client.request("PUT", "/x", data=sent)
        taken, _ = listening.accept()
        with taken, pytest.raises(ConnectionResetError):
            read(taken)

    assert len(received) < len(sent)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_connection_that_is_not_taken_in_time_sent_nothing(scheme: str) -> None:
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        client = Client(f"{scheme}://127.0.0.1:{full.getsockname()[1]}", "admin", "x", timeout=(0.2, 5.0))
        with pytest.raises(errors.Unreachable):
            client.request("PUT", "/x", data=b"x")
