"""What is said of the port of the metrics."""

from flask import Flask

from hikflask.diagnosis import good, metrics_port, ports, wrong
from hikflask.metrics import server as metrics_server
from tests.processes.processes import free_port
from tests.support.other_program import other_program


def test_metrics_of_this_program_are_good(app: Flask) -> None:
    app.config["METRICS_PORT"] = free_port()
    server = metrics_server.start(app)
    assert server is not None

    found = list(metrics_port.check(server.server_port, "hikflask"))

    server.shutdown()
    server.server_close()
    assert found == [good(f"The metrics are there on port {server.server_port}.")]
    assert list(metrics_port.check(0, "hikflask")) == []


def test_port_that_nobody_opens_is_said_with_the_unit() -> None:
    port = free_port()

    assert list(metrics_port.check(port, "hikflask-worker")) == [
        wrong(
            f"Nothing listens on the port of the metrics, {port}: `systemctl restart hikflask-worker`, and "
            "`journalctl -u hikflask-worker` says why it does not open it."
        )
    ]


def test_other_program_on_the_port_is_named() -> None:
    with other_program() as port:
        assert list(metrics_port.check(port, "hikflask")) == [
            wrong(
                f"Another program answers on the port of the metrics. {ports.listener(port)} "
                "Stop it, or set HIKFLASK_METRICS_PORT to another port."
            )
        ]
