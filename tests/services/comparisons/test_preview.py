"""A face there is the one that the comparison read, or none."""

import pytest

from hikflask.models import Terminal
from hikflask.services.comparisons import preview
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import FACE, OTHER_FACE
from tests.support.comparisons import compare
from tests.support.enrolments import enrol

pytestmark = pytest.mark.usefixtures("context", "worker_alive")


def test_face_there_is_the_one_that_was_read_or_none(simulator: Simulated, terminal: Terminal) -> None:
    enrol(simulator, terminal)
    simulator.store.bind("100222", OTHER_FACE)
    done = compare(terminal)
    assert preview.picture_there(done, "100222", "Анна") == OTHER_FACE
    assert preview.picture_there(done, "100333", "Анна") is None

    simulator.store.bind("100222", FACE)

    assert preview.picture_there(done, "100222", "Анна") is None
