"""What an answer can do to us, on a real socket: nothing beyond its limits of size, and no errand elsewhere."""

import gzip
import tracemalloc
import zlib
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler

import pytest

from hikflask.isapi import device, errors, faces
from hikflask.isapi.client import MAX_ANSWER_BYTES, Client

from .helpers import JPEG, Behaviour, Reply, Seen, terminal

ZEROS = bytes(12 * MAX_ANSWER_BYTES)
BOMBS: dict[str, Callable[[], bytes]] = {
    "gzip": lambda: gzip.compress(ZEROS),
    "deflate": lambda: zlib.compress(ZEROS),
    "gzip, gzip": lambda: gzip.compress(gzip.compress(ZEROS)),
}
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
XML_BOMBS = [
    f'<!DOCTYPE x [<!ENTITY l0 "lol">{LAUGHS}]><DeviceInfo><model>&l9;</model></DeviceInfo>',
    f'<!DOCTYPE x [<!ENTITY a "{"a" * 10_000}">]><DeviceInfo><model>{"&a;" * 5_000}</model></DeviceInfo>',
    f'<!DOCTYPE x [<!ATTLIST a b CDATA "{"a" * 10_000}">]><DeviceInfo><model/>{"<a/>" * 5_000}</DeviceInfo>',
    '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><DeviceInfo><model>&a;</model></DeviceInfo>',
    '<!DOCTYPE x [<!ENTITY a SYSTEM "{url}/secret">]><DeviceInfo><model>&a;</model></DeviceInfo>',
    '<!DOCTYPE x [<!ENTITY % a SYSTEM "{url}/secret"> %a;]><DeviceInfo><model>x</model></DeviceInfo>',
]


def client_of(url: str) -> Client:
    return Client(url, "admin", "x", timeout=(2.0, 20.0))


def in_chunks(bomb: bytes) -> Behaviour:
    def behave(_: Seen, handler: BaseHTTPRequestHandler) -> None:
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n"
        handler.wfile.write(head + b"%x\r\n" % len(bomb) + bomb + b"\r\n0\r\n\r\n")

    return behave


def refused_within_memory(behave: Behaviour) -> None:
    """The answer is refused, and never held unpacked."""
    with terminal(behave) as server:
        tracemalloc.start()
        try:
            with pytest.raises(errors.Nonsense) as caught:
                client_of(server.url).request("GET", "/x")
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert caught.value.message == "answer too large"
    assert peak < 2 * MAX_ANSWER_BYTES


@pytest.mark.parametrize("encoding", BOMBS)
def test_a_packed_answer_is_unpacked_no_further_than_the_limit(encoding: str) -> None:
    bomb = BOMBS[encoding]()
    refused_within_memory(lambda *_: Reply(200, bomb, {"Content-Encoding": encoding}))


def test_a_packed_answer_in_chunks_is_unpacked_no_further_than_the_limit() -> None:
    refused_within_memory(in_chunks(BOMBS["gzip"]()))


def test_an_answer_without_end_is_cut_off_at_the_limit() -> None:
    def endless(_: Seen, handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            handler.wfile.write(bytes(64 * 1024))

    refused_within_memory(endless)


@pytest.mark.parametrize("document", XML_BOMBS)
@pytest.mark.parametrize("status", [200, 401, 500])
def test_xml_with_entities_is_an_error_and_fetches_nothing(document: str, status: int) -> None:
    with terminal(lambda *_: Reply()) as other:
        body = document.replace("{url}", other.url).encode()
        with terminal(lambda *_: Reply(status, body)) as server, pytest.raises(errors.TerminalError) as caught:
            device.info(client_of(server.url))
        assert other.seen == []
    assert caught.value.code == ("http_500" if status == 500 else "nonsense")
    assert "root:" not in str(caught.value)


@pytest.mark.parametrize("face_url", ["{url}/LOCALS/pic/a.jpg", "//{host}/LOCALS/pic/a.jpg", "http://x@{host}/a.jpg"])
def test_a_picture_is_fetched_from_the_terminal_whatever_host_its_address_names(face_url: str) -> None:
    with (
        terminal(lambda *_: Reply()) as other,
        terminal(lambda *_: Reply(200, JPEG, {"Content-Type": "image/jpeg"})) as server,
    ):
        named = face_url.format(url=other.url, host=other.url.removeprefix("http://"))
        assert faces.fetch_picture(client_of(server.url), named) == JPEG
        assert other.seen == []
        assert [seen.path for seen in server.seen] == [named[named.rindex("/LOCALS" if "LOCALS" in named else "/a") :]]


@pytest.mark.parametrize(
    "url", ["ftp://127.0.0.1", "file:///etc/passwd", "gopher://127.0.0.1", "unix://x", "//127.0.0.1"]
)
def test_only_http_and_https_are_spoken(url: str) -> None:
    with pytest.raises(ValueError, match="http"):
        client_of(url)
