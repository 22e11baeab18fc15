"""XML, JSON and the envelope: bytes of a terminal become checked things, or a TerminalError.

What the vendor allows: the envelope "ResponseStatus" in JSON or XML (ISAPI guide, "Error codes"). Data and errors come
in different namespaces and the heartbeat in a root called RequestStatus, so elements are matched by their local name.
"""

import json
import re
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml.ElementTree import fromstring

from hikflask.isapi.answer import Answer, ResponseStatus
from hikflask.isapi.errors import AccountLocked, LoginRefused, Nonsense, WrongPassword, error_for
from hikflask.isapi.multipart import Part, cut_jpeg, parts

__all__ = ["Part", "ResponseStatus", "checked", "confirmed", "cut_jpeg", "parts", "response_status"]

Json = dict[str, Any]

ENVELOPES = {"ResponseStatus", "RequestStatus", "userCheck"}
OK_CODES = {0, 1}
LOCKED = {"lock", "locked"}
# A lock that always ends at once would be tried, and noted in the audit trail, as often as anybody asks.
SHORTEST_LOCK = 5

LARGEST_NUMBER = 2**31
# A page of 30 people is 50 KB at most. What is larger is no words, and would take seconds and far more memory to read.
LARGEST_WORDS = 1024 * 1024
# The largest recorded document has 10 KB. The parser writes the namespace out before each name: in 1 MB of them that
# takes a minute, in this much a quarter of a second and 30 MB.
LARGEST_XML = 32 * 1024
BOM = b"\xef\xbb\xbf"
# Neither database takes each of these, and none is part of a name: control characters and halves of surrogate pairs.
UNUSABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# A field of a fixed width may come with the zeros at its end, which are replaced by then.
PADDING = " \ufffd"


def checked(answer: Answer) -> Answer:
    """Return the answer when neither HTTP nor the envelope refuses; some firmware refuses with HTTP 200.

    Raises: the TerminalError that the refusal stands for.
    """
    status = response_status(answer)
    if not 200 <= answer.status < 300:
        raise error_for(status or ResponseStatus(), answer.status, answer.path)
    if status and not _is_ok(status):
        raise error_for(status, answer.status, answer.path)
    return answer


def confirmed(answer: Answer) -> Answer:
    """Return the answer when the terminal itself says OK; HTTP 200 alone is no success.

    Raises: the TerminalError of a refusal, Nonsense where there is no envelope.
    """
    checked(answer)
    if response_status(answer) is None:
        raise Nonsense(message="no ResponseStatus", path=answer.path, http_status=answer.status)
    return answer


def _is_ok(status: ResponseStatus) -> bool:
    if status.status_code is None:
        return status.sub_status.lower() == "ok"
    return status.status_code in OK_CODES


def response_status(answer: Answer) -> ResponseStatus | None:
    """Return the envelope of an answer, JSON or XML, or None where the body holds none."""
    if is_json(answer):
        return _status_of_json(answer)
    return _status_of_xml(answer) if _first_letter(answer) == b"<" else None


def is_json(answer: Answer) -> bool:
    """True when the body looks like a JSON object, whatever its label says."""
    return _first_letter(answer) == b"{"


def _first_letter(answer: Answer) -> bytes:
    return answer.body.removeprefix(BOM).lstrip()[:1]


def _status_of_json(answer: Answer) -> ResponseStatus | None:
    try:
        found = json_object(answer)
    except Nonsense:
        return None
    found = _dict(found.get("ResponseStatus")) or found
    if "statusCode" not in found and "subStatusCode" not in found:
        return None
    return _status(found)


def _status_of_xml(answer: Answer) -> ResponseStatus | None:
    try:
        root = xml(answer)
    except Nonsense:
        return None
    if local_name(root) not in ENVELOPES:
        return None
    words = {local_name(element): _own_text(element) for element in root}
    if local_name(root) != "userCheck":
        return _status(words)
    accepted = words.get("statusValue") == "200"
    return ResponseStatus(1 if accepted else 4, words.get("statusString", ""), "ok" if accepted else "badAuthorization")


def _status(words: Json) -> ResponseStatus:
    return ResponseStatus(
        status_code=whole(words.get("statusCode")),
        status_string=str(words.get("statusString") or ""),
        sub_status=str(words.get("subStatusCode") or ""),
        error_code=whole(words.get("errorCode")),
        message=str(words.get("errorMsg") or ""),
    )


@dataclass(frozen=True)
class UserCheck:
    """What a terminal says beside HTTP 401: tries left, and seconds until a locked account opens again."""

    locked: bool = False
    tries_left: int | None = None
    unlock_seconds: int | None = None


def user_check(answer: Answer) -> UserCheck:
    """Return what a 401 says about the account; an unreadable body says nothing.

    The words vary: userCheck has lockStatus, retryLoginTime and unlockTime (recorded), a ResponseStatus has lockStatus,
    retryTimes and resLockTime, in XML or JSON; locked is `lock` (recorded) or `locked` (ISAPI guide, "Security").
    """
    words = _words_beside_401(answer)

    def said(*names: str) -> object:
        return next((words[name] for name in names if name in words), None)

    return UserCheck(
        locked=str(said("lockStatus")).strip().lower() in LOCKED,
        tries_left=counted(said("retryLoginTime", "retryTimes")),
        unlock_seconds=counted(said("unlockTime", "resLockTime")),
    )


def _words_beside_401(answer: Answer) -> Json:
    try:
        if is_json(answer):
            found = json_object(answer)
            return found | _dict(found.get("ResponseStatus")) | _dict(found.get("userCheck"))
        return {local_name(element): _own_text(element) for element in xml(answer).iter()}
    except Nonsense:
        return {}


def login_refusal(answer: Answer) -> LoginRefused:
    """Return the error that a 401 to a request with credentials stands for."""
    check = user_check(answer)
    if check.locked:
        seconds = None if check.unlock_seconds is None else max(check.unlock_seconds, SHORTEST_LOCK)
        return AccountLocked(unlock_seconds=seconds, path=answer.path, http_status=answer.status)
    return WrongPassword(tries_left=check.tries_left, path=answer.path, http_status=answer.status)


def xml(answer: Answer, *roots: str) -> Element:
    """Return the root element of an XML body; Nonsense when it is none, or not one of the roots given."""
    return xml_of(answer.body, answer.path, *roots)


def xml_of(data: bytes, path: str, *roots: str) -> Element:
    """Return the root element of XML bytes, as `xml` does."""
    if len(data) > LARGEST_XML:
        raise Nonsense(message="answer too large", path=path)
    try:
        # Without a DTD: one default of an attribute there is repeated in each element, and fills the memory.
        root: Element = fromstring(data.strip(), forbid_dtd=True)
    # ValueError: a DTD and the like; LookupError: unknown encodings.
    except (ParseError, ValueError, LookupError) as error:
        raise Nonsense(message="broken XML", path=path) from error
    if roots and local_name(root) not in roots:
        raise Nonsense(message="unexpected root element", path=path)
    return root


def local_name(element: Element) -> str:
    """Return an element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def child(root: Element, *names: str) -> Element | None:
    """Return the first element below the root that has one of these local names."""
    return next((element for element in root.iter() if element is not root and local_name(element) in names), None)


def text(root: Element, *names: str) -> str:
    """Return the text of the first element with one of these local names; empty when there is none.

    What cannot be stored in it is replaced, as in JSON.
    """
    found = child(root, *names)
    return _own_text(found) if found is not None else ""


def _own_text(element: Element) -> str:
    return _usable_text((element.text or "").strip())


def to_json(value: Json) -> bytes:
    """Return compact UTF-8 JSON, as the terminal's own page sends it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def json_object(answer: Answer) -> Json:
    """Return the JSON object of a body, or raise Nonsense; what cannot be stored in its texts is replaced by U+FFFD.

    Old firmware cuts names at a number of bytes, even inside a letter: a broken letter must not hide the whole page.
    """
    if len(answer.body) > LARGEST_WORDS:
        raise Nonsense(message="answer too large", path=answer.path, http_status=answer.status)
    try:
        value = _usable(json.loads(answer.body.decode("utf-8-sig", errors="replace"), strict=False))
    except (ValueError, RecursionError) as error:
        raise Nonsense(message="broken JSON", path=answer.path, http_status=answer.status) from error
    if not isinstance(value, dict):
        raise Nonsense(message="not a JSON object", path=answer.path, http_status=answer.status)
    return value


def _usable(value: Any) -> Any:
    if isinstance(value, str):
        return _usable_text(value)
    if isinstance(value, dict):
        return {name: _usable(inner) for name, inner in value.items()}
    return [_usable(inner) for inner in value] if isinstance(value, list) else value


def _usable_text(text: str) -> str:
    return UNUSABLE.sub("\ufffd", text)


def member(answer: Answer, name: str) -> Json:
    """Return the object of this name at the top of a JSON body, or raise Nonsense."""
    value = json_object(answer).get(name)
    if not isinstance(value, dict):
        raise Nonsense(message=f"no {name}", path=answer.path, http_status=answer.status)
    return value


def rows(value: object) -> list[Json]:
    """Return the objects of a list; a single object counts as a list of one, anything else as empty."""
    if isinstance(value, dict):
        return [value]
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def whole(value: object) -> int | None:
    """Return a whole number of at most 31 bits that came as a number or as text, or None."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    try:
        number = int(value)
    except ValueError:
        return None
    return number if abs(number) < LARGEST_NUMBER else None


def counted(value: object) -> int | None:
    """Return how many there are: a whole number as by `whole`, but none below 0."""
    number = whole(value)
    return number if number is not None and number >= 0 else None


def number_in(row: Json, name: str) -> str:
    """Return a person's number, told as text or as a JSON number, without what pads it; empty where there is none."""
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int | str):
        return ""
    return str(value).strip(PADDING)


def _dict(value: object) -> Json:
    return value if isinstance(value, dict) else {}
