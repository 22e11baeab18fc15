"""The desk at the pages of a comparison."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from hikflask.models import Terminal
from hikflask.simulator import Terminal as Simulated
from tests.support.compared import ComparisonDesk


@pytest.fixture
def at(
    client: FlaskClient,
    terminal: Terminal,  # noqa: ARG001
    simulator: Simulated,
    run_jobs: Callable[[], int],
    worker_alive: None,  # noqa: ARG001
) -> ComparisonDesk:
    return ComparisonDesk(client, simulator, run_jobs)
