"""The terminal: its parts, what people do at it, and hooks for tests. Plain Python, without HTTP, under one lock."""

import json
import re
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any, Literal

from hikflask.simulator import faces, recordings
from hikflask.simulator.profiles import SEED, Profile
from hikflask.simulator.terminal import access
from hikflask.simulator.terminal.access import RightPlans
from hikflask.simulator.terminal.camera import Camera
from hikflask.simulator.terminal.card_reader import CardReader
from hikflask.simulator.terminal.clocks import Clock, WallClock
from hikflask.simulator.terminal.digest_login import USER, Login
from hikflask.simulator.terminal.event_log import (
    ALARM,
    EVENT,
    INFORMATION,
    OPERATION,
    TROUBLE,
    EventLog,
    Record,
    Row,
)
from hikflask.simulator.terminal.event_push import EventPush, Host
from hikflask.simulator.terminal.event_rows import row_of
from hikflask.simulator.terminal.faults import Faults, Moment, matches
from hikflask.simulator.terminal.person_store import Card, Face, Person, PersonStore

CAPTURE_FILE = "web_face_enrollpic.jpg"
STAY = 5.0
"""Seconds a face stays in front of a camera that is idle, unless told otherwise."""

SERIAL = "0000000"
"""The end of the serial number of a terminal that is given none."""
CARDS_PER_PERSON: dict[int | None, int | None] = {None: 5, 255: None}
"""What `numberPerPerson` means where it is not the limit itself (ISAPI guide). None as a limit: any number."""
KEPT_HEADERS = ("Content-Type", "Content-Length", "Accept", "User-Agent", "Connection")
KEPT_REQUESTS = 5000
_TOKEN = re.compile(r"(?<=token=)[^&]+")
Command = Literal["open", "close", "alwaysOpen", "alwaysClose"]
COMMAND_CODES: dict[Command, int] = {"open": 1024, "close": 1025, "alwaysOpen": 1026, "alwaysClose": 1027}
"""The minors of major 3 that commands to the door leave in the log."""
OPEN_SECONDS = 5.0
"""So long after `open` the door locks again by itself."""


@dataclass
class LoggedRequest:
    """One request. `status` stays None until it is answered, and for ever when the answer is lost."""

    method: str
    path: str
    """Path with query. The log blanks the value of a token."""
    headers: Mapping[str, str]
    body: bytes
    time: float
    """In the clock's seconds."""
    has_credentials: bool
    """It had an Authorization header."""
    logged_in: bool = False
    status: int | None = None
    reply: bytes = field(default=b"", repr=False)

    @property
    def plain_path(self) -> str:
        """The path without the query."""
        return self.path.partition("?")[0]


class RequestLog(list[LoggedRequest]):
    """The newest requests, oldest first."""

    def append(self, request: LoggedRequest) -> None:
        request.path = _TOKEN.sub("…", request.path)
        super().append(request)
        del self[:-KEPT_REQUESTS]


@dataclass
class Door:
    """One door. The caller holds the terminal's lock."""

    clock: Clock
    command: Command = "close"
    """The last command."""
    commanded_at: float = 0.0
    """In the clock's seconds."""

    def control(self, command: Command) -> None:
        """Carry out a command of RemoteControl."""
        self.command, self.commanded_at = command, self.clock.now()

    @property
    def is_unlocked(self) -> bool:
        """Whether people can go through."""
        just_opened = self.command == "open" and self.clock.now() - self.commanded_at < OPEN_SECONDS
        return just_opened or self.command == "alwaysOpen"


class Terminal:
    """One terminal.

    With `latency` "recorded" it answers as slowly as the seed terminal did. `auto_face` seconds after a capture begins,
    the next drawn face appears by itself. `lan_host` is the host in the URLs of its pictures; nobody has to be able to
    reach it there.
    """

    def __init__(
        self,
        password: str,
        *,
        profile: Profile = SEED,
        clock: Clock | None = None,
        latency: Literal["none", "recorded"] = "none",
        auto_face: float | None = None,
        lan_host: str = "192.168.1.67",
        serial: str = "",
    ) -> None:
        self.profile = profile
        self.serial = serial
        self.clock = clock or Clock()
        self.latency = latency
        self.lan_host = lan_host
        self.lock = threading.Condition()
        self.camera = Camera(self.clock, self.lock, auto_face)
        self.card_reader = CardReader(self.clock, self.lock)
        self.login = Login(password, profile, self.clock)
        self.wall_clock = WallClock()
        self.access_settings: dict[str, Any] = json.loads(recordings.body(profile.access_settings))["AcsCfg"]
        """AcsCfg: what the terminal keeps, shows and sends of people."""
        self.storage: dict[str, object] = {"mode": "cycle"}
        """EventStorageCfg."""
        self.plans = RightPlans()
        self.events = EventLog(self.local_time, self.lock, profile.events)
        self.push = EventPush(profile.push, self.lock, self._about, self.event_row, self._sends_pictures)
        self.events.listeners.append(self.push.add)
        self.store = PersonStore(
            self.clock,
            profile.capacity,
            self._record_removal,
            taken=profile.number_taken,
            card_capacity=profile.card_capacity,
            cards_per_person=CARDS_PER_PERSON.get(profile.cards_per_person, profile.cards_per_person),
            keeps_faces=profile.removal_keeps_faces,
        )
        self.door = Door(self.clock)
        self.faults = Faults(self.lock)
        self.log = RequestLog()
        self.web: dict[str, bytes] = {}
        """Pictures on other hosts by URL, for the models that download them. Nothing is really downloaded."""
        self.tokens: set[str] = set()
        self.last_attempt: tuple[Record, float] | None = None
        """Who tried to pass last, and when in the clock's seconds."""
        self._hooks: list[tuple[Moment, str, Callable[[], object]]] = []

    def __repr__(self) -> str:
        return f"<Terminal {self.profile.model}>"

    # What tests read.

    @property
    def people(self) -> dict[str, Person]:
        """The persons by employeeNo, in the order they were added."""
        return self.store.people

    @property
    def faces(self) -> dict[str, Face]:
        """The faces by employeeNo."""
        return self.store.faces

    @property
    def cards(self) -> dict[str, Card]:
        """The cards by their own number."""
        return self.store.cards

    @property
    def file(self) -> bytes | None:
        """What `web_face_enrollpic.jpg` holds now."""
        return self.camera.file

    @property
    def wrong_passwords(self) -> int:
        return self.login.wrong_passwords

    def local_time(self) -> datetime:
        """What its clock shows, in its own zone."""
        return self.wall_clock.now()

    @property
    def mac(self) -> str:
        """Its MAC address; the end is that of its serial number."""
        end = (self.serial or SERIAL)[-6:]
        return f"04:03:12:{end[:2]}:{end[2:4]}:{end[4:]}"

    def event_row(self, record: Record, *, with_picture: bool = True) -> Row:
        """A record as it tells it."""
        return row_of(record, self.events.traps, self.lan_host, with_picture=with_picture)

    # What people do at the terminal.

    def present(self, jpeg: bytes, stay: float = STAY) -> None:
        """Show a face to the camera: an open window captures it; else it waits `stay` seconds for the next window."""
        with self.lock:
            self.camera.present(jpeg, stay)

    def present_alone(self, jpeg: bytes, stay: float = STAY) -> None:
        """Show this face and nobody else's: the faces that wait are taken away first."""
        with self.lock:
            self.camera.leave()
            self.camera.present(jpeg, stay)

    def present_card(self, number: str, *, when_asked: bool = False) -> int | None:
        """Hold a card to the terminal: CaptureCardInfo reads it; while nobody captures, its owner passes by it.

        With `when_asked` it is held there as soon as somebody captures. Return the minor of what the terminal wrote
        about the passage, None when there was none.
        """
        with self.lock:
            if when_asked or self.card_reader.is_waiting:
                self.card_reader.present(number)
                return None
            card = self.cards.get(number)
            return self.pass_by(card.employee_no if card else None, access.CARD, card=number)

    def capture_elsewhere(self, jpeg: bytes) -> None:
        """Let somebody capture on the terminal's own page or with another program: the file is overwritten."""
        with self.lock:
            self.camera.store(jpeg)
            self.camera.next_counter()

    def pass_by(
        self, number: str | None, minor: int = access.FACE, *, at: datetime | None = None, card: str = ""
    ) -> int:
        """Let a person (None: a stranger) show a face, and return the minor of what the terminal wrote about it.

        `minor` 1 is a card instead, by default the person's first one, 38 a finger; another one, such as 104 (a photo
        was shown), is written as it is.
        `at` is a moment of the past with its zone, by default now. Whoever passes opens the lock for some seconds.
        """
        with self.lock:
            moment = at or self.local_time()
            outcome = access.decide(self.store, self.plans, number, minor, moment.astimezone(self.local_time().tzinfo))
            if outcome in access.UNKNOWN and self.door.command == "alwaysClose":
                outcome = access.KEPT_CLOSED
            is_known = outcome == minor or outcome in access.REFUSED
            person = self.people.get(number or "", {}) if is_known else {}
            # A record of a refusal has the number alone.
            has_name = outcome not in access.REFUSED and self.access_settings["showName"]
            face = self.faces.get(number or "")
            seen = face.jpeg if face else self._stranger()
            record = self.events.add(
                EVENT,
                outcome,
                str(person.get("employeeNo", "")),
                str(person.get("name", "")) if has_name else "",
                at=at,
                picture=seen if self.access_settings["saveCapPic"] else None,
                **self._card_shown(number, minor, card),
            )
            if record:
                self.last_attempt = record, self.clock.now()
            if outcome in access.UNKNOWN and self.door.command != "alwaysOpen":
                self._open_lock(moment)
            return outcome

    def press_exit_button(self, at: datetime | None = None) -> None:
        """Let somebody go out by the button."""
        with self.lock:
            moment = at or self.local_time()
            self.events.add(EVENT, 23, at=moment)
            self._open_lock(moment)
            self.events.add(EVENT, 24, at=moment)

    def hold_door_open(self, seconds: float = 60.0, at: datetime | None = None) -> None:
        """Let somebody hold the door open for so long, up to now or up to `seconds` after `at`."""
        with self.lock:
            opened = at or self.local_time() - timedelta(seconds=seconds)
            self.events.add(EVENT, 25, at=opened)
            self.events.add(EVENT, 28, at=opened + timedelta(seconds=seconds / 2))
            self.events.add(EVENT, 26, at=opened + timedelta(seconds=seconds))

    def control_door(self, command: Command, host: str = "") -> None:
        """Carry out a command to the door that came from `host`."""
        with self.lock:
            was_unlocked = self.door.is_unlocked
            self.door.control(command)
            self.record_operation(COMMAND_CODES[command], host)
            if command == "open":
                self._open_lock(self.local_time())
            elif self.door.is_unlocked != was_unlocked:
                self.events.add(EVENT, 22 if was_unlocked else 21)

    def record_operation(self, minor: int, host: str = "") -> None:
        """Write what somebody at `host` did to the terminal."""
        self.events.add(OPERATION, minor, netUser=USER, remoteHostAddr=host)

    def _open_lock(self, at: datetime) -> None:
        closed = min(at + timedelta(seconds=OPEN_SECONDS), self.local_time())
        self.events.add(EVENT, 21, at=at)
        self.events.add(EVENT, 22, at=max(at, closed))

    def listen_elsewhere(self) -> None:
        """Let somebody else enter a host of theirs into the last slot."""
        foreign = Host(url="/p/8f14e45fceea", address="203.0.113.9", port=80, format="JSON")
        self.push.set_host(len(self.push.hosts), foreign, self.events.records)

    def _about(self) -> Row:
        return {
            "ipAddress": self.lan_host,
            "portNo": 80,
            "protocol": "HTTP",
            "macAddress": self.mac,
            "channelID": 1,
            "dateTime": self.local_time().isoformat(timespec="seconds"),
            "shortSerialNumber": f"FH{self.serial or SERIAL}",
        }

    def _sends_pictures(self) -> bool:
        return bool(self.access_settings["uploadCapPic"])

    def _record_removal(self, number: str) -> None:
        self.events.add(INFORMATION, 1076, number)

    def _card_shown(self, number: str | None, minor: int, shown: str) -> dict[str, object]:
        if minor != access.CARD:
            return {}
        first = next((card.number for card in self.cards.values() if card.employee_no == number), "77000001")
        return {"cardNo": shown or first}

    def _stranger(self) -> bytes:
        return faces.draw(faces.NAMES[self.events.next_serial % len(faces.NAMES)])

    def restart(self) -> None:
        """Restart as after a power cut.

        The captured file, nonces, tokens, the open window and the door's command are lost; persons and faces stay.
        """
        with self.lock:
            self.door = Door(self.clock)
            self.camera.restart()
            self.card_reader.interrupt()
            self.wall_clock.restart()
            self.login.forget_nonces()
            self.tokens.clear()
            self.push.restart()
            self.events.add(TROUBLE, 1024)

    def interrupt(self) -> None:
        """End the requests that wait, without an answer."""
        with self.lock:
            self.camera.interrupt()
            self.card_reader.interrupt()

    def trigger(self, event: str) -> None:
        """Let one of the events below happen now. :raises KeyError: for another one."""
        actions: dict[str, Callable[[], object]] = {
            "restart": self.restart,
            "lock": self.login.lock,
            "unlock": self.login.unlock,
            "clock-fast": lambda: self.wall_clock.advance(minutes=5),
            "clock-slow": lambda: self.wall_clock.advance(minutes=-5),
            "exit-button": self.press_exit_button,
            "door-held": self.hold_door_open,
            "tamper": lambda: self.events.add(ALARM, 1030),
            "clock-lost": self.wall_clock.forget,
            "foreign-listener": self.listen_elsewhere,
            "capture-elsewhere": lambda: self.capture_elsewhere(faces.draw(faces.NAMES[-1])),
        }
        action = actions[event]
        with self.lock:
            action()

    # Hooks.

    def before(self, path: str, callback: Callable[[], object]) -> None:
        """Call `callback` before the view of each request to `path` (a pattern, see faults), once it is logged in."""
        self._hooks.append(("before", path, callback))

    def after(self, path: str, callback: Callable[[], object]) -> None:
        """Call `callback` after the view of each request to `path`, before the answer is sent."""
        self._hooks.append(("after", path, callback))

    def run_hooks(self, moment: Moment, path: str) -> None:
        for hook_moment, pattern, callback in list(self._hooks):
            if hook_moment == moment and matches(pattern, path):
                callback()

    def clear_hooks(self) -> None:
        self._hooks.clear()

    # Pictures and tokens. The caller holds the lock.

    def new_token(self) -> str:
        """Issue a token for picture URLs: 32 characters, as recorded."""
        token = secrets.token_hex(16).upper()
        self.tokens.add(token)
        return token

    def url(self, path: str) -> str:
        """The URL of a picture: https, the terminal's LAN host, and a new counter at the end."""
        return f"https://{self.lan_host}{path}{self.camera.next_counter()}"

    def face_url(self, face: Face) -> str:
        return self.url(f"/LOCALS/pic/enrlFace/0/{face.index:010d}.jpg")

    def picture(self, path: str) -> bytes | None:
        """The picture at a local path, without regard to the counter `@WEB…`; None when there is none."""
        file = PurePosixPath(path.partition("@")[0])
        if file == PurePosixPath("/LOCALS/pic", CAPTURE_FILE):
            return self.camera.file
        if file.parent == PurePosixPath("/LOCALS/pic/enrlFace/0") and file.stem.isdecimal():
            face = self.store.face_at(int(file.stem))
            return face.jpeg if face else None
        seen = self.events.picture(path)
        return faces.passage(seen) if seen else None
