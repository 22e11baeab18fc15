"""The one seam: Digest on a real socket, what is repeated and what never, and how the wire's failures are told."""

import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler

import pytest
import requests
import responses

from hikflask.isapi import client as client_module
from hikflask.isapi import errors, faces
from hikflask.isapi.client import Client, _Call
from tests.processes.processes import free_port

from .helpers import JPEG, Behaviour, DigestTerminal, Reply, Seen, digest_response, recorded, terminal

PATH = "/ISAPI/AccessControl/UserInfo/Count?format=json"
PASSWORD = "secret-pass"


def client_of(url: str, password: str = PASSWORD, read: float = 5.0) -> Client:
    return Client(url, "admin", password, timeout=(2.0, read))


def test_the_first_request_goes_bare_and_the_second_answers_the_challenge() -> None:
    with terminal(DigestTerminal()) as server:
        answer = client_of(server.url).request("GET", PATH)
    bare, signed = server.seen
    assert "authorization" not in bare.headers
    assert signed.authorization["response"] == digest_response(signed, PASSWORD)
    assert (signed.authorization["uri"], signed.authorization["nc"]) == (PATH, "00000001")
    assert (answer.status, answer.path) == (200, "/ISAPI/AccessControl/UserInfo/Count")


def test_the_signed_address_is_the_one_on_the_wire() -> None:
    with terminal(DigestTerminal()) as server:
        client_of(server.url).request("GET", "/LOCALS/pic/лицо 1.jpg@WEB1?a=b c&d=%20")
    signed = server.seen[1]
    assert signed.authorization["uri"] == signed.path
    assert signed.authorization["response"] == digest_response(signed, PASSWORD)


def test_a_path_cannot_lead_to_another_host() -> None:
    with pytest.raises(ValueError, match="begins with /"):
        client_of("http://terminal.test").request("GET", "@other.test/x")


def test_a_working_nonce_is_used_again_in_one_round_trip() -> None:
    with terminal(DigestTerminal()) as server:
        client = client_of(server.url)
        for _ in range(3):
            client.request("GET", PATH)
    assert [seen.authorization.get("nc") for seen in server.seen] == [None, "00000001", "00000002", "00000003"]


def test_the_face_form_is_replayed_whole_after_the_challenge() -> None:
    with terminal(DigestTerminal()) as server:
        faces.bind_picture(client_of(server.url), "100222", JPEG * 10_000)
    bare, signed = server.seen
    assert bare.body == signed.body
    assert JPEG * 10_000 in signed.body
    assert signed.headers["content-length"] == str(len(signed.body))


def test_a_wrong_password_is_sent_exactly_once() -> None:
    with terminal(DigestTerminal()) as server, pytest.raises(errors.WrongPassword) as caught:
        client_of(server.url, "wrong").request("GET", PATH)
    assert [bool(seen.authorization) for seen in server.seen] == [False, True]
    assert (caught.value.tries_left, caught.value.http_status) == (4, 401)


def test_a_worn_out_nonce_without_a_challenge_costs_one_fresh_start() -> None:
    behave = DigestTerminal()
    with terminal(behave) as server:
        client = client_of(server.url)
        client.request("GET", PATH)
        behave.dead.add("n1")
        behave.nonce = "n2"
        answer = client.request("POST", PATH, data=b"body")
    assert answer.status == 200
    assert [seen.authorization.get("nonce") for seen in server.seen] == [None, "n1", "n1", None, "n2"]
    assert [seen.body for seen in server.seen[2:]] == [b"body"] * 3


class NonceOfTheConnection:
    """Firmware whose nonces count on their connection alone, and which closes it with each second answer."""

    def __init__(self) -> None:
        self.given: dict[BaseHTTPRequestHandler, list[str]] = {}

    def __call__(self, request: Seen, handler: BaseHTTPRequestHandler) -> Reply:
        given = self.given.setdefault(handler, [])
        is_known = request.authorization.get("nonce") in given
        given.append(f"n{len(self.given)}-{len(given)}")
        closes = {"Connection": "close"} if len(given) == 2 else {}
        if is_known and request.authorization["response"] == digest_response(request, PASSWORD):
            return Reply(headers=closes)
        stale = str(bool(request.authorization)).lower()
        challenge = f'Digest qop="auth", realm="DS-6E392E44", nonce="{given[-1]}", stale="{stale}"'
        return Reply(401, b"", {"WWW-Authenticate": challenge, **closes})


def test_stale_nonce_of_a_connection_that_was_closed_is_no_refused_password() -> None:
    with terminal(NonceOfTheConnection()) as server:
        client = client_of(server.url)
        statuses = [client.request("POST", PATH, data=b"body").status for _ in range(3)]
    assert statuses == [200, 200, 200]


def test_a_password_changed_on_the_terminal_costs_one_refusal() -> None:
    behave = DigestTerminal()
    with terminal(behave) as server:
        client = client_of(server.url)
        client.request("GET", PATH)
        behave.password = "changed"
        with pytest.raises(errors.WrongPassword) as caught:
            client.request("GET", PATH)
    assert caught.value.tries_left == 4
    assert len(server.seen) == 3
    assert behave.tries == 4


def test_a_second_change_of_the_password_costs_one_refusal_too() -> None:
    """The first one used a try up, which a success gives back: the client must not go on counting from there."""
    behave = DigestTerminal()
    with terminal(behave) as server:
        with pytest.raises(errors.WrongPassword):
            client_of(server.url, "wrong").request("GET", PATH)
        client = client_of(server.url)
        client.request("GET", PATH)
        behave.tries = 5
        client.request("GET", PATH)
        behave.password = "changed"
        with pytest.raises(errors.WrongPassword):
            client.request("GET", PATH)
    assert behave.tries == 4


class TerseTerminal(DigestTerminal):
    """Firmware that tells the tries left beside the challenge to a bare request alone."""

    def __call__(self, request: Seen, handler: BaseHTTPRequestHandler) -> Reply:
        reply = super().__call__(request, handler)
        return replace(reply, body=b"") if request.authorization and reply.status == 401 else reply


def test_a_refusal_without_a_body_is_known_by_the_tries_that_the_next_challenge_tells() -> None:
    behave = TerseTerminal()
    with terminal(behave) as server:
        client = client_of(server.url)
        client.request("GET", PATH)
        behave.password = "changed"
        with pytest.raises(errors.WrongPassword):
            client.request("GET", PATH)
    assert [bool(seen.authorization) for seen in server.seen] == [False, True, True, False]
    assert behave.tries == 4


def test_a_lock_told_to_a_kept_nonce_ends_at_once() -> None:
    behave = DigestTerminal()
    with terminal(behave) as server:
        client = client_of(server.url)
        client.request("GET", PATH)
        behave.dead.add("n1")
        behave.tries = 0
        with pytest.raises(errors.AccountLocked) as caught:
            client.request("GET", PATH)
    assert caught.value.unlock_seconds == 1800
    assert len(server.seen) == 3


def test_a_locked_account_gets_no_password_at_all() -> None:
    with terminal(DigestTerminal(tries=0)) as server, pytest.raises(errors.AccountLocked):
        client_of(server.url).request("GET", PATH)
    assert len(server.seen) == 1


@pytest.mark.parametrize("challenge", [{}, {"WWW-Authenticate": 'Basic realm="x"'}])
def test_a_login_without_a_digest_challenge_is_nonsense(challenge: dict[str, str]) -> None:
    with terminal(lambda *_: Reply(401, b"", challenge)) as server, pytest.raises(errors.Nonsense):
        client_of(server.url).request("GET", PATH)
    assert len(server.seen) == 1
    assert "authorization" not in server.seen[0].headers


def test_an_unactivated_terminal_is_told_as_such() -> None:
    body = b'{"statusCode":4,"statusString":"Invalid Operation","subStatusCode":"notActivated"}'
    with terminal(lambda *_: Reply(401, body)) as server, pytest.raises(errors.Refused) as refused:
        client_of(server.url).request("GET", PATH)
    assert refused.value.code == "notactivated"


def test_every_round_trip_is_announced_with_the_seconds_it_may_take() -> None:
    told: list[float] = []
    with terminal(DigestTerminal()) as server:
        client = client_of(server.url)
        client.request("GET", PATH, before_send=told.append)
        client.request("GET", PATH, timeout=(1.0, 2.0), before_send=told.append)
    assert told == [7.0, 7.0, 3.0]


def test_the_caller_may_stop_before_a_round_trip() -> None:
    def stop(_: float) -> None:
        raise RuntimeError("lease lost")

    with terminal(DigestTerminal()) as server:
        client = client_of(server.url)
        with pytest.raises(RuntimeError):
            client.request("PUT", PATH, data=b"x", before_send=stop)
        assert server.seen == []
        assert client.request("GET", PATH).status == 200


@pytest.mark.parametrize("status", [301, 302, 307])
def test_redirects_are_not_followed(status: int) -> None:
    with (
        terminal(lambda *_: Reply()) as other,
        terminal(lambda *_: Reply(status, b"", {"Location": f"{other.url}/x"})) as server,
        pytest.raises(errors.Nonsense),
    ):
        client_of(server.url).request("GET", PATH)
    assert other.seen == []


@pytest.mark.parametrize("place", ["\xff", "http://[", "http://x:99999/", "//", ""])
@pytest.mark.parametrize("connection", ["close", "keep-alive"])
def test_place_of_a_redirect_is_not_even_read(place: str, connection: str) -> None:
    headers = {"Location": place, "Connection": connection}
    with terminal(lambda *_: Reply(302, b"moved", headers)) as server:
        client = client_of(server.url)
        for _ in range(2):
            with pytest.raises(errors.Nonsense, match="redirect"):
                client.request("GET", PATH)
    assert len(server.seen) == 2


BROKEN = {
    "a chunk of less than no bytes": b"Transfer-Encoding: chunked\r\n\r\n-5\r\nabc\r\n0\r\n\r\n",
    "a chunk of no number": b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 3, 4\r\n\r\nabc",
    "a length of less than nothing": b"Content-Encoding: gzip\r\nContent-Length: -3\r\n\r\nabc",
    "packed seven times": b"Content-Encoding: gzip, gzip, gzip, gzip, gzip, gzip, gzip\r\nContent-Length: 3\r\n\r\nabc",
    "too many headers": b"X: y\r\n" * 200 + b"Content-Length: 3\r\n\r\nabc",
    "a header without end": b"X: " + b"y" * 70_000,
}


@pytest.mark.parametrize("rest", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("status", [200, 302, 401])
def test_broken_answer_is_an_error_of_the_terminal(rest: bytes, status: int) -> None:
    def behave(_: Seen, handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 %d OK\r\n" % status + rest)
        handler.close_connection = True

    with terminal(behave) as server, pytest.raises((errors.Nonsense, errors.NoAnswer)):
        client_of(server.url, read=1.0).request("PUT", PATH, data=b"x")


@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_other_statuses_come_back_with_their_body(status: int) -> None:
    with terminal(lambda *_: Reply(status, b"why", {"Content-Type": "text/x"})) as server:
        answer = client_of(server.url).request("GET", PATH)
    assert (answer.status, answer.body, answer.content_type) == (status, b"why", "text/x")


def drip_body(_: Seen, handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    drip(handler)


def drip_headers(_: Seen, handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
    drip(handler)


def drip(handler: BaseHTTPRequestHandler) -> None:
    for _ in range(100):
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.05)


@pytest.mark.parametrize("behave", [drip_body, drip_headers])
def test_a_terminal_that_drips_is_cut_off(behave: Behaviour) -> None:
    with terminal(behave) as server:
        start = time.monotonic()
        with pytest.raises(errors.NoAnswer) as caught:
            client_of(server.url, read=0.4).request("GET", PATH)
        assert 0.3 < time.monotonic() - start < 4.0
        assert len(server.seen) == 1
    assert (caught.value.code, caught.value.retryable) == ("no_answer", True)


def test_slow_answer_is_told_while_it_is_waited_for_and_a_quick_one_is_not() -> None:
    told = threading.Event()

    def wait(seen: Seen, _: BaseHTTPRequestHandler) -> Reply:
        return Reply(body=b"late" if "slow" in seen.path and told.wait(5) else b"quick")

    with terminal(wait) as server:
        client = client_of(server.url)
        assert client.request("GET", PATH, slow=(0.2, told.set)).body == b"quick"
        assert not told.is_set()
        assert client.request("GET", "/slow", slow=(0.05, told.set)).body == b"late"


def test_client_is_busy_while_a_request_is_under_way() -> None:
    seen: list[bool] = []

    def see(*_: object) -> Reply:
        seen.append(client.is_busy)
        return Reply(body=b"x")

    with terminal(see) as server:
        client = client_of(server.url)
        client.request("GET", PATH)
        assert (seen, client.is_busy) == ([True], False)


def test_an_answer_beyond_eight_megabytes_is_nonsense() -> None:
    with terminal(lambda *_: Reply(200, bytes(9 * 1024 * 1024))) as server, pytest.raises(errors.Nonsense):
        client_of(server.url).request("GET", PATH)


def test_a_request_dropped_after_sending_is_not_repeated() -> None:
    def hang_up(_: Seen, handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True

    with terminal(hang_up) as server, pytest.raises(errors.NoAnswer):
        client_of(server.url).request("PUT", PATH, data=b"x")
    assert len(server.seen) == 1


class DropsKeptConnections:
    """Answers the first request of a connection and hangs up on the next."""

    def __init__(self) -> None:
        self.known: set[int] = set()

    def __call__(self, _: Seen, handler: BaseHTTPRequestHandler) -> Reply | None:
        if id(handler) in self.known:
            handler.close_connection = True
            return None
        self.known.add(id(handler))
        return Reply()


def test_reading_again_is_tried_once_on_a_kept_connection_that_was_dropped() -> None:
    with terminal(DropsKeptConnections()) as server:
        client = client_of(server.url)
        client.request("GET", PATH)
        assert client.request("GET", PATH).status == 200
    assert len(server.seen) == 3


def test_writing_on_a_kept_connection_that_was_dropped_is_an_unknown_outcome() -> None:
    with terminal(DropsKeptConnections()) as server:
        client = client_of(server.url)
        client.request("GET", PATH)
        with pytest.raises(errors.NoAnswer):
            client.request("POST", PATH, data=b"x")
    assert len(server.seen) == 2


def test_nothing_is_written_on_a_connection_that_the_terminal_may_be_closing(monkeypatch: pytest.MonkeyPatch) -> None:
    connections = list[int]()

    def remember(_: Seen, handler: BaseHTTPRequestHandler) -> Reply:
        connections.append(handler.client_address[1])
        return Reply()

    with terminal(remember) as server:
        client = client_of(server.url)
        client.request("GET", PATH)
        client.request("POST", PATH, data=b"x")
        monkeypatch.setattr(client_module, "MAX_IDLE_SECONDS", 0.0)
        client.request("GET", PATH)
        client.request("POST", PATH, data=b"x")
    assert connections[0] == connections[1] == connections[2] != connections[3]


def test_reading_is_not_repeated_on_a_new_connection_that_was_dropped() -> None:
    def hang_up(_: Seen, handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True

    with terminal(hang_up) as server, pytest.raises(errors.NoAnswer):
        client_of(server.url).request("GET", PATH)
    assert len(server.seen) == 1


def test_reading_is_not_repeated_when_the_terminal_was_only_slow() -> None:
    with terminal(lambda seen, handler: drip_headers(seen, handler) if "slow" in seen.path else Reply()) as server:
        client = client_of(server.url)
        client.request("GET", PATH)
        with pytest.raises(errors.NoAnswer):
            client.request("GET", "/slow", timeout=(2.0, 0.3))
        assert len(server.seen) == 2


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_closed_port_is_unreachable(scheme: str) -> None:
    with pytest.raises(errors.Unreachable) as caught:
        client_of(f"{scheme}://127.0.0.1:{free_port()}").request("PUT", PATH, data=b"x")
    assert (caught.value.code, caught.value.retryable) == ("unreachable", True)
    assert caught.value.path == "/ISAPI/AccessControl/UserInfo/Count"


def test_a_name_that_does_not_exist_is_unreachable() -> None:
    with pytest.raises(errors.Unreachable):
        client_of("http://terminal.invalid").request("GET", PATH)


def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with terminal(lambda *_: Reply()) as server:
        assert client_of(server.url).request("GET", PATH).status == 200


def test_terminal_on_ipv6_is_asked(ipv6: str) -> None:
    with terminal(lambda *_: Reply(), host=ipv6) as server:
        assert client_of(server.url).request("GET", PATH).status == 200
    assert server.url.startswith("http://[::1]:")


def test_a_cookie_is_not_kept() -> None:
    with terminal(lambda *_: Reply(headers={"Set-Cookie": "WebSession=1; Path=/"})) as server:
        client = client_of(server.url)
        client.request("GET", PATH)
        client.request("GET", PATH)
    assert "cookie" not in server.seen[1].headers


@responses.activate
@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (requests.ConnectTimeout(), errors.Unreachable),
        (requests.ConnectionError(), errors.Unreachable),
        (requests.ReadTimeout(), errors.NoAnswer),
        (requests.exceptions.ChunkedEncodingError(), errors.NoAnswer),
        (requests.exceptions.ContentDecodingError(), errors.Nonsense),
        (requests.exceptions.SSLError(), errors.CertificateChanged),
    ],
)
def test_failures_of_the_library_become_terminal_errors(failure: Exception, kind: type[errors.TerminalError]) -> None:
    responses.add("PUT", "http://terminal.test/ISAPI/x", body=failure)
    with pytest.raises(kind) as caught:
        client_of("http://terminal.test").request("PUT", "/ISAPI/x?token=T0KEN", data=b"x")
    assert "T0KEN" not in str(caught.value)
    assert len(responses.calls) == 1


@responses.activate
def test_a_recorded_answer_comes_back_unchanged() -> None:
    body = recorded("seed_terminal/52_GET_AccessControl_UserInfo_Count.response.json")
    responses.add("GET", f"http://terminal.test{PATH}", body=body, content_type="application/json")
    answer = client_of("http://terminal.test/").request("GET", PATH)
    assert (answer.body, answer.content_type) == (body, "application/json")


def test_another_transport_can_be_mounted() -> None:
    class Canned(requests.adapters.HTTPAdapter):
        def send(self, request: requests.PreparedRequest, **_: object) -> requests.Response:  # type: ignore[override]
            response = requests.Response()
            response.status_code, response.request, response.url = 200, request, request.url or ""
            response.raw, response._content = None, b"canned"
            response._content_consumed = True  # type: ignore[attr-defined]
            response.close = lambda: None  # type: ignore[method-assign]
            return response

    assert Client("http://terminal.test", "admin", "x", transport=Canned()).request("GET", "/x").body == b"canned"


@pytest.mark.parametrize("url", ["", "terminal", "ftp://host", "http://", "http://user:pass@host", "http://host:port"])
def test_an_unusable_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Client(url, "admin", "x")


def test_the_password_shows_nowhere() -> None:
    client = Client("http://terminal.test", "admin", PASSWORD)
    assert repr(client) == "<Client admin at http://terminal.test>"
    with terminal(DigestTerminal(password="other")) as server, pytest.raises(errors.WrongPassword) as caught:
        client_of(server.url).request("GET", PATH)
    assert PASSWORD not in repr(caught.value) + str(caught.value) + repr(vars(caught.value))


def test_the_face_that_is_sent_shows_nowhere() -> None:
    call = _Call("POST", "/x", JPEG, "image/jpeg", (1.0, 1.0), None)
    assert call.data == JPEG
    assert repr(JPEG)[2:20] not in repr(call)
    assert "data" not in repr(call)
