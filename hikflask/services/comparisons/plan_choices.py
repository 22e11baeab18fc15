"""The jobs of a comparison: the one that reads it, what people choose for its differences, and the plan of that.

What is chosen is kept as the draft of the job that would carry the plan out, so nothing is lost with a page. Its items
are the choices for single numbers, and its params those for whole kinds.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta

from flask import current_app
from sqlalchemy import ColumnElement, UnaryExpression, delete, insert, select, update

from hikflask.extensions import db
from hikflask.models import Job, JobItem
from hikflask.models.comparison import Comparison, Difference, PersonThere
from hikflask.models.job import DRAFT
from hikflask.services import audit
from hikflask.services.changes import lifecycle
from hikflask.services.changes.kinds import APPLY, COMPARE
from hikflask.services.changes.lifecycle import Claim
from hikflask.services.comparisons import reading
from hikflask.services.comparisons.plan import LEAVE, POSSIBLE, SEND, TAKE_OVER, Choices, Plan
from hikflask.services.core.db import changed_rows, transactional
from hikflask.services.core.errors import PlanChanged
from hikflask.services.enrolments.mass_removals import Confirmation
from hikflask.services.privacy import traces

# Nothing is done for a row, or not any more.
NOTHING = "nothing"
# Actions of an item whose number has another name or face here: it is the same person, and this name or face counts.
NAME_THERE = "name_there"
# The name here stays, and the one on the terminal there, with the record that has it.
NAME_KEPT = "name_kept"
NAME_HERE = "name_here"
# The name and the face on the terminal, which the person saw.
FACE_THERE = "face_there"
SAME_PERSON = {NAME_THERE: TAKE_OVER, NAME_KEPT: TAKE_OVER, NAME_HERE: SEND, FACE_THERE: TAKE_OVER}


@transactional
def start_compare(terminal_id: int) -> Claim | None:
    """Begin a comparison, or go on with one whose job was stopped or failed. None while one is being read already.

    :raises terminal_unknown: :raises TerminalRetired: as reading.start().
    """
    comparison = reading.start(terminal_id, audit.current_actor().name)
    job: Job | None = job_of(comparison)
    if job and job.is_open:
        return None
    return lifecycle.begin(COMPARE, {"comparison": comparison.id}, terminal_id=terminal_id)


def of(comparison: Comparison) -> Choices:
    """Return what is chosen by now."""
    draft = _draft(comparison)
    return _choices_in(draft) if draft else Choices()


def _choices_in(draft: Job) -> Choices:
    items = select(JobItem.number, JobItem.action).where(JobItem.job_id == draft.id)
    actions = {number: action for number, action in db.session.execute(items) if number}
    same = frozenset(number for number, action in actions.items() if action in SAME_PERSON)
    kept = frozenset(number for number, action in actions.items() if action == NAME_KEPT)
    same_face = frozenset(number for number, action in actions.items() if action == FACE_THERE)
    numbers = {number: SAME_PERSON.get(action, action) for number, action in actions.items()}
    return Choices(numbers, draft.params["kinds"], same_person=same, names_kept=kept, same_face=same_face)


@transactional
def choose(comparison: Comparison, kind: str, action: str, numbers: Collection[str] | None = None) -> bool:
    """Choose what is done for the differences of a kind; False when that is not possible for this kind.

    :param action: one of POSSIBLE, or NOTHING.
    :param numbers: those that are meant; None: all of the kind. The choice before does not count any more.
    """
    if action != NOTHING and (action == LEAVE or action not in POSSIBLE.get(kind, ())):
        return False
    draft = _locked_draft(comparison)
    only = [] if numbers is None else [Difference.number.in_(numbers)]
    of_kind = (Difference.comparison_id == comparison.id, Difference.kind == kind)
    meant = select(Difference.number).where(*of_kind, *only)
    if numbers is None:
        changed_rows(delete(JobItem).where(JobItem.job_id == draft.id, JobItem.number.in_(meant)))
        kinds = {**draft.params["kinds"], kind: action}
        draft.params = {**draft.params, "kinds": {name: chosen for name, chosen in kinds.items() if chosen != NOTHING}}
        return True
    chosen = LEAVE if action == NOTHING else action
    is_needed = action != NOTHING or draft.params["kinds"]
    _replace_items(draft, dict.fromkeys(db.session.execute(meant).scalars(), chosen if is_needed else None))
    return True


@transactional
def answer(comparison: Comparison, answers: dict[str, str]) -> None:
    """Choose for single numbers of which a person was asked: one of SAME_PERSON each, or an action of a plan."""
    draft = _locked_draft(comparison)
    is_there = (Difference.comparison_id == comparison.id, Difference.number.in_(answers))
    numbers = db.session.execute(select(Difference.number).where(*is_there).distinct()).scalars()
    _replace_items(draft, {number: answers[number] for number in numbers})


@transactional
def discard(comparison: Comparison) -> None:
    """Take back everything that was chosen."""
    draft = _draft(comparison)
    if draft:
        changed_rows(delete(JobItem).where(JobItem.job_id == draft.id))
        changed_rows(delete(Job).where(Job.id == draft.id, Job.state == DRAFT))


@transactional
def start(comparison: Comparison, chosen: Choices, plan: Plan, agreed: Confirmation) -> Claim:
    """Start a plan, and claim its job for the worker.

    :param chosen: what the plan was made from.
    :raises AdministratorNeeded: :raises UnsafePlan: as begin().
    :raises PlanChanged: when something else is chosen by now, or the plan was started already; or as begin().
    """
    traces.hold_comparison(comparison.id)
    draft = _draft(comparison)
    if draft is None or not _lock(draft) or _choices_in(draft) != chosen:
        raise PlanChanged
    changed_rows(delete(JobItem).where(JobItem.job_id == draft.id))
    changed_rows(delete(Job).where(Job.id == draft.id))
    return begin(plan, agreed)


@transactional
def begin(plan: Plan, agreed: Confirmation) -> Claim:
    """Make and start the job that carries a plan out.

    :raises AdministratorNeeded: :raises UnsafePlan: as Plan.require_agreed().
    :raises PlanChanged: when somebody in the plan was erased since it was made.
    """
    plan.require_agreed(agreed)
    traces.hold_comparison(plan.comparison_id)
    there = select(PersonThere.number).where(PersonThere.comparison_id == plan.comparison_id)
    if {step.number for step in plan.steps if step.is_there} - set(db.session.execute(there).scalars()):
        raise PlanChanged
    return lifecycle.begin(APPLY, plan.job_params, terminal_id=plan.terminal_id, items=plan.items)


def job_of(comparison: Comparison) -> Job | None:
    """Return the newest job that reads a comparison, or None."""
    return _first(comparison, Job.id.desc(), Job.kind == COMPARE)


def applied(comparison: Comparison) -> Job | None:
    """Return the newest job that carried out a plan of a comparison, or None."""
    return _first(comparison, Job.id.desc(), Job.kind == APPLY, Job.state != DRAFT)


def started(comparison: Comparison, digest: str | None) -> Job | None:
    """Return the job of the plan with this digest, if it is the newest plan of the comparison that was started."""
    job = applied(comparison)
    return job if job and job.params.get("plan") == digest else None


def may_be_outdated(comparison: Comparison) -> bool:
    """True when a plan of a comparison was started, or the comparison is so old that the plan's job is not kept."""
    days = current_app.config["JOB_RETENTION"]
    is_old = comparison.ended_at is not None and comparison.ended_at < datetime.now(UTC) - timedelta(days=days)
    return is_old or applied(comparison) is not None


def _draft(comparison: Comparison) -> Job | None:
    return _first(comparison, Job.id.asc(), Job.kind == APPLY, Job.state == DRAFT)


def _first(comparison: Comparison, order: UnaryExpression[int], *where: ColumnElement[bool]) -> Job | None:
    at_terminal = select(Job).where(Job.terminal_id == comparison.terminal_id, *where).order_by(order)
    # The jobs of one terminal that are kept are few, and params are no column.
    jobs = db.session.execute(at_terminal, execution_options={"populate_existing": True}).scalars()
    return next((job for job in jobs if job.params.get("comparison") == comparison.id), None)


def _locked_draft(comparison: Comparison) -> Job:
    """Return the draft with its row locked; one that was started meanwhile is followed by a new one.

    The people of the comparison are held, too, since an erasure may remove one of them.
    """
    traces.hold_comparison(comparison.id)
    draft = _draft(comparison)
    if draft and _lock(draft):
        return draft
    draft = Job(kind=APPLY, terminal_id=comparison.terminal_id, params={"comparison": comparison.id, "kinds": {}})
    db.session.add(draft)
    db.session.flush()
    return draft


def _lock(draft: Job) -> bool:
    """Lock the row of a draft and read it again. False: it was started or discarded meanwhile."""
    locked = changed_rows(update(Job).where(Job.id == draft.id, Job.state == DRAFT).values(kind=APPLY)) == 1
    if locked:
        db.session.refresh(draft)
    return locked


def _replace_items(draft: Job, actions: Mapping[str, str | None]) -> None:
    """Write an action for each number in place of the one before; None: none."""
    changed_rows(delete(JobItem).where(JobItem.job_id == draft.id, JobItem.number.in_(actions)))
    rows = [{"job_id": draft.id, "number": number, "action": action} for number, action in actions.items() if action]
    if rows:
        db.session.execute(insert(JobItem), rows)
