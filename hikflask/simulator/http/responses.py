"""Replies in the shape of the recordings: printing of JSON and XML, and the headers every reply carries."""

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
    """The XML declaration with its line end, which is CRLF on the seed terminal whatever follows."""
    return XML_DECLARATION + ("\r\n" if crlf else "\n")


def print_json(value: object, depth: int = 0) -> str:
    """JSON as the terminals print it: tabs, a tab after the colon, arrays on one line."""
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
    """Any reply, with the recorded headers."""
    return Response(body, status, headers=dict(HEADERS), content_type=content_type)


def json_reply(value: Mapping[str, object], status: int = 200) -> Response:
    return reply(print_json(value).encode(), "application/json", status)


def xml_reply(text: str, status: int = 200) -> Response:
    return reply(text.encode(), "application/xml", status)


def recorded_reply(body: bytes, status: int = 200) -> Response:
    """A recorded body as it is; JSON and XML are told apart by the first byte."""
    kind = "application/json" if body.startswith(b"{") else "application/xml"
    return reply(body, kind, status)


def done(as_json: bool, crlf: bool = True) -> Response:
    """The plain OK: JSON as recorded for Record and FDSetUp, XML as `ResponseStatus`."""
    fields: dict[str, object] = {"statusCode": 1, "statusString": "OK", "subStatusCode": "ok"}
    return json_reply(fields) if as_json else xml_reply(response_status(fields, crlf))


def refused(refusal: Refusal, as_json: bool, crlf: bool = True) -> Response:
    """A refusal: JSON as recorded for DeviceWorkMode, XML as for IDBlackListCfg and the capture that timed out.

    The two in XML differ in what follows the declaration, and in the line feed at the end that only the former has.
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
    """The envelope in XML."""
    children = "".join(f"<{name}>{escape(str(value))}</{name}>\n" for name, value in fields.items())
    head = f'<ResponseStatus version="1.0" xmlns="{ERROR_NAMESPACE}">\n<requestURL></requestURL>\n'
    return f"{declaration(crlf)}{head}{children}</ResponseStatus>" + ("\n" if crlf else "")
