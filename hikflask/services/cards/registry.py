"""Gives cards to employees and takes them away; their enrolments become due, and bring it to the terminals."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import contains_eager, joinedload

from hikflask.extensions import db
from hikflask.models import Card, CardThere, Employee, Enrolment
from hikflask.models.enrolment import CONFIRMED, LEAVING, PENDING, REFUSED
from hikflask.services import audit
from hikflask.services.core.db import changed_rows, lock_numbers, locked_employee, transactional
from hikflask.services.core.errors import CardTaken, NotFound, ServiceError
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.desired import desire_new_facts
from hikflask.services.enrolments.reconcile_now import ChangedRow, due_of
from hikflask.text_rules import card_key, is_card_number, similar_card_keys

FRESH = {"populate_existing": True}


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
        raise CardTaken(n=number, name=taken.employee.name, number=taken.employee.number)
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


def of_employee(employee_id: int) -> list[Card]:
    """Return the cards of an employee, in the order in which they were given."""
    mine = select(Card).where(Card.employee_id == employee_id).order_by(Card.id)
    return list(db.session.execute(mine).scalars())


def there(owners: Collection[str]) -> list[CardThere]:
    """Return where these employee numbers have cards of ours, or may have."""
    here = select(CardThere).where(CardThere.owner.in_(owners)).options(joinedload(CardThere.terminal))
    in_order = here.order_by(CardThere.number, CardThere.terminal_id)
    return list(db.session.execute(in_order, execution_options=FRESH).scalars())


def lost(most: int) -> list[tuple[CardThere, Employee | None]]:
    """Return the first lost cards that terminals may still have, each with whose it was; None: deleted since."""
    rows = select(CardThere, Employee).outerjoin(Employee, Employee.number == CardThere.owner).where(CardThere.is_lost)
    first = rows.options(joinedload(CardThere.terminal)).order_by(CardThere.id).limit(most)
    return [(there, employee) for there, employee in db.session.execute(first, execution_options=FRESH)]


def list_all() -> list[Card]:
    """Return all cards with their employees, by employee number and in the order in which they were given."""
    every = select(Card).join(Card.employee).options(contains_eager(Card.employee))
    return list(db.session.execute(every.order_by(Employee.number, Card.id)).scalars())


def about(card: Card) -> dict[str, str]:
    """Return what a sentence says of a card, and of whose it is."""
    return {"n": card.number, "name": card.employee.name, "number": card.employee.number}


@dataclass(frozen=True)
class Line:
    """A card by its number, where it is or shall be; `card` is None for one that was taken away.

    `states` has the id and the name of each terminal, with one of confirmed, pending, refused, and leaving for a card
    that was taken away and may open doors there still.
    """

    number: str
    card: Card | None
    states: list[tuple[int, str, str]]

    @property
    def unconfirmed(self) -> list[str]:
        """The names of the terminals that have not confirmed it."""
        return [name for _, name, state in self.states if state != CONFIRMED]


def lines(employee: Employee) -> list[Line]:
    """Return an employee's cards, those first that were taken away and that a terminal may have still."""
    known = there([employee.number])
    cards, wanted = of_employee(employee.id), queries.desired_of(employee.number)
    confirmed = {(row.number, row.terminal_id) for row in known if row.confirmed_at}
    owned = {card.number for card in cards}
    left: dict[str, Line] = {}
    for row in known:
        if row.number not in owned:
            line = left.setdefault(row.number, Line(row.number, None, []))
            line.states.append((row.terminal_id, row.terminal.name, LEAVING))

    def state_at(one: Enrolment, number: str) -> str:
        if (number, one.terminal_id) in confirmed:
            return CONFIRMED
        return REFUSED if one.state == REFUSED else PENDING

    return [
        *left.values(),
        *(
            Line(
                card.number, card, [(one.terminal_id, one.terminal.name, state_at(one, card.number)) for one in wanted]
            )
            for card in cards
        ),
    ]
