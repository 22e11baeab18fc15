"""What calls with an Idempotency-Key were answered. It may name a person, so an erasure makes it be forgotten."""

from typing import cast

from sqlalchemy import Table, delete, select, update

from hikflask.models import IdempotencyKey
from hikflask.models.api_token import GONE, KEPT_SECONDS
from hikflask.models.columns import database_now
from hikflask.services.core.db import CLEANUP_BATCH, changed_rows, lock_table, transaction


def blank_answers() -> None:
    """Forget what was answered, within the caller's transaction: somebody is erased, and any answer may name a person.

    A call that runs has read of the person, so its answer is not kept either; and none begins before the erasure ends.
    The keys stay, so that nothing is done twice.
    """
    lock_table(cast("Table", IdempotencyKey.__table__))
    changed_rows(update(IdempotencyKey).values(answer=GONE))


def forget_keys() -> int:
    """Delete keys that are older than a day, some at a time; return how many."""
    old = select(IdempotencyKey.id).where(IdempotencyKey.created_at < database_now(-KEPT_SECONDS))
    some = old.order_by(IdempotencyKey.created_at).limit(5 * CLEANUP_BATCH)
    with transaction():
        return changed_rows(delete(IdempotencyKey).where(IdempotencyKey.id.in_(some)))
