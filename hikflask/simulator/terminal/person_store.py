"""The persons on the terminal, in the recorded shape, with their faces and their cards."""

import copy
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hikflask.simulator.errors import Refusal
from hikflask.simulator.terminal.clocks import Clock

DELETION_SECONDS = 1.0
"""A removal ends after this time, or earlier: when its status was asked for `deletion_polls` times."""

Person = dict[str, Any]


@dataclass(frozen=True)
class Face:
    """The picture bound to a person; `index` is its number in `/LOCALS/pic/enrlFace/0/`."""

    jpeg: bytes
    index: int

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.jpeg).hexdigest()


@dataclass(frozen=True)
class Card:
    """A card of a person. `kind` is its cardType, `leader_card` the value of leaderCard."""

    number: str
    employee_no: str
    kind: str = "normalCard"
    leader_card: str = ""

    def is_of(self, numbers: list[str] | None, employee_nos: list[str] | None) -> bool:
        """Whether the card has one of `numbers` and its owner one of `employee_nos`; None stands for any."""
        by_number = numbers is None or self.number in numbers
        return by_number and (employee_nos is None or self.employee_no in employee_nos)


@dataclass
class Deletion:
    """A removal that was started. `numbers` are employeeNos; None stands for everybody."""

    numbers: list[str] | None
    until: float
    polls_left: int
    failed: bool = False


def blank_person(employee_no: str) -> Person:
    """A person with the fields and the order of the seed terminal's recorded Search reply."""
    return {
        "employeeNo": employee_no,
        "name": "",
        "userType": "normal",
        "onlyVerify": False,
        "closeDelayEnabled": False,
        "Valid": {
            "enable": True,
            "beginTime": "2025-01-01T00:00:00",
            "endTime": "2035-12-31T23:59:59",
            "timeType": "local",
        },
        "belongGroup": "",
        "password": "",
        "doorRight": "1",
        "RightPlan": [{"doorNo": 1, "planTemplateNo": "1"}],
        "maxOpenDoorTime": 0,
        "openDoorTime": 0,
        "roomNumber": 0,
        "floorNumber": 0,
        "localUIRight": False,
        "gender": "unknown",
        "numOfCard": 0,
        "numOfFP": 0,
        "numOfFace": 0,
        "groupId": 0,
        "localAtndPlanTemplateId": 0,
        "PersonInfoExtends": [{"value": ""}],
    }


_COMPUTED = frozenset({"employeeNo", "numOfCard", "numOfFP", "numOfFace"})
_RIGHTS = ("Valid", "doorRight", "RightPlan", "userType")


@dataclass
class PersonStore:
    """Persons and faces by employeeNo, cards by their own number. The caller holds the terminal's lock."""

    clock: Clock
    capacity: int
    on_remove: Callable[[str], object] = field(repr=False)
    """Called with the number of each person who was removed."""
    deletion_polls: int = 1
    taken: str = "employeeNoAlreadyExist"
    """The error code when a person with the number exists."""
    card_capacity: int = 3000
    cards_per_person: int | None = None
    """None: any number."""
    keeps_faces: bool = False
    """Whoever is removed leaves the face in the library."""
    people: dict[str, Person] = field(default_factory=dict)
    faces: dict[str, Face] = field(default_factory=dict)
    cards: dict[str, Card] = field(default_factory=dict)
    deletion: Deletion | None = None

    def add(self, employee_no: str, fields: Person) -> None:
        """Add a person. :raises Refusal: when the number exists or the terminal is full."""
        if employee_no in self.people:
            raise Refusal(self.taken, "checkUser")
        if len(self.people) >= self.capacity:
            raise Refusal("deviceUserFull")
        self.people[employee_no] = blank_person(employee_no)
        self.change(employee_no, fields)

    def change(self, employee_no: str, fields: Person) -> None:
        """Change the given fields of a person. Fields that the terminal does not have are ignored."""
        if employee_no not in self.people:
            raise Refusal("employeeNoNotExist")
        own = blank_person(employee_no).keys() - _COMPUTED
        self.people[employee_no].update({name: copy.deepcopy(fields[name]) for name in fields if name in own})

    def replace(self, employee_no: str, fields: Person) -> None:
        """Change the given fields of a person, and drop the rights that are not given."""
        self.change(employee_no, fields)
        for name in _RIGHTS:
            if name not in fields:
                self.people[employee_no].pop(name, None)

    def remove(self, employee_nos: list[str] | None, *, with_cards: bool = True) -> None:
        """Remove persons with their faces and cards; None stands for everybody. An unknown number is no error."""
        for number in list(self.people) if employee_nos is None else employee_nos:
            was_there = self.people.pop(number, None) is not None
            if not self.keeps_faces:
                self.faces.pop(number, None)
            if with_cards:
                self.remove_cards(None, [number])
            if was_there:
                self.on_remove(number)

    def bind(self, employee_no: str, jpeg: bytes) -> None:
        """Bind a face to a person, or replace the face; it then keeps its index."""
        if employee_no not in self.people:
            raise Refusal("employeeNoNotExist", "FPID")
        old = self.faces.get(employee_no)
        if old is None and len(self.faces) >= self.capacity:
            raise Refusal("deviceFaceFull")
        used = {face.index for face in self.faces.values()}
        index = next(index for index in range(1, len(used) + 2) if index not in used)
        self.faces[employee_no] = Face(jpeg, old.index if old else index)

    def unbind(self, employee_nos: list[str] | None) -> None:
        """Remove faces and keep the persons; None stands for everybody."""
        for number in list(self.faces) if employee_nos is None else employee_nos:
            self.faces.pop(number, None)

    def save_card(self, number: str, fields: Person) -> None:
        """Add a card, or change the given fields of one. Its owner must exist. :raises Refusal:"""
        old = self.cards.get(number, Card(number, ""))
        card = Card(
            number,
            employee_no=str(fields.get("employeeNo", old.employee_no)),
            kind=str(fields.get("cardType", old.kind)),
            leader_card=str(fields.get("leaderCard", old.leader_card)),
        )
        if card.employee_no not in self.people:
            raise Refusal("employeeNoNotExist", "employeeNo")
        others = [other for other in self.cards.values() if other.number != number]
        if len(others) >= self.card_capacity:
            raise Refusal("deviceCardFull")
        of_owner = sum(other.employee_no == card.employee_no for other in others)
        if self.cards_per_person is not None and of_owner >= self.cards_per_person:
            raise Refusal("cardFullPerUser")
        self.cards[number] = card

    def remove_cards(self, numbers: list[str] | None, employee_nos: list[str] | None) -> None:
        """Remove the cards that have one of `numbers` and an owner of `employee_nos`; None stands for any."""
        self.cards = {card.number: card for card in self.cards.values() if not card.is_of(numbers, employee_nos)}

    def face_at(self, index: int) -> Face | None:
        """The face whose picture file has this number."""
        return next((face for face in self.faces.values() if face.index == index), None)

    def start_removal(self, employee_nos: list[str] | None) -> None:
        """Begin to remove persons. `finish_due_removal` or `removal_status` ends it."""
        self.finish_removal()
        self.deletion = Deletion(employee_nos, self.clock.now() + DELETION_SECONDS, self.deletion_polls)

    def finish_due_removal(self) -> None:
        """Finish the removal if its time is over."""
        if self.deletion is not None and self.clock.now() >= self.deletion.until:
            self.finish_removal()

    def removal_status(self) -> str:
        """The status of the removal as one request for it is answered: processing, success or failed."""
        if self.deletion is None:
            return "success"
        if self.deletion.polls_left > 0:
            self.deletion.polls_left -= 1
            return "processing"
        return self.finish_removal()

    def finish_removal(self) -> str:
        """Remove the persons now, unless the removal is to fail; return success or failed."""
        deletion, self.deletion = self.deletion, None
        if deletion is not None and deletion.failed:
            return "failed"
        if deletion is not None:
            self.remove(deletion.numbers)
        return "success"
