"""The terminal: its parts, what people do at it, and hooks for tests. Plain Python, without HTTP, under one lock."""

import re
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from typing import Literal

from hikflask.simulator import faces
from hikflask.simulator.profiles import SEED, Profile
from hikflask.simulator.terminal.camera import Camera
from hikflask.simulator.terminal.digest_login import Login
from hikflask.simulator.terminal.event_log import EventLog
from hikflask.simulator.terminal.faults import Faults, Moment, matches
from hikflask.simulator.terminal.person_store import Card, Face, Person, PersonStore
from hikflask.simulator.terminal.simulated_clock import Clock
from hikflask.simulator.terminal.wall_clock import WallClock

CAPTURE_FILE = "web_face_enrollpic.jpg"
STAY = 5.0
"""Seconds a face stays in front of a camera that is idle, unless told otherwise."""

KEPT_HEADERS = ("Content-Type", "Content-Length", "Accept", "User-Agent", "Connection")
KEPT_REQUESTS = 5000
_TOKEN = re.compile(r"(?<=token=)[^&]+")
Command = Literal["open", "close", "alwaysOpen", "alwaysClose"]
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
        self.login = Login(password, profile, self.clock)
        self.store = PersonStore(self.clock, profile.capacity, taken=profile.number_taken)
        self.door = Door(self.clock)
        self.wall_clock = WallClock()
        self.events = EventLog(self.local_time, self.lock, profile.events)
        self.faults = Faults(self.lock)
        self.log = RequestLog()
        self.web: dict[str, bytes] = {}
        """Pictures on other hosts by URL, for the models that download them. Nothing is really downloaded."""
        self.tokens: set[str] = set()
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

    def capture_elsewhere(self, jpeg: bytes) -> None:
        """Let somebody capture on the terminal's own page or with another program: the file is overwritten."""
        with self.lock:
            self.camera.store(jpeg)
            self.camera.next_counter()

    def restart(self) -> None:
        """Restart as after a power cut.

        The captured file, nonces, tokens, the open window and the door's command are lost; persons and faces stay.
        """
        with self.lock:
            self.door = Door(self.clock)
            self.camera.restart()
            self.wall_clock.restart()
            self.login.forget_nonces()
            self.tokens.clear()

    def interrupt(self) -> None:
        """End the requests that wait, without an answer."""
        with self.lock:
            self.camera.interrupt()

    def trigger(self, event: str) -> None:
        """Let `event` happen now: restart, lock, unlock, clock-fast, clock-slow, clock-lost or capture-elsewhere.

        Raises KeyError for another one.
        """
        actions: dict[str, Callable[[], object]] = {
            "restart": self.restart,
            "lock": self.login.lock,
            "unlock": self.login.unlock,
            "clock-fast": lambda: self.wall_clock.advance(minutes=5),
            "clock-slow": lambda: self.wall_clock.advance(minutes=-5),
            "clock-lost": self.wall_clock.forget,
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
