"""What is said of the address at which terminals tell by themselves; nginx itself: tests/processes/test_nginx.py."""

import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.serving import make_server

from hikflask.diagnosis import Finding, connections, good, wrong
from tests.processes.processes import free_port
from tests.support.other_program import other_program

TELL = "where terminals tell by themselves"


@pytest.fixture
def port(app: Flask) -> Iterator[int]:
    """The port of the app."""
    server = make_server("127.0.0.1", 0, app)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()


def told(app: Flask, address: str) -> list[Finding]:
    app.config.update(PASSAGES="push", PUSH_ADDRESS=address)
    with app.app_context():
        return list(connections.check_pushes())


def test_address_is_asked_as_a_terminal_would(app: Flask, port: int) -> None:
    address = f"http://127.0.0.1:{port}"

    assert told(app, address) == [good(f"The service answers at {address}, {TELL}.")]


def test_address_at_which_nothing_or_something_else_answers_is_wrong(app: Flask) -> None:
    away = f"http://127.0.0.1:{free_port()}"
    with other_program() as other:
        found = told(app, f"http://127.0.0.1:{other}")

    assert found == [
        wrong(
            f"Something else than the service answers at http://127.0.0.1:{other} (501), {TELL}: correct "
            "HIKFLASK_PUSH_ADDRESS, or compare nginx's site with deploy/nginx.conf."
        )
    ]
    assert told(app, away) == [
        wrong(
            f"Nothing answers at {away} ([Errno 111] Connection refused), {TELL}: correct HIKFLASK_PUSH_ADDRESS, or "
            "let nginx listen there. Their logs are read all the same."
        )
    ]


def test_nothing_is_said_where_terminals_do_not_tell(app: Flask) -> None:
    with app.app_context():
        assert list(connections.check_pushes()) == []
