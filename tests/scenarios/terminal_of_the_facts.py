"""A terminal's event log, written from what is known of real devices alone, and without a look at our own simulator."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from hashlib import md5
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape

import requests
from requests.adapters import BaseAdapter
from requests.utils import parse_dict_header
from urllib3 import HTTPResponse

PASSWORD = "Abc12345"
NONCE = "4e4f4e43"
NAMESPACE = 'version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema"'
MINORS = {
    1: (1028, 1029, 1030, 1031, 1032, 1033, 1034, 1035, 1036),
    2: (39, 1024, 1031, 1033, 1034, 1064, 1065),
    3: (112, 113, 123, 1024, 1025, 1030, 1031, 1071, 1072, 9728, 9729),
    5: (1, 6, 7, 8, 9, 21, 22, 23, 24, 25, 26, 27, 28, 38, 39, 49, 51, 75, 76, 104, 151, 152, 153, 154, 155),
}
FILLERS = {
    "netUser": "", "remoteHostAddr": "0.0.0.0", "cardNo": "", "cardType": 0, "name": "", "reportChannel": 0,
    "cardReaderKind": 0, "cardReaderNo": 0, "doorNo": 0, "verifyNo": 0, "deviceNo": 0, "employeeNoString": "",
    "InternetAccess": 0, "type": 0, "MACAddr": "", "userType": "normal", "attendanceStatus": "undefined",
}  # fmt: skip
REQUIRED = ("searchID", "searchResultPosition", "maxResults", "major", "minor")
MAX_SERIAL = 3_000_000_000
SEARCH = "/ISAPI/AccessControl/AcsEvent"
Answer = tuple[int, str, str]


@dataclass(frozen=True)
class Firmware:
    """How one model differs from the others."""

    page: int = 30
    search_id: int = 64
    time_length: int = 32
    ring: int = 143_444
    last_serial: int | None = None  # after it the numbers begin again at 1
    majors: tuple[int, ...] = (0, 1, 2, 3, 5)
    minor_zero: bool = True
    has_capabilities: bool = True
    fillers: bool = False
    time_as_json: bool = False
    order: str = "time"  # or "serial", or "newest": the newest first, whatever is asked
    takes_reverse: bool = False
    # Or "end": refused without an end; "times": only those and codes count; "ignored": with all but the times.
    serials: str = "honoured"
    caches: bool = False  # the search's rows are those of its first page
    total: str = "true"  # or "absent", "zero", "page", "huge"
    says_more: bool = True  # or the status is missing
    empty_more: int = 0  # each so many searches: MORE, and no rows
    marks_utc: bool = False  # local times are marked as if they were UTC
    marks_z: bool = False  # the same by Z, that of the clock, too
    no_code: int = 0  # each so many records have no major and minor
    hexadecimal: bool = False
    counts: bool = True  # AcsEventTotalNum is there
    nobody: str | None = None  # how "no number" is written: absent, "", "null"


FIRMWARES = {
    "K1A340": Firmware(fillers=True, order="serial", takes_reverse=True, nobody=""),
    "K1T342E": Firmware(ring=60, order="time"),
    "K1T344": Firmware(serials="end", says_more=True, empty_more=17, total="absent"),
    "K1T344 without status": Firmware(serials="end", says_more=False, caches=True),
    "K1T804": Firmware(
        page=10, search_id=20, time_length=25, time_as_json=True, has_capabilities=False, majors=(5,), caches=True
    ),
    "K1A8603": Firmware(serials="ignored", nobody="null"),
    "K1T8003": Firmware(page=10, ring=46, serials="ignored", has_capabilities=False, total="zero"),
    "minor by minor": Firmware(majors=(1, 2, 3, 5), minor_zero=False, nobody="null"),
    "minor by minor, by times": Firmware(majors=(1, 2, 3, 5), minor_zero=False, serials="times"),
    "minor by minor, without a count": Firmware(majors=(1, 2, 3, 5), minor_zero=False, counts=False),
    "wraps": Firmware(last_serial=100_000, ring=200, order="serial"),
    "wraps, by times": Firmware(last_serial=100_000, ring=200, serials="ignored"),
    "newest first": Firmware(order="newest", total="page"),
    "newest first by times": Firmware(order="newest", serials="ignored", page=10),
    "lies": Firmware(total="huge", caches=True),
    "marked as UTC": Firmware(marks_utc=True),
    "marked as UTC, by times": Firmware(marks_utc=True, serials="ignored"),
    "some without a code": Firmware(no_code=18, hexadecimal=True),
    "tells no end": Firmware(total="absent", says_more=False),
    "tells no end, by times": Firmware(total="absent", says_more=False, serials="ignored", page=10),
}


@dataclass
class Written:
    """One record as the terminal wrote it, and what was so."""

    serial: int
    time: str
    major: int
    minor: int
    number: str
    name: str
    really_at: datetime
    raw: dict[str, Any]
    serial_number: str

    @property
    def key(self) -> tuple[str, int, str]:
        return self.serial_number, self.serial, self.raw["time"]


class FactsTerminal:
    """deviceInfo, System/time and AcsEvent behind Digest; whatever else is asked is not supported."""

    def __init__(
        self,
        firmware: Firmware,
        serial_number: str,
        *,
        zone: float,
        drift: float,
        first: int,
        now: Callable[[], datetime],
    ) -> None:
        self.firmware, self.serial_number, self.now = firmware, serial_number, now
        self.zone, self.drift = timezone(timedelta(hours=zone)), timedelta(seconds=drift)
        self.posix = ""  # the zone as it is written, with its summer time
        self.serial = first
        self.ring: list[Written] = []
        self.written: list[Written] = []
        self.password = PASSWORD
        self.wrong_logins = 0
        self.searches = 0
        self._cache: dict[str, list[Written]] = {}

    def local(self, really_at: datetime) -> datetime:
        """What this terminal's clock showed at that moment."""
        return (really_at + self.drift).astimezone(self.zone).replace(microsecond=0)

    def write(self, major: int, minor: int, number: str, name: str, **more: Any) -> None:
        """Add a record of what happens now; the oldest one gives way."""
        self.serial = 1 if self.serial == self.firmware.last_serial else self.serial + 1
        really_at = self.now()
        time = self.local(really_at).isoformat()
        raw: dict[str, Any] = {**FILLERS} if self.firmware.fillers else {}
        raw |= {"major": major, "minor": minor, "time": time, "serialNo": self.serial}
        raw |= {"currentVerifyMode": "cardOrFace", "mask": "no", "cardType": 1} if major == 5 else {}
        if number:
            raw |= {"employeeNoString": number}
        elif self.firmware.nobody is not None:
            raw |= {"employeeNoString": self.firmware.nobody}
        if name:
            raw |= {"name": name}
        if self.firmware.marks_utc:
            raw["time"] = f"{time[:19]}+00:00"
        if self.firmware.marks_z:
            raw["time"] = f"{time[:19]}Z"
        if self.firmware.hexadecimal:
            raw |= {"major": hex(major), "minor": hex(minor)}
        if self.firmware.no_code and self.serial % self.firmware.no_code == 0:
            del raw["major"], raw["minor"]
        row = Written(self.serial, time, major, minor, number, name, really_at, raw | more, self.serial_number)
        self.written.append(row)
        self.ring = [*self.ring, row][-self.firmware.ring :]

    def tells(self, row: Written) -> bool:
        """True for a record that a search finds, and that its capabilities list, or that it can count."""
        firmware = self.firmware
        if firmware.serials == "ignored":
            return True
        is_known = firmware.minor_zero or row.minor in MINORS[row.major] or (row.major == 5 and firmware.counts)
        return is_known and (0 in firmware.majors or row.major in firmware.majors)

    def reset(self) -> None:
        """Factory defaults: the log is empty and its numbers begin anew."""
        self.ring, self.serial, self._cache = [], 0, {}

    def answer(self, request: requests.PreparedRequest) -> requests.Response:
        """Return the answer to one request."""
        path, _, _ = str(request.path_url).partition("?")
        if not self._is_signed_in(request):
            challenge = f'Digest realm="DS", qop="auth", nonce="{NONCE}", algorithm=MD5'
            return _response(request, 401, "text/html", "", {"WWW-Authenticate": challenge})
        return _response(request, *self._answer(str(request.method), path, request.body or b""), {})

    def _is_signed_in(self, request: requests.PreparedRequest) -> bool:
        header = request.headers.get("Authorization", "")
        if not header:
            return False
        given = parse_dict_header(header.partition(" ")[2])  # type: ignore[no-untyped-call]
        if given["nonce"] != NONCE:
            return False
        secret, place = _md5(f"admin:DS:{self.password}"), _md5(f"{request.method}:{given['uri']}")
        right = _md5(f"{secret}:{given['nonce']}:{given['nc']}:{given['cnonce']}:{given['qop']}:{place}")
        self.wrong_logins += given["response"] != right
        return bool(given["response"] == right)

    def _answer(self, method: str, path: str, body: bytes | str) -> Answer:
        if (method, path) == ("GET", "/ISAPI/System/deviceInfo"):
            return (
                200,
                "application/xml",
                _xml("DeviceInfo", serialNumber=self.serial_number, model="DS-K1T000", deviceName="T"),
            )
        if (method, path) == ("GET", "/ISAPI/System/time"):
            return self._time()
        if (method, path) == ("GET", f"{SEARCH}/capabilities") and self.firmware.has_capabilities:
            return _json(200, self._capabilities())
        if (method, path) == ("POST", f"{SEARCH}TotalNum") and self.firmware.counts:
            asked = json.loads(body).get("AcsEventTotalNumCond")
            return self._lack("AcsEventTotalNumCond") if asked is None else _json(200, self._total(asked))
        if path == SEARCH:
            return self._search(body) if method == "POST" else _error(404, 4, "methodNotAllowed", "")
        return _error(404, 4, "notSupport", "")

    def _time(self) -> Answer:
        shown = self.local(self.now()).isoformat()
        if self.firmware.marks_z:
            shown = f"{shown[:19]}Z"
        if self.firmware.time_as_json:
            return _json(200, {"Time": {"timeMode": "manual", "localTime": shown, "timeZone": self._posix_zone()}})
        return 200, "application/xml", _xml("Time", timeMode="NTP", localTime=shown, timeZone=self._posix_zone())

    def _posix_zone(self) -> str:
        hours = (self.zone.utcoffset(None) or timedelta()) / timedelta(hours=1)
        return self.posix or f"CST{-hours:+.0f}:00:00"

    def _capabilities(self) -> dict[str, Any]:
        words = {1: "minorAlarm", 2: "minorException", 3: "minorOperation", 5: "minorEvent"}
        condition = {
            "searchID": {"@min": 1, "@max": self.firmware.search_id},
            "searchResultPosition": {"@min": 0, "@max": 300000},
            "maxResults": {"@min": 1, "@max": self.firmware.page},
            "major": {"@opt": ",".join(map(str, self.firmware.majors))},
            "startTime": {"@min": 1, "@max": self.firmware.time_length},
            "endTime": {"@min": 1, "@max": self.firmware.time_length},
            "beginSerialNo": {"@min": 1, "@max": 3000000000},
            "endSerialNo": {"@min": 1, "@max": 3000000000},
            "timeReverseOrder": True,
        } | {words[major]: {"@opt": ",".join(map(str, minors))} for major, minors in MINORS.items()}
        return {"AcsEvent": {"AcsEventCond": condition, "InfoList": {"maxSize": self.firmware.page}}}

    def _lack(self, name: str) -> Answer:
        return _error(400, 6, "MessageParametersLack", name)

    def _search(self, body: bytes | str) -> Answer:
        try:
            asked = json.loads(body)["AcsEventCond"]
        except ValueError:
            return _error(400, 5, "badJsonFormat", "")
        self.searches += 1
        return self._refusal(asked) or _json(200, {"AcsEvent": self._page(asked)})

    def _refusal(self, asked: dict[str, Any]) -> Answer | None:
        firmware, begin, end = self.firmware, asked.get("beginSerialNo"), asked.get("endSerialNo")
        takes_serials = firmware.serials != "ignored"
        lacking = [name for name in REQUIRED if name not in asked]
        bad = {
            "searchID": not 1 <= len(asked["searchID"]) <= firmware.search_id,
            "major": asked["major"] not in firmware.majors,
            "endSerialNo": firmware.serials == "end" and begin is not None and end is None,
            "beginSerialNo": takes_serials
            and not all(1 <= one <= MAX_SERIAL for one in (begin, end) if one is not None),
        }
        if lacking:
            return self._lack(lacking[0])
        if asked["minor"] == 0 and not firmware.minor_zero:
            return _error(400, 4, "invalidOperation", "minor")
        return next((_error(400, 6, "badJsonContent", name) for name, is_bad in bad.items() if is_bad), None)

    def _page(self, asked: dict[str, Any]) -> dict[str, Any]:
        search, position = asked["searchID"], asked["searchResultPosition"]
        if search not in self._cache or not self.firmware.caches:
            self._cache = {search: self._matches(asked)}
        matches = self._cache[search]
        if self.firmware.empty_more and self.searches % self.firmware.empty_more == 0:
            return {"searchID": search, "responseStatusStrg": "MORE", "numOfMatches": 0, "InfoList": []}
        rows = matches[position : position + min(asked["maxResults"], self.firmware.page)]
        status = "MORE" if position + len(rows) < len(matches) else "OK"
        total = {"true": len(matches), "zero": 0, "page": len(rows), "huge": len(matches) + 1000}
        page: dict[str, Any] = {"searchID": search, "numOfMatches": len(rows)}
        page |= {"responseStatusStrg": status if rows else "NO MATCH"} if self.firmware.says_more else {}
        page |= {"totalMatches": total[self.firmware.total]} if self.firmware.total in total else {}
        return page | ({"InfoList": [row.raw for row in rows]} if rows else {})

    def _matches(self, asked: dict[str, Any]) -> list[Written]:
        begin, end = (asked.get(name) for name in ("startTime", "endTime"))
        for time in (begin, end):
            if time is not None and (len(time) > self.firmware.time_length or self._is_foreign(time)):
                return []
        low, high = ((time and datetime.fromisoformat(time)) for time in (begin, end))
        rows = [
            row
            for row in self.ring
            if (low is None or low <= datetime.fromisoformat(row.time))
            and (high is None or datetime.fromisoformat(row.time) <= high)
        ]
        if self.firmware.serials == "times":
            rows = [row for row in rows if _is_of(row, asked)]
        elif self.firmware.serials != "ignored":
            first, last = asked.get("beginSerialNo", 0), asked.get("endSerialNo", 1 << 40)
            rows = [row for row in rows if first <= row.serial <= last and _is_of(row, asked)]
        if self.firmware.order != "serial":
            rows.sort(key=lambda row: datetime.fromisoformat(row.time))
        is_reversed = self.firmware.takes_reverse and asked.get("timeReverseOrder") is True
        return rows[::-1] if is_reversed or self.firmware.order == "newest" else rows

    def _is_foreign(self, time: str) -> bool:
        return datetime.fromisoformat(time).utcoffset() != self.zone.utcoffset(None)

    def _total(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"AcsEventTotalNum": {"totalNum": len(self._matches(asked))}}


class FactsWire(BaseAdapter):
    """Sends each request to the terminal of its host, and lets something happen before each."""

    def __init__(self) -> None:
        super().__init__()
        self.terminals: dict[str, FactsTerminal] = {}
        self.before: Callable[[str, requests.PreparedRequest], None] = lambda _host, _request: None

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Return the terminal's answer."""
        host = str(request.url).partition("://")[2].partition("/")[0]
        self.before(host, request)
        if host not in self.terminals:
            raise requests.ConnectionError(request=request)
        return self.terminals[host].answer(request)

    def close(self) -> None:
        """Nothing is kept open."""


def _is_of(row: Written, asked: dict[str, Any]) -> bool:
    return asked["major"] in (0, row.major) and asked["minor"] in (0, row.minor)


def _md5(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()


def _xml(root: str, **fields: str) -> str:
    inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
    return f'<?xml version="1.0" encoding="UTF-8"?><{root} {NAMESPACE}>{inner}</{root}>'


def _json(status: int, body: dict[str, Any]) -> Answer:
    return status, "application/json", json.dumps(body, ensure_ascii=False)


def _error(status: int, code: int, sub_code: str, message: str) -> Answer:
    words = {4: "Invalid Operation", 5: "Invalid Format", 6: "Invalid Content"}
    error = {"statusCode": code, "statusString": words[code], "subStatusCode": sub_code, "errorMsg": message}
    return _json(status, error)


def _response(
    request: requests.PreparedRequest, status: int, media_type: str, text: str, headers: dict[str, str]
) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response.headers.update({"Content-Type": media_type, **headers})
    response.request, response.url = request, str(request.url)
    response.raw = HTTPResponse(body=BytesIO(text.encode()), status=status, preload_content=False)
    return response
