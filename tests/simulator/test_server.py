import contextlib
import gc
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import pytest
import requests
import urllib3
from requests.auth import HTTPDigestAuth

from hikflask.simulator import SEED, SimulatorServer, Terminal, faces

ANNA = faces.draw("anna")
COUNT = "/ISAPI/AccessControl/UserInfo/Count?format=json"
CAPTURE = "/ISAPI/AccessControl/CaptureFaceData"
WISH = "<CaptureFaceDataCond><dataType>url</dataType></CaptureFaceDataCond>"
BACKGROUND = 60.0


@pytest.fixture
def served() -> Iterator[SimulatorServer]:
    """A terminal on a socket, in real time."""
    with SimulatorServer(Terminal("Secret12")) as server:
        yield server


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        session.auth = HTTPDigestAuth("admin", "Secret12")
        yield session


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + BACKGROUND
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    assert condition()


def test_person_added_in_process_is_found_on_the_socket(served: SimulatorServer, http: requests.Session) -> None:
    served.terminal.store.add("1", {"name": "Иван"})

    answer = http.get(served.url + COUNT, timeout=60)

    assert answer.json()["UserInfoCount"]["userNumber"] == 1


def test_connection_is_kept_open(served: SimulatorServer) -> None:
    with contextlib.closing(HTTPConnection(served.host, served.port, timeout=60)) as connection:
        sockets = set()
        for _ in range(3):
            connection.request("GET", COUNT)
            connection.getresponse().read()
            sockets.add(connection.sock)

    assert len(sockets) == 1
    assert None not in sockets


@contextlib.contextmanager
def connected(server: SimulatorServer) -> Iterator[tuple[HTTPConnection, Callable[..., HTTPResponse]]]:
    """A connection, and a function that sends one request on it and reads the answer whole."""
    with contextlib.closing(HTTPConnection(server.host, server.port, timeout=BACKGROUND)) as connection:

        def ask(**headers: str) -> HTTPResponse:
            connection.request("GET", COUNT, headers=headers)
            answer = connection.getresponse()
            answer.read()
            return answer

        yield connection, ask


def test_answers_tell_the_date_and_how_long_the_connection_is_kept(served: SimulatorServer) -> None:
    with connected(served) as (_, ask):
        answers = [ask() for _ in range(2)]

    assert [answer.headers["Connection"] for answer in answers] == ["keep-alive"] * 2
    assert [answer.headers["Keep-Alive"] for answer in answers] == ["timeout=5, max=99", "timeout=5, max=98"]
    assert abs(parsedate_to_datetime(answers[0].headers["Date"]).timestamp() - time.time()) < 60


def test_idle_connection_is_closed_after_its_time() -> None:
    terminal = Terminal("Secret12", profile=replace(SEED, idle_seconds=0.05))

    with SimulatorServer(terminal) as server, connected(server) as (connection, ask):
        answer = ask()

        assert answer.headers["Keep-Alive"].startswith("timeout=0.05,")
        assert connection.sock.recv(1) == b""


def test_connection_is_closed_after_the_last_answer_it_was_kept_for(served: SimulatorServer) -> None:
    with connected(served) as (connection, ask):
        answers = [ask() for _ in range(100)]

        assert connection.sock is None, "the client closes what the terminal closes"
    assert [answer.headers["Connection"] for answer in answers] == ["keep-alive"] * 99 + ["close"]


def test_client_that_wants_no_connection_kept_is_told_so(served: SimulatorServer) -> None:
    with connected(served) as (_, ask):
        answer = ask(Connection="close")

    assert (answer.headers["Connection"], "Keep-Alive" in answer.headers) == ("close", False)


def test_face_presented_from_another_thread_ends_the_wait(served: SimulatorServer, http: requests.Session) -> None:
    answers = []
    thread = threading.Thread(target=lambda: answers.append(http.post(served.url + CAPTURE, WISH, timeout=60)))
    thread.start()
    until(lambda: served.terminal.camera.window)

    served.terminal.present(ANNA)
    thread.join()

    assert "<captureProgress>100<" in answers[0].text
    assert http.get(f"{served.url}/LOCALS/pic/web_face_enrollpic.jpg@WEB000000000020", timeout=60).content == ANNA


def test_other_requests_are_answered_while_a_window_is_open(served: SimulatorServer, http: requests.Session) -> None:
    thread = threading.Thread(target=lambda: http.post(served.url + CAPTURE, WISH, timeout=60))
    thread.start()
    until(lambda: served.terminal.camera.window)

    with requests.Session() as other:
        other.trust_env = False
        busy = other.post(served.url + CAPTURE, WISH, auth=HTTPDigestAuth("admin", "Secret12"), timeout=60)
        cancel = WISH.replace("</Capt", "<cancelFlag>true</cancelFlag></Capt")
        other.post(served.url + CAPTURE, cancel, auth=HTTPDigestAuth("admin", "Secret12"), timeout=60)
    thread.join()

    assert "deviceBusy" in busy.text
    assert served.terminal.camera.window is None


@pytest.mark.parametrize(("fault", "people"), [("lost-before", []), ("lost-after", ["1"])])
def test_lost_answer_closes_the_connection(
    served: SimulatorServer, http: requests.Session, fault: str, people: list[str]
) -> None:
    served.terminal.faults.add(fault, path="UserInfo/Record", times=1)
    body = {"UserInfo": {"employeeNo": "1", "name": "A"}}

    with pytest.raises(requests.ConnectionError):
        http.post(f"{served.url}/ISAPI/AccessControl/UserInfo/Record?format=json", json=body, timeout=60)

    assert list(served.terminal.people) == people


def test_stopped_terminal_is_away_and_comes_back_at_the_same_address(
    served: SimulatorServer, http: requests.Session
) -> None:
    url = served.url
    served.terminal.store.add("1", {})
    served.stop()
    with pytest.raises(requests.ConnectionError):
        http.get(url + COUNT, timeout=60)

    served.start()

    assert served.url == url
    assert http.get(url + COUNT, timeout=60).json()["UserInfoCount"]["userNumber"] == 1


def test_stopping_breaks_a_capture_that_waits(served: SimulatorServer, http: requests.Session) -> None:
    errors = []

    def capture() -> None:
        try:
            http.post(served.url + CAPTURE, WISH, timeout=60)
        except requests.ConnectionError as error:
            errors.append(error)

    thread = threading.Thread(target=capture)
    thread.start()
    until(lambda: served.terminal.camera.window)

    served.stop()
    thread.join(2)

    assert len(errors) == 1


def test_fingerprint_is_that_of_the_certificate() -> None:
    with SimulatorServer(Terminal("Secret12"), https=True) as server:
        pinned = urllib3.PoolManager(cert_reqs="CERT_NONE", assert_fingerprint=server.fingerprint)
        answer = pinned.request("GET", server.url + COUNT)
        pinned.clear()

    assert server.url.startswith("https://")
    assert answer.status == 401


def test_connection_of_a_client_that_left_with_answers_unread_is_closed(
    served: SimulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    accepted = []
    listener = served._listener
    assert listener is not None
    accept = listener.get_request

    def get_request() -> tuple[socket.socket, Any]:
        connection, address = accept()
        accepted.append(connection)
        return connection, address

    monkeypatch.setattr(listener, "get_request", get_request)
    gc.disable()  # it would close them sooner or later
    try:
        for _ in range(20):
            with socket.create_connection((served.host, served.port)) as client:
                client.sendall(b"GET /nothing HTTP/1.1\r\nHost: t\r\n\r\n" * 20)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        until(lambda: len(accepted) == 20 and all(connection.fileno() == -1 for connection in accepted))
    finally:
        gc.enable()


def test_body_that_never_comes_does_not_block_the_others(served: SimulatorServer, http: requests.Session) -> None:
    with socket.create_connection((served.host, served.port)) as silent:
        silent.sendall(b"PUT /ISAPI/x HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\n")

        assert http.get(served.url + COUNT, timeout=60).status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5"])
def test_only_loopback_is_listened_on(host: str) -> None:
    with pytest.raises(ValueError, match="loopback"):
        SimulatorServer(Terminal("Secret12"), host=host)


def test_stream_of_events_comes_in_parts_and_its_place_is_free_when_the_listener_has_left(
    served: SimulatorServer, http: requests.Session
) -> None:
    url = f"{served.url}/ISAPI/Event/notification/alertStream"
    with http.get(url, stream=True, timeout=60) as answer:
        lines = (line for line in answer.iter_lines() if b"serialNo" in line)
        served.terminal.events.add(1, 1030)
        assert b'"serialNo": 1' in next(lines)
        assert http.get(url, timeout=60).status_code == 503

    served.terminal.events.add(1, 1030)
    until(lambda: served.terminal.events.add(1, 1030) and not served.terminal.push.is_streaming)


def test_stream_ends_with_the_server(http: requests.Session) -> None:
    with SimulatorServer(Terminal("Secret12")) as server:
        answer = http.get(f"{server.url}/ISAPI/Event/notification/alertStream", stream=True, timeout=60)

    answer.close()
    assert not server.terminal.push.is_streaming
