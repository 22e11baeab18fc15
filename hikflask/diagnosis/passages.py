"""The passages: whether the logs of the terminals are read before they run over."""

from collections.abc import Iterator

from hikflask.diagnosis import Finding, good, wrong
from hikflask.services.passages import intake

MAX_HOURS = 30
SECONDS_PER_HOUR = 3600
MORE = "`journalctl -u hikflask -u hikflask-worker` says more."


def check() -> Iterator[Finding]:
    """Check for how long the log of each terminal in use was not read. Needs an app context, and a usable database."""
    logs = intake.unread()
    late = [log for log in logs if log.seconds > MAX_HOURS * SECONDS_PER_HOUR]
    for log in late:
        why = f"The last attempt failed ({log.code}). " if log.code else ""
        yield wrong(
            f"The passages at terminal “{log.terminal.name}” have not been read for "
            f"{log.seconds // SECONDS_PER_HOUR:.0f} hours, and what its log has no room for is lost. {why}{MORE}"
        )
    if logs and not late:
        yield good(f"The passages at {len(logs)} terminals in use were read within {MAX_HOURS} hours.")
