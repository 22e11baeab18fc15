"""Everybody on one terminal: a draft first, then a job that the terminal's own answers end."""

import pytest

from hikflask.models import Terminal
from hikflask.services.changes import lifecycle
from hikflask.services.core.errors import ServiceError
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments import queries
from hikflask.services.provisioning import bring_people
from hikflask.services.terminals import registry
from hikflask.services.terminals.registry import Access
from tests.support.captures import IVAN, OLGA
from tests.support.jobs import run

pytestmark = pytest.mark.usefixtures("context", "worker_alive")


def test_draft_changes_nothing_and_its_start_desires_everybody_there(terminal: Terminal) -> None:
    save_employee(IVAN)
    save_employee(OLGA)

    job = bring_people.draft_from(terminal.id)
    assert queries.of_number(IVAN.number) == []
    claim = lifecycle.start(job.id, {})
    assert claim is not None
    run(claim)

    assert [one.terminal_id for one in queries.of_number(IVAN.number)] == [terminal.id]
    assert queries.of_number(OLGA.number)[0].in_bulk


def test_terminal_that_is_not_in_use_is_refused() -> None:
    off = registry.add(Access("Склад", "http://away.test", "admin", "x", is_active=False))

    with pytest.raises(ServiceError, match=r"^terminal_unknown$"):
        bring_people.draft_from(off.id)
