"""Responses in the form of the recordings: JSON, XML, the headers of every response, OK and errors."""

import json
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

from flask import Response

from hikflask.simulator.errors import STATUS_STRINGS, Refusal, code_of
from hikflask.simulator.profiles import LockWords

HEADERS = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "X-XSS-Protection": "1; mode=block",
}
ISAPI_NAMESPACE = "http://www.isapi.org/ver20/XMLSchema"
ERROR_NAMESPACE = "http://www.hikvision.com/ver10/XMLSchema"


def declaration(crlf: bool) -> str:
    """The XML declaration with its line end: CRLF on the seed terminal, although LF ends the other lines."""
    return '<?xml version="1.0" encoding="UTF-8"?>' + ("\r\n" if crlf else "\n")


def print_json(value: object, depth: int = 0) -> str:
    """JSON as terminals format it: indented with tabs, a tab after each colon, arrays on one line."""
    if isinstance(value, Mapping):
        inner = "\t" * (depth + 1)
        lines = [f"{inner}{json.dumps(key)}:\t{print_json(item, depth + 1)}" for key, item in value.items()]
        return "{\n" + ",\n".join(lines) + "\n" + "\t" * depth + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(print_json(item, depth + 1) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def reply(body: bytes, content_type: str, status: int = 200) -> Response:
    """A response with the recorded headers."""
    return Response(body, status, headers=dict(HEADERS), content_type=content_type)


def json_reply(value: Mapping[str, object], status: int = 200) -> Response:
    return reply(print_json(value).encode(), "application/json", status)


def xml_reply(text: str, status: int = 200) -> Response:
    return reply(text.encode(), "application/xml", status)


def recorded_reply(body: bytes, status: int = 200) -> Response:
    """A response with a recorded body, unchanged. The first byte tells whether it is JSON or XML."""
    kind = "application/json" if body.startswith(b"{") else "application/xml"
    return reply(body, kind, status)


def done(as_json: bool, crlf: bool = True) -> Response:
    """OK: in JSON as recorded for Record and FDSetUp, in XML as `ResponseStatus`."""
    fields: dict[str, object] = {"statusCode": 1, "statusString": "OK", "subStatusCode": "ok"}
    return json_reply(fields) if as_json else xml_reply(response_status(fields, crlf))


def refused(refusal: Refusal, as_json: bool, crlf: bool = True) -> Response:
    """An error: in JSON as recorded for DeviceWorkMode, in XML as for IDBlackListCfg and a capture that timed out.

    The two recorded in XML differ: only the first has CRLF after the declaration and a line feed at the end.
    """
    code = code_of(refusal.sub_status)
    fields: dict[str, object] = {
        "statusCode": code.status_code,
        "statusString": STATUS_STRINGS[code.status_code],
        "subStatusCode": refusal.sub_status,
    }
    if code.error_code is not None:
        fields["errorCode"] = code.error_code
    fields["errorMsg"] = refusal.message
    if as_json:
        return json_reply(fields, refusal.http_status)
    return xml_reply(response_status(fields, crlf), refusal.http_status)


def response_status(fields: Mapping[str, object], crlf: bool) -> str:
    """A `ResponseStatus` in XML with these fields."""
    children = "".join(f"<{name}>{escape(str(value))}</{name}>\n" for name, value in fields.items())
    head = f'<ResponseStatus version="1.0" xmlns="{ERROR_NAMESPACE}">\n<requestURL></requestURL>\n'
    return f"{declaration(crlf)}{head}{children}</ResponseStatus>" + ("\n" if crlf else "")


def login_error(words: LockWords, tries_left: int, lock_seconds: int | None) -> bytes:
    """The body of a 401: how many tries are left, or for how long the account is locked, in the dialect `words`.

    "lock" is recorded on K1T342MWX, "locked" is the word of the vendor's guide. The other dialects are known from what
    clients of terminals read: a ResponseStatus in XML or JSON with `retryTimes` and `resLockTime`, and userCheck as
    JSON. `lock_seconds` is None while the account is open.
    """
    if words in ("lock", "locked", "json-user-check"):
        fields: dict[str, object] = {"statusValue": 401}
        if lock_seconds is None:
            fields |= {"lockStatus": "unlock", "retryLoginTime": tries_left}
        else:
            fields |= {"lockStatus": "locked" if words == "locked" else "lock", "unlockTime": lock_seconds}
        if words == "json-user-check":
            return print_json({"userCheck": fields}).encode()
        children = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
        return f"<userCheck>{children}</userCheck>".encode()
    code = code_of("badAuthorization")
    fields = {
        "statusCode": code.status_code,
        "statusString": STATUS_STRINGS[code.status_code],
        "subStatusCode": "badAuthorization",
        "errorCode": code.error_code,
        "errorMsg": "authentication failed",
        "lockStatus": "unlock" if lock_seconds is None else "locked",
        "retryTimes": tries_left if lock_seconds is None else 0,
        "resLockTime": lock_seconds or 0,
    }
    if words == "xml":
        return response_status(fields, crlf=True).encode()
    return print_json({"ResponseStatus": fields} if words == "json-wrapped" else fields).encode()
