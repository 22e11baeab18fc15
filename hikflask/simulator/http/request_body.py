"""Reading request bodies: XML and JSON, whatever the Content-Type says, and the parts of a multipart body."""

import json
from dataclasses import dataclass
from xml.etree import ElementTree

from flask import request
from werkzeug.http import parse_options_header

from hikflask.simulator.errors import Refusal

Fields = dict[str, object]


@dataclass(frozen=True)
class Part:
    """One part of a multipart body. The names of `headers` are in lower case."""

    headers: dict[str, str]
    content: bytes

    @property
    def content_type(self) -> str:
        return parse_options_header(self.headers.get("content-type"))[0]

    @property
    def name(self) -> str:
        return parse_options_header(self.headers.get("content-disposition"))[1].get("name", "")

    @property
    def is_json(self) -> bool:
        return self.content.lstrip().startswith(b"{")


def wants_json() -> bool:
    """Whether the query asks for JSON; errors and OK are XML otherwise."""
    return request.args.get("format") == "json"


def json_object(body: bytes | None = None) -> Fields:
    """The JSON object in `body`, by default the request's. :raises Refusal: when it is none."""
    try:
        value = json.loads(request.get_data() if body is None else body)
    except ValueError:
        raise Refusal("badJsonFormat") from None
    if not isinstance(value, dict):
        raise Refusal("badJsonFormat")
    return value


def xml_fields(root_name: str, namespace: str = "") -> dict[str, str]:
    """The fields of the request's XML body by local name.

    :raises Refusal: when it is no XML, or has another root or, where that is given, another namespace.
    """
    try:
        root = ElementTree.fromstring(request.get_data())  # noqa: S314 - it hears our own client
    except ElementTree.ParseError:
        raise Refusal("badXmlContent") from None
    if _local(root.tag) != root_name or (namespace and root.tag != f"{{{namespace}}}{root_name}"):
        raise Refusal("badXmlContent", _local(root.tag))
    return {_local(element.tag): (element.text or "").strip() for element in root}


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def child(fields: Fields, name: str) -> Fields:
    """The object `name` in `fields`. :raises Refusal: when it is missing or no object."""
    if name not in fields:
        raise Refusal("MessageParametersLack", name)
    value = fields[name]
    if not isinstance(value, dict):
        raise Refusal("badJsonContent", name)
    return value


def numbers(fields: Fields, list_name: str, item_name: str) -> list[str] | None:
    """The values of a list of `{item_name: value}`; None when it is missing or empty. :raises Refusal:"""
    items = fields.get(list_name) or []
    if not isinstance(items, list) or not all(isinstance(item, dict) and item_name in item for item in items):
        raise Refusal("badJsonContent", list_name)
    return [str(item[item_name]) for item in items] or None


def whole_number(fields: Fields, name: str, default: int) -> int:
    """The whole number `name`, 0 or more. :raises Refusal: when it is something else."""
    value = fields.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise Refusal("badJsonContent", name)
    return value


def parts() -> list[Part]:
    """The parts of the request's multipart body; a body of another kind counts as one part.

    Flask's own parser will not do: it decodes a picture without a file name as text and loses bytes.
    """
    kind, options = parse_options_header(request.headers.get("Content-Type"))
    body = request.get_data()
    if not kind.startswith("multipart/") or "boundary" not in options:
        return [Part({}, body)]
    delimiter = b"\r\n--" + options["boundary"].encode()
    sent = []
    for piece in (b"\r\n" + body).split(delimiter)[1:-1]:
        head, _, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        pairs = (line.partition(":") for line in head.decode("latin-1").split("\r\n") if line)
        sent.append(Part({name.strip().lower(): value.strip() for name, _, value in pairs}, content))
    return sent
