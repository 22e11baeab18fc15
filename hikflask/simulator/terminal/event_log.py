"""The log of events in the terminal: a ring of records that overwrites the oldest, and the searches in it."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import PurePosixPath

from hikflask.simulator.event_traps import EventTraps

CAPACITY = 300_000
KEPT_SEARCHES = 10
ALARM, TROUBLE, OPERATION, INFORMATION, EVENT = 1, 2, 3, 4, 5
"""The majors."""
Row = dict[str, object]


@dataclass(frozen=True)
class Record:
    """One record. `at` is what the terminal's clock showed, in its offset of then and in whole seconds."""

    serial_no: int
    at: datetime
    major: int
    minor: int
    number: str = ""
    name: str = ""
    fields: Mapping[str, object] = field(default_factory=dict)
    """More fields of the row, or others than usual, such as cardNo."""
    picture_path: str = ""
    """Path of the picture with its counter; empty: none was kept."""
    picture: bytes | None = field(default=None, repr=False)
    """The face in the picture."""

    @property
    def time(self) -> str:
        """The time as it is written in the record."""
        return self.at.isoformat(timespec="seconds")


@dataclass(frozen=True)
class Condition:
    """What a search looks for. Major and minor 0 and None stand for any; both ends of a window belong to it."""

    major: int = 0
    minor: int = 0
    serials: tuple[int, int] | None = None
    times: tuple[datetime | None, datetime | None] = (None, None)
    number: str | None = None
    name: str | None = None
    card: str | None = None
    newest_first: bool = False
    finds_nothing: bool = False
    """The window is written so that the firmware finds nothing in it."""

    def matches(self, record: Record) -> bool:
        begin, end = self.times
        return (
            self.major in (0, record.major)
            and self.minor in (0, record.minor)
            and (begin is None or record.at >= begin)
            and (end is None or record.at <= end)
            and self.number in (None, record.number)
            and self.name in (None, record.name)
            and self.card in (None, record.fields.get("cardNo"))
        )


class EventLog:
    """The records of one terminal. Its methods take the terminal's lock.

    `now` tells the time of the terminal's own clock, with its offset.
    """

    def __init__(self, now: Callable[[], datetime], lock: threading.Condition, traps: EventTraps) -> None:
        self.traps = traps
        self.capacity = CAPACITY
        self.next_serial = 1
        self.overwritten: list[Record] = []
        """The records that were lost, oldest first: they were overwritten, or erased by `reset`."""
        self.listeners: list[Callable[[Record], object]] = []
        """Called with every record that is written."""
        self._now = now
        self._lock = lock
        self._records: list[Record] = []
        self._pictures: dict[PurePosixPath, bytes] = {}
        self._searches: OrderedDict[str, list[Record]] = OrderedDict()

    @property
    def records(self) -> list[Record]:
        """What is in the ring, in the order in which it was written."""
        with self._lock:
            return list(self._records)

    def set_traps(self, **changes: object) -> None:
        """Set traps by their names, such as `page_limit=10`."""
        self.traps = replace(self.traps, **changes)  # type: ignore[arg-type]

    def add(
        self,
        major: int,
        minor: int,
        number: str = "",
        name: str = "",
        at: datetime | None = None,
        picture: bytes | None = None,
        **fields: object,
    ) -> Record | None:
        """Write a record and return it; None when the terminal keeps none of this major.

        `at` is a moment with its zone that the terminal's clock showed, by default what it shows now. `picture` is the
        face that the camera saw. `fields` are more fields of the record by their names on the wire.
        """
        if major not in self.traps.majors:
            return None
        with self._lock:
            now = self._now()
            moment = (at.astimezone(now.tzinfo) if at else now).replace(microsecond=0)
            serial = self.next_serial
            path = self._picture_path(moment, minor, serial) if picture else ""
            record = Record(serial, moment, major, minor, number, name, fields, path, picture)
            self.next_serial = serial + 1 if serial < self.traps.max_serial else 1
            self._records.append(record)
            if picture:
                self._pictures[_file(path)] = picture
            self._drop_excess()
            for listener in self.listeners:
                listener(record)
            return record

    def set_ring(self, capacity: int) -> None:
        """Keep at most so many records; older ones are overwritten."""
        with self._lock:
            self.capacity = capacity
            self._drop_excess()

    def reset(self) -> None:
        """Erase the log and begin anew with serial number 1, as a reset to the defaults does."""
        with self._lock:
            self._lose(len(self._records))
            self.next_serial = 1
            self._searches.clear()

    def picture(self, path: str) -> bytes | None:
        """The face in the picture at a path; None when it is gone with its record, or never was."""
        return self._pictures.get(_file(path))

    def search(self, search_id: str, position: int, condition: Condition) -> list[Record]:
        """All hits in the order of their times. A page beyond the first is cut from what the first one found."""
        with self._lock:
            hits = self._searches.get(search_id) if position and self.traps.keeps_searches else None
            if hits is None:
                hits = self.find(condition)
            self._searches[search_id] = hits
            self._searches.move_to_end(search_id)
            if len(self._searches) > KEPT_SEARCHES:
                self._searches.popitem(last=False)
            return hits

    def find(self, condition: Condition) -> list[Record]:
        """All hits in the order of their times, and of their serial numbers within a second."""
        if condition.finds_nothing:
            return []
        with self._lock:
            hits = [record for record in self._within(condition.serials) if condition.matches(record)]
        return sorted(hits, key=lambda record: (record.at, record.serial_no), reverse=condition.newest_first)

    def _within(self, serials: tuple[int, int] | None) -> Iterable[Record]:
        records = self._records
        if serials is None or not records:
            return records
        begin, end = serials
        first = records[0].serial_no
        if records[-1].serial_no - first == len(records) - 1:
            # In a large ring that did not begin again at 1, the window is found without looking at every record.
            return records[max(0, begin - first) : max(0, end - first + 1)]
        return [record for record in records if begin <= record.serial_no <= end]

    def _drop_excess(self) -> None:
        if len(self._records) > self.capacity:
            self._lose(len(self._records) - self.capacity)

    def _lose(self, count: int) -> None:
        lost = self._records[:count]
        del self._records[:count]
        self.overwritten += lost
        for record in lost:
            if record.picture_path:
                self._pictures.pop(_file(record.picture_path), None)

    def _picture_path(self, at: datetime, minor: int, serial: int) -> str:
        stem = f"/LOCALS/pic/acsLinkCap/{at:%Y%m}_00/{at:%d_%H%M%S}_3{minor:04}"
        index = 0
        while PurePosixPath(f"{stem}_{index}.jpeg") in self._pictures:
            index += 1
        return f"{stem}_{index}.jpeg@WEB{serial:012}"


def _file(path: str) -> PurePosixPath:
    return PurePosixPath(path.partition("@")[0])
