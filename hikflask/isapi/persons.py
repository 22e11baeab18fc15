"""People on a terminal.

What the vendor allows: Record, Modify, Search, Count and Delete under /ISAPI/AccessControl/UserInfo, and
UserInfoDetail/Delete, which starts a removal with cards and faces and does not wait for its end (ISAPI guide, "Person
management"). Numbers have 1 to 32 characters; times have no zone.
"""

import re
import time
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Self

from hikflask.isapi.answer import Requester
from hikflask.isapi.codec import Json, checked, confirmed, counted, json_object, member, rows, to_json, whole
from hikflask.isapi.errors import Busy, Nonsense, NotSupported, PersonUnknown, Refused
from hikflask.isapi.paging import PAGE, Page, every_row, page

BASE = "/ISAPI/AccessControl"
RECORD = f"{BASE}/UserInfo/Record?format=json"
MODIFY = f"{BASE}/UserInfo/Modify?format=json"
SEARCH = f"{BASE}/UserInfo/Search?format=json"
COUNT = f"{BASE}/UserInfo/Count?format=json"
DELETE = f"{BASE}/UserInfo/Delete?format=json"
DETAIL_DELETE = f"{BASE}/UserInfoDetail/Delete?format=json"
DELETE_PROCESS = f"{BASE}/UserInfoDetail/DeleteProcess?format=json"
JSON_TYPE = "application/json"
# Some firmware takes Modify by PUT alone, some by POST alone. The guide has PUT.
OTHER_METHOD = {"PUT": "POST", "POST": "PUT"}

# "1,2"; empty: none.
LISTED = re.compile(r"(?:[0-9]{1,9}(?:,[0-9]{1,9}){0,63})?\Z")

# A value of userType; the guides do not agree on their list.
WORD = re.compile(r"[A-Za-z]{1,32}\Z")
NUMBER = re.compile(r"[A-Za-z0-9_-]{1,32}\Z")

# Terminals accept local times from 2000-01-01 to 2037-12-31, and refuse a zone suffix.
FIRST_MOMENT = datetime.fromisoformat("2000-01-01T00:00:00")
LAST_MOMENT = datetime.fromisoformat("2037-12-31T23:59:59")
DAY_LENGTH = len("2037-12-31")

# Begin and end of a validity.
Window = tuple[datetime, datetime]

DELETE_PAUSE = 0.5
DELETE_TRIES = 20


@dataclass(frozen=True)
class Validity:
    """From when to when a person may pass, as the terminal shows it. None: not sent, or not readable.

    `enabled` is False where the terminal shows `enable` false: "no expiry" in the guide, "blocked" to some clients.
    `offset` is the offset from UTC of a time with a zone suffix, or of `timeType` UTC; None for the terminal's local
    time.
    """

    begin: datetime | None
    end: datetime | None
    enabled: bool = True
    offset: timedelta | None = None

    @property
    def words(self) -> str:
        """The validity as one text: "begin/end", "off" when not enabled, empty when begin or end is None."""
        if not self.enabled:
            return "off"
        if self.begin is None or self.end is None:
            return ""
        return "/".join(moment.isoformat(timespec="seconds") for moment in (self.begin, self.end))

    @property
    def suffix(self) -> str:
        """The offset from UTC as a zone suffix, such as +05:00; empty for the terminal's local time."""
        return "" if self.offset is None else str(timezone(self.offset))[3:] or "+00:00"

    @classmethod
    def of(cls, words: str) -> Self:
        """Return the validity of these words, which may end with a zone suffix."""
        begin, _, end = words.partition("/")
        if not end:
            return cls(None, None, enabled=False)
        last = datetime.fromisoformat(end)
        return cls(datetime.fromisoformat(begin), last.replace(tzinfo=None), offset=last.utcoffset())


# Door numbers with their plan templates, such as ((1, "1"),).
Plans = tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Rights:
    """What a person may do: when (Valid), at which doors (doorRight), by which plans (RightPlan). None: not sent.

    `user_type` is that of the person (userType), such as normal, visitor or blackList.
    """

    valid: Validity | None = None
    doors: str | None = None
    plans: Plans | None = None
    user_type: str | None = None


UNTOLD = Rights()
# A person that we add may pass door 1 at all times of the validity.
DOOR_ONE = Rights(doors="1", plans=((1, "1"),))


@dataclass(frozen=True)
class TerminalPerson:
    """One person as the terminal shows it. Numbers and validity are None when the firmware does not send them."""

    number: str
    name: str
    faces: int | None
    face_url: str | None
    valid: Validity | None = None
    cards: int | None = None
    fingerprints: int | None = None
    doors: str | None = None
    plans: Plans | None = None
    user_type: str | None = None

    @property
    def rights(self) -> Rights:
        """What the person may do, with a validity that can be sent back.

        The validity is within the calendar of terminals, and None when it cannot be read or ends before it begins.
        """
        valid = self.valid
        if valid is not None and valid.enabled:
            if valid.begin is None or valid.end is None or valid.end < valid.begin:
                valid = None
            else:
                valid = replace(valid, begin=_within_calendar(valid.begin), end=_within_calendar(valid.end))
        return Rights(valid, self.doors, self.plans, self.user_type)


@dataclass(frozen=True)
class Count:
    """The number of people, and of those with a face (None when not sent: K1A340FWX has no bindFaceUserNumber)."""

    people: int
    faces: int | None


def valid_number(number: str) -> str:
    """Return the number if the protocol allows it. :raises ValueError: otherwise, above all for an empty number."""
    if not isinstance(number, str) or not NUMBER.match(number):
        raise ValueError("an employee number is 1 to 32 Latin letters, digits, - or _")
    return number


def add(client: Requester, number: str, name: str, *, begin: datetime, end: datetime = LAST_MOMENT) -> None:
    """Add a person who may pass door 1 at all times.

    Args: begin and end are in the terminal's local time, without a zone; times that terminals do not accept are moved
    to the nearest accepted one.
    :raises NumberTaken: :raises IllegalNumber: :raises NameTooLong: :raises Full: :raises TerminalError:
    :raises ValueError: for times with a zone and for an end before the begin.
    """
    user: Json = {
        "employeeNo": valid_number(number),
        "name": name,
        "userType": "normal",
        **_rights_fields(replace(DOOR_ONE, valid=Validity(begin, end))),
        "gender": "unknown",
        "groupId": 1,
    }
    confirmed(client.request("POST", RECORD, data=to_json({"UserInfo": user}), content_type=JSON_TYPE))


def _rights_fields(rights: Rights) -> Json:
    """Return the fields of UserInfo for the rights that are not None."""
    fields: Json = {}
    if rights.user_type is not None:
        fields["userType"] = rights.user_type
    if rights.valid is not None:
        valid = rights.valid
        # enable false means "no expiry" in the guide and "blocked" to some clients, so it is never sent.
        begin, end = (valid.begin, valid.end) if valid.enabled else (None, None)
        first, last = _moment(begin or FIRST_MOMENT), _moment(end or LAST_MOMENT)
        if last < first:  # it would be refused
            raise ValueError("the validity ends before it begins")
        time_type = "UTC" if valid.offset == timedelta() else "local"
        fields["Valid"] = {"enable": True, "beginTime": first, "endTime": last, "timeType": time_type}
    if rights.doors is not None:
        fields["doorRight"] = rights.doors
    if rights.plans is not None:
        fields["RightPlan"] = [{"doorNo": door, "planTemplateNo": plan} for door, plan in rights.plans]
    return fields


def _moment(moment: datetime) -> str:
    if moment.tzinfo is not None:
        raise ValueError("terminals take local times without a zone")
    return _within_calendar(moment).isoformat(timespec="seconds")


def _within_calendar(moment: datetime) -> datetime:
    return min(max(moment, FIRST_MOMENT), LAST_MOMENT)


def modify(client: Requester, number: str, name: str, rights: Rights = UNTOLD, *, method: str = "PUT") -> str:
    """Change a person's name and the rights that are not None, and nothing else.

    Some firmware loses the rights that are not sent. The whole record of a search is never sent back.

    Args: method is PUT or POST, and the other one is tried where the terminal does not take it.
    Returns: the method that the terminal took.
    :raises PersonUnknown: :raises NameTooLong: :raises NotSupported: when it takes neither. :raises TerminalError: for
    others. :raises ValueError: for times with a zone.
    """
    user: Json = {"employeeNo": valid_number(number), "name": name, **_rights_fields(rights)}
    body = to_json({"UserInfo": user})
    try:
        confirmed(client.request(method, MODIFY, data=body, content_type=JSON_TYPE))
    except NotSupported:
        method = OTHER_METHOD[method]
        confirmed(client.request(method, MODIFY, data=body, content_type=JSON_TYPE))
    return method


def find(client: Requester, number: str) -> TerminalPerson | None:
    """Return the person with this number, or None when the terminal has none.

    Some firmware ignores EmployeeNoList and lists everybody, so the number itself is compared.
    :raises TerminalError: :raises Nonsense: when the list may be incomplete or a row has no number.
    """
    listed = every_row(_search_by_numbers(client, _employee_no_list(number)))
    return next((_person(number, row) for listed_number, row in listed if listed_number == number), None)


def find_in_other_forms(client: Requester, number: str, more: Collection[str] = ()) -> list[TerminalPerson]:
    """Return the people whom the terminal shows with this number without leading zeros or in upper case.

    Some firmware keeps numbers so, and takes both forms for the same person.

    Args: more, other forms that are looked for, too.
    :raises TerminalError: :raises Nonsense: when the list may be incomplete or a row has no number.
    """
    forms = _other_forms(number) | {*more} - {number}
    if not forms:
        return []
    employee_nos = [row for form in sorted(forms) for row in _employee_no_list(form)]
    listed = every_row(_search_by_numbers(client, employee_nos))
    return [_person(form, row) for form, row in listed if form in forms]


def forms_after_update(number: str) -> set[str]:
    """Return the forms in which a number may be kept by other firmware: filled up, cut, in lower case."""
    filled = {number.zfill(length) for length in (6, 8, 10, 12, 16, 20)}
    cut = {part for length in (8, 10, 16) for part in (number[:length], number[-length:])}
    return filled | cut | {number.lower()}


def _other_forms(number: str) -> set[str]:
    bare = number.lstrip("0") or "0"
    return {bare, bare.upper(), number.upper()} - {number}


def find_several(client: Requester, numbers: Collection[str]) -> dict[str, TerminalPerson] | None:
    """Return the people with these numbers, by number; None when the terminal ignores the numbers of a search.

    Whoever is shown with a number in another form is nobody of them.

    Args: numbers, 1 to 30 of them.
    :raises TerminalError: :raises Nonsense: when the list may be incomplete or a row has no number. :raises ValueError:
    for a bad number.
    """
    employee_nos = [row for number in numbers for row in _employee_no_list(number)]
    if not 0 < len(employee_nos) <= PAGE:
        raise ValueError("1 to 30 numbers")
    people: dict[str, TerminalPerson] = {}
    other_forms = {form for number in numbers for form in _other_forms(number)}
    for number, row in every_row(_search_by_numbers(client, employee_nos)):
        if number in numbers:
            people[number] = _person(number, row)
        elif number not in other_forms:
            return None
        if len(people) == len(employee_nos):
            break  # Whether more follows is not asked.
    return people


def _search_by_numbers(client: Requester, numbers: list[Json]) -> Callable[[int], Page]:
    """Return the function that asks for a page of the people with these numbers."""
    search_id = new_search()
    return lambda position: _search(client, search_id, position, {"EmployeeNoList": numbers})


def _search(client: Requester, search_id: str, position: int, words: Json) -> Page:
    condition = {"searchID": search_id, "searchResultPosition": position, "maxResults": PAGE, **words}
    body = to_json({"UserInfoSearchCond": condition})
    answer = checked(client.request("POST", SEARCH, data=body, content_type=JSON_TYPE))
    return page(answer, member(answer, "UserInfoSearch"), "UserInfo", "employeeNo")


def new_search() -> str:
    """Return the id of a new search; all pages of a list are asked for with the same one."""
    return uuid.uuid4().hex


def list_page(client: Requester, search_id: str, position: int) -> tuple[list[TerminalPerson], Page]:
    """Return one page of everybody on the terminal, from a position on, and what it says about the list.

    :raises TerminalError: :raises Nonsense: when it is no list or a row has no number.
    """
    listed = _search(client, search_id, position, {})
    return [_person(number, row) for number, row in listed.rows], listed


def _person(number: str, row: Json) -> TerminalPerson:
    return TerminalPerson(
        number=number,
        name=str(row.get("name") or ""),
        faces=counted(row.get("numOfFace")),
        face_url=str(row.get("faceURL") or "") or None,
        valid=_validity(row.get("Valid")),
        cards=counted(row.get("numOfCard")),
        fingerprints=counted(row.get("numOfFP")),
        doors=_number_list(row.get("doorRight")),
        plans=_plans(row.get("RightPlan")),
        user_type=user_type if WORD.match(user_type := str(row.get("userType") or "")) else None,
    )


def _number_list(words: object) -> str | None:
    """Return numbers with commas between them, in order and without spaces, or None for anything else."""
    text = str(words).replace(" ", "")
    if not LISTED.match(text):
        return None
    return ",".join(sorted(set(text.split(",")), key=lambda number: int(number or 0)))


def _plans(words: object) -> Plans | None:
    if not isinstance(words, list | dict):
        return None
    pairs = [(whole(row.get("doorNo")), _number_list(row.get("planTemplateNo"))) for row in rows(words)]
    plans = tuple((door, plan) for door, plan in pairs if door is not None and plan is not None)
    return tuple(sorted(plans)) if len(plans) == len(pairs) <= PAGE else None


def _validity(words: object) -> Validity | None:
    if not isinstance(words, dict):
        return None
    enabled = str(words.get("enable", True)).strip().lower() not in {"false", "0"}
    begin, end = _moment_of(words.get("beginTime")), _moment_of(words.get("endTime"))
    # Some firmware shows the end's day alone, or no seconds: both mean the end of the day.
    if end and (len(str(words["endTime"]).strip()) <= DAY_LENGTH or (end.hour, end.minute) == (23, 59)):
        end = end.replace(hour=23, minute=59, second=59)
    offset = end.utcoffset() if end else None
    if offset is None and str(words.get("timeType")).strip().upper() == "UTC":
        offset = timedelta()
    return Validity(begin and begin.replace(tzinfo=None), end and end.replace(tzinfo=None), enabled, offset)


def _moment_of(words: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(words).strip()).replace(microsecond=0)
    except ValueError:
        return None


def count(client: Requester) -> Count:
    """Return how many people are on the terminal. This is the cheapest request with a login. :raises TerminalError:"""
    answer = checked(client.request("GET", COUNT))
    body = json_object(answer)
    words = body.get("UserInfoCount", body)  # without this object on one terminal (a single report)
    people = counted(words.get("userNumber")) if isinstance(words, dict) else None
    if people is None:
        raise Nonsense(message="no userNumber", path=answer.path, http_status=answer.status)
    return Count(people=people, faces=counted(words.get("bindFaceUserNumber")))


def remove(
    client: Requester, number: str, *, pause: Callable[[float], None] = time.sleep, tries: int = DELETE_TRIES
) -> None:
    """Remove one person with cards and faces, and wait until the terminal has finished. An unknown number is no error.

    This does not prove that the person is gone: call `find` afterwards.

    Args: pause waits that many seconds; tries is how often the progress is asked for.
    :raises Busy: while it is still processing. :raises Refused: when it failed. :raises TerminalError: for others.
    :raises ValueError: for a bad number.
    """
    condition = {"EmployeeNoList": _employee_no_list(number)}
    try:
        _delete(client, DETAIL_DELETE, {"UserInfoDetail": {"mode": "byEmployeeNo", **condition}})
    except NotSupported:
        _delete(client, DELETE, {"UserInfoDelCond": condition})
        return
    _wait_until_deleted(client, pause, tries)


def _employee_no_list(number: str) -> list[Json]:
    """Build an EmployeeNoList with exactly one number. Nothing else builds one: an empty list deletes everybody."""
    return [{"employeeNo": valid_number(number)}]


def _delete(client: Requester, path: str, body: Json) -> None:
    try:
        confirmed(client.request("PUT", path, data=to_json(body), content_type=JSON_TYPE))
    except PersonUnknown:
        return  # most firmware reports no error here


def _wait_until_deleted(client: Requester, pause: Callable[[float], None], tries: int) -> None:
    path = DELETE_PROCESS.partition("?")[0]
    for _ in range(tries):
        try:
            progress = member(checked(client.request("GET", DELETE_PROCESS)), "UserInfoDetailDeleteProcess")
        except (Refused, Nonsense) as error:
            if error.retryable:
                raise
            return  # No readable progress: the caller searches for the person anyway.
        if progress.get("status") == "failed":
            raise Refused(message="the removal failed", path=path)
        if progress.get("status") != "processing":
            return
        pause(DELETE_PAUSE)
    raise Busy(message="still deleting", path=path)
