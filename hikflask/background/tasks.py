"""Queue tasks: each takes ids, calls one service, and leaves what came of it in the rows."""

import logging
from collections.abc import Callable, Iterable

from hikflask.background.queue import CAPTURES, TERMINALS
from hikflask.extensions import task_queue
from hikflask.isapi.errors import TerminalError
from hikflask.services.accounts import rate_limit, sessions
from hikflask.services.audit import retention as audit_retention
from hikflask.services.captures import cancel, deadline, runner
from hikflask.services.captures import retention as capture_retention
from hikflask.services.core import secure_delete
from hikflask.services.core.errors import ServiceError
from hikflask.services.enrolments import schedule
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.photos import deletion, storage
from hikflask.services.photos import retention as photo_retention
from hikflask.services.privacy import certificates
from hikflask.services.terminals import checks

log = logging.getLogger(__name__)
HOLDER = "background"
# Each is complete in itself; files go after the rows that say so, rows after their files, the log after all.
FORGETTING: tuple[Callable[[], object], ...] = (
    capture_retention.forget_unsaved,
    capture_retention.blank_drafts,
    photo_retention.forget_photos,
    deletion.remove_files,
    capture_retention.delete_ended,
    deletion.remove_rows,
    storage.remove_half_written,
    audit_retention.forget_entries,
    certificates.forget_old,
    sessions.delete_expired_sessions,
    rate_limit.delete_old_tries,
    secure_delete.empty_log,
)


@task_queue.task(CAPTURES)
def run_capture(capture_id: int) -> None:
    """Take the face of a queued capture."""
    runner.run_capture(capture_id)


@task_queue.task(TERMINALS)
def send_cancel(capture_id: int) -> None:
    """Close the terminal's window of a cancelled capture."""
    try:
        cancel.send_cancel(capture_id)
    except (TerminalError, ServiceError) as error:
        log.info("capture %s: the terminal did not take the cancel (%s)", capture_id, error.code)


@task_queue.task(TERMINALS)
def reconcile_enrolment(enrolment_id: int) -> None:
    """Make a terminal as desired for one number; one that somebody talks to is not waited for, but tried again soon."""
    try:
        reconcile(enrolment_id, HOLDER, wait=0.0)
    except (TerminalError, ServiceError) as error:
        log.info("enrolment %s: %s", enrolment_id, error.code)


@task_queue.task(TERMINALS)
def reconcile_in_turn(enrolment_ids: list[int]) -> None:
    """Try the first of what is due on one terminal once more; the others queue up behind the turns of other terminals.

    So one terminal never has more than one of the threads. Who is to leave it since goes first. One that did not answer
    a moment ago is left alone until the next sweep.
    """
    first, *others = [*schedule.claim_removals_beside(enrolment_ids[0]), *enrolment_ids]
    try:
        if not schedule.is_backing_off(first):
            reconcile_enrolment(first)
    finally:
        if others:
            task_queue.enqueue(reconcile_in_turn, others)


@task_queue.task(TERMINALS)
def check_terminal(terminal_id: int) -> None:
    """Ask a terminal what it is and can."""
    try:
        checks.check(terminal_id, HOLDER)
    except (TerminalError, ServiceError) as error:
        log.info("terminal %s: %s", terminal_id, error.code)


def enqueue_due(enrolment_ids: Iterable[int]) -> None:
    """Go to the terminals at once for what a service answered as due; call it after the commit."""
    for enrolment_id in enrolment_ids:
        task_queue.enqueue(reconcile_enrolment, enrolment_id)


def sweep() -> int:
    """End captures whose worker died and erasures that are done, enqueue what is due; return how many were claimed."""
    deadline.fail_overdue()
    turns = schedule.claim_turns()
    for turn in turns:
        task_queue.enqueue(reconcile_in_turn, turn)
    certificates.complete_all()
    return sum(len(turn) for turn in turns)
