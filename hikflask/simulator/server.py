"""The terminal as an application, on a socket, and the thread that sends its events.

ISAPI and pictures are behind Digest, its screen on `/` without. The socket speaks HTTP/1.1 with connections that stay
open, as on real terminals, with or without TLS. Events are sent to loopback alone.
"""

import contextlib
import http.client
import io
import socket
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import unquote_to_bytes

from flask import Flask, request
from werkzeug.wrappers import Response

from hikflask.simulator.certificate import Certificate, make_certificate
from hikflask.simulator.http.middleware import AnswerLost, handle
from hikflask.simulator.isapi.routes import METHODS, view_for
from hikflask.simulator.screen.views import create_screen
from hikflask.simulator.terminal.event_push import PushRequest
from hikflask.simulator.terminal.terminal import Terminal


def create_simulator(terminal: Terminal) -> Flask:
    """Make the application of one terminal."""
    app = create_isapi(terminal)
    app.register_blueprint(create_screen(terminal))
    return app


def create_isapi(terminal: Terminal) -> Flask:
    """Make the application of a terminal without a screen."""
    app = Flask(__name__, static_folder=None)
    # A lost answer has to come out of the application as AnswerLost, not as a page with status 500.
    app.config["PROPAGATE_EXCEPTIONS"] = True
    app.url_map.merge_slashes = False

    def answer(**_path: str) -> Response:
        return handle(terminal, view_for(request.method, request.path))

    # Two rules and a table: a rule of Flask's for every path and method takes most of a short test's time.
    for root in ("ISAPI", "LOCALS"):
        app.add_url_rule(f"/{root}/<path:path>", root, answer, methods=METHODS, provide_automatic_options=False)
    return app


EVENTS_PAUSE = 1.0
"""Seconds between two looks at what waits, and so before something is sent again. The real interval is not known."""
EVENTS_TIMEOUT = 5.0


class EventSender:
    """The thread that sends for one terminal."""

    def __init__(self, terminal: Terminal, pause: float = EVENTS_PAUSE) -> None:
        self.terminal = terminal
        self.pause = pause
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="simulator events")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop once the request that is being sent is answered."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        push, last_heartbeat = self.terminal.push, time.monotonic()
        while not self._stopped.wait(self.pause):
            push.deliver(send)
            beats = push.heartbeats()
            if beats and time.monotonic() - last_heartbeat >= min(beat.host.heartbeat for beat in beats):
                last_heartbeat = time.monotonic()
                for beat in beats:
                    send(beat)


def send(request: PushRequest) -> int | None:
    """Send one request and return the status of the answer; None when nobody answers, or the host is no loopback."""
    host = request.host
    if host.addressing != "ipaddress" or not ip_address(host.address).is_loopback:
        return None
    connection = http.client.HTTPConnection(host.address, host.port, timeout=EVENTS_TIMEOUT)
    try:
        connection.request("POST", host.url or "/", request.body, request.headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


READ_SECONDS = 60.0
"""Within this time a request has to arrive completely."""
KEPT_REQUESTS = 100
"""Answers on one connection before it is closed. The seed terminal counts down, too; its limit is not recorded."""


class _Listener(ThreadingHTTPServer):
    """The listening socket, with one thread for each connection. It keeps the connections, to close them at the end."""

    daemon_threads = False
    request_queue_size = 64

    def __init__(
        self, address: tuple[str, int], app: Flask, context: ssl.SSLContext | None, idle_seconds: float
    ) -> None:
        self.app = app
        self.idle_seconds = idle_seconds
        self.context = context
        self.connections: set[socket.socket] = set()
        self.connections_lock = threading.Lock()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # HTTPServer asks the name service for the host's name here, which can take seconds.
        super(ThreadingHTTPServer, self).server_bind()
        self.address = cast("tuple[str, int]", self.server_address)[:2]
        self.server_name, self.server_port = self.address

    def get_request(self) -> tuple[socket.socket, object]:
        connection, address = self.socket.accept()
        if self.context is not None:
            connection = self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        with self.connections_lock:
            self.connections.add(connection)
        return connection, address

    def close_request(self, request: object) -> None:
        connection = cast("socket.socket", request)
        with self.connections_lock:
            self.connections.discard(connection)
        connection.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print the error, unless the client only went away."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def hang_up(self) -> bool:
        """Break every open connection. Returns true when there was none."""
        with self.connections_lock:
            for connection in self.connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            return not self.connections


class _Handler(BaseHTTPRequestHandler):
    """One connection; each request goes through the WSGI application."""

    server: _Listener
    protocol_version = "HTTP/1.1"
    timeout = READ_SECONDS
    answers_left = KEPT_REQUESTS
    disable_nagle_algorithm = True
    wbufsize = -1

    def answer(self) -> None:
        self.connection.settimeout(READ_SECONDS)
        try:
            response = Response.from_app(self.server.app, self._environ())
        except AnswerLost:
            self.close_connection = True
            return
        with contextlib.closing(response):
            if (response.content_type or "").startswith("multipart/mixed"):
                self._stream(response)
            else:
                self._send(response)
        self.connection.settimeout(self.server.idle_seconds)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = answer  # noqa: N815

    def finish(self) -> None:
        """Close both files. The standard library leaves the second open when the client left before it read all."""
        try:
            super().finish()
        finally:
            self.rfile.close()

    def _environ(self) -> dict[str, object]:
        path, _, query = self.path.partition("?")
        length = int(self.headers.get("Content-Length") or 0)
        host, port = self.server.address
        environ: dict[str, object] = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "REQUEST_URI": self.path,
            "CONTENT_LENGTH": str(length),
            "SERVER_NAME": host,
            "SERVER_PORT": str(port),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "REMOTE_PORT": self.client_address[1],
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(self.rfile.read(length)),
        }
        environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in self.headers.items()}
        if "Content-Type" in self.headers:
            environ["CONTENT_TYPE"] = self.headers["Content-Type"]
        return environ

    def _send(self, response: Response) -> None:
        body = response.get_data()
        self.send_response_only(response.status_code)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if "Content-Length" not in response.headers:
            self.send_header("Content-Length", str(len(body)))
        self.send_header("Date", self.date_time_string())
        # How long the connection stays open, or that it closes: the client asked for it, or it is used up.
        self.answers_left -= 1
        if self.close_connection or not self.answers_left:
            self.send_header("Connection", "close")
        else:
            self.send_header("Connection", "keep-alive")
            self.send_header("Keep-Alive", f"timeout={self.server.idle_seconds:g}, max={self.answers_left}")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _stream(self, response: Response) -> None:
        """Send parts as they come, until the client leaves."""
        self.close_connection = True
        self.send_response_only(response.status_code)
        for name, value in {**response.headers, "Date": self.date_time_string(), "Connection": "close"}.items():
            self.send_header(name, value)
        self.end_headers()
        for part in response.iter_encoded():
            self.wfile.write(part)
            self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Print nothing: the terminal has its own log."""


class SimulatorServer:
    """A terminal that listens on a socket; a context manager.

    :raises ValueError: for a host that is no loopback address: a simulator has no business on a network.
    """

    def __init__(self, terminal: Terminal, *, host: str = "127.0.0.1", port: int = 0, https: bool = False) -> None:
        if not ip_address(host).is_loopback:
            raise ValueError(f"the simulator listens on loopback addresses only, not on {host}")
        self.terminal = terminal
        self.host = host
        self.port = port
        self.certificate: Certificate | None = make_certificate(host) if https else None
        self._listener: _Listener | None = None
        self._thread: threading.Thread | None = None
        self._sender: EventSender | None = None

    @property
    def url(self) -> str:
        scheme = "https" if self.certificate else "http"
        name = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{name}:{self.port}"

    @property
    def fingerprint(self) -> str | None:
        """SHA-256 of the certificate in hexadecimal; None without TLS."""
        return self.certificate.fingerprint if self.certificate else None

    def start(self) -> None:
        """Listen. Port 0 chooses a free port, which it keeps: after `stop` it starts at the same address."""
        context = self.certificate.context() if self.certificate else None
        app, idle_seconds = create_simulator(self.terminal), self.terminal.profile.idle_seconds
        self._listener = _Listener((self.host, self.port), app, context, idle_seconds)
        self.port = self._listener.server_port
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.02,), name="simulator")
        self._thread.start()
        self._sender = EventSender(self.terminal)
        self._sender.start()

    def stop(self) -> None:
        """Stop listening, break all connections, and leave the requests that wait without an answer."""
        listener, thread, sender = self._listener, self._thread, self._sender
        if listener is None or thread is None or sender is None:
            return
        sender.stop()
        listener.shutdown()
        thread.join()
        while not listener.hang_up():
            # In a loop: a request may have been read that does not wait yet.
            self.terminal.interrupt()
            time.sleep(0.01)
        listener.server_close()
        self._listener = self._thread = self._sender = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
