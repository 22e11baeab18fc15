"""The camera: the faces in front of it, the capture window, and the ONE file that every capture overwrites."""

import threading
from collections import deque
from dataclasses import dataclass, field

from hikflask.simulator import faces
from hikflask.simulator.terminal.clocks import Clock

SERIES_GAP = 5.0
"""A window opened within this time after the last one belongs to the same attempt: the client polls."""
FIRST_COUNTER = 19
"""The first URL then ends in 020, as recorded."""


class Interrupted(Exception):
    """The terminal restarted or stopped while the request waited; there is no answer."""


@dataclass
class Window:
    """An open capture window. Times are in the clock's seconds."""

    opened: float
    until: float
    cancelled: bool = False


@dataclass(frozen=True)
class Visitor:
    """A face in front of the camera. `until` is in the clock's seconds."""

    jpeg: bytes
    until: float


@dataclass
class Camera:
    """The state of the camera. The caller holds `condition`; it is released while a request waits."""

    clock: Clock
    condition: threading.Condition
    auto_face: float | None = None
    """So many seconds after an attempt begins, the next drawn face appears by itself; None: never."""
    blind: bool = False
    """No face is seen, even if there is one."""
    file: bytes | None = None
    """What `web_face_enrollpic.jpg` holds now."""
    window: Window | None = None
    last_success: float | None = None
    last_nonce: str | None = None
    """The nonce of the request that succeeded last: it stands for one client."""
    counter: int = FIRST_COUNTER
    boot: int = 0
    visitors: deque[Visitor] = field(default_factory=deque)
    _series_start: float | None = None
    _series_end: float | None = None
    _auto_taken: int = 0

    def present(self, jpeg: bytes, stay: float) -> None:
        """Put a face in front of the camera for `stay` seconds. An open window captures it at once."""
        self.visitors.append(Visitor(jpeg, self.clock.now() + stay))
        self.condition.notify_all()

    def leave(self) -> None:
        """Take all faces away."""
        self.visitors.clear()

    def next_counter(self) -> str:
        """The end of the next URL: a counter of 12 digits."""
        self.counter += 1
        return f"@WEB{self.counter:012d}"

    def store(self, jpeg: bytes) -> None:
        """Replace the captured picture."""
        self.file = jpeg

    def cancel(self) -> None:
        """Close the open window, if there is one."""
        if self.window is not None:
            self.window.cancelled = True
            self.condition.notify_all()

    def restart(self) -> None:
        """Lose the file and the faces, and end the requests that wait."""
        self.file = None
        self.visitors.clear()
        self.last_success = None
        self.interrupt()

    def interrupt(self) -> None:
        """End the requests that wait, without an answer."""
        self.boot += 1
        self.condition.notify_all()

    def watch(self, seconds: float) -> bytes | None:
        """Open a window for `seconds` and return the first face seen, None when there was none. :raises Interrupted:"""
        start = self.clock.now()
        continues = self._series_end is not None and start - self._series_end < SERIES_GAP
        if self._series_start is None or not continues:
            self._series_start = start
        self.window = window = Window(start, start + seconds)
        boot = self.boot
        try:
            while not window.cancelled:
                face = self._take(window)
                now = self.clock.now()
                if face is not None or now >= window.until:
                    return face
                auto = self._auto_time()
                event = window.until if auto is None else min(window.until, auto)
                self.clock.wait(self.condition, max(event - now, 0.001))
                self._check_power(boot)
            return None
        finally:
            self._series_end = self.clock.now()
            self.window = None

    def pause(self, seconds: float) -> None:
        """Wait `seconds`. :raises Interrupted:"""
        until, boot = self.clock.now() + seconds, self.boot
        while (left := until - self.clock.now()) > 0:
            self.clock.wait(self.condition, left)
            self._check_power(boot)

    def _check_power(self, boot: int) -> None:
        if boot != self.boot:
            raise Interrupted

    def _auto_time(self) -> float | None:
        if self.auto_face is None or self._series_start is None or self.blind:
            return None
        return self._series_start + self.auto_face

    def _take(self, window: Window) -> bytes | None:
        """Take the face that is there now, so that it is captured once only; None when there is none."""
        while self.visitors and self.visitors[0].until < window.opened:
            self.visitors.popleft()
        if self.blind:
            return None
        if self.visitors:
            jpeg = self.visitors.popleft().jpeg
        else:
            auto = self._auto_time()
            if auto is None or self.clock.now() < auto:
                return None
            jpeg = faces.draw(faces.NAMES[self._auto_taken % len(faces.NAMES)])
            self._auto_taken += 1
        self._series_start = None
        return jpeg
