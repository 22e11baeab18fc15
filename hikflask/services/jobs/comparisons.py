"""Starts the job that compares a terminal."""

from hikflask.models import Job
from hikflask.services import audit
from hikflask.services.comparisons import reading
from hikflask.services.core.db import transactional
from hikflask.services.jobs import lifecycle, plan_choices
from hikflask.services.jobs.kinds import COMPARE
from hikflask.services.jobs.lifecycle import Claim


@transactional
def start_compare(terminal_id: int) -> Claim | None:
    """Begin a comparison, or go on with one whose job was stopped or failed. None while one is being read already.

    :raises terminal_unknown: :raises TerminalRetired: as reading.start().
    """
    comparison = reading.start(terminal_id, audit.present_actor().name)
    job: Job | None = plan_choices.job_of(comparison)
    if job and job.is_open:
        return None
    return lifecycle.begin(COMPARE, {"comparison": comparison.id}, terminal_id=terminal_id)
