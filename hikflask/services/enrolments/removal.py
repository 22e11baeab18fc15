"""Removes a number with its face and cards from a terminal, and confirms it by the terminal's own answer."""

from collections.abc import Collection

from hikflask.isapi import cards, faces, persons
from hikflask.isapi.errors import Nonsense, Refused, TerminalError
from hikflask.isapi.persons import TerminalPerson
from hikflask.models.enrolment import PRESENT
from hikflask.services.core.errors import NumberTakenThere, ServiceError
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.attempt import Attempt
from hikflask.services.enrolments.face_binding import take_back_late_face
from hikflask.services.state import enrolment as state
from hikflask.services.terminals import checks
from hikflask.services.terminals.connection import usable_answer


def remove(attempt: Attempt) -> None:
    """Remove the number, and confirm it only when the device that had it finds nobody.

    What got no answer before may still arrive, and somebody who was removed is there again. So the removal stays open
    until that is over, and is proven once more.

    A list that cannot be read keeps nobody there who was shown by this very device under our name.

    :raises NumberTakenThere: when the name there is not one that we wrote: a person must decide.
    :raises removal_asked_again: when something may still arrive.
    :raises holder_not_shown: when that cannot be known. :raises other_device: when an earlier device may still know the
        number.
    """
    checks.recognise(attempt.conversation)
    attempt.read_again()
    attempt.claim("removal")
    there: TerminalPerson | None = None
    try:
        # Nobody there before anything was removed: another firmware may show the number otherwise since.
        there = _holder(attempt, persons.forms_after_update(attempt.number))
    except (Refused, Nonsense) as error:
        if error.retryable:
            raise
        # A record may be removed unseen that this device, known by its serial number, last showed under our name.
        row = attempt.row
        if not (row.overwrite or (row.written_name and attempt.conversation.terminal.serial)):
            raise ServiceError("other_device" if row.waits_for_hand else "holder_not_shown") from None
        if attempt.row.refusal_code == "removal_not_shown":
            raise ServiceError("removal_not_shown") from error  # It was accepted before: only the list is awaited.
    else:
        _refuse_somebody_elses(attempt, there)
        attempt.people, attempt.faces = (-1, -bool(there.faces)) if there else (0, 0)
    remove_person(attempt, there.number if there else "")
    if attempt.is_late:
        raise ServiceError(state.REMOVAL_ASKED_AGAIN)
    if attempt.row.on_old_device:
        attempt.write(state.GONE_FROM_NEW_DEVICE)
        raise ServiceError("other_device")
    attempt.write_gone()


def _holder(attempt: Attempt, forms: Collection[str] = ()) -> TerminalPerson | None:
    """Return who has the number there, maybe in another form; `forms` are looked for besides the usual ones.

    A terminal that has never shown this employee with the number may show others otherwise, and remove them with it.
    Where it has, its firmware may be another one since: then whoever has one of our names in another form counts,
    unless that is the number of another employee who is desired there.
    """
    there = persons.find(attempt.conversation, attempt.number)
    if there is not None:
        return there
    if not attempt.row.written_name:
        there = next(iter(persons.find_in_other_forms(attempt.conversation, attempt.number)), None)
    if there is not None or not attempt.row.names_sent:
        return there
    others = persons.find_in_other_forms(attempt.conversation, attempt.number, forms)
    return next((other for other in others if attempt.is_ours(other) and not _is_desired(attempt, other.number)), None)


def _is_desired(attempt: Attempt, number: str) -> bool:
    enrolment = queries.find(attempt.row.terminal_id, number)
    return enrolment is not None and enrolment.desired == PRESENT


def _refuse_somebody_elses(attempt: Attempt, there: TerminalPerson | None) -> None:
    is_ours = there is not None and attempt.is_ours(there)
    # We may have written our name to this device before we noticed that it is another one.
    if attempt.row.waits_for_hand and not is_ours:
        raise ServiceError("other_device")
    if there and not (attempt.row.overwrite or is_ours):
        attempt.write(state.SOMEBODY_ELSE_SHOWN)
        take_back_late_face(attempt, there)
        raise NumberTakenThere(n=there.number, name=there.name[:255])


def remove_person(attempt: Attempt, shown_as: str = "") -> None:
    """Remove the number's record, its face and its cards, and ask the terminal whether they are gone.

    :param shown_as: the form in which the terminal showed the number.
    :raises removal_not_verified: when it is still there, with its name where somebody else's was to be replaced.
    :raises removal_not_shown: when the list cannot be read. :raises face_left: when the face is still there.
    :raises cards_left: when a card is.
    """
    attempt.write(state.SENDING_REMOVAL)
    try:
        persons.remove(attempt.conversation, attempt.number)
        left = _left(attempt, shown_as)
    except TerminalError:
        _keep_late(attempt)
        raise
    if left is not None:
        _keep_late(attempt)
        raise ServiceError("removal_not_verified", name=left.name[:255] if attempt.row.desired == PRESENT else "")
    _remove_face_left(attempt)
    for owner in {attempt.number, shown_as} - {""}:
        remove_cards_left(attempt, owner)


def _remove_face_left(attempt: Attempt) -> None:
    """Remove the face that some firmware keeps of whom it removes. Where the library cannot be searched, nothing is
    known of it.

    :raises face_left: when it is still there.
    """
    if not usable_answer(lambda: faces.has(attempt.conversation, attempt.number)):
        return
    attempt.write(state.SENDING_REMOVAL)
    try:
        faces.remove(attempt.conversation, attempt.number)
    except Refused as error:
        if error.retryable:
            raise
        raise ServiceError("face_left") from error
    if faces.has(attempt.conversation, attempt.number):
        raise ServiceError("face_left")


def remove_cards_left(attempt: Attempt, owner: str) -> None:
    """Remove the cards of a number that nobody has there: some firmware keeps them of whom it removes, and they would
    open doors for the next one who gets the number. Where cards cannot be searched, nothing is known of them.

    :raises cards_left: when one is still there.
    """
    left = usable_answer(lambda: cards.of_person(attempt.conversation, owner))
    if not left:
        return
    attempt.write(state.SENDING_REMOVAL)
    try:
        for card in left:
            cards.remove(attempt.conversation, card.number)
    except (Refused, ValueError) as error:
        if isinstance(error, Refused) and error.retryable:
            raise
        raise ServiceError("cards_left") from error
    if cards.of_person(attempt.conversation, owner):
        raise ServiceError("cards_left")


def _keep_late(attempt: Attempt) -> None:
    """A terminal that accepts a removal only begins it, and whoever is desired there would be removed by it later."""
    if attempt.row.desired == PRESENT:
        attempt.keep_late()


def _left(attempt: Attempt, shown_as: str) -> TerminalPerson | None:
    """Return who still has the number there. Who is to be replaced had it in this very form."""
    try:
        desired = attempt.row.desired == PRESENT
        return persons.find(attempt.conversation, attempt.number) if desired else _holder(attempt, {shown_as} - {""})
    except (Refused, Nonsense) as error:
        if error.retryable:
            raise
        _keep_late(attempt)
        raise ServiceError("removal_not_shown") from error
