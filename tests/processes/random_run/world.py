"""What a random run itself knows, whatever the program says: people, what was written of them, terminals, passages."""

import io
import itertools
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from PIL import Image, ImageDraw

from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.faces import NAMES, draw, encode
from tests.support.receivers import Receiver

# The mark in a picture: so many squares of so many pixels.
BITS, MARK = 16, 22
# How the name of everybody begins; the person's key follows.
NAME = "Иванов Иван"


@dataclass
class Write:
    """One try to give a fact a value. `ended` is infinite, and `taken` None, while nobody knows what came of it."""

    value: Any
    begun: float
    ended: float = float("inf")
    taken: bool | None = None
    deed: str = ""

    def __str__(self) -> str:
        return f"{self.deed} {self.value!r} {self.begun % 1000:.2f}–{self.ended % 1000:.2f} {self.taken}"


@dataclass
class Person:
    """Somebody whom the run has made: what was written about the person, and a face that nobody else has.

    `number` is the last one that was tried, and `numbers` are all of them.
    """

    key: int
    number: str
    face: bytes
    id: int = 0
    writes: dict[str, list[Write]] = field(default_factory=dict)
    numbers: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.numbers.add(self.number)

    def allowed(self, fact: str) -> set[Any]:
        """Return the values that a fact may have now: of each write that none was surely made after."""
        writes = [one for one in self.writes.get(fact, []) if one.taken is not False]
        last = max((one.begun for one in writes if one.taken), default=0.0)
        return {one.value for one in writes if one.ended >= last}

    def surely(self, fact: str, value: object) -> bool:
        """True when the fact has this value whatever order things happened in."""
        return self.allowed(fact) == {value}


@dataclass
class Erased:
    """Who was erased (None: a number alone), with which numbers, and since when."""

    person: Person | None
    numbers: set[str]
    begun: float


@dataclass
class World:
    """What is compared with the program's rows.

    `named`: the people and numbers in something that was sent, which may name them again after an erasure. `strangers`
    are numbers that other software wrote to a terminal, `limited` the ends of validity that it gave to somebody of
    ours: terminal, number, and the time. `begun`: terminal → the last record that was read before
    anything counted as new there; None once its log began anew. `seen`: how many alarms of a terminal somebody marked
    as seen, or may have. `followed` are the ids of events that a program has got, and `received` the messages.
    """

    people: list[Person] = field(default_factory=list)
    terminals: dict[int, Simulated] = field(default_factory=dict)
    erased: list[Erased] = field(default_factory=list)
    named: list[tuple[set[int], set[str], Write]] = field(default_factory=list)
    strangers: set[str] = field(default_factory=set)
    limited: set[tuple[int, str, str]] = field(default_factory=set)
    begun: dict[int, int | None] = field(default_factory=dict)
    followed: set[int] = field(default_factory=set)
    receiver: Receiver = field(default_factory=Receiver)
    problems: list[str] = field(default_factory=list)
    keys: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add_person(self, number: str, /, **facts: Any) -> Person:
        """Make somebody whom nobody has saved yet; `facts` are surely so."""
        key = next(self.keys)
        person = Person(key, number, face_of(key))
        now = time.monotonic()
        person.writes = {fact: [Write(value, now, now, taken=True)] for fact, value in facts.items()}
        with self.lock:
            self.people.append(person)
        return person

    def name(self, person: Person) -> str:
        """Return a name that nobody else has."""
        return f"{NAME} {person.key} {next(self.keys)}"

    def is_given_to_others(self, number: str, erased: Erased) -> bool:
        """True when somebody else ever had the number, and was not surely gone when the erasure began: it is theirs."""
        for person in self.people:
            numbers = [one.value for one in person.writes.get("number", []) if one.taken is not False]
            left = [one for one in person.writes.get("there", []) if one.taken and one.value is False]
            if person is not erased.person and number in numbers and all(one.ended > erased.begun for one in left):
                return True
        return False

    @contextmanager
    def naming(self, people: Iterable[Person] = (), numbers: Iterable[str] = ()) -> Iterator[None]:
        """Keep until when something is sent that names people. It never ends for us when the server is killed."""
        people, upload = list(people), Write(None, time.monotonic())
        self.named.append(({one.key for one in people}, {*numbers, *(one.number for one in people)}, upload))
        yield
        upload.ended = time.monotonic()

    def end_writes(self) -> None:
        """Nothing is on its way any more: whatever nobody knows the end of has ended by now."""
        now = time.monotonic()
        writes = [write for person in self.people for of_fact in person.writes.values() for write in of_fact]
        for write in (*writes, *(upload for _, _, upload in self.named)):
            write.ended = min(write.ended, now)

    def problem(self, what: str) -> None:
        """Keep what is broken, and say it."""
        if what not in self.problems:
            self.problems.append(what)
            print(f"BROKEN: {what}", flush=True)


def key_in(name: str) -> int | None:
    """Return the key of the person who has or had this name; None for anybody else's."""
    words = name.removeprefix(NAME).split()
    return int(words[0]) if name.startswith(NAME) and words and words[0].isdecimal() else None


def face_of(key: int) -> bytes:
    """Return a picture that nobody else has: the key stands at its foot in black and white, and survives a JPEG."""
    picture = Image.open(io.BytesIO(draw(NAMES[key % len(NAMES)]))).convert("RGB")
    pen, top = ImageDraw.Draw(picture), picture.height - MARK
    for place in range(BITS):
        colour = "white" if key >> place & 1 else "black"
        pen.rectangle((place * MARK, top, (place + 1) * MARK - 1, picture.height), fill=colour)
    return encode(picture)


def key_of(jpeg: bytes) -> int:
    """Return the key of the person whose face this is."""
    picture = Image.open(io.BytesIO(jpeg)).convert("L")
    row = picture.height - MARK // 2
    bits = (int(cast("int", picture.getpixel((place * MARK + MARK // 2, row))) > 127) << place for place in range(BITS))
    return sum(bits)
