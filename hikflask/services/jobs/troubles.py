"""What becomes of a job that a terminal, or a refusal, keeps from going on: it waits for a while, or it fails."""

from hikflask.extensions import db
from hikflask.isapi.errors import AccountLocked, TerminalError
from hikflask.models import Job, Terminal
from hikflask.models.refusal import Refusal
from hikflask.services.core.errors import LeaseLost, LoginStopped, ServiceError, TerminalInUse, TerminalRetired
from hikflask.services.enrolments.failures import SOON_SECONDS
from hikflask.services.enrolments.schedule import back_off
from hikflask.services.jobs import lifecycle
from hikflask.services.jobs.kinds import KINDS
from hikflask.services.jobs.lifecycle import MAX_ATTEMPTS, Claim


class Trouble(Exception):
    """A job cannot go on: not now, or not at all."""

    def __init__(self, error: TerminalError | ServiceError) -> None:
        super().__init__(error.code)
        self.error = error


def end_slice(job: Job, claim: Claim, error: TerminalError | ServiceError) -> None:
    """Pause the job when a later try may succeed, else let it fail with the sentence of the error."""
    if not KINDS[job.kind].talks or not _passes(job, error):
        lifecycle.fail(claim, refusal(job, error))
        return
    in_use = isinstance(error, (TerminalInUse, LeaseLost))
    why = {"refusal": refusal(job, error), "tries": _tries(job) + 1}
    lifecycle.pause(claim, SOON_SECONDS if in_use else back_off(_tries(job)), why)


def concerns_all(job: Job, error: TerminalError | ServiceError) -> bool:
    """True when an error is not about one item alone: the terminal is to be waited for, or nothing is sent to it."""
    return _stops(error) or _passes(job, error)


def refusal(job: Job, error: TerminalError | ServiceError) -> Refusal:
    """Return an error as a row stores it, with the terminal that it came from."""
    if isinstance(error, ServiceError):
        return Refusal(code=error.code, params=error.params)
    terminal = db.session.get(Terminal, job.terminal_id) if job.terminal_id else None
    where = {"t": terminal.name, "name": terminal.name, "address": terminal.url} if terminal else {}
    seconds = error.unlock_seconds if isinstance(error, AccountLocked) else None
    minutes = {"n": max(1, round(seconds / 60))} if seconds else {}
    return Refusal(code=error.code, params={**where, **error.params, **minutes})


def _stops(error: TerminalError | ServiceError) -> bool:
    return isinstance(error, (LoginStopped, TerminalRetired)) or (isinstance(error, TerminalError) and error.stops)


def _passes(job: Job, error: TerminalError | ServiceError) -> bool:
    """True when a later try may succeed. A terminal that answers and refuses each time is not asked for ever."""
    if _stops(error):
        return False
    if isinstance(error, (TerminalInUse, LeaseLost)) or (isinstance(error, TerminalError) and not error.reached):
        return True
    return error.retryable and _tries(job) < MAX_ATTEMPTS


def _tries(job: Job) -> int:
    """How often in a row the job was paused for its terminal."""
    return int((job.pause or {}).get("tries", 0))
