"""A company's day at one terminal: who comes when, written at once with its times, or played at speed from a thread."""

import random
import threading
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal

from hikflask.simulator.terminal.terminal import Terminal

DAY_SECONDS = 300.0
"""So long lasts a day that is played."""
HOURS = 24
NIGHT_EVERY = 5
"""Each fifth person works at night."""
STRANGERS = ("09:20", "11:45", "15:30", "23:10")
EXPIRED, LIVENESS = 8, 104


@dataclass(frozen=True)
class Doing:
    """What happens at a time of the day: somebody shows a face (None: a stranger), or something happens at the door."""

    at: time
    kind: Literal["face", "exit button", "held open"] = "face"
    number: str | None = None
    minor: int = 75

    def do(self, terminal: Terminal, at: datetime | None = None) -> None:
        """Let it happen now, or have happened at a moment of the past."""
        if self.kind == "exit button":
            terminal.press_exit_button(at)
        elif self.kind == "held open":
            terminal.hold_door_open(at=at)
        else:
            terminal.pass_by(self.number, self.minor, at=at)


def doings(numbers: list[str], day: date) -> list[Doing]:
    """The day of these people in the order of its times; the same people and day have the same times."""
    planned = [doing for index, number in enumerate(numbers, start=1) for doing in _of_person(index, number, day)]
    planned += [Doing(time.fromisoformat(at)) for at in STRANGERS]
    planned += [Doing(time(15, 31), minor=LIVENESS), Doing(time(13, 5), "held open")]
    planned += [Doing(time(12, 40), "exit button"), Doing(time(18, 20), "exit button")]
    if numbers:
        planned += [Doing(time(9, 41, second), number=numbers[-1], minor=EXPIRED) for second in (0, 9)]
    return sorted(planned, key=lambda doing: doing.at)


def write_day(terminal: Terminal, day: date) -> None:
    """Write the day of the people on the terminal with its times, as far as it is over."""
    now = terminal.local_time()
    for doing in doings(list(terminal.people), day):
        at = datetime.combine(day, doing.at, now.tzinfo)
        if at <= now:
            doing.do(terminal, at)


class DayPlayer:
    """Plays one day after the other from a thread; the day before is in the log at once.

    Who was enrolled meanwhile comes from the next hour on.
    """

    def __init__(self, terminal: Terminal, day_seconds: float = DAY_SECONDS) -> None:
        self.terminal = terminal
        self.hour_seconds = day_seconds / HOURS
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="simulator day")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        day = self.terminal.local_time().date()
        write_day(self.terminal, day - timedelta(days=1))
        while not self._stopped.is_set():
            for hour in range(HOURS):
                self._play(day, hour)
            day += timedelta(days=1)

    def _play(self, day: date, hour: int) -> None:
        with self.terminal.lock:
            numbers = list(self.terminal.people)
        minute = 0.0
        for doing in doings(numbers, day):
            if doing.at.hour != hour:
                continue
            at = doing.at.minute + doing.at.second / 60
            if self._stopped.wait((at - minute) / 60 * self.hour_seconds):
                return
            minute = at
            doing.do(self.terminal)
        self._stopped.wait((60 - minute) / 60 * self.hour_seconds)


def _of_person(index: int, number: str, day: date) -> list[Doing]:
    chance = random.Random(f"{number} {day}")  # noqa: S311 - it draws times

    def between(begin: str, end: str) -> Doing:
        earliest, latest = (int(text[:2]) * 60 + int(text[3:]) for text in (begin, end))
        hour, minute = divmod(chance.randint(earliest, latest), 60)
        return Doing(time(hour, minute, chance.randrange(60)), number=number)

    if index % NIGHT_EVERY == 0:
        return [between("06:00", "06:20"), between("21:40", "22:05")]
    lunch = [between("12:20", "12:55"), between("13:10", "13:35")]
    return [between("08:30", "09:15"), *lunch, between("17:30", "19:00")]
