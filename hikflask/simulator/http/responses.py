"""Responses in the form of the recordings: JSON, XML, the headers of every response, OK and errors."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from xml.sax.saxutils import escape

from flask import Response

from hikflask.simulator.errors import STATUS_STRINGS, Refusal

HEADERS = MappingProxyType(
    {
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "SAMEORIGIN",
        "X-XSS-Protection": "1; mode=block",
    }
)
ISAPI_NAMESPACE = "http://www.isapi.org/ver20/XMLSchema"
ERROR_NAMESPACE = "http://www.hikvision.com/ver10/XMLSchema"
XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'


def declaration(crlf: bool) -> str:
    """The XML declaration with its line end: CRLF on the seed terminal, although LF ends the other lines."""
    return XML_DECLARATION + ("\r\n" if crlf else "\n")


def print_json(value: object, depth: int = 0) -> str:
    """JSON as terminals format it: indented with tabs, a tab after each colon, arrays on one line."""
    if isinstance(value, Mapping):
        return _print_object(value, depth)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(print_json(item, depth + 1) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def _print_object(value: Mapping[str, object], depth: int) -> str:
    inner = "\t" * (depth + 1)
    lines = [f"{inner}{json.dumps(key)}:\t{print_json(item, depth + 1)}" for key, item in value.items()]
    return "{\n" + ",\n".join(lines) + "\n" + "\t" * depth + "}"


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
    code = refusal.code
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
