"""Serves the metrics on a port of loopback of its own, without a token (HIKFLASK_METRICS_PORT)."""

import logging
import socket
import threading
from collections.abc import Callable, Iterable
from http import HTTPStatus
from socketserver import TCPServer, ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from flask import Flask

from hikflask.metrics import exposition
from hikflask.services.settings import stored

log = logging.getLogger(__name__)
PATH = "/metrics"


class MetricsServer(ThreadingMixIn, WSGIServer):
    """Listens for Prometheus; one that is slow keeps nobody else waiting, and no process from ending."""

    daemon_threads = True
    # Each process of the pages listens, and whichever is asked tells what all of them count.
    allow_reuse_port = True

    def server_bind(self) -> None:
        """Listen, without asking for the name of this machine."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]
        self.setup_environ()


class MetricsServerOnIPv6(MetricsServer):
    """The same for an address of IPv6."""

    address_family = socket.AF_INET6


class _Silent(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Log nothing: Prometheus polls continually."""


def worker_port(app: Flask) -> int:
    """Return the port of a worker on its own: the next one, so that it never answers for pages that are down."""
    port: int = app.config["METRICS_PORT"]
    return port + 1 if port else 0


def start(app: Flask, port: int) -> MetricsServer | None:
    """Serve the app's metrics in a thread of their own, and return the server; None where the port is 0.

    A port that another program has is logged, since nobody's enrolment should wait for that.
    """
    address: str = app.config["METRICS_ADDRESS"]
    if not port:
        return None
    kind = MetricsServerOnIPv6 if ":" in address else MetricsServer
    try:
        server = make_server(address, port, _of(app), server_class=kind, handler_class=_Silent)
    except OSError as error:
        log.error("no metrics on port %s: %s", port, error.strerror)
        return None
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server


def _of(app: Flask) -> Callable[..., Iterable[bytes]]:
    """Return the WSGI application: one address, and nothing else."""

    def answer(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        if environ["PATH_INFO"] != PATH or environ["REQUEST_METHOD"] != "GET":
            return _plain(start_response, HTTPStatus.NOT_FOUND, b"", "text/plain")
        # A silent database is waited for once, not twice, so that Prometheus still gets the answer.
        with stored.not_read(), app.app_context():
            return _plain(start_response, HTTPStatus.OK, exposition.text(), exposition.CONTENT_TYPE)

    return answer


def _plain(start_response: Callable[..., object], status: HTTPStatus, body: bytes, content_type: str) -> list[bytes]:
    start_response(f"{status.value} {status.phrase}", [("Content-Type", content_type)])
    return [body]
