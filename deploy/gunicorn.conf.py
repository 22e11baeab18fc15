"""gunicorn for hikflask: one process with threads, of which those that wait on terminals are counted apart.

No preload, no control socket.
"""

import os

bind = os.environ.get("HIKFLASK_BIND", "127.0.0.1:8000")
# A Unix socket is for its owner and its group alone (0660).
umask = 0o117
worker_class = "gthread"
# One process with the embedded worker fits SQLite; with PostgreSQL and external workers more processes may serve.
workers = int(os.environ.get("HIKFLASK_PROCESSES", "1"))
# The app lets no more requests wait on terminals than HIKFLASK_TERMINAL_THREADS, so the others are always for pages.
threads = int(os.environ.get("HIKFLASK_THREADS", "12")) + int(os.environ.get("HIKFLASK_TERMINAL_THREADS", "12"))
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


if os.environ.get("HIKFLASK_LOG_FORMAT") == "json":
    # What the server itself says, too: the processes that it starts write so by themselves.
    from hikflask import logging_setup

    def on_starting(server: object) -> None:  # noqa: ARG001 - gunicorn passes it
        """Write as JSON from the first line on."""
        logging_setup.write_as(logging_setup.JSON)
