"""The time that a terminal shows: its own clock, which may be fast or slow, in its own zone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone

from hikflask.simulator.errors import Refusal

_ZONE = re.compile(r"[A-Z]{3,4}([+-])(\d{1,2}):(\d{2}):(\d{2})(DST.*)?", re.ASCII)


def _real_time() -> datetime:
    return datetime.now(UTC)


def _machines_zone() -> str:
    offset = datetime.now().astimezone().utcoffset() or timedelta()
    sign, minutes = "-" if offset >= timedelta() else "+", abs(offset) // timedelta(minutes=1)
    return f"CST{sign}{minutes // 60}:{minutes % 60:02}:00"


@dataclass
class WallClock:
    """A clock that is `drift` ahead of the real time, at first in the zone of the machine that it runs on.

    In the POSIX zone the sign is the other way round.
    """

    drift: timedelta = timedelta()
    zone: str = field(default_factory=_machines_zone)
    mode: str = "manual"
    real_time: Callable[[], datetime] = field(default=_real_time, repr=False)

    def shown(self) -> str:
        """The local time with its offset, to the second."""
        return (self.real_time() + self.drift).astimezone(_offset(self.zone)).isoformat(timespec="seconds")

    def fields(self) -> dict[str, str]:
        """What the terminal tells, in the order of its reply."""
        return {"timeMode": self.mode, "localTime": self.shown(), "timeZone": self.zone}

    def set(self, fields: Mapping[str, object]) -> None:
        """Take what is given. The offset in the local time counts, else the zone's. Raises Refusal."""
        mode, zone = str(fields.get("timeMode", self.mode)), str(fields.get("timeZone", self.zone))
        if mode not in {"manual", "NTP"} or not _ZONE.fullmatch(zone):
            raise Refusal("badParameters", "timeMode" if _ZONE.fullmatch(zone) else "timeZone")
        self.mode, self.zone = mode, zone
        if mode == "NTP":
            self.drift = timedelta()
        elif "localTime" in fields:
            self.drift = _moment(str(fields["localTime"]), zone) - self.real_time()


def _moment(text: str, zone: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal("badParameters", "localTime") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=_offset(zone))


def _offset(zone: str) -> timezone:
    found = _ZONE.fullmatch(zone)
    if found is None:
        raise Refusal("badParameters", "timeZone")
    sign, hours, minutes, seconds = found.group(1, 2, 3, 4)
    behind = timedelta(hours=int(hours), minutes=int(minutes), seconds=int(seconds))
    return timezone(behind if sign == "-" else -behind)
