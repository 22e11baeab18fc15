import http.server
import queue
import socket
import threading
from collections.abc import Iterator

import pytest

from hikflask.simulator import SimulatorServer, Terminal
from hikflask.simulator.server import EventSender, send
from hikflask.simulator.terminal.event_push import Host, PushRequest

Listener = tuple[int, queue.Queue[tuple[str, bytes]]]


@pytest.fixture
def listener() -> Iterator[Listener]:
    """An HTTP server on loopback: its port, and a queue of the paths and bodies that came."""
    came: queue.Queue[tuple[str, bytes]] = queue.Queue()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.put((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server.server_port, came
    server.shutdown()
    thread.join()
    server.server_close()


def test_thread_sends_what_happens_at_the_terminal(listener: Listener) -> None:
    port, came = listener
    terminal = Terminal("Secret12")
    terminal.push.set_host(1, Host(url="/in/1", address="127.0.0.1", port=port, heartbeat=0), [])
    terminal.events.add(5, 76)
    sender = EventSender(terminal, pause=0.001)

    sender.start()
    (path, event), (_, heartbeat) = came.get(timeout=20), came.get(timeout=20)
    sender.stop()

    assert path == "/in/1"
    assert b'"subEventType":' in event
    assert b'"eventType": "heartBeat"' in heartbeat


def test_server_has_a_sender_while_it_runs() -> None:
    def senders() -> list[threading.Thread]:
        return [thread for thread in threading.enumerate() if thread.name == "simulator events"]

    before = len(senders())
    with SimulatorServer(Terminal("Secret12")):
        assert len(senders()) == before + 1
    assert len(senders()) == before


@pytest.mark.parametrize(
    "host", [Host(address="203.0.113.9", port=80), Host(address="events.example", addressing="hostname")]
)
def test_nothing_leaves_the_machine(monkeypatch: pytest.MonkeyPatch, host: Host) -> None:
    monkeypatch.setattr("http.client.HTTPConnection", lambda *_, **__: pytest.fail("it was sent"))

    assert send(PushRequest(host, {}, b"")) is None


def test_nobody_at_the_address_is_no_answer(listener: Listener) -> None:
    port, _ = listener

    assert send(PushRequest(Host(url="/", address="127.0.0.1", port=port), {}, b"{}")) == 200
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        assert send(PushRequest(Host(address="127.0.0.1", port=deaf.getsockname()[1]), {}, b"{}")) is None
