"""Gives cards to employees and takes them away; their enrolments become due, and bring it to the terminals."""

from collections.abc import Collection

from sqlalchemy import select, update

from hikflask.extensions import db
from hikflask.models import Card, CardThere, Employee
from hikflask.services import audit
from hikflask.services.core.db import changed_rows, lock_numbers, locked_employee, transactional
from hikflask.services.core.errors import CardTaken, NotFound, ServiceError
from hikflask.services.enrolments.desired import desire_new_facts
from hikflask.services.enrolments.reconcile_now import ChangedRow, due_of
from hikflask.text_rules import card_key, is_card_number, similar_card_keys


@transactional
def give(employee_id: int, number: str) -> ChangedRow[Card]:
    """Give a card to an employee; the terminals that the employee is enrolled on get it in the background.

    :param number: as terminals report it, letter by letter.
    :raises employee_unknown: :raises card_number_wrong: :raises CardTaken: when somebody has it, maybe this employee.
    """
    if not is_card_number(number):
        raise ServiceError("card_number_wrong")
    lock_numbers(number)
    employee = locked_employee(employee_id)
    if taken := of_number(number):
        raise CardTaken(taken)
    card = Card(number=number, key=card_key(number), given_by=audit.current_actor().name[:128])
    employee.cards.append(card)
    db.session.flush()
    audit.record("card.given", employee=employee, after={"card": number})
    return _changed(card, employee)


@transactional
def take_away(employee_id: int, card_id: int, *, lost: bool = False) -> ChangedRow[Card]:
    """Take a card away from an employee: it stays in `CardThere` until each terminal has proven that it is gone.

    :param lost: terminals remove it before all else of this employee; else once a new card is proven there.
    :raises employee_unknown: :raises card_unknown: when the employee has no such card, or not any more.
    """
    employee = locked_employee(employee_id)
    card = db.session.execute(select(Card).where(Card.id == card_id, Card.employee_id == employee_id)).scalar()
    if card is None:
        raise NotFound("card_unknown")
    if lost:
        here = (CardThere.number == card.number, CardThere.owner == employee.number)
        changed_rows(update(CardThere).where(*here).values(is_lost=True))
    employee.cards.remove(card)
    db.session.flush()
    audit.record("card.lost" if lost else "card.taken_away", employee=employee, before={"card": card.number})
    return _changed(card, employee)


def _changed(card: Card, employee: Employee) -> ChangedRow[Card]:
    desire_new_facts(employee, is_renamed=False)
    return ChangedRow(card, due_of(employee.number))


def of_number(number: str) -> Card | None:
    """Return the card with exactly this number, or None."""
    return db.session.execute(select(Card).where(Card.number == number)).scalar_one_or_none()


def similar(number: str) -> list[Card]:
    """Return other cards that may be the same one: equal without zeros in front and case, or with reversed bytes."""
    keys = similar_card_keys(number)
    found = select(Card).where(Card.key.in_(keys), Card.number != number).order_by(Card.id)
    return list(db.session.execute(found).scalars())


def there(numbers: Collection[str]) -> dict[str, list[CardThere]]:
    """Return where these employee numbers have cards of ours, or may have, by employee number."""
    found: dict[str, list[CardThere]] = {}
    rows = select(CardThere).where(CardThere.owner.in_(numbers)).order_by(CardThere.terminal_id, CardThere.id)
    for row in db.session.execute(rows, execution_options={"populate_existing": True}).scalars():
        found.setdefault(row.owner, []).append(row)
    return found
