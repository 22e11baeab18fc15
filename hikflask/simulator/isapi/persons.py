"""UserInfo: adding, changing, finding, counting and removing persons."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime

from flask import Response, request

from hikflask.simulator import recordings
from hikflask.simulator.errors import Refusal
from hikflask.simulator.http.request_body import Fields, child, json_object, numbers
from hikflask.simulator.http.responses import done, json_reply
from hikflask.simulator.isapi.pagination import page_of, told
from hikflask.simulator.profiles import Profile
from hikflask.simulator.terminal.terminal import Terminal

EARLIEST = "2000-01-01T00:00:00"
LATEST = "2037-12-31T23:59:59"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


def record(terminal: Terminal) -> Response:
    """A new person."""
    return _write(terminal, terminal.store.add)


def modify(terminal: Terminal) -> Response:
    """The given fields of a person who is there."""
    return _write(terminal, terminal.store.change)


def set_up(terminal: Terminal) -> Response:
    """A new person, or the given fields of one who is there."""
    return _write(terminal, lambda number, fields: _either(terminal, number, fields))


def _either(terminal: Terminal, number: str, fields: Fields) -> None:
    known = number in terminal.people
    (terminal.store.change if known else terminal.store.add)(number, fields)


def _write(terminal: Terminal, action: Callable[[str, Fields], None]) -> Response:
    fields = child(json_object(), "UserInfo")
    number = _employee_no(fields, terminal.profile)
    _check_name(fields, terminal.profile)
    if "Valid" in fields:
        _check_valid(child(fields, "Valid"))
    action(number, fields)
    return done(as_json=True)


def _employee_no(fields: Fields, profile: Profile) -> str:
    number = fields.get("employeeNo")
    if not isinstance(number, str) or not re.fullmatch(profile.employee_no, number):
        raise Refusal("badJsonContent", "UserInfo.employeeNo")
    return number


def _check_name(fields: Fields, profile: Profile) -> None:
    name = fields.get("name", "")
    if not isinstance(name, str) or len(name.encode()) > profile.name_bytes:
        raise Refusal("badJsonContent", "UserInfo.name")


def _check_valid(valid: Fields) -> None:
    """Local times without a zone suffix, up to the end of 2037 and in order."""
    begin, end = (_time(valid, name) for name in ("beginTime", "endTime"))
    if begin and end and end < begin:
        raise Refusal("endtimeEarlierThanBegintime")


def _time(valid: Fields, name: str) -> str | None:
    value = valid.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not _is_time(value) or not EARLIEST <= value <= LATEST:
        raise Refusal("badJsonContent", f"UserInfo.Valid.{name}")
    return value


def _is_time(value: str) -> bool:
    if not _TIME.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def search(terminal: Terminal) -> Response:
    """One page of persons in the order they were added."""
    wish = child(json_object(), "UserInfoSearchCond")
    hits = _hits(terminal, wish)
    page = page_of(hits, wish)
    answer: Fields = {"searchID": str(wish.get("searchID", ""))} | told(terminal.profile, hits, page, wish)
    if page:
        answer["UserInfo"] = [_shown(terminal, number) for number in page]
    return json_reply({"UserInfoSearch": answer})


def _hits(terminal: Terminal, wish: Fields) -> list[str]:
    wanted = numbers(wish, "EmployeeNoList", "employeeNo")
    words = str(wish.get("fuzzySearch", ""))
    return [
        number
        for number, person in terminal.people.items()
        if (wanted is None or number in wanted) and (words in number or words in str(person["name"]))
    ]


def _shown(terminal: Terminal, number: str) -> Fields:
    """A person as Search tells it; `faceURL` comes last and only where there is a face."""
    person = dict(terminal.people[number])
    face = terminal.faces.get(number)
    person["numOfCard"] = len(terminal.store.cards_of(number))
    person["numOfFace"] = int(face is not None)
    if not terminal.profile.num_of_face:
        del person["numOfFace"]
        return person
    if face is not None:
        person["faceURL"] = terminal.face_url(face)
    return person


def start_removal(terminal: Terminal) -> Response:
    """Begin to remove persons with their cards and faces.

    As on real terminals, mode `all` and an empty or missing list remove EVERYBODY.
    """
    wish = child(json_object(), "UserInfoDetail")
    mode = wish.get("mode")
    if mode not in ("all", "byEmployeeNo"):
        raise Refusal("badJsonContent", "UserInfoDetail.mode")
    listed = numbers(wish, "EmployeeNoList", "employeeNo")
    terminal.store.start_removal(None if mode == "all" else listed)
    deletion = terminal.store.deletion
    if deletion is not None and terminal.faults.take("removal-fails", request.path):
        deletion.failed = True
    return done(as_json=True)


def removal_progress(terminal: Terminal) -> Response:
    """Whether the removal is still going on."""
    return json_reply({"UserInfoDetailDeleteProcess": {"status": terminal.store.removal_status()}})


def remove_at_once(terminal: Terminal) -> Response:
    """The older way: remove persons at once. An empty or missing list removes everybody here, too."""
    wish = child(json_object(), "UserInfoDelCond")
    terminal.store.remove(numbers(wish, "EmployeeNoList", "employeeNo"))
    return done(as_json=True)


def count(terminal: Terminal) -> Response:
    """How many persons there are and, on most models, how many have a face or a card."""
    fields: Fields = {"userNumber": len(terminal.people)}
    if terminal.profile.bind_counts:
        fields |= {
            "bindFaceUserNumber": len(terminal.faces),
            "bindFingerprintUserNumber": 0,
            "bindCardUserNumber": len({card.employee_no for card in terminal.cards.values()}),
        }
    return json_reply({"UserInfoCount": fields})


def capabilities(terminal: Terminal) -> Response:
    """Limits of UserInfo. Nobody recorded the seed terminal's; this is a K1A340FWX with the profile's limits."""
    answer = json.loads(recordings.body("userinfo_capabilities_K1A340FWX.json"))
    user = answer["UserInfo"]
    user["name"]["@max"] = terminal.profile.name_bytes
    user["maxRecordNum"] = terminal.profile.capacity
    user["UserInfoSearchCond"]["isSupportNumOfFace"] = int(terminal.profile.num_of_face)
    return json_reply(answer)
