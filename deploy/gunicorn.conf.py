"""gunicorn for hikflask: one process with threads, since requests wait on terminals; no preload, no control socket."""

import os

bind = os.environ.get("HIKFLASK_BIND", "127.0.0.1:8000")
worker_class = "gthread"
# One process with the embedded worker fits SQLite; with PostgreSQL and external workers more processes may serve.
workers = int(os.environ.get("HIKFLASK_PROCESSES", "1"))
threads = int(os.environ.get("HIKFLASK_THREADS", "24"))
preload_app = False
timeout = 90
graceful_timeout = 10
keepalive = 5
control_socket_disable = True
# The app itself decides whose X-Forwarded-… headers it believes (HIKFLASK_TRUSTED_PROXY).
forwarded_allow_ips = ""
accesslog = None
errorlog = "-"
loglevel = os.environ.get("HIKFLASK_LOG_LEVEL", "warning")
