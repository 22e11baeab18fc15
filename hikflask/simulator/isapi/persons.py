"""UserInfo: adding, changing, finding, counting and removing persons."""

import json
import re
from collections.abc import Callable
from datetime import datetime

from flask import Response, request

from hikflask.simulator import recordings
from hikflask.simulator.errors import Refusal
from hikflask.simulator.http.request_body import Fields, child, json_object, numbers
from hikflask.simulator.http.responses import done, json_reply
from hikflask.simulator.isapi.pagination import search_result
from hikflask.simulator.profiles import Profile
from hikflask.simulator.terminal.terminal import Terminal

EARLIEST = "2000-01-01T00:00:00"
LATEST = "2037-12-31T23:59:59"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


def record(terminal: Terminal) -> Response:
    """Add a person."""
    return _write(terminal, terminal.store.add)


def modify(terminal: Terminal) -> Response:
    """Change the given fields of a person. Some firmware loses the rights that are not given."""
    if request.method != terminal.profile.modify_method:
        raise Refusal("methodNotAllowed")
    return _write(terminal, terminal.store.replace if terminal.profile.modify_replaces else terminal.store.change)


def set_up(terminal: Terminal) -> Response:
    """Add a person, or change the given fields of one who exists."""

    def add_or_change(number: str, fields: Fields) -> None:
        (terminal.store.change if number in terminal.people else terminal.store.add)(number, fields)

    return _write(terminal, add_or_change)


def _write(terminal: Terminal, action: Callable[[str, Fields], None]) -> Response:
    fields, profile = child(json_object(), "UserInfo"), terminal.profile
    number, name = fields.get("employeeNo"), fields.get("name", "")
    if not isinstance(number, str) or not re.fullmatch(profile.employee_no, number):
        raise Refusal("badJsonContent", "UserInfo.employeeNo")
    if profile.cuts_names and isinstance(name, str):
        fields["name"] = name = name.encode()[: profile.name_bytes].decode(errors="replace")
    elif not isinstance(name, str) or len(name.encode()) > profile.name_bytes:
        raise Refusal("badJsonContent", "UserInfo.name")
    if "Valid" in fields:
        _check_valid(child(fields, "Valid"), profile)
    action(number, fields)
    return done(as_json=True)


def _check_valid(valid: Fields, profile: Profile) -> None:
    """Both times are local, without a zone, up to the end of 2037, and in order."""
    begin, end = (_time(valid, name) for name in ("beginTime", "endTime"))
    if begin and end and end < begin:
        raise Refusal("endtimeEarlierThanBegintime")
    if begin and begin == end and not profile.valid_of_no_length:
        raise Refusal("badJsonContent", "UserInfo.Valid.endTime")


def _time(valid: Fields, name: str) -> str | None:
    value = valid.get(name)
    if value is None:
        return None
    try:
        if isinstance(value, str) and _TIME.fullmatch(value) and EARLIEST <= value <= LATEST:
            datetime.fromisoformat(value)
            return value
    except ValueError:
        pass
    raise Refusal("badJsonContent", f"UserInfo.Valid.{name}")


def search(terminal: Terminal) -> Response:
    """One page of persons in the order they were added."""
    condition = child(json_object(), "UserInfoSearchCond")
    listed = numbers(condition, "EmployeeNoList", "employeeNo")
    words = str(condition.get("fuzzySearch", ""))
    hits = [
        number
        for number, person in terminal.people.items()
        if (listed is None or number in listed) and (words in number or words in str(person["name"]))
    ]
    result = search_result(terminal.profile, hits, condition, "UserInfo", lambda number: _search_row(terminal, number))
    return json_reply({"UserInfoSearch": {"searchID": str(condition.get("searchID", "")), **result}})


def _search_row(terminal: Terminal, number: str) -> Fields:
    """A person as in a search result; `faceURL` comes last, and only where there is a face."""
    person = dict(terminal.people[number])
    face = terminal.faces.get(number)
    person["numOfCard"] = sum(card.employee_no == number for card in terminal.cards.values())
    person["numOfFace"] = int(face is not None)
    if face is not None:
        person["faceURL"] = terminal.face_url(face)
    return {name: value for name, value in person.items() if name not in terminal.profile.not_in_search}


def start_removal(terminal: Terminal) -> Response:
    """Begin to remove persons with their cards and faces.

    As on real terminals, mode `all` and an empty or missing list remove EVERYBODY.
    """
    condition = child(json_object(), "UserInfoDetail")
    mode = condition.get("mode")
    if mode not in ("all", "byEmployeeNo"):
        raise Refusal("badJsonContent", "UserInfoDetail.mode")
    listed = numbers(condition, "EmployeeNoList", "employeeNo")
    terminal.store.start_removal(None if mode == "all" else listed)
    deletion = terminal.store.deletion
    if deletion is not None and terminal.faults.take("removal-fails", request.path):
        deletion.failed = True
    return done(as_json=True)


def removal_progress(terminal: Terminal) -> Response:
    """Whether the removal is still going on."""
    return json_reply({"UserInfoDetailDeleteProcess": {"status": terminal.store.removal_status()}})


def remove_at_once(terminal: Terminal) -> Response:
    """The older way: remove persons at once, but not their cards (ISAPI guide 2.6, "Person management").

    An empty or missing list removes everybody here, too.
    """
    condition = child(json_object(), "UserInfoDelCond")
    terminal.store.remove(numbers(condition, "EmployeeNoList", "employeeNo"), with_cards=False)
    return done(as_json=True)


def count(terminal: Terminal) -> Response:
    """Count the persons and, on most models, those who have a face or a card."""
    fields: Fields = {"userNumber": len(terminal.people)}
    if terminal.profile.bind_counts:
        fields |= {
            "bindFaceUserNumber": len(terminal.faces),
            "bindFingerprintUserNumber": 0,
            "bindCardUserNumber": len({card.employee_no for card in terminal.cards.values()}),
        }
    return json_reply({"UserInfoCount": fields | dict.fromkeys(terminal.profile.counts_that_stay_0, 0)})


def capabilities(terminal: Terminal) -> Response:
    """The limits of UserInfo: the recording of a K1A340FWX with the profile's numbers; the seed's was not recorded."""
    answer = json.loads(recordings.body("userinfo_capabilities_K1A340FWX.json"))
    user, profile = answer["UserInfo"], terminal.profile
    if profile.cuts_names:
        del user["name"]["@max"]
    else:
        user["name"]["@max"] = profile.name_bytes
    user["maxRecordNum"] = profile.capacity
    user["UserInfoSearchCond"]["isSupportNumOfFace"] = int(profile.num_of_face_listed)
    return json_reply(answer)
