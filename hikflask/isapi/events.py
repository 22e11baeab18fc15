"""The log of a terminal: who passed, who was turned away, and what happened to the terminal itself.

What the vendor allows: POST /ISAPI/AccessControl/AcsEvent with AcsEventCond, in pages; its capabilities tell how many
records a page has and which events there are; a push sends the same record under other names (ISAPI guide, "Event
search"). Firmware sends whatever it likes for a field that has no value: nothing, "", "null", 0, or bytes of zero.
A window of time in another offset than the terminal's, or a time longer than 25 characters, finds nothing and is no
error (recorded from several clients).
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from hikflask.isapi.answer import Requester
from hikflask.isapi.codec import PADDING, Json, checked, counted, member, rows, to_json, usable_text
from hikflask.isapi.errors import Gone, Nonsense, UnusablePicture
from hikflask.isapi.faces import fetch_picture, picture_path
from hikflask.isapi.persons import JSON_TYPE

SEARCH = "/ISAPI/AccessControl/AcsEvent?format=json"
TOTAL = "/ISAPI/AccessControl/AcsEventTotalNum?format=json"
CAPABILITIES = "/ISAPI/AccessControl/AcsEvent/capabilities?format=json"

# Seen: 10 and 30. A larger page is cut to the limit, without a word.
MAX_PAGE, SAFE_PAGE = 30, 10
MAX_TIME_LENGTH = 40
# Serial numbers go up to 3,000,000,000 and more.
MAX_SERIAL = 2**63
NUMBER_LENGTH, NAME_LENGTH, CARD_LENGTH, BUTTON_LENGTH = 32, 128, 32, 32
# A clock that was reset shows 1970 in its own zone; terminals know no year after 2037.
FIRST_YEAR, LAST_YEAR = 1969, 2100
DURESS = {"5", "duress"}
# What firmware says where no button was pressed (recorded).
NO_BUTTON = {"undefined", "invalid"}
# What attendanceStatus says once it is in lower case: guide and firmware spell overtime differently. All else is none.
ATTENDANCES = {
    name.replace("_", ""): name
    for name in ("check_in", "check_out", "break_out", "break_in", "overtime_in", "overtime_out")
}
# The vendor's lists of minors in the capabilities, and their majors.
MINORS = {"minorAlarm": 1, "minorException": 2, "minorOperation": 3, "minorEvent": 5}
MAX_CODES = 1024
HEXADECIMAL = re.compile(r"0[xX][0-9a-fA-F]{1,6}")
# What tells one record from another.
KEY = {"serialNo", "time"}
# Local time that is marked as if it were UTC (recorded).
MARKED_AS_UTC = re.compile(r"[+-]00:?00\Z")
MAX_TEXT_LENGTH = 768
# A picture of the moment has about 44 KB.
MAX_PICTURE_BYTES = 2 * 1024 * 1024


class NothingCame(Nonsense):
    """More events follow, as the terminal says, but none came."""


@dataclass(frozen=True)
class EventRecord:
    """One record of the log. A field without a value is None or empty.

    `serial_no` counts the records of a log. `time` is as the terminal wrote it, and `at` the same as a moment, in whole
    seconds, by the offset that it wrote: None when it is not readable. `number` and `name` are the person's.
    `picture_path` is where the terminal has the picture of the moment, `attendance` the button that was pressed (one of
    ATTENDANCES) or empty. `raw` is what is read of the record, fit to be stored: event_record() reads the same from it
    again, but neither the card nor the door, which are not kept. All else that the terminal sends may name somebody.
    """

    serial_no: int | None
    time: str
    at: datetime | None
    major: int
    minor: int
    number: str
    name: str
    picture_path: str
    is_duress: bool
    attendance: str
    card_number: str = field(repr=False, compare=False)
    door_no: int | None = field(compare=False)
    raw: Json = field(repr=False)


@dataclass(frozen=True)
class Limits:
    """What a search may ask for: records of one page, majors and their minors (empty when not told).

    `majors` has 0 where one search finds all of them.
    """

    page: int = SAFE_PAGE
    majors: tuple[int, ...] = ()
    minors: Mapping[int, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class EventPage:
    """One page of a search, in the order of the terminal: by time, not by serial number.

    `received` is by how much the position of the next page is further; it counts unreadable rows, too. `total` is the
    length of the whole list, None when not sent. `is_told`: the terminal said whether more follows; where it does not,
    more may follow until a page is empty.
    """

    records: list[EventRecord]
    received: int
    total: int | None
    more: bool
    is_told: bool = True


def event_record(
    raw: object,
    zone: tzinfo | None = None,
    *,
    else_zone: tzinfo | None = None,
    in_list: bool = False,
    z_is_local: bool = False,
) -> EventRecord | None:
    """Return the record in a row of a search or in the body of a push, or None when there is none. This never raises.

    Args: zone is that of the terminal's clock, used for a time that is written without one, or marked as UTC; else_zone
    is for one that is written without, where that is not known; in_list tells that it is a record without a code, too;
    z_is_local tells that Z marks local times as well.
    """
    if not isinstance(raw, dict):
        return None
    row = _row(raw) or (raw if in_list and KEY & raw.keys() else None)
    if row is None:
        return None
    time = _text(raw.get("time") or raw.get("dateTime") or row.get("time") or row.get("dateTime"), MAX_TIME_LENGTH)
    button = _text(row.get("attendanceStatus"), BUTTON_LENGTH)
    read: Json = {
        "major": _code(row.get("major", row.get("majorEventType"))),
        "minor": _code(row.get("minor", row.get("subEventType"))),
        "time": time,
        "serialNo": counted(row.get("serialNo"), MAX_SERIAL) or None,
        "employeeNoString": _text(row.get("employeeNoString"), NUMBER_LENGTH)
        or _text(row.get("employeeNo"), NUMBER_LENGTH),
        "name": _text(row.get("name"))[:NAME_LENGTH].strip(PADDING),
        "pictureURL": _path(row.get("pictureURL")),
        "cardType": "duress" if _text(row.get("cardType")).lower() in DURESS else "",
        # Which button was pressed. It says nothing of who pressed it.
        "attendanceStatus": "" if button in NO_BUTTON else button,
    }
    return EventRecord(
        serial_no=read["serialNo"],
        time=time,
        at=_moment(time, zone, else_zone, z_is_local),
        major=read["major"],
        minor=read["minor"],
        number=read["employeeNoString"],
        name=read["name"],
        picture_path=read["pictureURL"],
        is_duress=read["cardType"] == "duress",
        card_number=_text(row.get("cardNo"), CARD_LENGTH),
        door_no=counted(row.get("doorNo")) or None,
        attendance=ATTENDANCES.get(button.lower(), ""),
        raw={name: value for name, value in read.items() if value not in ("", None)},
    )


def _row(raw: Json) -> Json | None:
    """Return the object with the code: the row itself, or the inner one of a push, which some firmware nests twice."""
    row: object = raw
    for _ in range(3):
        if not isinstance(row, dict):
            return None
        if "minor" in row or "subEventType" in row:
            return row
        row = row.get("AccessControllerEvent")
    return None


def _code(value: object) -> int:
    """Return a major or a minor, as a number, or as digits, decimal or as in 0x4b; 0 when it is not readable."""
    if isinstance(value, str) and HEXADECIMAL.fullmatch(value.strip(PADDING)):
        return int(value.strip(PADDING), 16)
    return counted(value) or 0


def _text(value: object, limit: int = MAX_TEXT_LENGTH) -> str:
    """Return a text, or a number above 0, without padding. A filler counts as none, and what is too long as well."""
    if isinstance(value, str) and len(value) <= MAX_TEXT_LENGTH:
        text = usable_text(value).strip(PADDING)
    else:
        text = str(counted(value, MAX_SERIAL) or "")
    return "" if text == "null" or len(text) > limit else text


def _moment(time: str, zone: tzinfo | None, else_zone: tzinfo | None, z_is_local: bool) -> datetime | None:
    try:
        moment = datetime.fromisoformat(time).replace(microsecond=0)
        if zone is not None and is_marked_as_utc(time, z_is_local):
            moment = moment.replace(tzinfo=None)
        if moment.tzinfo is None:
            if (zone or else_zone) is None:
                return None
            moment = moment.replace(tzinfo=zone or else_zone)
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if FIRST_YEAR <= moment.year <= LAST_YEAR else None


def is_marked_as_utc(time: str, z_is_local: bool) -> bool:
    """True for a local time of a record that is marked as if it were UTC. Z alone tells nothing: it may be true."""
    return MARKED_AS_UTC.search(time) is not None or (z_is_local and time.endswith("Z"))


def _path(value: object) -> str:
    try:
        return picture_path(_text(value))
    except UnusablePicture:
        return ""


def limits(client: Requester) -> Limits:
    """Return what a search may ask for. What the terminal does not tell is what every terminal takes.

    :raises TerminalError:
    """
    words = member(checked(client.request("GET", CAPABILITIES)), "AcsEvent").get("AcsEventCond")
    condition = words if isinstance(words, dict) else {}
    minors = {major: codes for name, major in MINORS.items() if (codes := _codes(condition.get(name)))}
    return Limits(
        page=min(_max(condition, "maxResults") or SAFE_PAGE, MAX_PAGE),
        majors=_codes(condition.get("major")),
        minors=minors,
    )


def _max(condition: Json, name: str) -> int | None:
    words = condition.get(name)
    return counted(words.get("@max")) if isinstance(words, dict) else None


def _codes(words: object) -> tuple[int, ...]:
    """Return the numbers in {"@opt": "1,6,7"}, in order."""
    options = words.get("@opt") if isinstance(words, dict) else None
    listed = options.split(",", MAX_CODES) if isinstance(options, str) else options if isinstance(options, list) else []
    codes = (counted(code) for code in listed[:MAX_CODES])
    return tuple(sorted({code for code in codes if code is not None}))


def new_search() -> str:
    """Return the id of a new search; all its pages are asked for with the same one. Some terminals take at most 20."""
    return secrets.token_hex(8)


def search(
    client: Requester,
    *,
    search_id: str,
    position: int,
    limit: int,
    major: int,
    minor: int,
    serials: tuple[int, int] | None = None,
    times: tuple[datetime, datetime] | None = None,
    newest_first: bool = False,
    zone: tzinfo | None = None,
    else_zone: tzinfo | None = None,
    z_is_local: bool = False,
) -> EventPage:
    """Return one page of the log, from a position on.

    Args: limit is that of Limits; major and minor 0 stand for all; serials are the first and the last number, because
    some firmware refuses the first alone; times are the first and the last moment, each in the offset of the terminal's
    clock; newest_first turns the order round where the firmware can; zone is that of the terminal's clock, for
    records that are written without one; else_zone, z_is_local: as event_record() has them.
    :raises TerminalError: :raises NothingCame: when more follows but nothing came. :raises ValueError: for times
    without an offset.
    """
    condition: Json = {
        "searchID": search_id,
        "searchResultPosition": position,
        "maxResults": limit,
        "major": major,
        "minor": minor,
        **_window(serials, times),
    }
    if newest_first:
        condition["timeReverseOrder"] = True
    body = to_json({"AcsEventCond": condition})
    answer = checked(client.request("POST", SEARCH, data=body, content_type=JSON_TYPE))
    words = member(answer, "AcsEvent")
    listed = rows(words.get("InfoList"))
    total = counted(words.get("totalMatches"))
    word = str(words.get("responseStatusStrg") or "").strip()
    is_cut, listed = len(listed) > limit, listed[:limit]
    # Some firmware does not send the word at all. Then the length of the list tells or, without it, an empty page.
    is_told = bool(word) or total is not None or is_cut or not listed
    goes_on = position + len(listed) < total if total is not None else bool(listed)
    more = is_cut or word == "MORE" or (not word and goes_on)
    if more and not listed:
        raise NothingCame(message="more events follow, but none came", path=answer.path, http_status=answer.status)
    read = [event_record(row, zone, else_zone=else_zone, in_list=True, z_is_local=z_is_local) for row in listed]
    return EventPage([record for record in read if record is not None], len(listed), total, more, is_told)


def count(
    client: Requester,
    *,
    major: int,
    serials: tuple[int, int] | None = None,
    times: tuple[datetime, datetime] | None = None,
) -> int:
    """Return how many records of a major the log has, whatever their minors.

    Args: as for `search`.
    :raises TerminalError: :raises Nonsense: when it tells no number. :raises ValueError: for times without an offset.
    """
    body = to_json({"AcsEventTotalNumCond": {"major": major, "minor": 0, **_window(serials, times)}})
    answer = checked(client.request("POST", TOTAL, data=body, content_type=JSON_TYPE))
    number = counted(member(answer, "AcsEventTotalNum").get("totalNum"))
    if number is None:
        raise Nonsense(message="no totalNum", path=answer.path, http_status=answer.status)
    return number


def _window(serials: tuple[int, int] | None, times: tuple[datetime, datetime] | None) -> Json:
    window: Json = {}
    if times is not None:
        window["startTime"], window["endTime"] = map(written, times)
    if serials is not None:
        window["beginSerialNo"], window["endSerialNo"] = serials
    return window


def written(moment: datetime) -> str:
    """Return a moment as a search takes it: in the offset that it has, in whole seconds, 25 characters.

    :raises ValueError: for a moment without an offset.
    """
    offset = moment.utcoffset()
    if offset is None:
        raise ValueError("a search needs times with their offset")
    minutes = timedelta(minutes=offset // timedelta(minutes=1))
    return moment.astimezone(timezone(minutes)).isoformat(timespec="seconds")


def picture(client: Requester, path: str) -> bytes:
    """Return the picture of a moment, a JPEG. Some firmware knows its address only without the part after the @.

    :raises Gone: when the terminal has it no more. :raises UnusablePicture: when it is no picture, or too large.
    :raises TerminalError:
    """
    try:
        jpeg = fetch_picture(client, path)
    except Gone:
        short = path.partition("@")[0]
        if short == path:
            raise
        jpeg = fetch_picture(client, short)
    if len(jpeg) > MAX_PICTURE_BYTES:
        raise UnusablePicture(message="the picture is too large", path=path)
    return jpeg
