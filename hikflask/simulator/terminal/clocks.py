"""The clocks of a simulated terminal: the one that it waits by, and the one that it shows."""

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone

from hikflask.simulator.errors import Refusal
from hikflask.simulator.profiles import ClockMark, ClockTakes


class Clock:
    """Real time: seconds that only go forward, and a way to wait."""

    def now(self) -> float:
        """Seconds since some fixed moment."""
        return time.monotonic()

    def wait(self, condition: threading.Condition, seconds: float) -> None:
        """Wait `seconds`, or less when `condition` is notified. The caller holds the condition."""
        condition.wait(seconds)


class SkippingClock(Clock):
    """A wait returns at once and moves the time forward: for tests in one thread."""

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        return self._now

    def wait(self, condition: threading.Condition, seconds: float) -> None:  # noqa: ARG002
        self._now += seconds

    def advance(self, seconds: float) -> None:
        """Move the time forward."""
        self._now += seconds


_MARK = re.compile(r"(Z|[+-]\d\d:\d\d)\Z")
_ZONE = re.compile(r"[A-Z]{3,4}([+-])(\d{1,2}):(\d{2}):(\d{2})(DST.*)?", re.ASCII)


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
    real_time: Callable[[], datetime] = field(default=lambda: datetime.now(UTC), repr=False)
    summer: bool = False
    """It is summer, which counts an hour more where the zone has summer time. Its rules are not looked at."""
    at_restart: "WallClock | None" = None
    """What was set and takes effect at the next restart."""

    def now(self) -> datetime:
        """The time that the clock shows, in its own zone."""
        return (self.real_time() + self.drift).astimezone(_offset(self.zone, summer=self.summer))

    def shown(self, mark: ClockMark = "offset") -> str:
        """The local time to the second, with what the profile puts behind it."""
        text = self.now().isoformat(timespec="seconds")
        return text if mark == "offset" else _MARK.sub("Z" if mark == "z" else "", text)

    def fields(self, mark: ClockMark = "offset", *, by_utc: bool = False) -> dict[str, str]:
        """What the terminal tells, in the order of its reply."""
        # By UTC the zone is shown without its summer time, as GMT+05:00.
        zone = f"GMT{str(_offset(self.zone)).removeprefix('UTC') or '+00:00'}" if by_utc else self.zone
        return {"timeMode": self.mode, "localTime": self.shown(mark), "timeZone": zone}

    def refuse_other_form(self, fields: Mapping[str, object], takes: ClockTakes) -> None:
        """Raise Refusal when the local time has an offset and must have none, or the other way round."""
        has_offset = _MARK.search(str(fields.get("localTime", ""))) is not None
        if "localTime" in fields and takes != "either" and has_offset is not (takes == "offset"):
            raise Refusal("badParameters", "localTime")

    def set_at_restart(self, fields: Mapping[str, object]) -> None:
        """Take what is given at the next restart. :raises Refusal:"""
        self.at_restart = replace(self, at_restart=None)
        self.at_restart.set(fields)

    def advance(self, minutes: int) -> None:
        """Make the clock faster, or slower with negative `minutes`."""
        self.drift += timedelta(minutes=minutes)

    def forget(self) -> None:
        """Begin again in 1970, as after a reset or with an empty battery; the zone stays."""
        self.drift = datetime(1970, 1, 1, tzinfo=_offset(self.zone)) - self.real_time()

    def restart(self) -> None:
        """Apply the time, zone and mode that were set for the next restart."""
        if self.at_restart:
            self.drift, self.zone, self.mode = self.at_restart.drift, self.at_restart.zone, self.at_restart.mode
            self.at_restart = None

    def set(self, fields: Mapping[str, object]) -> None:
        """Take what is given. The offset in the local time counts, else the zone's. :raises Refusal:"""
        mode, zone = str(fields.get("timeMode", self.mode)), str(fields.get("timeZone", self.zone))
        if mode not in {"manual", "NTP"} or not _ZONE.fullmatch(zone):
            raise Refusal("badParameters", "timeMode" if _ZONE.fullmatch(zone) else "timeZone")
        self.mode, self.zone = mode, zone
        if mode == "NTP":
            self.drift = timedelta()
        elif "localTime" in fields:
            try:
                moment = datetime.fromisoformat(str(fields["localTime"]))
            except ValueError:
                raise Refusal("badParameters", "localTime") from None
            self.drift = (moment if moment.tzinfo else moment.replace(tzinfo=_offset(zone))) - self.real_time()


def _offset(zone: str, *, summer: bool = False) -> timezone:
    match = _ZONE.fullmatch(zone)
    if match is None:
        raise Refusal("badParameters", "timeZone")
    sign, hours, minutes, seconds = match.group(1, 2, 3, 4)
    behind = timedelta(hours=int(hours), minutes=int(minutes), seconds=int(seconds))
    ahead = timedelta(hours=1) if summer and match.group(5) else timedelta()
    return timezone((behind if sign == "-" else -behind) + ahead)
