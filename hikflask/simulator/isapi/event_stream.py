"""alertStream: the events as they happen, in one answer without an end. It has one listener at a time.

As recorded, it begins with a sign of life and all that is in the log; a part of JSON follows the other.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import suppress

from flask import Response

from hikflask.simulator.errors import Refusal
from hikflask.simulator.http.responses import HEADERS
from hikflask.simulator.terminal.camera import Interrupted
from hikflask.simulator.terminal.event_log import Record
from hikflask.simulator.terminal.terminal import Terminal

CONTENT_TYPE = "multipart/mixed; boundary=MIME_boundary"
HEARTBEAT_SECONDS = 10.0
LOOKS_SECONDS = 0.5
"""So often it is looked whether something was recorded, which is also when a listener that left is noticed."""


def stream(terminal: Terminal) -> Response:
    """Send what is recorded until the listener leaves."""
    if terminal.push.traps.stream_is_taken or terminal.push.is_streaming:
        raise Refusal("deployExceedMax", http_status=503)
    terminal.push.is_streaming = True
    return Response(_Parts(terminal), headers=dict(HEADERS), content_type=CONTENT_TYPE)


class _Parts:
    """The parts of the answer. Whoever takes them closes them, which frees the place."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._waiting: deque[Record] = deque()
        self._backlog = terminal.events.records
        terminal.events.listeners.append(self._waiting.append)

    def __iter__(self) -> Iterator[bytes]:
        push = self._terminal.push
        yield _part(push.sign_of_life())
        for record in self._backlog:
            yield _part(push.event(record, is_current=False))
        with suppress(Interrupted):
            while True:
                yield from self._news()
                yield _part(push.sign_of_life())

    def _news(self) -> Iterator[bytes]:
        """What is recorded before the next sign of life. :raises Interrupted:"""
        clock = self._terminal.clock
        until = clock.now() + HEARTBEAT_SECONDS
        while clock.now() < until:
            while self._waiting:
                yield _part(self._terminal.push.event(self._waiting.popleft(), is_current=True))
            with self._terminal.lock:
                self._terminal.camera.pause(LOOKS_SECONDS)

    def close(self) -> None:
        """Free the place."""
        self._terminal.events.listeners.remove(self._waiting.append)
        self._terminal.push.is_streaming = False


def _part(body: bytes) -> bytes:
    head = f'--MIME_boundary\r\nContent-Type: application/json; charset="UTF-8"\r\nContent-Length: {len(body)}\r\n\r\n'
    return head.encode() + body + b"\r\n"
