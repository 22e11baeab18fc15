"""Ends the items that a job sent: done once their terminal confirmed them, failed once nobody tries any more.

Nothing tells a job when an enrolment ends. It checks a portion of its sent items at a time, with a few statements for
the whole portion, so a job that only waits for terminals costs nearly nothing, however many its items are.
"""

import time
from collections.abc import Iterable

from sqlalchemy import ColumnElement, Text, and_, cast, insert, or_, select, update

from hikflask.codes.refusals import DECISIONS
from hikflask.extensions import db
from hikflask.models import Employee, Enrolment, Job, JobItem, Terminal
from hikflask.models.enrolment import ABSENT
from hikflask.models.job import DONE, FAILED, SENT
from hikflask.models.refusal import Refusal
from hikflask.services.changes import lifecycle
from hikflask.services.changes.lifecycle import Claim
from hikflask.services.core.db import changed_rows, transactional
from hikflask.services.core.errors import EnrolmentUnknown, GenerationChanged

# Items of one transaction.
PORTION = 1000
# The code for what is tried no more, though nothing says why.
NOT_FINISHED = "not_finished"

# A removal that a person must decide about is tried for ever: under a name that is another's or not shown, or on a
# device that is not there.
WAITS_FOR_A_PERSON = and_(Enrolment.desired == ABSENT, Enrolment.refusal_code.in_(DECISIONS), Enrolment.step == "")
OF_ITEM = and_(Enrolment.id == JobItem.enrolment_id, Enrolment.desired == JobItem.desired)
# It is proven once more when nothing can arrive any more.
IS_ONLY_PROVEN_AGAIN = and_(Enrolment.is_confirmed, Enrolment.next_attempt_at == Enrolment.may_arrive_until)
HAS_NO_ATTEMPT = or_(Enrolment.next_attempt_at.is_(None), IS_ONLY_PROVEN_AGAIN)
IS_OVER = or_(and_(HAS_NO_ATTEMPT, Enrolment.step == ""), WAITS_FOR_A_PERSON)
# Between two statements an enrolment may be confirmed, or its row deleted: each statement asks by itself.
IS_GIVEN_UP = and_(IS_OVER, ~Enrolment.is_confirmed)
IS_GONE = JobItem.enrolment_id.is_(None)


def add(item: JobItem, enrolments: Iterable[Enrolment]) -> None:
    """Add an item for each further enrolment that an item has sent, within its transaction."""
    person = {"job_id": item.job_id, "number": item.number, "employee_id": item.employee_id, "state": SENT}
    rows = [{**person, "enrolment_id": enrolment.id, "desired": enrolment.desired} for enrolment in enrolments]
    if rows:
        db.session.execute(insert(JobItem), rows)
        changed_rows(update(Job).where(Job.id == item.job_id).values(total=Job.total + len(rows)))


def check(job: Job, claim: Claim, until: float) -> int | None:
    """End the sent items that are confirmed or given up. A portion of which nothing is left is followed by the next.

    It begins behind the item up to which the last call came, which is in Job.pause.

    :return: the item up to which this call came, or None when no item is sent any more.
    :raises ClaimLost:
    """
    after = int((job.pause or {}).get("after", 0))
    while portion := _next_sent(claim.job_id, after) or _next_sent(claim.job_id, 0):
        ended = _end_items(claim, portion)
        after = portion[-1]
        if ended < len(portion) or time.monotonic() >= until:
            return after
    return None


def _next_sent(job_id: int, after: int) -> list[int]:
    sent = (JobItem.job_id == job_id, JobItem.state == SENT, JobItem.id > after)
    return list(db.session.execute(select(JobItem.id).where(*sent).order_by(JobItem.id).limit(PORTION)).scalars())


@transactional
def _end_items(claim: Claim, portion: list[int]) -> int:
    """End what is over in a portion, and return how many items that are."""
    sent = (JobItem.job_id == claim.job_id, JobItem.state == SENT, JobItem.id.between(portion[0], portion[-1]))
    # The job's row is locked before its items, as by each item that is run.
    lifecycle.count(claim)
    confirmed = select(Enrolment.id).where(OF_ITEM, IS_OVER, Enrolment.is_confirmed).exists()
    # The row of a removal may be deleted by its confirmation.
    succeeded = or_(confirmed, and_(IS_GONE, JobItem.desired == ABSENT))
    done = changed_rows(update(JobItem).where(*sent, succeeded).values(state=DONE))
    failed = _fail_changed(sent) + _fail_refused(sent)
    lifecycle.count(claim, done=done + failed, failed=failed)
    return done + failed


def _fail_changed(sent: tuple[ColumnElement[bool], ...]) -> int:
    """Fail the items whose employee or record is gone, or for which something else is desired by now."""
    has_employee = select(Employee.id).where(Employee.id == JobItem.employee_id).exists()
    is_still_desired = select(Enrolment.id).where(OF_ITEM).exists()
    is_lost = and_(IS_GONE, JobItem.desired != ABSENT)
    reasons = {
        "employee_unknown": and_(is_lost, ~has_employee),
        EnrolmentUnknown.code: is_lost,
        GenerationChanged.code: and_(~is_still_desired, ~IS_GONE),
    }
    return sum(
        changed_rows(update(JobItem).where(*sent, reason).values(state=FAILED, refusal=Refusal(code=code, params={})))
        for code, reason in reasons.items()
    )


def _fail_refused(sent: tuple[ColumnElement[bool], ...]) -> int:
    """Fail the items that are tried no more, with what the terminal said: one statement for each thing it said."""
    # Each database compares JSON in its own way, but texts alike.
    text = cast(Enrolment.refusal, Text)
    over = select(text, Enrolment.refusal, Terminal.name).join(JobItem, OF_ITEM).join(Enrolment.terminal)
    failed = 0
    for its_text, refusal, name in db.session.execute(over.where(*sent, IS_GIVEN_UP).distinct()).all():
        same = and_(text.is_not_distinct_from(its_text), Terminal.name == name)
        is_refused = select(Enrolment.id).join(Terminal).where(OF_ITEM, IS_GIVEN_UP, same).exists()
        why = refusal or Refusal(code=NOT_FINISHED, params={})
        written = Refusal(code=why["code"], params={**why["params"], "t": name})
        failed += changed_rows(update(JobItem).where(*sent, is_refused).values(state=FAILED, refusal=written))
    return failed
