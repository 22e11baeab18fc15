"""A job as its page shows it: what became of it, why for whom not, and what can be done about each reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from flask import request

from hikflask.codes.refusals import BY_ADMIN, EMPLOYEE, PASSWORD, PEOPLE, RETRY, ROUND, TERMINAL, WHOSE, type_of
from hikflask.http.permissions import ADMIN, OPERATOR
from hikflask.isapi.errors import STOP_CODES
from hikflask.models import Employee, Job, Terminal
from hikflask.models.job import DONE
from hikflask.models.terminal import NO_CAPTURE
from hikflask.services.attention import terminal_problems
from hikflask.services.attention.terminal_problems import Problem
from hikflask.services.changes import agreement, lifecycle, outcomes, queries
from hikflask.services.changes.kinds import APPLY, DEACTIVATE, EXPORT, IMPORT, KINDS, OF_IMPORTS
from hikflask.services.changes.outcomes import Outcome, Reason
from hikflask.services.changes.queries import ItemOf, Wait
from hikflask.services.comparisons import undo
from hikflask.services.core import heartbeat
from hikflask.services.employees import export_files
from hikflask.services.terminals import capacity
from hikflask.web.security import current_operator
from hikflask.web.support.htmx import FAST_SECONDS, SLOW_SECONDS
from hikflask.web.support.pagination import CursorPage, paginate

# So many reasons are shown with their people; the others are few items each.
MAX_REASONS = 20
# The same of those for whom a plan did something.
MAX_DONE = 50


@dataclass(frozen=True)
class Line:
    """A reason with the first of its people, and what can be done about it; "" when nothing can for all at once."""

    reason: Reason
    people: Sequence[ItemOf]
    action: str

    @property
    def employees(self) -> list[Employee]:
        """Those of the people who are employees still."""
        return [person.employee for person in self.people if person.employee]

    @property
    def has_faces(self) -> bool:
        """True when each of them is an employee, and nothing is said of each alone."""
        return self.reason.is_same and len(self.employees) == len(self.people)


@dataclass(frozen=True)
class Done:
    """The people for whom one thing was done: how many, the first of them, and the last one shown when more follow."""

    action: str
    count: int
    people: Sequence[ItemOf]
    after: int


@dataclass(frozen=True)
class Report:
    """A job as its page shows it: what became of it, and which terminals have not confirmed yet that somebody is gone.

    `lines`: why not for whom. `listed`: all of the one reason that is asked for, by pages.
    `done`: of a plan, for whom what was done; once one of that is asked for, only this from the place asked for on.
    `sent`: how many wait until terminals have answered for them, and `waits` which terminals these are.
    """

    job: Job
    outcome: Outcome
    lines: Sequence[Line]
    listed: tuple[Line, CursorPage[ItemOf]] | None
    removals: list[tuple[Terminal, int]]
    sent: int
    waits: list[Wait]
    has_worker: bool
    done: Sequence[Done]

    @property
    def poll_seconds(self) -> int:
        """After how many seconds the page asks again; 0: never."""
        if self.job.is_open:
            nobody_answers = self.job.pause and all(wait.terminal.offline_since for wait in self.waits)
            return SLOW_SECONDS if nobody_answers else FAST_SECONDS
        return SLOW_SECONDS if self.removals else 0

    @property
    def may_stop(self) -> bool:
        """True when this operator may stop it, or leave it as it is."""
        return self.may_change and KINDS[self.job.kind].can_stop

    @property
    def may_change(self) -> bool:
        """True when this operator may stop and retry the job."""
        return may_change(self.job)

    @property
    def import_id(self) -> int | None:
        """The import that the job works on; None also for those who may not see its rows."""
        return self.job.params.get("batch") if self.job.kind in OF_IMPORTS and current_operator.may(OPERATOR) else None

    @property
    def can_undo(self) -> bool:
        """True when people whom a plan took over can be taken back, by this operator; not once its terminal is gone."""
        return self.job.terminal_id is not None and current_operator.may(OPERATOR) and undo.can_undo(self.job)

    @cached_property
    def can_retry(self) -> bool:
        """True when something is left that another try may bring to its end, and that this operator may try."""
        may_help = self.job.state != DONE or any(line.action == RETRY for line in self.lines)
        return may_help and can_retry(self.job)

    @property
    def next_try(self) -> datetime | None:
        """When a job goes on that waits for its terminal."""
        return self.job.claimed_until if self.job.is_open and self.job.pause and not self.sent else None

    @property
    def is_exported(self) -> bool:
        """True when a file was made."""
        return self.job.kind == EXPORT and self.job.state == DONE

    @property
    def file_kept_until(self) -> datetime | None:
        """When the exported file is deleted; None when it is gone already."""
        ended_at = self.job.ended_at
        return export_files.kept_until(ended_at) if ended_at and export_files.find(self.job) else None

    @property
    def all_gone(self) -> bool:
        """True when every terminal confirmed that those who were deactivated are gone."""
        job = self.job
        deactivated = job.kind == DEACTIVATE and job.state == DONE and job.done > job.failed
        return deactivated and not self.removals and not queries.has_erased(job.id)


def report_of(job: Job) -> Report:
    """Return what the page of a job shows."""
    outcome = outcomes.of(job)
    reasons = outcome.reasons if may_see_failures(job) else ()
    shown = reasons[:MAX_REASONS]
    people = outcomes.people(shown)
    wanted = next((reason for reason in reasons if reason.key == request.args.get("reason")), None)
    removals = queries.unconfirmed_removals(job.id) if job.kind in {DEACTIVATE, IMPORT} else []
    sent = queries.count_sent(job.id) if KINDS[job.kind].awaits_confirmation and job.is_open else 0
    return Report(
        job,
        outcome,
        lines=[
            Line(reason, [people[item_id] for item_id in reason.first_ids if item_id in people], _action(job, reason))
            for reason in shown
        ],
        listed=_listed(job, wanted) if wanted else None,
        removals=removals,
        sent=sent,
        waits=queries.waited_for(job.id) if sent else [],
        has_worker=not job.is_open or heartbeat.alive(),
        done=_done(job.id) if job.kind == APPLY and may_see_failures(job) else (),
    )


def may_change(job: Job) -> bool:
    """Tell whether this operator may stop and retry a job."""
    return current_operator.may(ADMIN if KINDS[job.kind].by_admin else OPERATOR)


def may_see_failures(job: Job) -> bool:
    """Tell whether this operator may see which items of a job failed."""
    return not KINDS[job.kind].operators_only or current_operator.may(OPERATOR)


def can_retry(job: Job) -> bool:
    """Tell whether something is left of a job that this operator may try again."""
    has_more = lifecycle.can_retry(job)
    if not has_more or current_operator.may(ADMIN):
        return has_more
    return not agreement.needs_administrator(job, agreement.of_rest(job))


def _listed(job: Job, reason: Reason) -> tuple[Line, CursorPage[ItemOf]]:
    listing = paginate(lambda limit, place: (outcomes.page(job.id, reason, limit, place), reason.count))
    return Line(reason, listing.rows, _action(job, reason)), listing


def _done(job_id: int) -> list[Done]:
    counts, only, done = queries.count_done(job_id), request.args.get("action", ""), []
    after = request.args.get("after", 0, int) if only in counts else 0
    for action in [only] if only in counts else counts:
        people = queries.done_items(job_id, action, MAX_DONE + 1, after)
        last = people[MAX_DONE - 1].item.id if len(people) > MAX_DONE else 0
        done.append(Done(action, counts[action], people[:MAX_DONE], last))
    return done


def _action(job: Job, reason: Reason) -> str:
    """Return the one thing that helps all of a reason, if this operator may do it and it can work now."""
    terminal, step = reason.terminal, type_of(reason.code).step
    if reason.is_mended or step in (EMPLOYEE, WHOSE) or not current_operator.may(OPERATOR):
        return ""
    if step == ROUND:
        return ROUND if terminal and _can_hold_round(terminal) else ""
    if terminal and step == PASSWORD and terminal.refused_since:
        return PASSWORD if current_operator.may(ADMIN) else ""
    if terminal and step in BY_ADMIN and terminal.last_error_code in STOP_CODES:
        return TERMINAL if current_operator.may(ADMIN) else ""
    if terminal and step == PEOPLE and 0 in capacity.remaining(terminal):
        return PEOPLE
    return RETRY if lifecycle.can_retry(job) and may_change(job) else ""


def _can_hold_round(terminal: Terminal) -> bool:
    """Tell whether people can be photographed at a terminal now."""
    is_ready = terminal.is_active and terminal.capture_mode not in {None, NO_CAPTURE}
    problem = Problem(terminal, terminal_problems.kind_of(terminal, None))
    return is_ready and not problem.stops and not capacity.is_full_of_faces(terminal)
