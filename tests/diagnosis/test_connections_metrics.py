"""What is said of the ports of the metrics."""

import pytest
from flask import Flask

from hikflask.diagnosis import Finding, connections, good, machine, wrong
from hikflask.metrics import server as metrics_server
from tests.processes.processes import free_port
from tests.support.other_program import other_program


def told(app: Flask, port: int) -> list[Finding]:
    """What is said where this is the setting."""
    app.config["METRICS_PORT"] = port
    with app.app_context():
        return list(connections.check_metrics())


def test_metrics_of_the_pages_are_good_and_those_of_the_worker_are_looked_for_on_the_next_port(app: Flask) -> None:
    pages = metrics_server.start(app, free_port())
    assert pages is not None
    port = pages.server_port

    found = told(app, port)

    pages.shutdown()
    pages.server_close()
    assert found == [
        good(f"hikflask tells its metrics on port {port}."),
        wrong(
            f"Nothing listens on port {port + 1}, where hikflask-worker tells its metrics: `systemctl restart "
            "hikflask-worker`, and `journalctl -u hikflask-worker` says why it does not."
        ),
    ]


@pytest.mark.parametrize("settings", [{"WORKER": "embedded", "METRICS_ADDRESS": "::1"}])
def test_metrics_are_looked_for_by_ipv6_where_they_are_there(app: Flask, ipv6: str) -> None:
    pages = metrics_server.start(app, free_port())
    assert pages is not None

    found = told(app, pages.server_port)

    pages.shutdown()
    pages.server_close()
    assert pages.server_address[0] == ipv6
    assert found == [good(f"hikflask tells its metrics on port {pages.server_port}.")]


@pytest.mark.parametrize("settings", [{"WORKER": "embedded"}])
def test_other_program_on_the_port_is_named_and_no_worker_is_looked_for_where_it_is_embedded(app: Flask) -> None:
    with other_program() as port:
        assert told(app, port) == [
            wrong(
                f"Another program answers where hikflask should tell its metrics. {machine.listener(port)} "
                "Stop it, or set HIKFLASK_METRICS_PORT to another port."
            )
        ]
    assert told(app, 0) == []
