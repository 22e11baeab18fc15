"""Brings the cards of an employee to a terminal, and takes off those that are the employee's no more.

What we sent is written before it is sent, so that a card that nobody knows of is never left. Cards of the number that
we did not give are left as they are. A terminal's own list alone proves whose a card is.
"""

from collections.abc import Collection, Iterable

from sqlalchemy import ColumnElement, delete, insert, select, update

from hikflask.extensions import db
from hikflask.isapi import cards
from hikflask.isapi.cards import TerminalCard
from hikflask.isapi.errors import CardTaken
from hikflask.models import Card, CardThere
from hikflask.models.columns import database_now
from hikflask.services.core.db import changed_rows
from hikflask.services.core.errors import CardTakenThere, ServiceError
from hikflask.services.enrolments.attempt import Attempt
from hikflask.services.terminals.connection import usable_answer


def bring(attempt: Attempt) -> None:
    """Give the employee's cards, prove it, and take off the others that we gave: nobody stands outside in between.

    :raises CardTakenThere: when somebody else has one there: a person decides. :raises card_waits: when we gave it to
        somebody else there, and it is not taken off yet. :raises card_not_verified: :raises card_not_removed: when the
        terminal does not show it. :raises card_gone_there: when somebody took one off at the terminal.
    :raises TerminalError:
    """
    if not attempt.has_cards:
        return
    ours, known = _numbers_of(attempt), _known(attempt)
    shown = _shown(attempt) if known else usable_answer(lambda: _shown(attempt))
    if shown is None:
        return  # The terminal keeps no cards, and was never sent one.
    missing = sorted(ours - shown)
    _refuse_taken_off_there(attempt, {row.number for row in known if row.confirmed_at}.intersection(missing))
    for number in missing:
        _give(attempt, number)
    if missing:
        shown = _shown(attempt)
    if not ours <= shown:
        raise ServiceError("card_not_verified")
    _note_confirmed(attempt, ours)
    _take_off(attempt, {row.number for row in known} - ours, shown)


def _refuse_taken_off_there(attempt: Attempt, numbers: Collection[str]) -> None:
    """Do not give again by itself what the terminal had confirmed and has no more, though it has the person: it may
    have been reported lost since the backup from which our rows came. After a person has tried again, it is given.

    :raises card_gone_there: then.
    """
    if not numbers or attempt.people > 0:
        return
    with attempt.conversation.lease.write():
        gone = update(CardThere).where(*_here(attempt), CardThere.number.in_(numbers))
        changed_rows(gone.values(confirmed_at=None))
    raise ServiceError("card_gone_there", n=min(numbers))


def take_off_lost(attempt: Attempt) -> None:
    """Take off the cards that were reported lost, before anything else is done.

    :raises card_not_removed: :raises TerminalError: as in bring().
    """
    lost = {row.number for row in _known(attempt) if row.is_lost} if attempt.has_cards else set()
    if lost:
        _take_off(attempt, lost, _shown(attempt))


def _numbers_of(attempt: Attempt) -> set[str]:
    mine = select(Card.number).where(Card.employee_id == attempt.row.employee_id)
    return set(db.session.execute(mine).scalars())


def _here(attempt: Attempt) -> tuple[ColumnElement[bool], ...]:
    return CardThere.terminal_id == attempt.row.terminal_id, CardThere.owner == attempt.number


def _known(attempt: Attempt) -> list[CardThere]:
    rows = select(CardThere).where(*_here(attempt)).execution_options(populate_existing=True)
    return list(db.session.execute(rows).scalars())


def _shown(attempt: Attempt) -> set[str]:
    return {card.number for card in cards.of_person(attempt.conversation, attempt.number)}


def _give(attempt: Attempt, number: str) -> None:
    with attempt.conversation.lease.write():
        its_row = (CardThere.terminal_id == attempt.row.terminal_id, CardThere.number == number)
        owner = db.session.execute(select(CardThere.owner).where(*its_row)).scalar_one_or_none()
        if owner is None:
            row = {"terminal_id": attempt.row.terminal_id, "number": number, "owner": attempt.number}
            db.session.execute(insert(CardThere).values(**row, is_lost=False))
    if owner not in {None, attempt.number}:
        raise ServiceError("card_waits", number=owner)
    try:
        cards.add(attempt.conversation, TerminalCard(number, attempt.number))
    except CardTaken:
        whose = cards.owner_of(attempt.conversation, number)
        if whose is None or whose.owner != attempt.number:
            _note_gone(attempt, [number])
            raise CardTakenThere(n=number, number=whose.owner if whose else "") from None


def _take_off(attempt: Attempt, numbers: Collection[str], shown: set[str]) -> None:
    there = sorted(shown & {*numbers})
    for number in there:
        cards.remove(attempt.conversation, number)
    if there and shown & _shown(attempt) & {*numbers}:
        raise ServiceError("card_not_removed")
    _note_gone(attempt, numbers)


def _note_confirmed(attempt: Attempt, numbers: Iterable[str]) -> None:
    """Write what the terminal showed; a card that somebody entered there by hand is from now on one that we gave."""
    now = {"terminal_id": attempt.row.terminal_id, "owner": attempt.number, "confirmed_at": database_now()}
    with attempt.conversation.lease.write():
        for number in numbers:
            its_row = (CardThere.terminal_id == attempt.row.terminal_id, CardThere.number == number)
            if not changed_rows(update(CardThere).where(*its_row).values(**now, is_lost=False)):
                db.session.execute(insert(CardThere).values(**now, number=number, is_lost=False))


def _note_gone(attempt: Attempt, numbers: Iterable[str]) -> None:
    with attempt.conversation.lease.write():
        changed_rows(delete(CardThere).where(*_here(attempt), CardThere.number.in_(numbers)))
