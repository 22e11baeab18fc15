"""After how many seconds a page asks for its present state again."""

from hikflask.labels.enrolments import EnrolmentStatus

FAST_SECONDS, SLOW_SECONDS = 1, 5


def poll_seconds(shown: list[EnrolmentStatus]) -> int:
    """Return after how many seconds a page asks again: soon while something is done, later while it waits, 0: never."""
    if any(one.working for one in shown):
        return FAST_SECONDS
    return SLOW_SECONDS if any(one.enrolment.next_attempt_at for one in shown) else 0
