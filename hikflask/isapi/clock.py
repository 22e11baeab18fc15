"""The clock of a terminal.

What the vendor allows: GET and PUT on /ISAPI/System/time (ISAPI guide, "Time management"). It is XML, on some terminals
JSON. The local time comes with its offset from UTC. In the zone, which POSIX writes, the sign is the other way round:
UTC+5 is CST-5:00:00.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hikflask.isapi.answer import Answer, Requester
from hikflask.isapi.codec import checked, confirmed, is_json, member, text, to_json, xml
from hikflask.isapi.errors import Nonsense

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
# The name of the zone, then the hours and perhaps minutes and seconds behind UTC; rules of summer time follow.
ZONE = re.compile(r"(?:<[^>]*>|[A-Za-z]+)([+-]?)(\d{1,2})(?::(\d{1,2}))?(?::(\d{1,2}))?")
LARGEST_OFFSET = timedelta(hours=15)


@dataclass(frozen=True)
class DeviceTime:
    """What a terminal's clock shows: the local time, its offset from UTC (None: not told), zone and mode as told."""

    local: datetime
    offset: timedelta | None
    zone: str
    mode: str
    in_json: bool = False

    @property
    def by_ntp(self) -> bool:
        """True when the terminal sets its clock by a server of the network."""
        return self.mode.strip().upper() == NTP

    def moment(self, offset: timedelta) -> datetime:
        """Return the moment that the clock shows.

        Args: offset is taken where the terminal tells none.
        """
        return (self.local - (offset if self.offset is None else self.offset)).replace(tzinfo=UTC)


def read(client: Requester) -> DeviceTime:
    """Return what the clock shows. Raises TerminalError; Nonsense when there is no readable time."""
    answer = checked(client.request("GET", PATH))
    words = _words(answer)
    try:
        shown = datetime.fromisoformat(words["localTime"])
        shown.astimezone(UTC)  # A year at the end of the calendar has no moment in every zone.
    except (ValueError, OverflowError):
        raise Nonsense(message="no localTime", path=answer.path, http_status=answer.status) from None
    offset = shown.utcoffset()
    zone = words["timeZone"]
    return DeviceTime(
        local=shown.replace(tzinfo=None),
        offset=offset_of(zone) if offset is None else offset,
        zone=zone,
        mode=words["timeMode"],
        in_json=is_json(answer),
    )


def _words(answer: Answer) -> dict[str, str]:
    if is_json(answer):
        told = member(answer, "Time")
        return {name: str(told.get(name) or "").strip() for name in NAMES}
    root = xml(answer, "Time")
    return {name: text(root, name) for name in NAMES}


def set_to(client: Requester, moment: datetime, *, in_json: bool = False) -> None:
    """Set clock and zone by hand, which ends a setting by NTP. This does not prove anything: call `read` afterwards.

    Args: moment has its offset from UTC, which becomes the zone; in_json is how the terminal told its time.
    Raises: TerminalError; ValueError for a moment without an offset.
    """
    offset = moment.utcoffset()
    if offset is None:
        raise ValueError("the moment needs its offset from UTC")
    words = {"mode": MANUAL, "local": moment.isoformat(timespec="seconds"), "zone": zone_of(offset)}
    if in_json:
        data = to_json({"Time": dict(zip(NAMES, words.values(), strict=True))})
        confirmed(client.request("PUT", JSON_PATH, data=data, content_type=JSON_TYPE))
    else:
        confirmed(client.request("PUT", PATH, data=SET.format(**words).encode(), content_type=XML_TYPE))


def offset_of(zone: str) -> timedelta | None:
    """Return the offset from UTC of a zone as POSIX writes it, without its summer time; None when it is none."""
    found = ZONE.match(zone.strip())
    if not found:
        return None
    sign, *parts = found.groups()
    hours, minutes, seconds = (int(part or 0) for part in parts)
    behind = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    if behind > LARGEST_OFFSET:
        return None
    return behind if sign == "-" else -behind


def zone_of(offset: timedelta) -> str:
    """Return a fixed offset from UTC as POSIX writes it."""
    sign = "-" if offset >= timedelta() else "+"
    minutes, seconds = divmod(abs(int(offset.total_seconds())), 60)
    hours, minutes = divmod(minutes, 60)
    return f"CST{sign}{hours}:{minutes:02}:{seconds:02}"
