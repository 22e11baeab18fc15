"""gunicorn for hikflask: one process with threads, of which those that wait on terminals are counted apart.

No preload, no control socket.
"""

import os
import selectors
import socket
import sys
import time
from functools import partial

from gunicorn.arbiter import Arbiter
from gunicorn.errors import HaltServer
from gunicorn.systemd import sd_notify
from gunicorn.workers.gthread import TConn, ThreadWorker

# How long a request's head may take, in seconds, and how long it may be, in bytes; nginx's limits are lower.
HEAD_SECONDS, MAX_HEAD = 15.0, 65536
# So many serving processes in a row that end so soon after their start show that none will live.
MAX_QUICK_DEATHS, QUICK_SECONDS = 5, 10.0
END_OF_HEAD = b"\r\n\r\n"


class WholeHeadsWorker(ThreadWorker):  # type: ignore[misc]
    """gthread, whose threads get a connection once the head of its request is there.

    gthread itself reads the head in a thread, without a time-out: as many halves of one as there are threads, sent by
    whoever reaches the port or the socket, would stop the service.
    """

    def enqueue_req(self, conn: TConn) -> None:
        """Give a connection to a thread, or let it wait, as gthread does while nothing has come."""
        if self._has_head(conn):
            super().enqueue_req(conn)
            return
        conn.timeout = time.monotonic() + HEAD_SECONDS
        self.pending_conns.append(conn)
        waiting = partial(self.on_pending_socket_readable, conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, waiting)

    def on_pending_socket_readable(self, conn: TConn, client: object) -> None:
        """Go on with a connection that waits; its time-out stays the one of its first byte."""
        if self._has_head(conn):
            super().on_pending_socket_readable(conn, client)

    def _has_head(self, conn: TConn) -> bool:
        """Read what has come. True once a thread has no more to wait for: a whole head, or the end of what comes."""
        conn.init()
        received = conn.parser.unreader.buf
        if END_OF_HEAD in received.getvalue().lstrip():
            return True
        conn.sock.setblocking(False)
        received.seek(0, os.SEEK_END)
        try:
            chunk = conn.sock.recv(MAX_HEAD)
            if received.tell() + len(chunk) > MAX_HEAD:
                conn.sock.shutdown(socket.SHUT_RDWR)
                chunk = b""
        except BlockingIOError:
            return False
        except OSError:
            chunk = b""
        received.write(chunk)
        return not chunk or END_OF_HEAD in received.getvalue().lstrip()


def whole(name: str, default: int) -> int:
    """Return a setting that is a whole number; end in one sentence where it is something else."""
    value = os.environ.get(name, str(default))
    if not value.isdecimal() or not 1 <= int(value) <= 256:
        sys.exit(f"{name} cannot be used: set it to a whole number between 1 and 256.")
    return int(value)


bind = os.environ.get("HIKFLASK_BIND", "127.0.0.1:8000")
# A Unix socket is for its owner and its group alone (0660).
umask = 0o117
worker_class = WholeHeadsWorker
# One process with the embedded worker fits SQLite; with PostgreSQL and external workers more processes may serve.
workers = whole("HIKFLASK_PROCESSES", 1)
# The app lets no more requests wait on terminals than HIKFLASK_TERMINAL_THREADS, so the others are always for pages.
threads = whole("HIKFLASK_THREADS", 12) + whole("HIKFLASK_TERMINAL_THREADS", 12)
# Each may wait for its head: fewer than the usual limit of open files (1024).
worker_connections = 512
preload_app = False
timeout = 90
graceful_timeout = 10
keepalive = 5
control_socket_disable = True
# The app itself decides whose X-Forwarded-… headers it believes (HIKFLASK_TRUSTED_PROXY). gunicorn would believe
# whoever comes by a Unix socket, and so also what nginx hands on unread.
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""
accesslog = None
errorlog = "-"
loglevel = os.environ.get("HIKFLASK_LOG_LEVEL", "warning")


def when_ready(server: Arbiter) -> None:
    """Tell systemd that the service is at work, each second, after the serving processes that hang are ended."""
    end_hanging = server.murder_workers

    def end_hanging_and_tell() -> None:
        end_hanging()
        sd_notify("WATCHDOG=1", server.log)

    server.murder_workers = end_hanging_and_tell


def pre_fork(server: Arbiter, worker: ThreadWorker) -> None:  # noqa: ARG001 - gunicorn passes both
    """Note when a serving process begins."""
    worker.begun = time.monotonic()


def child_exit(server: Arbiter, worker: ThreadWorker) -> None:
    """End the service once one serving process after the other dies at once: systemd sees that, and waits in between.

    gunicorn itself would go on to start six of them a second.
    """
    now = time.monotonic()
    server.died_at_once = getattr(server, "died_at_once", 0) + 1 if now - worker.begun < QUICK_SECONDS else 0
    others_live = any(now - other.begun >= QUICK_SECONDS for other in server.WORKERS.values())
    # While it is being stopped it listens no more.
    if server.died_at_once >= MAX_QUICK_DEATHS and server.LISTENERS and not others_live:
        raise HaltServer("Each serving process dies at once.", 1)


def post_fork(server: Arbiter, worker: ThreadWorker) -> None:  # noqa: ARG001 - gunicorn passes both
    """Let systemd hear the first process alone, not the embedded worker in this one."""
    os.environ.pop("NOTIFY_SOCKET", None)


if os.environ.get("HIKFLASK_LOG_FORMAT") == "json":
    # What the server itself says, too: the processes that it starts write so by themselves.
    from hikflask import logging_setup

    def on_starting(server: object) -> None:  # noqa: ARG001 - gunicorn passes it
        """Write as JSON from the first line on."""
        logging_setup.write_as(logging_setup.JSON)
