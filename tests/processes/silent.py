"""Terminals that take the connection and never answer, and how long /health takes while somebody waits on them."""

import http.client
import json
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

from hikflask import create_app
from hikflask.services.terminals import registry
from hikflask.services.terminals.registry import Access
from tests.processes.processes import Served
from tests.support.apps import close
from tests.support.signed_in import make_token

BACKLOG = 128
PAUSE = 0.02
SECONDS = 120


@contextmanager
def silent_addresses(count: int) -> Iterator[list[str]]:
    """Listen at so many addresses; the system takes each connection, and nobody ever reads from it."""
    with ExitStack() as stack:
        opened = [stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)) for _ in range(count)]
        yield [f"http://127.0.0.1:{one.getsockname()[1]}" for one in opened]


def add_unchecked(folder: Path, addresses: Sequence[str]) -> list[int]:
    """Add terminals to a migrated instance folder without asking them anything; return their ids."""
    app = create_app({"INSTANCE_PATH": str(folder), "TESTING": True})
    try:
        with app.app_context():
            wanted = [Access(f"door {url}", url, "admin", "Abc12345") for url in addresses]
            return [registry.add(access).id for access in wanted]
    finally:
        close(app)


def token_of(served: Served, role: str) -> str:
    """Make a token of a role and return it."""
    app = create_app({"INSTANCE_PATH": str(served.folder), "TESTING": True})
    try:
        return make_token(app, role)
    finally:
        close(app)


def call(
    served: Served, token: str, method: str, path: str, body: dict[str, object] | None = None
) -> Callable[[], int]:
    """Return a call of the API, which returns its status, on a connection of its own."""
    sent = json.dumps(body) if body is not None else None
    return partial(_status, served, method, f"/api/{path}", sent, {"Authorization": f"Bearer {token}"})


def _status(served: Served, method: str, path: str, body: str | None, headers: dict[str, str]) -> int:
    """Ask once; with as little work here as there can be, since it is done beside what is measured."""
    with closing(http.client.HTTPConnection("127.0.0.1", served.port, timeout=SECONDS)) as connection:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status


def worst_health(served: Served, calls: Sequence[Callable[[], int]]) -> tuple[float, Counter[int]]:
    """Send all calls at once; return the longest that /health took until the last answer, in seconds; the statuses."""
    worst = 0.0
    with ThreadPoolExecutor(len(calls)) as pool:
        waiting = [pool.submit(one) for one in calls]
        while not all(one.done() for one in waiting):
            worst = max(worst, health_seconds(served))
            time.sleep(PAUSE)
    return worst, Counter(one.result() for one in waiting)


def health_seconds(served: Served) -> float:
    """Ask /health on a new connection, as a watcher does, and return how long that took."""
    began = time.perf_counter()
    assert _status(served, "GET", "/health", None, {}) == 200
    return time.perf_counter() - began
