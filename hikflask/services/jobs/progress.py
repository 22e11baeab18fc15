"""The progress of a job that does something as a whole: shown on its page, and the sign that its worker lives."""

from sqlalchemy import update

from hikflask.models import Job
from hikflask.models.columns import database_now
from hikflask.services.core.db import changed_rows, transaction
from hikflask.services.core.progress import ClaimLost
from hikflask.services.jobs.lifecycle import CLAIM_SECONDS, Claim


class JobProgress:
    """The progress of a claimed job; see services/core/progress.py."""

    def __init__(self, claim: Claim) -> None:
        self._claim = claim

    def report(self, done: int, total: int) -> None:
        """Write how far the job is, and go on holding it.

        :raises ClaimLost: when somebody stopped it, or another worker has it.
        """
        values = {"done": done, "total": max(done, total), "attempts": 0, "pause": None}
        held = {"claimed_until": database_now(CLAIM_SECONDS)}
        with transaction():
            if changed_rows(update(Job).where(*self._claim.holds).values(**values, **held)) != 1:
                raise ClaimLost
