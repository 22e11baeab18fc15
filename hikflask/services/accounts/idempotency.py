"""A program may send a call again with the same Idempotency-Key: it is done once, and answered as the first time.

A key belongs to one token and one request, and is kept for a day. While the call runs, its row is claimed for a time
that no call takes. After a crash that time passes, and the call is begun anew: whatever was committed before the crash
is then refused or found unchanged, as by any call that is sent twice.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import cast

from sqlalchemy import ColumnElement, Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from hikflask.encryption.vault import VaultError
from hikflask.extensions import db, vault
from hikflask.models import IdempotencyKey
from hikflask.models.columns import database_now
from hikflask.services.core.db import CLEANUP_BATCH, changed_rows, claim_rows, lock_table, transaction
from hikflask.services.core.errors import ServiceError

KEPT_SECONDS = 86400.0
# Longer than any call takes; a comparison has two minutes.
CLAIM_SECONDS = 300.0
GONE = ""


@dataclass(frozen=True)
class Claim:
    """The right to answer a call with a key."""

    row_id: int
    number: int


@dataclass(frozen=True)
class Answer:
    """An answer: its status, the headers that belong to it, and its body."""

    status: int
    headers: dict[str, str]
    body: str


def begin(token_id: int, key: str, fingerprint: str) -> Claim | Answer:
    """Claim a call, or return the first answer to it.

    :param fingerprint: of the whole request.
    :raises idempotency_key_reused: when the key came with another request. :raises idempotency_running: when the first
        call was not answered yet. :raises idempotency_answer_gone: when the answer is not kept any more.
    """
    hashed = hashlib.sha256(key.encode()).hexdigest()
    mine = (IdempotencyKey.token_id == token_id, IdempotencyKey.key_sha256 == hashed)
    given = {"token_id": token_id, "key_sha256": hashed, "fingerprint": fingerprint}
    fresh = insert(IdempotencyKey).values(**given, claimed_until=database_now(CLAIM_SECONDS))
    try:
        with transaction(alone=True):
            changed_rows(delete(IdempotencyKey).where(*mine, IdempotencyKey.created_at < database_now(-KEPT_SECONDS)))
            row_id: int = db.session.execute(fresh.returning(IdempotencyKey.id)).scalar_one()
    except IntegrityError:
        return _again(db.session.execute(select(IdempotencyKey).where(*mine)).scalar_one_or_none(), fingerprint)
    return Claim(row_id, 1)


def _again(found: IdempotencyKey | None, fingerprint: str) -> Claim | Answer:
    if found is None:  # The call that had it was given up just now.
        raise ServiceError("idempotency_running")
    if found.fingerprint != fingerprint:
        raise ServiceError("idempotency_key_reused")
    return _claimed_anew(found) if found.answer is None else _opened(found.answer)


def _claimed_anew(found: IdempotencyKey) -> Claim:
    unanswered = (IdempotencyKey.id == found.id, IdempotencyKey.answer.is_(None))
    over = select(IdempotencyKey.id, IdempotencyKey.claim_number).where(
        *unanswered, IdempotencyKey.claimed_until < database_now()
    )
    anew = {"claim_number": IdempotencyKey.claim_number + 1, "claimed_until": database_now(CLAIM_SECONDS)}
    claimed = claim_rows(over, anew)
    if not claimed:
        raise ServiceError("idempotency_running")
    return Claim(*claimed[0])


def _opened(kept: str) -> Answer:
    try:
        return Answer(**json.loads(vault.decrypt(kept)))
    except VaultError as error:
        raise ServiceError("idempotency_answer_gone") from error


def keep(claim: Claim, answer: Answer) -> None:
    """Keep the answer to a claimed call, encrypted, unless somebody was erased since it began."""
    text = vault.encrypt(json.dumps({"status": answer.status, "headers": answer.headers, "body": answer.body}))
    with transaction():
        changed_rows(update(IdempotencyKey).where(*_mine(claim), IdempotencyKey.answer.is_(None)).values(answer=text))


def give_up(claim: Claim) -> None:
    """Forget a claimed call that has no answer to keep, so that it may be sent again at once."""
    with transaction():
        changed_rows(delete(IdempotencyKey).where(*_mine(claim)))


def _mine(claim: Claim) -> tuple[ColumnElement[bool], ...]:
    return IdempotencyKey.id == claim.row_id, IdempotencyKey.claim_number == claim.number


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
