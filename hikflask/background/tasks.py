"""The tasks of the queue. Each takes ids and calls one service, which writes the result to the rows."""

import logging
from collections.abc import Callable, Iterable

from hikflask.background.queue import CAPTURES, JOBS, TERMINALS
from hikflask.extensions import task_queue
from hikflask.isapi.errors import TerminalError
from hikflask.services.accounts import rate_limit, sessions
from hikflask.services.audit import retention as audit_retention
from hikflask.services.captures import cancel, deadline, runner
from hikflask.services.captures import retention as capture_retention
from hikflask.services.core import secure_delete
from hikflask.services.core.errors import ServiceError
from hikflask.services.employees import export_files
from hikflask.services.enrolments import schedule
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.imports import retention as import_retention
from hikflask.services.jobs import lifecycle as job_lifecycle
from hikflask.services.jobs import retention as job_retention
from hikflask.services.jobs import run as job_run
from hikflask.services.jobs.lifecycle import Claim
from hikflask.services.photos import deletion, storage
from hikflask.services.photos import retention as photo_retention
from hikflask.services.privacy import certificates
from hikflask.services.terminals import checks

log = logging.getLogger(__name__)
HOLDER = "background"
# The order matters: rows mark files before the files are removed, rows are deleted after their files, the log is last.
FORGETTING: tuple[Callable[[], object], ...] = (
    capture_retention.forget_unsaved,
    capture_retention.blank_drafts,
    photo_retention.forget_photos,
    deletion.remove_files,
    capture_retention.delete_ended,
    deletion.remove_rows,
    storage.remove_half_written,
    import_retention.forget_imports,
    job_retention.forget_jobs,
    export_files.remove_old,
    audit_retention.forget_entries,
    certificates.forget_old,
    sessions.delete_expired_sessions,
    rate_limit.delete_old_tries,
    secure_delete.empty_log,
)


@task_queue.task(CAPTURES)
def run_capture(capture_id: int) -> None:
    """Run a queued capture."""
    runner.run_capture(capture_id)


@task_queue.task(TERMINALS)
def send_cancel(capture_id: int) -> None:
    """Close the window of a cancelled capture on its terminal."""
    try:
        cancel.send_cancel(capture_id)
    except (TerminalError, ServiceError) as error:
        log.info("capture %s: the terminal did not take the cancel (%s)", capture_id, error.code)


@task_queue.task(TERMINALS)
def reconcile_enrolment(enrolment_id: int) -> None:
    """Reconcile one enrolment. If the terminal is in use, the attempt is postponed and does not wait."""
    try:
        reconcile(enrolment_id, HOLDER, wait=0.0)
    except (TerminalError, ServiceError) as error:
        log.info("enrolment %s: %s", enrolment_id, error.code)


@task_queue.task(TERMINALS)
def reconcile_in_turn(enrolment_ids: list[int]) -> None:
    """Reconcile the first of a terminal's due enrolments, and enqueue the others behind the turns of other terminals.

    So one terminal never uses more than one thread. What became due meanwhile and is more urgent comes first. After the
    last one, the terminal's next turn begins, also behind the others'. While the terminal is backing off, nothing is
    sent; when a person waits for it, the turn ends.
    """
    turn = schedule.claim_urgent_beside(enrolment_ids)
    if not turn:
        return
    first, *others = turn
    if schedule.is_wanted(first):
        schedule.give_back(turn)
        return
    terminal_id = schedule.terminal_of(turn)
    try:
        if not schedule.is_backing_off(first):
            reconcile_enrolment(first)
    finally:
        if others:
            task_queue.enqueue(reconcile_in_turn, others)
    if not others and terminal_id and (turn := schedule.claim_next_turn(terminal_id)):
        task_queue.enqueue(reconcile_in_turn, turn)


@task_queue.task(TERMINALS)
def check_terminal(terminal_id: int) -> None:
    """Check a terminal."""
    try:
        checks.check(terminal_id, HOLDER)
    except (TerminalError, ServiceError) as error:
        log.info("terminal %s: %s", terminal_id, error.code)


def enqueue_due(enrolment_ids: Iterable[int]) -> None:
    """Reconcile at once the enrolments that a service returned as due. Call this after the commit."""
    for enrolment_id in enrolment_ids:
        task_queue.enqueue(reconcile_enrolment, enrolment_id)


@task_queue.task(JOBS)
def run_job(job_id: int, claim_number: int) -> None:
    """Run a job for a moment, let terminals have a small part of what became due by it, and enqueue the rest.

    So what a single person waits for never stands behind thousands of enrolments.
    """
    claim = Claim(job_id, claim_number)
    is_left = job_run.run_slice(claim)
    enqueue_turns()
    if is_left:
        enqueue_job(claim)


@task_queue.task(TERMINALS)
def run_job_at_terminal(job_id: int, claim_number: int) -> None:
    """Do so for a job that talks to a terminal itself, in turns with what others want of terminals."""
    run_job(job_id, claim_number)


JOB_TASKS = {JOBS: run_job, TERMINALS: run_job_at_terminal}


def enqueue_job(claim: Claim) -> None:
    """Let the worker run a job that is claimed for it."""
    task_queue.enqueue(JOB_TASKS[job_lifecycle.lane(claim)], claim.job_id, claim.number)


def enqueue_turns() -> int:
    """Claim a turn of due enrolments for each terminal that is free, and enqueue it; return how many were claimed."""
    turns = schedule.claim_turns()
    for turn in turns:
        task_queue.enqueue(reconcile_in_turn, turn)
    return sum(len(turn) for turn in turns)


def sweep() -> int:
    """Fail overdue captures, enqueue due enrolments and jobs, complete erasures; return how many enrolments are due."""
    deadline.fail_overdue()
    claimed = enqueue_turns()
    for claim in job_lifecycle.claim_orphans():
        enqueue_job(claim)
    certificates.complete_all()
    return claimed
