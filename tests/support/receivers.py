"""A program that is told by a webhook: a real server on loopback."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Received:
    """What came: path, headers and body of each message."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """The address, what came so far, and what is answered: a status and a header Location.

    `hangs`: no answer ever ends. With a `certificate` (a file with its key) it speaks TLS.
    """

    url: str = ""
    status: int = 204
    location: str = ""
    hangs: bool = False
    certificate: str = ""
    got: list[Received] = field(default_factory=list)
    came: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)


@contextmanager
def receiving(**options: Any) -> Iterator[Receiver]:
    """Run a receiver."""
    receiver = Receiver(**options)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.got.append(Received(self.path, dict(self.headers), body))
            receiver.came.set()
            if receiver.hangs:
                # One byte of a line of the head now and then: no time-out of a socket notices that.
                while not receiver.let_go.wait(0.02):
                    self.wfile.write(b"x")
            self.send_response(receiver.status)
            if receiver.location:
                self.send_header("Location", receiver.location)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            return

    server = Server(("127.0.0.1", 0), Handler)
    if receiver.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(receiver.certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    scheme = "https" if receiver.certificate else "http"
    receiver.url = f"{scheme}://127.0.0.1:{server.server_port}/hook?a=1"
    server.daemon_threads = True
    thread = threading.Thread(target=lambda: server.serve_forever(0.02), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.let_go.set()
        server.shutdown()
        thread.join()
        server.server_close()
