"""The tasks of the queue. Each takes ids and calls one service, which writes the result to the rows."""

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress

from hikflask import request_id
from hikflask.background.queue import CAPTURES, JOBS, TERMINALS
from hikflask.extensions import task_queue
from hikflask.isapi.errors import TerminalError
from hikflask.services.accounts import rate_limit, sessions
from hikflask.services.audit import retention as audit_retention
from hikflask.services.captures import deadline, holds, runner
from hikflask.services.captures import lifecycle as capture_lifecycle
from hikflask.services.captures import queries as capture_queries
from hikflask.services.captures import retention as capture_retention
from hikflask.services.changes import lifecycle as job_lifecycle
from hikflask.services.changes import retention as job_retention
from hikflask.services.changes import run as job_run
from hikflask.services.changes.kinds import COMPARE
from hikflask.services.changes.lifecycle import Claim
from hikflask.services.comparisons import differences, nightly, reading
from hikflask.services.comparisons import retention as comparison_retention
from hikflask.services.core.errors import CaptureDeleted, ServiceError, TerminalInUse
from hikflask.services.employees import export_files, lifecycle
from hikflask.services.employees import search as employee_search
from hikflask.services.enrolments import schedule
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.imports import retention as import_retention
from hikflask.services.passages import intake, terminal_privacy
from hikflask.services.passages import pictures as passage_pictures
from hikflask.services.passages import retention as passage_retention
from hikflask.services.photos import deletion, storage
from hikflask.services.photos import retention as photo_retention
from hikflask.services.privacy import certificates, secure_delete, traces
from hikflask.services.state import clock_jump
from hikflask.services.terminals import checks, people_changes, reachability
from hikflask.services.terminals.checks import ask_status
from hikflask.services.webhooks import deliveries

log = logging.getLogger(__name__)
HOLDER = "background"
# The order matters: rows mark files before the files are removed, rows are deleted after their files, the log is last.
FORGETTING: tuple[Callable[[], object], ...] = (
    clock_jump.bring_back,
    capture_retention.forget_unsaved,
    capture_retention.blank_drafts,
    photo_retention.forget_photos,
    deletion.remove_files,
    capture_retention.delete_ended,
    deletion.remove_rows,
    storage.remove_half_written,
    job_retention.forget_jobs,
    import_retention.forget_imports,
    comparison_retention.forget_comparisons,
    reachability.forget_old,
    passage_pictures.forget,
    passage_retention.forget_passages,
    export_files.remove_old,
    audit_retention.forget_entries,
    certificates.forget_messages,
    certificates.forget_names,
    certificates.forget_old,
    sessions.delete_expired_sessions,
    rate_limit.delete_old_tries,
    traces.forget_keys,
    deliveries.forget_deliveries,
    employee_search.add_up_counts,
    secure_delete.empty_log,
)


@task_queue.task(CAPTURES)
def run_capture(capture_id: int) -> None:
    """Run a queued capture, unless it waits for a saved picture: then it runs as soon as that one is bound."""
    if not holds.begins_later(capture_id):
        with suppress(CaptureDeleted):
            runner.run_capture(capture_id)


@task_queue.task(TERMINALS)
def send_cancel(capture_id: int) -> None:
    """Close the window of a cancelled capture on its terminal."""
    try:
        capture_lifecycle.send_cancel(capture_id)
    except (TerminalError, ServiceError) as error:
        log.info("capture %s: the terminal did not take the cancel (%s)", capture_id, error.code)


@task_queue.task(TERMINALS)
def reconcile_enrolment(enrolment_id: int) -> bool:
    """Reconcile one enrolment. If the terminal is in use, the attempt is postponed; return False."""
    is_in_use = False
    try:
        reconcile(enrolment_id, HOLDER, wait=0.0)
    except (TerminalError, ServiceError) as error:
        is_in_use = isinstance(error, TerminalInUse)
    for capture_id in holds.queued_beside(enrolment_id):
        task_queue.enqueue(run_capture, capture_id)
    return not is_in_use


@task_queue.task(TERMINALS)
def reconcile_in_turn(enrolment_ids: list[int]) -> None:
    """Reconcile the first of a terminal's due enrolments, and enqueue the others behind the turns of other terminals.

    So one terminal never uses more than one thread. What became due meanwhile and is more urgent comes first. After the
    last one, the terminal's next turn begins, also behind the others'. While the terminal is backing off, nothing is
    sent. When a person waits for it, or anybody talks to it, perhaps another turn, this one ends and is due as a whole.
    """
    terminal = schedule.terminal_of(enrolment_ids)
    if terminal is None:
        return
    if terminal.is_wanted:
        schedule.give_back(terminal.id, enrolment_ids)
        return
    turn = schedule.claim_urgent_beside(terminal.id, enrolment_ids)
    if not turn:
        return
    first, *rest = turn
    try:
        if not terminal.is_backing_off and not reconcile_enrolment(first):
            schedule.give_back(terminal.id, turn)
            rest.clear()
            return
    finally:
        if rest:
            task_queue.enqueue(reconcile_in_turn, rest)
    if not rest and (turn := schedule.claim_next_turn(terminal.id)):
        task_queue.enqueue(reconcile_in_turn, turn)


@task_queue.task(TERMINALS)
def check_terminal(terminal_id: int) -> None:
    """Check a terminal."""
    try:
        checks.check(terminal_id, HOLDER)
    except (TerminalError, ServiceError) as error:
        log.info("terminal %s: %s", terminal_id, error.code)


def enqueue_due(enrolment_ids: Iterable[int], *, by_hand: bool = False) -> None:
    """Reconcile at once the enrolments that a service returned as due. Call this after the commit.

    While a terminal is backing off because it did not answer, the sweep tries it again, so it keeps no thread from the
    others.

    :param by_hand: an operator asks for this attempt alone, so it is made all the same.
    """
    ids = list(enrolment_ids)
    for enrolment_id in ids if by_hand else schedule.worth_trying(ids):
        task_queue.enqueue(reconcile_enrolment, enrolment_id)


@task_queue.task(JOBS)
def run_job(job_id: int, claim_number: int) -> None:
    """Run a job for a moment, enqueue a small part of the enrolments that became due by it, and enqueue the rest of it.

    So a single person never waits behind thousands of enrolments.
    """
    claim = Claim(job_id, claim_number)
    has_more = job_run.run_slice(claim)
    enqueue_turns()
    if has_more:
        enqueue_job(claim)


@task_queue.task(TERMINALS)
def run_job_at_terminal(job_id: int, claim_number: int) -> None:
    """Run a job that talks to a terminal itself for a moment, in turns with other work of terminals."""
    run_job(job_id, claim_number)


JOB_TASKS = {JOBS: run_job, TERMINALS: run_job_at_terminal}


def enqueue_job(claim: Claim) -> None:
    """Queue a job that is claimed for the worker."""
    task_queue.enqueue(JOB_TASKS[job_lifecycle.lane(claim)], claim.job_id, claim.number)


def enqueue_turns() -> int:
    """Claim a turn of due enrolments for each terminal that is free, and enqueue it; return how many were claimed."""
    turns = schedule.claim_turns()
    # The enrolments are of many requests, which their rows name.
    with request_id.working_for(""):
        for turn in turns:
            task_queue.enqueue(reconcile_in_turn, turn)
    return sum(len(turn) for turn in turns)


@task_queue.task(TERMINALS)
def check_idle_terminal(terminal_id: int) -> None:
    """Check whether a terminal without other conversations has changed."""
    ask_status(terminal_id, HOLDER)


@task_queue.task(TERMINALS)
def read_privacy(terminal_id: int) -> None:
    """Read where a terminal sends events, and what it keeps and shows."""
    try:
        terminal_privacy.read(terminal_id, HOLDER)
    except (TerminalError, ServiceError) as error:
        log.info("terminal %s: its privacy was not read (%s)", terminal_id, error.code)


@task_queue.task(TERMINALS)
def read_passages(terminal_id: int) -> None:
    """Read on in the log of a terminal, in turns with other work of terminals as long as there is more."""
    if intake.read_log(terminal_id, HOLDER):
        task_queue.enqueue(read_passages, terminal_id)


def enqueue_lost_captures() -> None:
    """Enqueue what captures wait for though nothing waits in its lane: the queue was lost, or did not take it."""
    lost, left_open = capture_queries.left_in_queue(), capture_queries.left_open()
    waiting = task_queue.waiting() if lost or left_open else None
    for capture_id in lost if waiting and not waiting[CAPTURES].tasks else ():
        if not holds.begins_later(capture_id):
            task_queue.enqueue(run_capture, capture_id)
    for capture_id in left_open if waiting and not waiting[TERMINALS].tasks else ():
        task_queue.enqueue(send_cancel, capture_id)


def compare_when_due() -> None:
    """Begin the comparisons of this night that are due, and the first of each terminal after a restore."""
    for terminal_id in nightly.claim_due():
        comparison = reading.start(terminal_id, differences.NIGHTLY)
        enqueue_job(job_lifecycle.begin(COMPARE, {"comparison": comparison.id}, terminal_id=terminal_id))


def sweep() -> int:
    """Do what is due by the clock, enqueue due enrolments and jobs; return how many enrolments are due."""
    deadline.fail_overdue()
    enqueue_lost_captures()
    lifecycle.deactivate_expired()
    claimed = enqueue_turns()
    for claim in job_lifecycle.claim_orphans():
        enqueue_job(claim)
    compare_when_due()
    for terminal_id in people_changes.claim_due():
        task_queue.enqueue(check_idle_terminal, terminal_id)
    for terminal_id in terminal_privacy.claim_due():
        task_queue.enqueue(read_privacy, terminal_id)
    for terminal_id in intake.claim_due():
        task_queue.enqueue(read_passages, terminal_id)
    certificates.complete_all(by_worker=True)
    return claimed
