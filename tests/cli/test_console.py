"""Whoever waits at a terminal window sees how far a job is; a log does not."""

import io

import pytest

from hikflask.cli.console import progress_shown
from hikflask.services.changes.kinds import DEPARTMENT
from tests.processes.processes import until
from tests.support.jobs import add_people, started

pytestmark = pytest.mark.usefixtures("context")


class Window(io.StringIO):
    """A terminal window."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def test_progress_is_shown_in_a_window_and_removed_in_the_end() -> None:
    claim, window = started(DEPARTMENT, add_people("1", "2"), department="Цех"), Window()

    with progress_shown(claim.job_id, window, seconds=0.01):
        until(lambda: "0 of 2 " in window.getvalue())

    assert window.getvalue().endswith("\r\x1b[K")


def test_log_stays_clean() -> None:
    claim, log = started(DEPARTMENT, add_people("1"), department="Цех"), io.StringIO()

    with progress_shown(claim.job_id, log, seconds=0.001):
        pass

    assert log.getvalue() == ""
