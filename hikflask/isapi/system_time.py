"""The clock of a terminal.

What the vendor allows: GET and PUT on /ISAPI/System/time (ISAPI guide, "Time management"). It is XML, on some terminals
JSON. The local time comes with its offset from UTC. In the zone, which POSIX writes, the sign is the other way round:
UTC+5 is CST-5:00:00. Some terminals write GMT+05:00, tell the local time without its offset or mark it as UTC, and
refuse an offset in the time that is set (two clients each).
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from hikflask.isapi.answer import Requester
from hikflask.isapi.codec import checked, confirmed, fields, is_json, to_json
from hikflask.isapi.errors import Nonsense, Refused

PATH = "/ISAPI/System/time"
JSON_PATH = f"{PATH}?format=json"
NAMES = ("timeMode", "localTime", "timeZone")
NTP, MANUAL = "NTP", "manual"
XML_TYPE, JSON_TYPE = "application/xml", "application/json"
SET = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<Time version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema">'
    "<timeMode>{mode}</timeMode><localTime>{local}</localTime><timeZone>{zone}</timeZone></Time>"
)
CLOCK = r"\d{1,2}(?::\d{1,2}){0,2}"
# The name of the zone, then the hours and perhaps minutes and seconds behind UTC; rules of summer time follow.
POSIX_ZONE = re.compile(rf"(?:<[^>]*>|[A-Z]+)([+-]?)({CLOCK})", re.IGNORECASE)
# Hours and perhaps minutes ahead of UTC. POSIX would write no other zone than UTC itself by these names.
UTC_ZONE = re.compile(r"(?:GMT|UTC)?([+-])(\d{1,2}(?::\d{2})?)(?![\d:])", re.IGNORECASE)
# No zone is further away, no summer time further ahead, and none is written longer than both with its rules.
MAX_OFFSET, MAX_AHEAD, MAX_ZONE_LENGTH = timedelta(hours=15), timedelta(hours=3), 255
# By how much the clock is ahead in summer, if that is not an hour, and the days when summer time begins and ends.
DAY = rf"M(1[0-2]|0?[1-9])\.([1-5])\.([0-6])(?:/({CLOCK}))?"
SUMMER_TIME = re.compile(rf"(?:DST({CLOCK})?|[A-Z]+|<[^>]*>),({DAY}),({DAY})", re.IGNORECASE)
HOUR, USUAL_CHANGE = "1:00", "2:00"


@dataclass(frozen=True)
class DeviceTime:
    """What a terminal's clock shows: the local time, its offset from UTC (None: not sent), zone and mode as sent.

    `mark` is the offset that the time was sent with, and `by_zone` the one that the zone has then (None: not sent).
    """

    local: datetime
    offset: timedelta | None
    zone: str
    mode: str
    in_json: bool = False
    mark: timedelta | None = None
    by_zone: timedelta | None = None

    @property
    def by_ntp(self) -> bool:
        """True when the terminal sets its clock by a server of the network."""
        return self.mode.strip().upper() == NTP

    def moment(self, offset: timedelta) -> datetime:
        """Return the moment that the clock shows. Args: offset is used when the terminal sends none."""
        return (self.local - (offset if self.offset is None else self.offset)).replace(tzinfo=UTC)


def read(client: Requester) -> DeviceTime:
    """Return what the clock shows. :raises TerminalError: :raises Nonsense: when there is no readable time."""
    answer = checked(client.request("GET", PATH))
    words = {name: word.strip() for name, word in fields(answer, "Time", NAMES).items()}
    zone = words["timeZone"] if len(words["timeZone"]) <= MAX_ZONE_LENGTH else ""
    try:
        shown = datetime.fromisoformat(words["localTime"])
        shown.astimezone(UTC)  # A year at the end of the calendar has no moment in every zone.
        local = shown.replace(tzinfo=None)
        by_zone = offset_at(local, zone)
    except (ValueError, OverflowError):
        raise Nonsense(message="no localTime", path=answer.path, http_status=answer.status) from None
    # A local time that is marked as UTC is of the zone all the same.
    mark = shown.utcoffset()
    offset = (mark or by_zone) if by_zone is not None else mark
    return DeviceTime(local, offset, zone, words["timeMode"], is_json(answer), mark, by_zone)


def set_to(client: Requester, moment: datetime, *, zone: str = "", in_json: bool = False) -> None:
    """Set clock and zone by hand, which ends a setting by NTP. This does not prove anything: call `read` afterwards.

    A terminal that refuses the offset in the local time gets the time without it, because the zone has it as well.

    Args: moment has its offset from UTC; zone is one that has it, with its summer time (default: the fixed offset);
    in_json is the form in which the terminal sends its time.
    :raises RestartRequired: when the time is set after a restart. :raises TerminalError: :raises ValueError: for a
    moment without an offset.
    """
    offset = moment.utcoffset()
    if offset is None:
        raise ValueError("the moment needs its offset from UTC")
    zone = zone or zone_of(offset)
    try:
        _set(client, moment, zone, in_json=in_json)
    except Refused as error:
        if type(error) is not Refused:
            raise
        _set(client, moment.replace(tzinfo=None), zone, in_json=in_json)


def _set(client: Requester, local: datetime, zone: str, *, in_json: bool) -> None:
    words = {"mode": MANUAL, "local": local.isoformat(timespec="seconds"), "zone": zone}
    if in_json:
        data = to_json({"Time": dict(zip(NAMES, words.values(), strict=True))})
        confirmed(client.request("PUT", JSON_PATH, data=data, content_type=JSON_TYPE))
    else:
        confirmed(client.request("PUT", PATH, data=SET.format(**words).encode(), content_type=XML_TYPE))


def offset_of(zone: str) -> timedelta | None:
    """Return the offset from UTC of a zone, written CST-5:00:00 or GMT+05:00, without its summer time; else None."""
    by_utc = UTC_ZONE.match(zone.strip())
    match = by_utc or POSIX_ZONE.match(zone.strip())
    if match is None:
        return None
    away = _duration(match[2])
    if away > MAX_OFFSET:
        return None
    return away if (match[1] == "-") is not bool(by_utc) else -away


def has_summer_time(zone: str) -> bool:
    """True when a zone has readable rules of summer time."""
    return offset_of(zone) is not None and SUMMER_TIME.search(zone) is not None


def offset_at(local: datetime, zone: str, *, is_standard: bool = False) -> timedelta | None:
    """Return the offset from UTC of a zone at a local time, with its summer time; None for a zone that is not readable.

    Args: is_standard tells that the local time is without summer time, also in summer.
    """
    offset, summer = offset_of(zone), SUMMER_TIME.search(zone)
    ahead = _duration((summer and summer[1]) or HOUR)
    if offset is None or summer is None or ahead > MAX_AHEAD:
        return offset
    begins, ends = (_change(local.year, *day) for day in (summer.group(3, 4, 5, 6), summer.group(8, 9, 10, 11)))
    if is_standard:
        ends -= ahead
    # In the south it is summer at the turn of the year.
    is_summer = begins <= local < ends if begins < ends else not ends <= local < begins
    return offset + ahead if is_summer else offset


def zone(text: str) -> tzinfo | None:
    """Return the zone that a terminal writes so, with its summer time; None when it is not readable."""
    standard = offset_of(text)
    return None if standard is None else _Zone(text, standard)


class _Zone(tzinfo):
    def __init__(self, text: str, standard: timedelta) -> None:
        self._text, self._standard = text, standard

    def utcoffset(self, moment: datetime | None) -> timedelta | None:
        """Return the offset from UTC at a local time; of an hour that comes twice, `fold` tells which one it is."""
        if moment is None:
            return self._standard
        return offset_at(moment.replace(tzinfo=None), self._text, is_standard=bool(moment.fold))

    def dst(self, moment: datetime | None) -> timedelta | None:
        """Return by how much the clock is ahead in summer."""
        return (self.utcoffset(moment) or timedelta()) - self._standard

    def tzname(self, moment: datetime | None) -> str:  # noqa: ARG002
        """Return the zone as it is written."""
        return self._text

    def fromutc(self, moment: datetime) -> datetime:
        """Return the local time of a moment in UTC, which has this zone."""
        standard = (moment + self._standard).replace(tzinfo=None)
        offset = offset_at(standard, self._text, is_standard=True) or timedelta()
        local = moment + offset
        return local if self.utcoffset(local) == offset else local.replace(fold=1)


def _change(year: int, month: str, week: str, weekday: str, time: str | None) -> datetime:
    """Return the local time of a change by a zone's rule. Week 5 is the last of the month, weekday 0 a Sunday."""
    first = datetime(year, int(month), 1)  # noqa: DTZ001 - local time
    day = first + timedelta(days=(int(weekday) - first.isoweekday()) % 7, weeks=int(week) - 1)
    if day.month != first.month:
        day -= timedelta(weeks=1)
    return day + _duration(time or USUAL_CHANGE)


def _duration(text: str) -> timedelta:
    hours, minutes, seconds = [*map(int, text.split(":")), 0, 0][:3]
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def zone_of(offset: timedelta) -> str:
    """Return a fixed offset from UTC as POSIX writes it."""
    sign = "-" if offset >= timedelta() else "+"
    minutes, seconds = divmod(abs(int(offset.total_seconds())), 60)
    hours, minutes = divmod(minutes, 60)
    return f"CST{sign}{hours}:{minutes:02}:{seconds:02}"
