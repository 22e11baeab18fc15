"""The metrics on a port of loopback: one address, without a token, and never elsewhere."""

import logging
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest
import requests
from flask import Flask

from hikflask.metrics import server as metrics_server
from hikflask.metrics.server import MetricsServer
from tests.processes.processes import free_port
from tests.support.metrics import samples


@pytest.fixture
def server(app: Flask) -> Iterator[MetricsServer]:
    """A server on a port of its own."""
    started = metrics_server.start(app, free_port())
    assert started is not None
    yield started
    started.shutdown()
    started.server_close()


def test_metrics_are_there_without_a_token_and_nothing_else(server: MetricsServer) -> None:
    address = f"http://127.0.0.1:{server.server_port}"

    answer = requests.get(f"{address}/metrics", timeout=60)

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert samples(answer.text)["hikflask_database_reachable"] == 1
    assert server.server_address[0] == "127.0.0.1"
    assert [requests.get(f"{address}{path}", timeout=60).status_code for path in ("/", "/employees/")] == [404, 404]
    assert requests.post(f"{address}/metrics", timeout=60).status_code == 404


def test_metrics_are_there_by_ipv6_where_that_is_asked_for_and_then_there_alone(app: Flask, ipv6: str) -> None:
    app.config["METRICS_ADDRESS"] = ipv6
    server = metrics_server.start(app, free_port())
    assert server is not None
    try:
        answer = requests.get(f"http://[{ipv6}]:{server.server_port}/metrics", timeout=60)
        with pytest.raises(requests.ConnectionError):
            requests.get(f"http://127.0.0.1:{server.server_port}/metrics", timeout=60)
    finally:
        server.shutdown()
        server.server_close()

    assert samples(answer.text)["hikflask_database_reachable"] == 1


def test_each_process_of_the_pages_may_listen(app: Flask, server: MetricsServer) -> None:
    other = metrics_server.start(app, server.server_port)

    assert other is not None
    assert other.server_port == server.server_port
    other.shutdown()
    other.server_close()


def test_port_of_another_program_stops_nobody_and_none_is_none(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    assert app.config["METRICS_PORT"] == 0
    assert metrics_server.start(app, 0) is None
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        assert metrics_server.start(app, taken.getsockname()[1]) is None

    assert "no metrics on port" in caplog.text
    assert caplog.text.strip().endswith(": Address already in use")


def test_worker_has_the_next_port_or_none(app: Flask) -> None:
    assert metrics_server.worker_port(app) == 0
    app.config["METRICS_PORT"] = 9464

    assert metrics_server.worker_port(app) == 9465
