"""The record of an erasure: what each terminal confirmed, which files are left, and when it was complete.

A complete record is the certificate. It waits for every terminal, for every picture's file, and until what was deleted
is overwritten in the database's own files. Some weeks later ID and name are deleted from it, too, and a keyed digest of
them stays, so that a printed certificate can still be checked.
"""

import hashlib
import hmac
import secrets
from collections.abc import Collection, Iterable

from flask import current_app
from sqlalchemy import delete, func, or_, select, update

from hikflask.encryption.vault import VaultError
from hikflask.extensions import db, vault
from hikflask.models import Enrolment, Erasure, ErasureFile, ErasureRemoval, WebhookDelivery
from hikflask.models.columns import database_now
from hikflask.models.enrolment import REMOVED
from hikflask.services import audit
from hikflask.services.core.dates import SECONDS_PER_DAY
from hikflask.services.core.db import CLEANUP_BATCH, changed_rows, end_read, transaction, transactional
from hikflask.services.core.errors import CertificateUncheckable
from hikflask.services.photos import storage
from hikflask.services.privacy import secure_delete, traces
from hikflask.text_rules import case_folded

# A complete certificate keeps ID and name for so long: to print it, and to answer the person.
DAYS_WITH_NAME = 30
# A message to a webhook may still be sent for so long after an erasure.
DAYS_WITH_MESSAGES = 3


def begin(
    number: str,
    name: str,
    employee_id: int | None,
    enrolments: Iterable[Enrolment],
    files: list[str],
    passages: int,
    names: Collection[str],
) -> Erasure:
    """Begin the record of an erasure within the open transaction: what is erased, and what is awaited.

    :param enrolments: of the person, locked: a removal that is confirmed at this moment would be awaited for ever.
    :param files: the pictures to remove, each once. :param passages: how many records of terminals named the person.
    :param names: all that the person has or had.
    """
    erasure = Erasure(
        employee_id=employee_id,
        number=number,
        name=name,
        other_names=sorted({*names} - {name, ""}),
        removals=[_removal(enrolment) for enrolment in enrolments],
        photos=len(files),
        passages=passages,
        files=[ErasureFile(file=file) for file in files],
        requested_by=audit.current_actor().name[:128],
    )
    db.session.add(erasure)
    db.session.flush()
    # The person's name is erased, so the audit trail names the certificate.
    audit.record("employee.erased", employee_id=employee_id, subject=f"erasure {erasure.id}")
    return erasure


def lock_to_extend(number: str) -> Erasure | None:
    """Return the latest erasure of a number that waits for a file or a terminal, locked until the transaction ends.

    None when there is no such erasure: nothing is added to one that is complete, or that waits for the database alone.
    """
    erasure = unfinished_of(number)
    if erasure is None or erasure.waits_for_database or not _raise_version(erasure.id):
        return None
    db.session.refresh(erasure)
    return None if erasure.waits_for_database else erasure


def extend(
    erasure: Erasure, enrolments: Iterable[Enrolment], files: list[str], passages: int, names: Collection[str]
) -> None:
    """Add to a locked erasure, within the open transaction, what came since it began; see begin(), lock_to_extend()."""
    awaited = {removal.enrolment_id for removal in erasure.removals if removal.gone_at is None}
    erasure.removals += [_removal(enrolment) for enrolment in enrolments if enrolment.id not in awaited]
    erasure.photos += len(files)
    erasure.passages += passages
    erasure.other_names = sorted({*erasure.other_names, *names} - {erasure.name, ""})
    erasure.files += [ErasureFile(file=file) for file in files]
    db.session.flush()
    audit.record("employee.erased", employee_id=erasure.employee_id, subject=f"erasure {erasure.id}")


def end_removal(enrolment: Enrolment) -> None:
    """Record a confirmed removal in each erasure that waits for it, within the caller's transaction.

    The enrolment is deleted if its employee is. An enrolment of an employee's earlier number stays.
    """
    awaited = (ErasureRemoval.enrolment_id == enrolment.id, ErasureRemoval.gone_at.is_(None))
    waiting = select(ErasureRemoval.erasure_id).where(*awaited).order_by(ErasureRemoval.erasure_id)
    for erasure_id in db.session.execute(waiting).scalars().all():
        _raise_version(erasure_id)
    by_hand = {"confirmed_by": enrolment.confirmed_by, "confirmation_note": enrolment.confirmation_note}
    changed_rows(update(ErasureRemoval).where(*awaited).values(gone_at=database_now(), **by_hand))
    # Decided now: the employee may have been deleted while the terminal was asked.
    db.session.execute(delete(Enrolment).where(Enrolment.id == enrolment.id, Enrolment.employee_id.is_(None)))


def complete(erasure_id: int) -> Erasure:
    """Complete every erasure that can be completed, then return this one; see complete_all()."""
    complete_all()
    return db.session.get_one(Erasure, erasure_id, populate_existing=True)


def complete_all(*, by_worker: bool = False) -> None:
    """Remove the files that are left, and complete the erasures that every terminal confirmed.

    An erasure stays open while a file cannot be removed, while a transaction still reads what was in the database
    before. Where the database is large, it stays open until the worker's sweep at night: no request writes the files
    anew for so long. Calling it again is always safe; the worker does so with each sweep.
    """
    for erasure in _unfinished():
        _remove_files(erasure)
    over = [erasure for erasure in _unfinished() if erasure.waits_for_database]
    if over and secure_delete.is_large() and not (by_worker and secure_delete.is_night()):
        over = []
    for erasure in over:
        numbers = {erasure.number, *(removal.number for removal in erasure.removals)}
        traces.forget_again(numbers, {erasure.name, *erasure.other_names}, erasure.employee_id)
        with transaction():
            # Before the database's files are written anew, so that the names are not left in these.
            changed_rows(update(Erasure).where(Erasure.id == erasure.id).values(other_names=[]))
    end_read()  # No transaction may be open when the database's files are written anew, not even ours.
    if over and secure_delete.overwrite_deleted():
        for erasure in over:
            _complete(erasure)


def get(erasure_id: int) -> Erasure | None:
    """Return an erasure as the database has it now."""
    return db.session.get(Erasure, erasure_id, populate_existing=True)


def latest_of(employee_id: int) -> Erasure | None:
    """Return the latest erasure of an employee that had this id."""
    statement = select(Erasure).where(Erasure.employee_id == employee_id).order_by(Erasure.id.desc()).limit(1)
    return db.session.execute(statement).scalar_one_or_none()


def unfinished_of(number: str) -> Erasure | None:
    """Return the latest erasure of a number that is not complete; earlier ones wait for the database alone."""
    return next((erasure for erasure in reversed(_unfinished()) if erasure.number == number), None)


def list_page(limit: int, offset: int = 0) -> tuple[list[Erasure], int]:
    """Return a page of erasures, the newest first, and how many there are in all."""
    statement = select(Erasure).order_by(Erasure.id.desc()).limit(limit).offset(offset)
    page = list(db.session.execute(statement, execution_options={"populate_existing": True}).scalars())
    return page, db.session.execute(select(func.count(Erasure.id))).scalar_one()


@transactional
def forget_names() -> int:
    """Delete ID and name from certificates that were completed DAYS_WITH_NAME days ago; return how many."""
    kept_since = database_now(-SECONDS_PER_DAY * DAYS_WITH_NAME)
    named = select(Erasure).where(Erasure.completed_at < kept_since, Erasure.number != "")
    over = db.session.execute(named.order_by(Erasure.id).limit(CLEANUP_BATCH)).scalars().all()
    for erasure in over:
        key = secrets.token_urlsafe(32)
        erasure.check_key_encrypted = vault.encrypt(key)
        erasure.digest = _digest(key, erasure.number, erasure.name)
        erasure.number = erasure.name = ""
        for removal in erasure.removals:
            removal.number = ""
    return len(over)


def matches(erasure: Erasure, number: str, name: str) -> bool:
    """Return True when a complete certificate belongs to this ID and name. Case and spaces make no difference.

    :raises CertificateUncheckable: when the key of its digest is lost.
    """
    if erasure.number:
        return _normal(number, name) == _normal(erasure.number, erasure.name)
    try:
        key = vault.decrypt(erasure.check_key_encrypted)
    except VaultError as error:
        raise CertificateUncheckable from error
    return hmac.compare_digest(_digest(key, number, name), erasure.digest)


@transactional
def forget_messages() -> int:
    """Delete messages to webhooks about erased people once they ended, or after DAYS_WITH_MESSAGES; return how many.

    An erasure does not wait for the messages: a receiver may be down for days, or the webhook is switched off.
    """
    is_over = Erasure.completed_at < database_now(-SECONDS_PER_DAY * DAYS_WITH_MESSAGES)
    numbers = (Erasure.number, ErasureRemoval.number)
    erased = (
        select(Erasure.id)
        .outerjoin(Erasure.removals)
        .where(
            or_(*(number == WebhookDelivery.number for number in numbers)),
            WebhookDelivery.happened_at <= Erasure.completed_at,
            or_(WebhookDelivery.next_attempt_at.is_(None), is_over),
        )
    )
    return changed_rows(delete(WebhookDelivery).where(WebhookDelivery.number != "", erased.exists()))


@transactional
def forget_old() -> int:
    """Delete the certificates that were completed longer ago than HIKFLASK_AUDIT_RETENTION; return how many."""
    kept_since = database_now(-SECONDS_PER_DAY * current_app.config["AUDIT_RETENTION"])
    old = select(Erasure.id).where(Erasure.completed_at < kept_since).order_by(Erasure.id).limit(CLEANUP_BATCH)
    return changed_rows(delete(Erasure).where(Erasure.id.in_(old)))


def _normal(number: str, name: str) -> list[str]:
    return [case_folded(" ".join(text.split())) for text in (number, name)]


def _digest(key: str, number: str, name: str) -> str:
    return hmac.new(key.encode(), "\n".join(_normal(number, name)).encode(), hashlib.sha256).hexdigest()


def _removal(enrolment: Enrolment) -> ErasureRemoval:
    return ErasureRemoval(
        enrolment_id=enrolment.id,
        terminal=enrolment.terminal.name,
        number=enrolment.number,
        gone_at=enrolment.confirmed_at if enrolment.state == REMOVED else None,
        confirmed_by=enrolment.confirmed_by,
        confirmation_note=enrolment.confirmation_note,
    )


def _remove_files(erasure: Erasure) -> None:
    """Remove the files that are left and, once every terminal confirmed, files of the person without a row."""
    names = [file.file for file in erasure.files]
    left = storage.unlink(*names)
    if not left and not erasure.waits_for_terminal:
        left = storage.unlink(
            *storage.files_without_row(erasure.number, *(removal.number for removal in erasure.removals))
        )
    if left == names:
        return
    gone = [file.id for file in erasure.files if file.file not in left]
    with transaction():
        if _raise_version(erasure.id):
            changed_rows(delete(ErasureFile).where(ErasureFile.id.in_(gone)))
            db.session.add_all(ErasureFile(erasure_id=erasure.id, file=name) for name in left if name not in names)


@transactional
def _complete(erasure: Erasure) -> None:
    """Complete an erasure, unless something was added since it was read."""
    as_read = (Erasure.id == erasure.id, Erasure.completed_at.is_(None), Erasure.version == erasure.version)
    if changed_rows(update(Erasure).where(*as_read).values(completed_at=database_now())) == 1:
        # An operator who opens the page at this moment has nothing to do with it.
        with audit.acting(audit.WORKER):
            audit.record("erasure.completed", employee_id=erasure.employee_id, subject=f"erasure {erasure.id}")


def _raise_version(erasure_id: int) -> bool:
    """Begin a change of an erasure: it is locked until the transaction ends. False when it is complete."""
    incomplete = update(Erasure).where(Erasure.id == erasure_id, Erasure.completed_at.is_(None))
    return changed_rows(incomplete.values(version=Erasure.version + 1)) == 1


def _unfinished() -> list[Erasure]:
    statement = select(Erasure).where(Erasure.completed_at.is_(None)).order_by(Erasure.id)
    return list(db.session.execute(statement, execution_options={"populate_existing": True}).scalars())
