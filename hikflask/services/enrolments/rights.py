"""What a person may do at a terminal, beside the name: validity, doors, plans and the type of user.

Somebody may have set them at the terminal, so a change leaves them as they were. Some firmware loses what a change does
not send again. So they are read back with each proof, and what was lost is set again.
"""

from dataclasses import fields, replace
from typing import Any

from hikflask.isapi import persons
from hikflask.isapi.persons import Rights, TerminalPerson, Validity
from hikflask.models import Enrolment
from hikflask.services.enrolments import validity
from hikflask.services.enrolments.attempt import Attempt

NO_LIMIT = {"off", validity.words(validity.UNLIMITED)}


def before(row: Enrolment, there: TerminalPerson) -> Rights:
    """Return the rights that the person had on the terminal before the unproven change, or has now if none is open."""
    stored: dict[str, Any] = dict(row.rights_before or {})
    if "valid" in stored:
        stored["valid"] = Validity.of(stored["valid"])
    if "plans" in stored:
        stored["plans"] = tuple((door, plan) for door, plan in stored["plans"])
    return replace(there.rights, **stored)


def to_store(rights: Rights) -> dict[str, Any] | None:
    """Return the rights that are told as Enrolment.rights_before, or None when none is."""
    valid = rights.valid and f"{rights.valid.words}{rights.valid.suffix if rights.valid.enabled else ''}"
    stored = {"valid": valid, "doors": rights.doors, "plans": rights.plans, "user_type": rights.user_type}
    return {name: value for name, value in stored.items() if value is not None} or None


def expected(attempt: Attempt) -> Rights:
    """Return the rights that must be there: those that were sent, and of the others those that were shown."""
    sent, shown = attempt.rights, attempt.rights_shown
    return Rights(**{one.name: getattr(sent, one.name) or getattr(shown, one.name) for one in fields(Rights)})


def only(rights: Rights, names: set[str]) -> Rights:
    """Return the rights with these names, the others untold."""
    return Rights(**{name: getattr(rights, name) for name in names})


def lost(expected: Rights, shown: Rights) -> set[str]:
    """Return the names of the expected rights that the terminal does not show so."""
    others = ("doors", "plans", "user_type")
    names = {name for name in others if getattr(expected, name) not in {None, getattr(shown, name)}}
    return names if _is_shown(expected.valid, shown.valid) else names | {"valid"}


def _is_shown(expected: Validity | None, shown: Validity | None) -> bool:
    if expected is None:
        return True
    if shown is None:
        return False
    if expected.words == shown.words:
        return expected.offset in {None, shown.offset}
    return {expected.words, shown.words} == NO_LIMIT


def unproven(attempt: Attempt, person: TerminalPerson) -> set[str]:
    """Return the names of the rights that must be there and are not shown.

    What was never shown is no right that was lost, but a terminal that does not tell it. Only a validity that is asked
    for must be shown: a limit that nobody sees proves nothing.
    """
    missing = lost(attempt.rights, person.rights)
    untold = {name for name in missing if getattr(person.rights, name) is getattr(attempt.rights_shown, name) is None}
    return missing - (untold - asked(attempt))


def asked(attempt: Attempt) -> set[str]:
    """Return the names of the rights that are asked for, whatever was there before."""
    return {"valid"} if attempt.validity else set()


def lost_cards(attempt: Attempt, person: TerminalPerson) -> bool:
    """Return True when a change left the person with fewer cards or fingerprints, where both are counted."""
    before = attempt.changed
    if before is None:
        return False
    counts = ((before.cards, person.cards), (before.fingerprints, person.fingerprints))
    return any(was is not None and now is not None and now < was for was, now in counts)


def change(attempt: Attempt, rights: Rights) -> None:
    """Send the name with these rights by the method that the terminal takes, and remember it."""
    method = attempt.conversation.terminal.modify_method
    taken = persons.modify(attempt.conversation, attempt.number, attempt.name, rights, method=method)
    if taken != method:
        attempt.conversation.update_row(modify_method=taken)
