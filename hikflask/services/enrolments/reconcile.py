"""Reconciles a terminal with the desired state of one number: person → face → proof, or removal → proof.

Everything happens under the terminal's lease, and every write checks the lease's number and the generation of the
desired state. Only the terminal's own answer afterwards confirms an enrolment.
"""

import logging
from contextlib import suppress
from dataclasses import replace

from hikflask import request_id
from hikflask.isapi import persons
from hikflask.isapi.errors import NumberTaken, Refused, TerminalError
from hikflask.isapi.persons import Rights, TerminalPerson, Validity
from hikflask.models import Capture, Enrolment
from hikflask.models.enrolment import ABSENT, CONFIRMED, REFUSED
from hikflask.services.core.errors import (
    CaptureSuperseded,
    EnrolmentUnknown,
    GenerationChanged,
    LeaseLost,
    LoginStopped,
    NotComparedSinceRestore,
    NumberTakenThere,
    ServiceError,
    TerminalInUse,
    TerminalRetired,
    refusal_of,
)
from hikflask.services.enrolments import cards, failures, queries, removal, rights, validity
from hikflask.services.enrolments.attempt import Attempt
from hikflask.services.enrolments.face_binding import FaceOutcome, bind_face, without_late_face
from hikflask.services.enrolments.proof import confirm_without_face, prove
from hikflask.services.state import capture as capture_state
from hikflask.services.state import enrolment as state
from hikflask.services.terminals import checks, connection

SAVE = "save"
# For all requests about one number, in seconds: one slow terminal must not hold a worker for ever.
MAX_SECONDS = 120.0
log = logging.getLogger(__name__)
NOT_OURS = (LeaseLost, GenerationChanged, EnrolmentUnknown)


def reconcile(enrolment_id: int, holder: str, *, prove_again: bool = False, wait: float | None = None) -> Enrolment:
    """Reconcile the enrolment with this id: bring its terminal to the desired state. Return its row.

    An error is written to the row and raised. The parameters are those of reconcile_row().
    """
    return reconcile_row(queries.get_one(enrolment_id), holder, prove_again=prove_again, wait=wait)


def reconcile_row(
    enrolment: Enrolment, holder: str, *, prove_again: bool = False, wait: float | None = None
) -> Enrolment:
    """Reconcile an enrolment whose row was just read. It is read again under the terminal's lease.

    :param prove_again: verify again what was confirmed before. A confirmed row that is due is always verified again.
    :param wait: how long to wait for the current holder of the lease, in seconds; None: LEASE_WAIT, because a person
        waits, and work for many lets the terminal go.
    :raises TerminalError: when the terminal refuses or does not answer. :raises ServiceError: for any other reason.
    """
    # An attempt by the sweep is for the request that desired it.
    with request_id.working_for(request_id.current() or enrolment.request_id):
        where = (enrolment.id, enrolment.terminal_id)
        try:
            row = _reconcile(enrolment, holder, prove_again, wait)
        except (TerminalError, ServiceError) as error:
            log.info("enrolment %s at terminal %s: %s", *where, error.code)
            raise
        log.info("enrolment %s at terminal %s: %s, person %s, face %s", *where, row.desired, row.person, row.face)
    return row


def _reconcile(enrolment: Enrolment, holder: str, prove_again: bool, wait: float | None) -> Enrolment:
    enrolment_id = enrolment.id
    if _needs_nothing(enrolment, prove_again):
        return enrolment
    urgent = wait is None
    try:
        with connection.converse(
            enrolment.terminal_id, holder, SAVE, wait=wait, total=MAX_SECONDS, urgent=urgent
        ) as conversation:
            enrolment = queries.get_one(enrolment_id, with_employee=True)
            if _needs_nothing(enrolment, prove_again):
                return enrolment  # Another worker finished it while this one waited, or noticed another device.
            connection.refuse_before_compared(conversation.terminal)
            conversation.yields = enrolment.in_bulk and not urgent
            attempt = Attempt(conversation, enrolment, prove_again or enrolment.is_confirmed)
            _run(attempt)
    except (TerminalInUse, TerminalRetired, NotComparedSinceRestore, LeaseLost, LoginStopped) as error:
        failures.postpone(enrolment_id, error)
        raise
    return attempt.row


def _needs_nothing(enrolment: Enrolment, prove_again: bool) -> bool:
    is_done = enrolment.is_confirmed and enrolment.next_attempt_at is None
    return (is_done and not prove_again) or state.awaits_a_person(enrolment)


def _run(attempt: Attempt) -> None:
    try:
        removal.remove(attempt) if attempt.row.desired == ABSENT else _enrol(attempt)
    except NOT_OURS:
        raise
    except (TerminalError, ServiceError) as error:
        with suppress(*NOT_OURS):
            attempt.read_again()
            failures.write(attempt, error)
        raise


def _enrol(attempt: Attempt) -> None:
    """Person → face → proof.

    :raises NumberTakenThere: when another name has the number there. :raises NameTooLong: when not one letter of the
        name fits. :raises person_not_verified:
    :raises name_not_verified: :raises face_not_verified: :raises validity_not_verified: :raises validity_not_shown:
    :raises rights_not_verified: when the terminal's own answer does not show it. :raises card_not_verified:
    :raises card_not_removed: :raises card_waits: :raises CardTakenThere: as cards.bring(). :raises cards_lost: when a
        change of the person lost cards or fingerprints there.
    :raises TerminalError: when the terminal refuses or does not answer.
    """
    if attempt.row.employee and not attempt.row.employee.is_active:
        raise ServiceError("employee_inactive")
    if attempt.conversation.terminal.face_mode is None or attempt.conversation.terminal.offline_since:
        checks.recognise(attempt.conversation)
    cards.take_off_lost(attempt)
    attempt.choose_name()
    try:
        there = _add_or_adopt(attempt)
    except Refused as error:
        # A face that came late is seen to also where the name is refused for good.
        if attempt.late and attempt.late["face"] and not (error.retryable or error.stops):
            without_late_face(attempt, persons.find(attempt.conversation, attempt.number))
        raise
    try:
        attempt.begin("face")
        there = without_late_face(attempt, there)
        # A refused face is not sent again before an operator retries it.
        was_refused = attempt.row.face == REFUSED
        outcome = FaceOutcome(attempt.row.refusal, REFUSED) if was_refused else bind_face(attempt, there)
    except CaptureSuperseded as error:
        if attempt.row.photo_id is not None:
            its_capture = Capture.photo_id == attempt.row.photo_id
            with attempt.conversation.lease.write():
                capture_state.apply(capture_state.OVERWRITTEN_BEFORE_BINDING, its_capture)
        confirm_without_face(attempt, refusal_of(error))
        raise
    except TerminalError as error:
        if error.retryable or error.stops or attempt.row.face_unverified:
            raise
        confirm_without_face(attempt, refusal_of(error))
        raise
    prove(attempt, outcome)


def _add_or_adopt(attempt: Attempt) -> TerminalPerson | None:
    """Add the person, or update our own record; return the person who was there before, or None.

    A number that was never sent there is added at once. Otherwise the terminal is first asked who has the number,
    because an OK to Record does not tell that. So it is where the longest name is unknown: a name that is cut there is
    ours only if nobody had the number.
    """
    row = attempt.row
    may_cut = attempt.conversation.terminal.name_bytes is None
    if not (row.name_there or row.overwrite or row.on_old_device or may_cut):
        return _add(attempt)
    attempt.claim("person")
    there = persons.find(attempt.conversation, attempt.number)
    if attempt.row.overwrite:
        there = _overwritten(attempt, there)
    if there is not None:
        return _adopt(attempt, there)
    taken = _add(attempt)
    if may_cut and taken is None:
        _learn_limit(attempt)
    return taken


def _learn_limit(attempt: Attempt) -> None:
    """Take a name that was just sent and is there in part for the longest one, and send the form that fits."""
    there = persons.find(attempt.conversation, attempt.number)
    if there is None:
        return
    kept = there.name.rstrip("\ufffd")  # A letter may be cut within.
    if not kept or kept == attempt.name or not attempt.name.startswith(kept):
        return
    attempt.conversation.update_row(name_bytes=len(kept.encode()))
    attempt.choose_name()
    _update(attempt, there)


def _overwritten(attempt: Attempt, there: TerminalPerson | None) -> TerminalPerson | None:
    """Remove another person with this number; our own record stays, with its face."""
    if there is None:
        removal.remove_cards_left(attempt, attempt.number)
    if there is None or attempt.is_ours(there):
        attempt.write(state.NOTHING_TO_OVERWRITE)
        return there
    removal.remove_person(attempt)
    attempt.people, attempt.faces = -1, -bool(there.faces)
    attempt.write(state.OVERWRITTEN)
    return None


def _add(attempt: Attempt) -> TerminalPerson | None:
    """Send Record; return the person if the number already exists there under our name, else None.

    :raises Full: when the terminal has no room for one more person.
    """
    checks.require_room(attempt.conversation)
    before = {"sent_name": attempt.row.sent_name, "sent_valid": attempt.row.sent_valid}
    lost = attempt.row.face == CONFIRMED
    sending = state.SENDING_LOST_PERSON if lost else state.SENDING_PERSON
    attempt.write(sending, sent_name=attempt.name, sent_valid=validity.words(attempt.validity))
    begin, end = validity.for_record(attempt.validity, attempt.row)
    try:
        persons.add(attempt.conversation, attempt.number, attempt.name, begin=begin, end=end)
    except NumberTaken:
        there = persons.find(attempt.conversation, attempt.number)
        # Record had no effect, so a shortened name there is ours only if an earlier attempt wrote it.
        if (there.name if there else attempt.name) not in attempt.whole_names:
            attempt.write(state.PERSON_NOT_SENT, **before)
        if there is None:
            raise ServiceError("person_not_verified") from None
        return _adopt(attempt, there)
    attempt.people += 1
    attempt.rights = replace(persons.DOOR_ONE, valid=Validity(begin, end))
    return None


def _adopt(attempt: Attempt, there: TerminalPerson) -> TerminalPerson:
    """Accept the person with this number as ours if we wrote the name or it is a whole one, and update what differs.

    What the person may do there stays, unless another validity is asked for; what an earlier change lost is set again.

    :raises NumberTakenThere: when the person has another name.
    """
    if not attempt.is_ours(there):
        attempt.write(state.NUMBER_TAKEN)
        raise NumberTakenThere(n=attempt.number, name=there.name[:255])
    if attempt.row.face == CONFIRMED and there.name not in attempt.row.names_sent:
        attempt.write(state.FACE_LOST)  # Somebody else gave the record this name, and maybe another face.
    _update(attempt, there)
    return there


def _update(attempt: Attempt, there: TerminalPerson) -> None:
    """Send what differs from the person who is there."""
    before = attempt.rights_shown = rights.before(attempt.row, there)
    valid = validity.to_send(attempt.validity, there.valid, attempt.row)
    lost = rights.lost(before, there.rights) - rights.asked(attempt)
    if valid or lost or there.name != attempt.name:
        attempt.rights = replace(before, valid=attempt.rights.valid or before.valid)
        sent = {"sent_name": attempt.name, "sent_valid": validity.words(valid) or attempt.row.sent_valid}
        stored = rights.to_store(before)
        attempt.changed = there
        attempt.write(state.SENDING_CHANGES, written_name=there.name, rights_before=stored, **sent)
        rights.change(attempt, attempt.rights if lost else Rights(Validity(*valid) if valid else None))
