"""Enrols everybody on one terminal: the draft of a job, which says what would be done before anything is."""

from hikflask.models import Job
from hikflask.services.employees.filters import EmployeeFilter
from hikflask.services.jobs.draft import make_draft
from hikflask.services.jobs.kinds import SEND
from hikflask.services.terminals import registry


def draft(terminal_id: int) -> Job:
    """Make the draft of a job for the active employees who are not desired on this terminal.

    :raises terminal_unknown: when it is not in use.
    """
    return make_draft(SEND, EmployeeFilter(absent_from=terminal_id), terminal=registry.active(terminal_id))
