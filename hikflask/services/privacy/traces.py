"""Other data about a person: reports of jobs, comparisons, messages to webhooks, and answers to calls of programs.

It is forgotten when an erasure begins, and again before it is complete. In between, a comparison may have read the
person from a terminal once more, and the worker has recorded the results of the removals. A number that is erased here
may still be on a terminal: the next comparison then finds it again, as a stranger.
"""

import json
from collections.abc import Collection
from typing import Any, cast

from sqlalchemy import Table, Text, delete, false, or_, select, update

from hikflask.extensions import db
from hikflask.models import (
    Comparison,
    Difference,
    Drift,
    Employee,
    IdempotencyKey,
    IgnoredDifference,
    Job,
    JobItem,
    PersonThere,
    Terminal,
    WebhookDelivery,
)
from hikflask.models.accounts import ANSWER_GONE, ANSWER_SECONDS
from hikflask.models.columns import database_now
from hikflask.models.refusal import without_values
from hikflask.services import audit
from hikflask.services.core.db import (
    CLEANUP_BATCH,
    after_commit,
    changed_rows,
    lock_numbers,
    lock_table,
    transaction,
    write_first,
)
from hikflask.services.photos import storage
from hikflask.services.privacy import import_traces, passage_traces
from hikflask.services.privacy.import_traces import ErasedPerson

# Among the params of an import's job: numbers.
CONFIRMED = "confirmed_numbers"


def in_comparisons(numbers: Collection[str]) -> list[tuple[str, Any]]:
    """Return the rows of comparisons about these numbers, each with the name of its terminal."""
    rows: list[tuple[str, Any]] = []
    for table in (PersonThere, Difference):
        compared = select(Terminal.name, table).join(Comparison, Comparison.terminal_id == Terminal.id)
        joined = compared.join(table, table.comparison_id == Comparison.id).where(table.number.in_(numbers))
        rows += [(name, row) for name, row in db.session.execute(joined.order_by(table.id))]
    for model in (IgnoredDifference, Drift):
        of_terminal = select(Terminal.name, model).join(model, model.terminal_id == Terminal.id)
        rows += [(name, row) for name, row in db.session.execute(of_terminal.where(model.number.in_(numbers)))]
    return rows


def hold_comparison(comparison_id: int) -> None:
    """Keep the end of an erasure from deleting rows of a comparison until this transaction ends.

    Called before numbers that a comparison found are written to other tables.
    """
    write_first()
    db.session.execute(select(Comparison.id).where(Comparison.id == comparison_id).with_for_update(read=True))


def forget(numbers: Collection[str], employee_id: int | None) -> None:
    """Delete or blank the data with these numbers, or about the employee, within the caller's transaction."""
    for table in (PersonThere, Difference, IgnoredDifference, Drift):
        changed_rows(delete(table).where(passage_traces.is_among(table.number, numbers)))
    # How far a list was read. One that is still being read begins anew.
    for column in (Comparison.last_number, Comparison.first_face, Comparison.last_face):
        changed_rows(update(Comparison).where(column.in_(numbers)).values({column: ""}))
    # The rows of jobs are locked before those of their items, as the worker does.
    _blank_params(numbers)
    own = false() if employee_id is None else JobItem.employee_id == employee_id
    items = select(JobItem.id, JobItem.refusal).where(or_(JobItem.number.in_(numbers), own)).order_by(JobItem.id)
    for item_id, refusal in db.session.execute(items.with_for_update()).all():
        blank = {"number": "", "refusal": refusal and without_values(refusal), "written": None, "confirmed": None}
        changed_rows(update(JobItem).where(JobItem.id == item_id).values(**blank))
    # The others are still to be sent, and deleted afterwards: see certificates.forget_messages().
    ended = (WebhookDelivery.number.in_(numbers), WebhookDelivery.next_attempt_at.is_(None))
    changed_rows(delete(WebhookDelivery).where(*ended))


def forget_again(numbers: Collection[str], names: Collection[str], employee_id: int | None) -> None:
    """Forget the data that came since the erasure began, and destroy the person's keys of the audit trail.

    An employee who has got one of the numbers meanwhile keeps everything.
    """
    wrong = import_traces.wrong_rows(ErasedPerson(numbers, names))
    with transaction():
        lock_numbers(*numbers)
        # After the transactions that hold or read a comparison; see hold_comparison().
        db.session.execute(select(Comparison.id).order_by(Comparison.id).with_for_update(key_share=True))
        taken = set(db.session.execute(select(Employee.number).where(Employee.number.in_(numbers))).scalars())
        left = {*numbers} - taken
        forget(left, employee_id)
        # A terminal still showed the person under a number that somebody else has got meanwhile.
        changed_rows(delete(PersonThere).where(PersonThere.number.in_(taken), PersonThere.name.in_(names)))
        pictures = passage_traces.forget(left, employee_id, () if taken else names)[1]
        after_commit(lambda: storage.unlink(*pictures))
        import_traces.forget_rows(ErasedPerson(left, () if taken else names), employee_id, wrong)
        audit.destroy_keys(numbers, employee_id)


def blank_answers() -> None:
    """Forget what calls with an Idempotency-Key were answered, within the transaction that erases somebody.

    Any answer may name a person. A call that runs has read of the person, so its answer is not kept either; and none
    begins before the erasure ends. The keys stay, so that nothing is done twice.
    """
    lock_table(cast("Table", IdempotencyKey.__table__))
    changed_rows(update(IdempotencyKey).values(answer=ANSWER_GONE))


def forget_keys() -> int:
    """Delete Idempotency-Keys that are older than a day, some at a time; return how many."""
    old = select(IdempotencyKey.id).where(IdempotencyKey.created_at < database_now(-ANSWER_SECONDS))
    some = old.order_by(IdempotencyKey.created_at).limit(5 * CLEANUP_BATCH)
    with transaction():
        return changed_rows(delete(IdempotencyKey).where(IdempotencyKey.id.in_(some)))


def _blank_params(numbers: Collection[str]) -> None:
    """Remove the numbers that were confirmed for imports from the params of their jobs."""
    # As JSON writes them: numbers that were found on a terminal may have other characters than ours.
    written = [json.dumps(number) for number in numbers]
    named = or_(false(), *(Job.params.cast(Text).contains(words, autoescape=True) for words in written))
    jobs = select(Job).where(named).order_by(Job.id).with_for_update(key_share=True)
    for job in db.session.execute(jobs, execution_options={"populate_existing": True}).scalars():
        # Other params may be spelled like a number.
        if CONFIRMED in job.params:
            left = [number for number in job.params[CONFIRMED] if number not in numbers]
            job.params = {**job.params, CONFIRMED: left}
    db.session.flush()
