"""What the terminal sends of its own accord: the hosts in its slots, what waits for each, and its form on the wire.

Nothing is sent from here. A sender takes it from `EventPush.deliver`, and a test gives a function there.
"""

import base64
import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import cast

from hikflask.simulator import faces
from hikflask.simulator.event_traps import PushTraps
from hikflask.simulator.terminal.event_log import ALARM, EVENT, OPERATION, TROUBLE, Record, Row

NOWHERE = "0.0.0.0"  # noqa: S104 - an empty slot
EHOME_PORT = 15300
OK = 200
MINOR_LISTS = {"minorAlarm": ALARM, "minorException": TROUBLE, "minorOperation": OPERATION, "minorEvent": EVENT}
_DELIMITER, _OTHER_DELIMITER = "MIME_boundary", "mime_boundary"


@dataclass(frozen=True)
class Host:
    """Where to send events. The defaults are those of an empty slot."""

    url: str = ""
    """The path."""
    protocol: str = "HTTP"
    format: str = "XML"
    addressing: str = "ipaddress"
    address: str = NOWHERE
    """An IP address, or a name where the addressing is hostname."""
    port: int = 0
    user: str = ""
    password: str = field(default="", repr=False)
    authentication: str = "none"
    keeps: bool = False
    """httpBroken: what cannot be sent is kept and sent later."""
    checks_answer: bool = True
    """Whatever is not answered with 200 is sent again."""
    with_pictures: bool = True
    heartbeat: int = 30
    event_mode: str = "all"
    minors: tuple[tuple[str, str], ...] = ()
    """The events of mode `list`: names of lists of minors, and the lists as they were written."""

    @property
    def is_empty(self) -> bool:
        return self.address in (NOWHERE, "")

    def wants(self, record: Record) -> bool:
        """Whether a record is among those that were subscribed to."""
        if self.event_mode != "list":
            return True
        return any(
            MINOR_LISTS[name] == record.major and record.minor in {int(minor, 0) for minor in listed.split(",")}
            for name, listed in self.minors
            if listed
        )


@dataclass(frozen=True)
class PushRequest:
    """One POST to a host. The serial number is that of the record; 0 stands for a heartbeat."""

    host: Host
    headers: dict[str, str]
    body: bytes = field(repr=False)
    serial_no: int = 0


Send = Callable[[PushRequest], int | None]
"""Sends one request and returns the status of the answer; None when nobody answers."""


@dataclass(frozen=True)
class _Waiting:
    record: Record
    is_live: bool


class EventPush:
    """The slots and the queues of one terminal. Its methods take the terminal's lock.

    `about` are the facts of the terminal that stand in all it sends: address, MAC and serial number. `row` makes the
    row of a record, and `sends_pictures` tells whether its settings let it send them.
    """

    def __init__(
        self,
        traps: PushTraps,
        lock: threading.Condition,
        about: Callable[[], Row],
        row: Callable[[Record], Row],
        sends_pictures: Callable[[], bool],
    ) -> None:
        self.traps = traps
        self.hosts = [Host() for _ in range(traps.slots)]
        if traps.needs_ehome:
            self.hosts[0] = Host(protocol="EHome", port=EHOME_PORT)
        self._lock = lock
        self._about = about
        self._row = row
        self._sends_pictures = sends_pictures
        self._waiting: dict[int, deque[_Waiting]] = {}
        self._is_lost = False
        self.is_streaming = False
        """alertStream has its listener."""

    def set_traps(self, **changes: object) -> None:
        """Set traps by their names, such as `framing="json"`. The number of slots stays as it was at the start."""
        self.traps = replace(self.traps, **changes)  # type: ignore[arg-type]

    def set_host(self, slot: int, host: Host, log: list[Record]) -> None:
        """Put a host into a slot, from 1. `log` is what the terminal recorded up to now."""
        with self._lock:
            self.wake()
            kept = host if self.traps.keeps_url else replace(host, url="", keeps=False)
            self.hosts[slot - 1] = kept
            backlog = log if self.traps.backlog_first else []
            self._waiting[slot] = deque(
                _Waiting(record, is_live=False) for record in backlog if self._is_for(kept, record)
            )

    def wake(self) -> None:
        """Go on sending after a restart that stopped it: the hosts were read or set."""
        self._is_lost = False

    def restart(self) -> None:
        """Lose what has not been sent; on some firmware nothing is sent then until the hosts are read."""
        self._waiting.clear()
        self._is_lost = self.traps.lost_after_restart

    def add(self, record: Record) -> None:
        """Let a record wait for every host that wants it."""
        for slot, host in enumerate(self.hosts, start=1):
            if self._is_for(host, record):
                self._waiting.setdefault(slot, deque()).append(_Waiting(record, is_live=True))

    def bodies(self) -> list[bytes]:
        """What would be sent now, host by host, in its order."""
        with self._lock:
            return [
                self._request(self.hosts[slot - 1], each).body for slot in self._due() for each in self._waiting[slot]
            ]

    def deliver(self, send: Send) -> int:
        """Send what waits, each record until it is answered with 200, and return how many were. Those behind one wait.

        What nobody answers is lost, unless the host was set to keep it.
        """
        delivered = 0
        for slot in self._due():
            while first := self._first(slot):
                waiting, request = first
                status = send(request)
                if status != OK and (request.host.keeps if status is None else request.host.checks_answer):
                    break
                delivered += status is not None
                with self._lock:
                    queue = self._waiting.get(slot)
                    if queue and queue[0] is waiting:
                        queue.popleft()
        return delivered

    def heartbeats(self) -> list[PushRequest]:
        """A sign of life for every host."""
        with self._lock:
            if self._is_lost or self.traps.never_comes:
                return []
            fields = {**self._about(), "activePostCount": 1, "eventType": "heartBeat"}
            fields |= {"eventState": "active", "eventDescription": "heartBeat"}
            hosts = [host for host in self.hosts if not host.is_empty]
            return [PushRequest(host, {"Content-Type": "application/json"}, _json(fields)) for host in hosts]

    def sign_of_life(self) -> bytes:
        """The sign of life in alertStream, as recorded."""
        words = {"eventType": "videoloss", "eventState": "inactive", "eventDescription": "videoloss alarm"}
        return _json({**self._about(), "activePostCount": 1, **words})

    def event(self, record: Record, *, is_current: bool) -> bytes:
        """A record in alertStream, which tells of each whether it happens now."""
        with self._lock:
            fields = self._fields(_Waiting(record, is_live=False), has_picture=False)
        inner = fields["AccessControllerEvent"]
        return _json({**fields, "AccessControllerEvent": {**cast("Row", inner), "currentEvent": is_current}})

    def _is_for(self, host: Host, record: Record) -> bool:
        silent = self.traps.never_comes or (self.traps.all_sends_no_events and host.event_mode != "list")
        return not host.is_empty and not silent and host.wants(record)

    def _due(self) -> list[int]:
        return [] if self._is_lost else sorted(self._waiting)

    def _first(self, slot: int) -> tuple[_Waiting, PushRequest] | None:
        with self._lock:
            queue = self._waiting.get(slot)
            return (queue[0], self._request(self.hosts[slot - 1], queue[0])) if queue else None

    def _request(self, host: Host, waiting: _Waiting) -> PushRequest:
        record = waiting.record
        shown = record.picture if record.picture and host.with_pictures and self._sends_pictures() else None
        picture = faces.passage(shown) if shown else None
        headers, body = _framed(self.traps, _json(self._fields(waiting, has_picture=picture is not None)), picture)
        if host.authentication == "basic":
            login = base64.b64encode(f"{host.user}:{host.password}".encode()).decode()
            headers["Authorization"] = f"Basic {login}"
        return PushRequest(host, headers, body, record.serial_no)

    def _fields(self, waiting: _Waiting, *, has_picture: bool) -> Row:
        record = waiting.record
        row = {name: value for name, value in self._row(record).items() if name not in ("time", "pictureURL")}
        inner: Row = {
            "deviceName": "Access Controller",
            "majorEventType": row.pop("major"),
            "subEventType": row.pop("minor"),
            **row,
            "frontSerialNo": record.serial_no - 1,
        }
        if waiting.is_live:
            # What happened before the host was set has no such key.
            inner["currentEvent"] = True
        inner["picturesNumber"] = int(has_picture)
        if self.traps.framing == "other delimiter":
            inner = {"AccessControllerEvent": inner}
        return {
            **self._about(),
            "dateTime": record.time,
            "activePostCount": 1,
            "eventType": "AccessControllerEvent",
            "eventState": "active",
            "eventDescription": "Access Controller Event",
            "AccessControllerEvent": inner,
        }


def _json(fields: Row) -> bytes:
    return json.dumps(fields, ensure_ascii=False, indent="\t").encode()


def _framed(traps: PushTraps, event: bytes, picture: bytes | None) -> tuple[dict[str, str], bytes]:
    """The headers and the body with the event and its picture, in the framing of the model."""
    if traps.framing == "json":
        return {"Content-Type": "application/json"}, event
    name = "event_log" if traps.framing == "no blank line" else "AccessControllerEvent"
    head = f'--{_DELIMITER}\r\nContent-Disposition: form-data; name="{name}"\r\n'
    if traps.framing != "no blank line":
        head += 'Content-Type: application/json; charset="UTF-8"\r\n\r\n'
    parts = [head.encode() + event]
    if picture is not None:
        head = f'--{_DELIMITER}\r\nContent-Disposition: form-data; name="Picture"; filename="Picture.jpg"\r\n'
        parts.append(f"{head}Content-Type: image/jpeg\r\nContent-ID: pictureImage\r\n\r\n".encode() + picture)
    announced, end = _DELIMITER, f"--{_DELIMITER}--\r\n".encode()
    if traps.framing == "other delimiter":
        announced = _OTHER_DELIMITER
        parts[0] += b"\x00\x00"
        end += f"--{_OTHER_DELIMITER}--\r\n".encode()
    return {"Content-Type": f"multipart/form-data; boundary={announced}"}, b"\r\n".join([*parts, end])
