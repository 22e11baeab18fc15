"""What a message meets on its way: checked addresses, no redirects, a time for all of it."""

import ipaddress
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from hikflask.net import client
from hikflask.net.addresses import AllowedAddresses
from hikflask.net.client import NotSent
from hikflask.simulator.certificate import make_certificate
from tests.support.receivers import receiving

LOOPBACK = AllowedAddresses((ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")))


def post(url: str, seconds: float = 10.0) -> int:
    return client.post(url, b"{}", {}, LOOPBACK, seconds)


def test_redirect_is_not_followed() -> None:
    with receiving() as other, receiving(status=307, location=other.url) as first:
        assert post(first.url) == 307

    assert (len(first.got), other.got) == (1, [])


def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with receiving() as receiver:
        assert post(receiver.url) == 204


def took(url: str, seconds: float) -> float:
    """How long a message took that got no answer, in seconds."""
    began = time.monotonic()
    with pytest.raises(NotSent, match="no_answer"):
        post(url, seconds)
    return time.monotonic() - began


@contextmanager
def endless_handshake(address: str = "127.0.0.1") -> Iterator[int]:
    """A server that begins a handshake of TLS with everybody, a byte now and then, for four seconds at most."""
    over = threading.Event()

    def drip() -> None:
        with suppress(OSError), listening.accept()[0] as connection:
            connection.sendall(b"\x16\x03\x03\x40\x00")
            for _ in range(200):
                if over.wait(0.02):
                    return
                connection.sendall(b"x")

    with socket.create_server((address, 0)) as listening:
        thread = threading.Thread(target=drip)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            over.set()
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_receiver_that_never_ends_its_answer_is_given_up_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = make_certificate("127.0.0.1")
    (tmp_path / "both.pem").write_bytes(certificate.pem + certificate.key)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "both.pem"))
    for path in ("", str(tmp_path / "both.pem")):
        with receiving(hangs=True, certificate=path) as slow:
            assert took(slow.url, 0.4) < 10
        assert len(slow.got) == 1


def test_receiver_whose_certificate_is_not_known_gets_no_message(tmp_path: Path) -> None:
    certificate = make_certificate("127.0.0.1")
    (tmp_path / "both.pem").write_bytes(certificate.pem + certificate.key)
    with receiving(certificate=str(tmp_path / "both.pem")) as unknown:
        with pytest.raises(NotSent, match="certificate"):
            post(unknown.url)
        assert unknown.got == []


def test_receiver_that_never_ends_its_handshake_is_given_up_in_time() -> None:
    with endless_handshake() as port:
        assert took(f"https://127.0.0.1:{port}/", 0.3) < 10


def test_all_addresses_of_a_name_have_one_time_together(monkeypatch: pytest.MonkeyPatch) -> None:
    with endless_handshake() as port, socket.socket() as full:
        # It takes no connection: its queue is full.
        full.bind(("127.0.0.2", port))
        full.listen(0)
        with socket.create_connection(("127.0.0.2", port)):
            silent, slow = ((socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.0.{n}", port)) for n in (2, 1))
            monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [*[silent] * 5, slow])
            # Five sixths of it for those that are silent.
            assert 0.7 < took(f"https://receiver.test:{port}/", 0.9) < 5


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
        assert post(url) == 204
    with pytest.raises(NotSent, match="no_answer"):
        post(url)

    assert tried == ["::1", "127.0.0.1"] * 2
    assert len(plain.got) == 1


def test_nobody_there_and_no_tls_there_are_no_answer() -> None:
    with receiving() as plain, pytest.raises(NotSent, match="no_answer"):
        post(plain.url.replace("http:", "https:"))
    with pytest.raises(NotSent, match="no_answer"):
        post(plain.url)
