"""Reads the whole list of a terminal page by page, in many short conversations.

Each page is kept at once, so a killed worker or a terminal that does not answer loses nothing. Between two
conversations the list may change: each page but the first begins with the last person of the page before. When that
person is not there, or the total has changed, the list is read again from its beginning.
"""

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, Update, and_, exists, insert, or_, select, update

from hikflask.extensions import db
from hikflask.isapi import faces, persons
from hikflask.isapi.errors import NoAnswer, Nonsense, NotSupported, TerminalError
from hikflask.isapi.paging import PAGE, Page
from hikflask.isapi.persons import TerminalPerson
from hikflask.models import Comparison, Employee, Enrolment, Job, PersonThere
from hikflask.models.columns import database_now
from hikflask.models.comparison import FACES, FAILED, MISSING, PEOPLE, PICTURES, READING, VERDICTS
from hikflask.models.enrolment import CONFIRMED, PRESENT
from hikflask.models.refusal import Refusal
from hikflask.services.comparisons import differences, queries, retention
from hikflask.services.comparisons.pages import LIST_FAILURES, ComparisonFailed, ListChanged, ListProgress, follow
from hikflask.services.comparisons.validity_there import words_of
from hikflask.services.core.db import changed_rows, end_read, transaction, transactional
from hikflask.services.core.errors import LeaseLost, LoginStopped, TerminalRetired
from hikflask.services.core.progress import Progress
from hikflask.services.photos import storage
from hikflask.services.terminals import checks, connection, leases
from hikflask.services.terminals.connection import Conversation, usable_answer

COMPARE = "compare"
# A capture gets the terminal between two slices.
SLICE_SECONDS = 0.5
# Others check more often than this whether the terminal is free.
BREAK_SECONDS = 2 * leases.POLL_SECONDS
MAX_RESTARTS = 5
# Nobody reads it any more.
ABANDONED_SECONDS = 600.0
PICTURES_AT_ONCE = 30


@transactional
def start(terminal_id: int, by: str) -> Comparison:
    """Begin a comparison of a terminal, or return the one that is being read. Nothing is asked yet.

    :param by: who wants it: the operator, or NIGHTLY.
    :raises terminal_unknown: when there is no such terminal. :raises TerminalRetired: when it is out of service.
    """
    terminal = connection.get_terminal(terminal_id)
    if terminal.retired_at is not None:
        raise TerminalRetired(t=terminal.name)
    retention.end_abandoned(Comparison.terminal_id == terminal_id, seconds=ABANDONED_SECONDS)
    running = queries.reading(terminal_id)
    if running:
        return running
    begun = Comparison(terminal_id=terminal_id, requested_by=by[:128], search_id=persons.new_search())
    db.session.add(begun)
    db.session.flush()
    return begun


def read_to_end(terminal_id: int, holder: str, seconds: float) -> Comparison:
    """Compare a terminal now, in the caller's thread, within so many seconds; return the finished comparison.

    :raises NoAnswer: when the time is over; what was read stays, and the next call goes on.
    :raises TerminalError: :raises ServiceError: as read_slice() and start().
    """
    give_up = time.monotonic() + seconds
    comparison_id = start(terminal_id, holder).id
    while True:
        slice_seconds = max(0.0, min(SLICE_SECONDS, give_up - time.monotonic()))
        with suppress(LeaseLost):  # A person has the terminal now.
            if not read_slice(comparison_id, holder, slice_seconds, current_app.config["LEASE_WAIT"]):
                return queries.get_comparison(comparison_id)
        if time.monotonic() >= give_up:
            raise NoAnswer(message="the comparison takes too long")
        end_read()
        time.sleep(BREAK_SECONDS)


def read_slice(comparison_id: int, holder: str, seconds: float = SLICE_SECONDS, wait: float = 0.0) -> bool:
    """Read on in one conversation of about so many seconds. True: more is left; False: the comparison is done.

    :param wait: how long to wait for the current holder of the terminal, in seconds.
    :raises TerminalError: when the terminal refuses or does not answer; it is read on later from where it was.
    :raises TerminalInUse: :raises LeaseLost: :raises LoginStopped: as connection.converse(); it is read on later, too.
    :raises ComparisonFailed: when the list cannot be read for certain; the comparison has failed, nothing is concluded.
    :raises comparison_unknown: when there is no such comparison.
    """
    comparison = queries.get_comparison(comparison_id)
    terminal_id = comparison.terminal_id
    if comparison.state == FAILED:
        raise ComparisonFailed(comparison.refusal_code if comparison.refusal_code in LIST_FAILURES else "")
    if comparison.state == READING and comparison.step != VERDICTS and _read(comparison, holder, seconds, wait):
        return True
    differences.conclude(comparison_id)
    retention.forget_of_terminal(terminal_id)
    return False


def _read(comparison: Comparison, holder: str, seconds: float, wait: float) -> bool:
    """Read for so many seconds; True when something is left to read."""
    comparison_id, terminal_id = comparison.id, comparison.terminal_id
    try:
        with connection.converse(terminal_id, holder, COMPARE, wait=wait, yields=True) as conversation:
            reading = Reading(conversation, comparison_id)
            until = time.monotonic() + seconds
            while reading.step():
                if time.monotonic() >= until:
                    return True
            return False
    except Nonsense as error:
        _fail(comparison_id, terminal_id, "list_incomplete")
        raise ComparisonFailed("list_incomplete") from error
    except (ComparisonFailed, LoginStopped) as error:
        _fail(comparison_id, terminal_id, error.code)
        raise
    except TerminalError as error:
        if not error.retryable:
            _fail(comparison_id, terminal_id, error.code)
        raise


def _fail(comparison_id: int, terminal_id: int, code: str) -> None:
    """End a comparison without any conclusion, and forget the people that it read."""
    unended = update(Comparison).where(Comparison.id == comparison_id, Comparison.state == READING)
    with transaction():
        changed_rows(unended.values(state=FAILED, refusal=Refusal(code=code, params={}), ended_at=database_now()))
    retention.forget_of_terminal(terminal_id)


class Reading:
    """What is read of a comparison within one conversation. Each step is one request, and is kept at once.

    Before a list is read anew, some of what was read of it before is forgotten in each step.
    """

    def __init__(self, conversation: Conversation, comparison_id: int) -> None:
        self._talk = conversation
        self._row = queries.get_comparison(comparison_id)
        self._pictures: list[PersonThere] = []

    def step(self) -> bool:
        """Read a page or a picture, or forget some of an earlier reading; False when everything is read.

        :raises ComparisonFailed: when the list cannot be read for certain.
        """
        if self._row.state != READING or self._row.step == VERDICTS:
            return False  # Another caller read the rest while this one waited for the terminal.
        if self._row.read_at is None:
            checks.recognise(self._talk)
            self._write(serial=self._talk.terminal.serial)
        read = {
            PEOPLE: self._read_people,
            MISSING: self._read_missing,
            FACES: self._read_faces,
            PICTURES: self._read_picture,
        }
        try:
            read[self._row.step]()
        except ListChanged as changed:
            self._begin_again(changed.failure)
        return self._row.step != VERDICTS

    def _read_people(self) -> None:
        row = self._row
        if not row.read and self._first():
            # Forget some of those who were read before the list was begun anew.
            with self._writing():
                retention.forget_rows(PersonThere, self._here)
            return
        before = ListProgress(row.read, self._first(), row.last_number, row.people, self._talk.terminal.people_capacity)
        people, page = persons.list_page(self._talk, row.search_id, before.position)
        place = follow(before, page)
        self._refuse_repeated(place.numbers, self._here)
        count = usable_answer(lambda: persons.count(self._talk)) if place.is_last else None
        is_whole = count is not None and count.people == place.read
        if place.is_last and not is_whole and not place.numbers:
            if count is not None and count.people > place.read:
                # Somebody was added just now, or the list tells a wrong total.
                raise ListChanged("list_incomplete")
            is_whole = self._is_past_the_end(place, lambda at: persons.list_page(self._talk, row.search_id, at)[1])
        total = place.read if is_whole else place.total
        with self._writing(read=place.read, last_number=place.last, people=total):
            self._keep(people[before.overlap :])
        if is_whole:
            self._end_people()
        elif place.is_last and not place.numbers:
            # The terminal counts fewer people than its list has, or does not count.
            self._write(step=MISSING, last_number="", people=None)

    def _is_past_the_end(self, place: ListProgress, ask: Callable[[int], Page]) -> bool:
        """True when a page that added nothing is followed by an empty one: the list is whole, though no count says so.

        What a terminal says on a page is not believed: some call each page the last one, and its length the whole list.
        """
        # An empty list has no further page to ask for.
        page = usable_answer(lambda: ask(place.read)) if place.read else None
        return not place.read or (page is not None and page.is_past_the_end)

    def _refuse_repeated(self, numbers: tuple[str, ...], *listed: ColumnElement[bool]) -> None:
        """Make sure that no number comes twice in a list.

        :raises ListChanged: when one does: rows moved while they were read, or the terminal repeats pages.
        """
        again = select(PersonThere.id).where(*listed, PersonThere.number.in_(numbers)).limit(1)
        if numbers and db.session.execute(again).first():
            raise ListChanged("list_incomplete")

    def _end_people(self) -> None:
        """Go on with the faces where the list of people does not tell them, else with the pictures."""
        untold = select(PersonThere.id).where(self._here, PersonThere.faces.is_(None)).limit(1)
        self._write(step=FACES if db.session.execute(untold).first() else PICTURES)

    def _keep(self, people: Collection[TerminalPerson]) -> None:
        rows = [
            {
                "comparison_id": self._row.id,
                "number": person.number,
                "name": person.name[: queries.MAX_VALUE_LENGTH],
                "faces": person.faces,
                "face_url": _short(person.face_url),
                "valid_there": words_of(person.valid),
                "cards": person.cards,
                "fingerprints": person.fingerprints,
            }
            for person in people
        ]
        if rows:
            db.session.execute(insert(PersonThere), rows)

    def _read_missing(self) -> None:
        """Ask by their numbers for some who should be there, and are missing in a list that no count confirms.

        People who are there after all are compared as if the list had shown them. Numbers that were confirmed since the
        reading began are not asked for.

        :raises list_incomplete: when the terminal ignores the numbers, so nothing tells whether people are missing.
        """
        listed = select(PersonThere.id).where(self._here, PersonThere.number == Enrolment.number)
        confirmed_at = Enrolment.confirmed_at
        newer = and_(Enrolment.person == CONFIRMED, confirmed_at.is_not(None), confirmed_at >= self._row.started_at)
        desired = (Enrolment.terminal_id == self._row.terminal_id, Enrolment.desired == PRESENT)
        missing = select(Enrolment.number).where(*desired, ~newer, ~listed.exists())
        next_ones = missing.where(Enrolment.number > self._row.last_number).order_by(Enrolment.number).limit(PAGE)
        numbers = list(db.session.execute(next_ones).scalars())
        if not numbers:
            self._end_people()
            return
        people = usable_answer(lambda: persons.find_several(self._talk, numbers))
        if people is None:
            raise ComparisonFailed("list_incomplete")
        with self._writing(last_number=numbers[-1]):
            self._keep(people.values())

    def _read_faces(self) -> None:
        """Read a page of the faces, where the list of people does not tell them."""
        capacity = self._talk.terminal.face_capacity
        before = ListProgress(self._row.faces_read, self._row.first_face, self._row.last_face, None, capacity)
        try:
            listed, page = faces.list_page(self._talk, before.position)
        except NotSupported:
            self._write(step=PICTURES)  # Who has a face stays unknown.
            return
        place = follow(before, page)
        self._refuse_repeated(place.numbers, self._here, PersonThere.faces == 1)
        count = usable_answer(lambda: persons.count(self._talk)) if place.is_last else None
        is_whole = count is not None and count.faces == place.read
        is_read = is_whole or (place.is_last and not place.numbers)
        if is_read and not is_whole:
            is_whole = self._is_past_the_end(place, lambda at: faces.list_page(self._talk, at)[1])
        step = PICTURES if is_read else FACES
        with self._writing(faces_read=place.read, first_face=place.first, last_face=place.last, step=step):
            for number, face in listed[before.overlap :]:
                changed_rows(self._people(PersonThere.number == number).values(faces=1, face_url=_short(face.face_url)))
            if is_whole:
                changed_rows(self._people(PersonThere.faces.is_(None)).values(faces=0))

    def _read_picture(self) -> None:
        """Read the next picture of somebody who has a face here.

        In the end make sure that the device is still the one whose list was read. Then everything is read.

        :raises another_device: when it is not.
        """
        self._pictures = self._pictures or self._next_pictures()
        if self._pictures:
            person = self._pictures.pop(0)
            picture = usable_answer(lambda: faces.fetch_picture(self._talk, person.face_url or ""))
            sha256 = storage.sha256(picture) if picture is not None else ""
            with self._writing():
                changed_rows(self._people(PersonThere.id == person.id).values(face_sha256=sha256))
            return
        checks.recognise(self._talk)
        if self._talk.terminal.serial != self._row.serial:
            raise ComparisonFailed("another_device")
        self._write(step=VERDICTS)

    def _next_pictures(self) -> list[PersonThere]:
        desired = exists().where(
            Enrolment.terminal_id == self._row.terminal_id,
            Enrolment.number == PersonThere.number,
            Enrolment.desired == PRESENT,
            Enrolment.photo_id.is_not(None),
        )
        # A person who is taken over may have another face here.
        has_photo = exists().where(Employee.number == PersonThere.number, Employee.photo_id.is_not(None))
        unread = (PersonThere.face_url.is_not(None), PersonThere.face_sha256.is_(None))
        statement = select(PersonThere).where(self._here, *unread, or_(desired, has_photo))
        return list(db.session.execute(statement.order_by(PersonThere.id).limit(PICTURES_AT_ONCE)).scalars())

    @property
    def _here(self) -> ColumnElement[bool]:
        return PersonThere.comparison_id == self._row.id

    def _people(self, which: ColumnElement[bool]) -> Update:
        return update(PersonThere).where(self._here, which)

    def _first(self) -> str:
        first = select(PersonThere.number).where(self._here).order_by(PersonThere.id).limit(1)
        return db.session.execute(first).scalar() or ""

    def _begin_again(self, failure: str) -> None:
        """Read the list again from its beginning. The steps that follow first forget the people that were read.

        :raises ComparisonFailed: when that was done often enough.
        """
        if self._row.restarts >= MAX_RESTARTS:
            raise ComparisonFailed(failure)
        self._pictures = []
        anew = {"read": 0, "last_number": "", "people": None, "faces_read": 0, "first_face": "", "last_face": ""}
        self._write(**anew, step=PEOPLE, search_id=persons.new_search(), restarts=Comparison.restarts + 1)

    def _write(self, **values: Any) -> None:
        with self._writing(**values):
            pass

    @contextmanager
    def _writing(self, **values: Any) -> Iterator[None]:
        """Open a transaction that writes how far the reading is, with what it read. Only the lease's holder commits.

        :raises LeaseLost: when another holder took the lease.
        :raises comparison_replaced: when the comparison has ended, or somebody else read on.
        """
        row = self._row
        at_same_place = (
            Comparison.id == row.id,
            Comparison.state == READING,
            Comparison.step == row.step,
            Comparison.restarts == row.restarts,
            Comparison.read == row.read,
            Comparison.faces_read == row.faces_read,
        )
        with self._talk.lease.write():
            changed = update(Comparison).where(*at_same_place).values(read_at=database_now(), **values)
            if changed_rows(changed) != 1:
                raise ComparisonFailed("comparison_replaced")
            yield
        self._row = queries.get_comparison(row.id)


def _short(face_url: str | None) -> str | None:
    """Return the URL of a picture, or None when it is too long to be read."""
    return face_url if face_url and len(face_url) <= faces.MAX_URL_LENGTH else None


def compare(job: Job, progress: Progress) -> bool:
    """Read on for a job. True: more is left."""
    comparison_id = job.params["comparison"]
    has_more = read_slice(comparison_id, job.requested_by)
    comparison = queries.get_comparison(comparison_id)
    progress.report(comparison.read, comparison.people or comparison.read)
    return has_more
