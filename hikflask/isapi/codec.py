"""Parses and checks the XML, the JSON and the status envelope of answers, and raises a TerminalError when they are bad.

What the vendor allows: the envelope "ResponseStatus" in JSON or XML (ISAPI guide, "Error codes"). Data and errors come
in different namespaces, and the heartbeat has the root RequestStatus. So elements are matched by their local name.
"""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml.ElementTree import fromstring

from hikflask.isapi.answer import Answer, ResponseStatus
from hikflask.isapi.errors import AccountLocked, LoginRefused, Nonsense, WrongPassword, error_for

Json = dict[str, Any]

ENVELOPES = {"ResponseStatus", "RequestStatus", "userCheck"}
OK_CODES = {0, 1}
LOCKED = {"lock", "locked"}
# In seconds. With a lock of 0 s, every status request would try the password and add an audit entry.
MIN_LOCK_SECONDS = 5

MAX_NUMBER = 2**31
# A page of 30 people has at most 50 KB. A much larger body would take seconds and a lot of memory to parse.
MAX_STATUS_BYTES = 1024 * 1024
# The largest recorded document has 10 KB. The parser repeats the namespace before each name: 1 MB of names would take
# a minute to parse, 32 KB take a quarter of a second and 30 MB of memory.
MAX_XML_BYTES = 32 * 1024
BOM = b"\xef\xbb\xbf"
# Control characters and single surrogates: each database refuses some of them, and no name contains them.
UNUSABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# The same in strict JSON: the escape of one, or one that JSON does not escape.
MAY_BE_UNUSABLE = re.compile("\\\\[bfnrtu]|[\x7f-\x9f\ud800-\udfff]")
# A field of fixed width may end with zero bytes, which were replaced by U+FFFD.
PADDING = " \ufffd"


def checked(answer: Answer, *, has_envelope: bool = False) -> Answer:
    """Return the answer if neither its HTTP status nor its envelope is a refusal. Some firmware refuses with HTTP 200.

    :raises TerminalError: of the refusal. :raises Nonsense: when it has no envelope and must have one.
    """
    status = response_status(answer)
    if status is None:
        is_ok = True
    elif status.status_code is None:
        is_ok = status.sub_status.lower() == "ok"
    else:
        is_ok = status.status_code in OK_CODES
    if not is_ok or not 200 <= answer.status < 300:
        raise error_for(status or ResponseStatus(), answer.status, answer.path)
    if has_envelope and status is None:
        raise Nonsense(message="no ResponseStatus", path=answer.path, http_status=answer.status)
    return answer


def confirmed(answer: Answer) -> Answer:
    """Return the answer if its envelope says OK. HTTP 200 alone is no success. :raises TerminalError: as checked()."""
    return checked(answer, has_envelope=True)


def response_status(answer: Answer) -> ResponseStatus | None:
    """Return the envelope of an answer, JSON or XML, or None when the body has none."""
    try:
        if is_json(answer):
            words = json_object(answer)
            words = _dict(words.get("ResponseStatus")) or words
            envelope = "ResponseStatus" if "statusCode" in words or "subStatusCode" in words else ""
        elif _first_letter(answer) == b"<":
            root = xml(answer)
            words, envelope = {local_name(element): text_of(element) for element in root}, local_name(root)
        else:
            return None
    except Nonsense:
        return None
    if envelope not in ENVELOPES:
        return None
    if envelope == "userCheck":
        is_ok = words.get("statusValue") == "200"
        return ResponseStatus(1 if is_ok else 4, "ok" if is_ok else "badAuthorization")
    return ResponseStatus(
        status_code=whole(words.get("statusCode")),
        sub_status=str(words.get("subStatusCode") or ""),
        message=str(words.get("errorMsg") or ""),
    )


def is_json(answer: Answer) -> bool:
    """True when the body looks like a JSON object, whatever its Content-Type says."""
    return _first_letter(answer) == b"{"


def _first_letter(answer: Answer) -> bytes:
    return answer.body.removeprefix(BOM).lstrip()[:1]


@dataclass(frozen=True)
class UserCheck:
    """The account's state in the body of a 401: login tries left, and seconds until a locked account is unlocked."""

    locked: bool = False
    tries_left: int | None = None
    unlock_seconds: int | None = None


def user_check(answer: Answer) -> UserCheck:
    """Return the state of the account from the body of a 401. An unreadable body gives the defaults.

    The names vary, in XML and JSON: userCheck has lockStatus, retryLoginTime and unlockTime (recorded), ResponseStatus
    has lockStatus, retryTimes and resLockTime. A locked account is `lock` (recorded) or `locked` (ISAPI guide,
    "Security").
    """
    try:
        if is_json(answer):
            words = json_object(answer)
            words = words | _dict(words.get("ResponseStatus")) | _dict(words.get("userCheck"))
        else:
            words = {local_name(element): text_of(element) for element in xml(answer).iter()}
    except Nonsense:
        words = {}

    def first(*names: str) -> object:
        return next((words[name] for name in names if name in words), None)

    return UserCheck(
        locked=str(first("lockStatus")).strip().lower() in LOCKED,
        tries_left=counted(first("retryLoginTime", "retryTimes")),
        unlock_seconds=counted(first("unlockTime", "resLockTime")),
    )


def login_refusal(answer: Answer) -> LoginRefused:
    """Return the error for a 401 that answers a request with credentials."""
    check = user_check(answer)
    if check.locked:
        seconds = None if check.unlock_seconds is None else max(check.unlock_seconds, MIN_LOCK_SECONDS)
        return AccountLocked(unlock_seconds=seconds, path=answer.path, http_status=answer.status)
    return WrongPassword(tries_left=check.tries_left, path=answer.path, http_status=answer.status)


def xml(answer: Answer, *roots: str) -> Element:
    """Return the root element of an XML body.

    :raises Nonsense: for broken XML and for a root that is not in `roots`.
    """
    return xml_of(answer.body, answer.path, *roots)


def xml_of(data: bytes, path: str, *roots: str) -> Element:
    """Return the root element of XML bytes. :raises Nonsense: for broken XML and for a root that is not in `roots`."""
    if len(data) > MAX_XML_BYTES:
        raise Nonsense(message="answer too large", path=path)
    try:
        # No DTD: an attribute's default in it would be repeated in each element and fill the memory.
        root: Element = fromstring(data.strip(), forbid_dtd=True)
    # ValueError: a DTD or an entity; LookupError: an unknown encoding.
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
    """Return the text of the first element with one of these local names, or an empty text.

    Characters that cannot be stored are replaced, as in JSON.
    """
    element = child(root, *names)
    return "" if element is None else text_of(element)


def text_of(element: Element) -> str:
    """Return the text of an element, without the spaces around it, fit to be stored."""
    return usable_text((element.text or "").strip())


def to_json(value: Json) -> bytes:
    """Return compact UTF-8 JSON, as the terminal's own page sends it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def json_object(answer: Answer) -> Json:
    """Return the JSON object of a body, or raise Nonsense. Characters that cannot be stored are replaced by U+FFFD.

    Old firmware cuts names after a number of bytes, even inside a letter. Neither one broken letter nor the zero byte
    that ends a text in C must spoil the page.
    """
    if len(answer.body) > MAX_STATUS_BYTES:
        raise Nonsense(message="answer too large", path=answer.path, http_status=answer.status)
    try:
        value = _usable_json(answer.body.rstrip(b"\0 \t\r\n").decode("utf-8-sig", errors="replace"))
    except (ValueError, RecursionError) as error:
        raise Nonsense(message="broken JSON", path=answer.path, http_status=answer.status) from error
    if not isinstance(value, dict):
        raise Nonsense(message="not a JSON object", path=answer.path, http_status=answer.status)
    return value


def _usable_json(text: str) -> Any:
    """Return the value. Strings are looked at one by one only where one may have a character that cannot be stored."""
    try:
        value = json.loads(text)
    except ValueError:
        return _usable(json.loads(text, strict=False))
    return _usable(value) if MAY_BE_UNUSABLE.search(text) else value


def _usable(value: Any) -> Any:
    if isinstance(value, str):
        return usable_text(value)
    if isinstance(value, dict):
        return {name: _usable(inner) for name, inner in value.items()}
    return [_usable(inner) for inner in value] if isinstance(value, list) else value


def usable_text(text: str) -> str:
    """Return a text in which the characters that cannot be stored are replaced by U+FFFD."""
    return UNUSABLE.sub("\ufffd", text)


def member(answer: Answer, name: str) -> Json:
    """Return the top-level object with this name in a JSON body, or raise Nonsense."""
    value = json_object(answer).get(name)
    if not isinstance(value, dict):
        raise Nonsense(message=f"no {name}", path=answer.path, http_status=answer.status)
    return value


def fields(answer: Answer, name: str, names: Collection[str]) -> dict[str, str]:
    """Return the texts of the object `name` in a JSON body, or of the root `name` in XML, by their names.

    :raises Nonsense: when the body has no such object or root.
    """
    if is_json(answer):
        words = member(answer, name)
        return {field: str(words.get(field) or "") for field in names}
    root = xml(answer, name)
    return {field: text(root, field) for field in names}


def rows(value: object) -> list[Json]:
    """Return the objects in a list. A single object counts as a list of one, any other value as an empty list."""
    if isinstance(value, dict):
        return [value]
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def whole(value: object, limit: int = MAX_NUMBER) -> int | None:
    """Return an integer below the limit, sent as a number or as text, or None."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    try:
        number = int(value)
    except ValueError:
        return None
    return number if abs(number) < limit else None


def counted(value: object, limit: int = MAX_NUMBER) -> int | None:
    """Return a count below the limit, sent as a number or as text, or None, also for a negative number."""
    number = whole(value, limit)
    return number if number is not None and number >= 0 else None


def number_in(row: Json, name: str) -> str:
    """Return a person's number without its padding, sent as text or as a JSON number, or an empty text."""
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int | str):
        return ""
    return str(value).strip(PADDING)


def _dict(value: object) -> Json:
    return value if isinstance(value, dict) else {}
