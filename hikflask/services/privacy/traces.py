"""Other data with a person's ID: reports of jobs, comparisons, and messages to webhooks.

It is forgotten when an erasure begins, and again before it is complete. In between, a comparison may have read the
person from a terminal once more, and the worker has recorded the results of the removals.
"""

import json
from collections.abc import Collection

from sqlalchemy import Text, cast, delete, false, or_, select, update

from hikflask.extensions import db
from hikflask.models import Employee, Job, JobItem, WebhookDelivery
from hikflask.models.refusal import without_values
from hikflask.services import audit
from hikflask.services.core.db import changed_rows, lock_numbers, transaction
from hikflask.services.privacy import comparison_traces, import_traces
from hikflask.services.privacy.import_traces import Person

# See Plan.job_params. The keys of other params may be spelled like a number.
FACES = "faces"
PARAMS_WITH_NUMBERS = {"same_person", "replaced", "shut_out", "inactive", FACES}


def forget(numbers: Collection[str], employee_id: int | None) -> None:
    """Delete or blank the data with these numbers, or about the employee, within the caller's transaction."""
    comparison_traces.forget(numbers)
    # The rows of jobs are locked before those of their items, as the worker does.
    _blank_params(numbers)
    own = false() if employee_id is None else JobItem.employee_id == employee_id
    items = select(JobItem.id, JobItem.refusal).where(or_(JobItem.number.in_(numbers), own)).order_by(JobItem.id)
    for item_id, refusal in db.session.execute(items.with_for_update()).all():
        blank = {"number": "", "refusal": refusal and without_values(refusal)}
        changed_rows(update(JobItem).where(JobItem.id == item_id).values(**blank))
    # The others are still to be sent, and deleted afterwards: see certificates.forget_messages().
    ended = (WebhookDelivery.number.in_(numbers), WebhookDelivery.next_attempt_at.is_(None))
    changed_rows(delete(WebhookDelivery).where(*ended))


def forget_again(numbers: Collection[str], name: str, employee_id: int | None) -> None:
    """Forget the data that came since the erasure began, and destroy the person's keys of the audit trail.

    An employee who has got one of the numbers meanwhile keeps everything.
    """
    wrong = import_traces.wrong_rows(Person(numbers, {name}))
    with transaction():
        lock_numbers(*numbers)
        comparison_traces.lock()
        taken = set(db.session.execute(select(Employee.number).where(Employee.number.in_(numbers))).scalars())
        left = {*numbers} - taken
        forget(left, employee_id)
        import_traces.forget_rows(Person(left, () if taken else {name}), employee_id, wrong)
        audit.destroy_keys(numbers, employee_id)


def _blank_params(numbers: Collection[str]) -> None:
    """Remove the numbers from the params of jobs."""
    # As JSON writes them: numbers that were found on a terminal may have other characters than ours.
    written = [json.dumps(number) for number in numbers]
    named = or_(false(), *(cast(Job.params, Text).contains(words, autoescape=True) for words in written))
    jobs = select(Job).where(named).order_by(Job.id).with_for_update(key_share=True)
    for job in db.session.execute(jobs, execution_options={"populate_existing": True}).scalars():
        for name in PARAMS_WITH_NUMBERS & job.params.keys():
            value = job.params[name]
            left = [number for number in value if number not in numbers]
            job.params = {**job.params, name: {number: value[number] for number in left} if name == FACES else left}
    db.session.flush()
