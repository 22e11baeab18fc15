"""What is remembered of a terminal's log from one reading to the next: EventLog.state, which is JSON."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime
from typing import Any, NamedTuple, Self

from hikflask.isapi.events import EventRecord
from hikflask.services.passages.interpretation import moment_of
from hikflask.services.passages.store import LOCAL_TIME_LENGTH


class RecordTime(NamedTuple):
    """The time of a record: the moment, and the local time as it is written, without its offset."""

    at: datetime
    local: str

    @classmethod
    def of(cls, record: EventRecord) -> Self:
        """Return the time of a record."""
        return cls(moment_of(record), record.time[:LOCAL_TIME_LENGTH])

    def is_of(self, record: EventRecord) -> bool:
        """True when a record has this time. Some firmware writes another offset after its zone was set."""
        at, local = self.of(record)
        return self.at == at or self.local == local


@dataclass(frozen=True)
class Look:
    """How far the whole log was looked through, one code after the other.

    `code` is the place of the current one among them, and `at` the position from which its pages are read on, None
    before the first. `turned`: the terminal tells the newest first. `missing` are the numbers that are looked for, None
    for all, and `gaps` the spans that are not whole without them.
    """

    code: int = 0
    at: int | None = None
    turned: bool | None = None
    missing: tuple[int, ...] | None = None
    gaps: tuple[tuple[datetime, datetime], ...] = ()


@dataclass(frozen=True)
class Today:
    """A day, as this zone has it, with how many new events were stored then, and how many of the past."""

    day: date
    new: int = 0
    old: int = 0


@dataclass(frozen=True)
class LogState:
    """What was found out about a log. What is None is not in the JSON.

    Its first reading: `begun` is when that was, `ahead` by how much the clock was ahead then, `since` a moment after
    which all its records were made, `lost` why the log before this one ended, and `empty` when nothing was in it.
    Its end: `anchor` is the time of the anchor, `looked_at` when it was looked whether numbers began again at 1,
    `overlap_at` when an hour was read again. Its past: `oldest` is the time of the record at `older_than`,
    `covered_from` where the coverage of the first log begins, `begins` why nothing older than its first record is here,
    `look` where a look through the whole log is.

    `whole`: the terminal is asked for all of its records, so that a number that is missing tells something. `tried` is
    the last of the minors that was tried, `tried_at` when all were, `unsure`: the terminal counts more events since
    `complete_to` than it tells. `halted`: reading has stopped for the day `today`, since too much was recorded.
    `marked`: its local times are marked as UTC.
    """

    begun: datetime | None = None
    ahead: int | None = None
    since: datetime | None = None
    lost: str | None = None
    empty: datetime | None = None
    anchor: RecordTime | None = None
    looked_at: datetime | None = None
    overlap_at: datetime | None = None
    oldest: RecordTime | None = None
    covered_from: datetime | None = None
    begins: str | None = None
    look: Look | None = None
    whole: bool | None = None
    tried: int | None = None
    tried_at: datetime | None = None
    unsure: bool | None = None
    halted: bool | None = None
    today: Today | None = None
    marked: bool | None = None

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Self:
        """Return what is stored of a log."""
        return cls(**_fields(cls, stored))

    def written(self) -> dict[str, Any]:
        """Return it as it is stored."""
        written: dict[str, Any] = _json(self)
        return written


# Where the JSON has another name.
_KEYS = {"covered_from": "from", "look": "pass"}
_TIMES = ("begun", "since", "empty", "looked_at", "overlap_at", "covered_from", "tried_at")


# How that is read which JSON has no type for.
_READ: Mapping[str, Callable[[Any], object]] = {
    **dict.fromkeys(_TIMES, datetime.fromisoformat),
    "day": date.fromisoformat,
    **dict.fromkeys(("anchor", "oldest"), lambda stored: RecordTime(datetime.fromisoformat(stored[0]), stored[1])),
    "look": lambda stored: Look(**_fields(Look, stored)),
    "missing": tuple,
    "gaps": lambda stored: tuple(tuple(map(datetime.fromisoformat, gap)) for gap in stored),
    "today": lambda stored: Today(**_fields(Today, stored)),
}


def _fields(of: type[LogState | Look | Today], stored: Mapping[str, Any]) -> dict[str, Any]:
    named = {field.name: stored.get(_KEYS.get(field.name, field.name)) for field in fields(of)}
    return {name: _READ[name](one) if name in _READ else one for name, one in named.items() if one is not None}


def _json(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_json(one) for one in value]
    if is_dataclass(value):
        return {_KEYS.get(name, name): _json(one) for name, one in vars(value).items() if one is not None}
    return value
