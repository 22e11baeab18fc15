"""httpHosts: the slots with the hosts that the terminal sends its events to. They are XML, whatever the query says."""

import re
from collections.abc import Iterable
from dataclasses import replace
from ipaddress import IPv4Address
from xml.etree.ElementTree import Element, ParseError, fromstring
from xml.sax.saxutils import escape

from flask import Response, request

from hikflask.simulator.errors import NotSupported, Refusal
from hikflask.simulator.http.responses import ISAPI_NAMESPACE, declaration, done, xml_reply
from hikflask.simulator.terminal.event_push import EHOME_PORT, MINOR_LISTS, Host
from hikflask.simulator.terminal.terminal import Terminal

MAX_URL = 128
MINORS = re.compile(r"(0x[0-9a-f]+|\d+)(,(0x[0-9a-f]+|\d+))*", re.IGNORECASE | re.ASCII)
PASSWORD = re.compile(r".{8,16}")
MIN_EHOME_PORT, MAX_PORT = 1024, 65535
HOST, LIST = "HttpHostNotification", "HttpHostNotificationList"
ROOT = f'version="2.0" xmlns="{ISAPI_NAMESPACE}"'


def hosts(terminal: Terminal) -> Response:
    """All slots, empty ones too."""
    terminal.push.wake()
    slots = "".join(_shown(terminal, slot) for slot in range(1, len(terminal.push.hosts) + 1))
    return _document(terminal, f"<{LIST} {ROOT}>\n{slots}</{LIST}>\n")


def host(terminal: Terminal) -> Response:
    """One slot."""
    terminal.push.wake()
    return _document(terminal, _shown(terminal, _slot(terminal, request.path), ROOT))


def set_host(terminal: Terminal) -> Response:
    """Put a host into a slot. What is not given becomes what it is in an empty one."""
    slot = _slot(terminal, request.path)
    given = _root(HOST)
    _put(terminal, {slot: _read(terminal, given)})
    return done(as_json=False, crlf=terminal.profile.crlf)


def set_hosts(terminal: Terminal) -> Response:
    """Put hosts into the slots that the list names."""
    given = {_number(each, "id"): _read(terminal, each) for each in _root(LIST).iterfind(f"{{*}}{HOST}")}
    if not given or not given.keys() <= set(range(1, len(terminal.push.hosts) + 1)):
        raise Refusal("badXmlContent", "id")
    if terminal.push.traps.list_lands_elsewhere:
        given = {slot % len(terminal.push.hosts) + 1: Host() for slot in given}
    _put(terminal, given)
    return done(as_json=False, crlf=terminal.profile.crlf)


def add_host(terminal: Terminal) -> Response:
    """Put a host into the first slot that is empty; the others stay as they are."""
    if not terminal.push.traps.takes_delete:
        raise Refusal("methodNotAllowed")
    read = _read(terminal, _root(HOST))
    free = (slot for slot, each in enumerate(terminal.push.hosts, start=1) if each.is_empty)
    slot = next((one for one in free if one > 1 or not terminal.push.traps.needs_ehome), None)
    if slot is None:
        raise Refusal("badXmlContent", "id")
    _put(terminal, {slot: read})
    return done(as_json=False, crlf=terminal.profile.crlf)


def clear_host(terminal: Terminal) -> Response:
    """Clear one slot."""
    if not terminal.push.traps.takes_delete:
        raise Refusal("methodNotAllowed")
    _put(terminal, {_slot(terminal, request.path): Host()})
    return done(as_json=False, crlf=terminal.profile.crlf)


def clear_all(terminal: Terminal) -> Response:
    """Clear every slot."""
    if not terminal.push.traps.takes_delete:
        raise Refusal("methodNotAllowed")
    _put(
        terminal,
        {slot: Host() for slot in range(2 if terminal.push.traps.needs_ehome else 1, len(terminal.push.hosts) + 1)},
    )
    return done(as_json=False, crlf=terminal.profile.crlf)


def try_host(terminal: Terminal) -> Response:
    """Say ok when the slot has a host. The connection is not tried."""
    slot = _slot(terminal, request.path.removesuffix("/test"))
    if not terminal.push.traps.can_test:
        raise Refusal("invalidOperation")
    word = "Connection refused" if terminal.push.hosts[slot - 1].is_empty else "ok"
    result = f"<HttpHostTestResult {ROOT}>\n<errorDescription>{word}</errorDescription>\n</HttpHostTestResult>\n"
    return _document(terminal, result)


def capabilities(terminal: Terminal) -> Response:
    """The limits of a slot."""
    traps = terminal.push.traps
    protocols = "HTTP,HTTPS" if traps.takes_https else "HTTP"
    addressing = "ipaddress,hostname" if traps.takes_hostname else "ipaddress"
    fields = (
        f"<hostNumber>{len(terminal.push.hosts)}</hostNumber>\n"
        f'<urlLen max="{MAX_URL}"/>\n<protocolType opt="{protocols}"/>\n'
        f'<parameterFormatType opt="XML,JSON"/>\n<addressingFormatType opt="{addressing}"/>\n'
        f'<portNo min="1" max="{MAX_PORT}"/>\n<httpAuthenticationMethod opt="MD5digest,none,basic"/>\n'
    )
    return _document(terminal, f"<HttpHostNotificationCap {ROOT}>\n{fields}</HttpHostNotificationCap>\n")


def _put(terminal: Terminal, given: dict[int, Host]) -> None:
    slot_1 = given.get(1)
    if slot_1 and terminal.push.traps.needs_ehome and (slot_1.protocol, slot_1.port) != ("EHome", EHOME_PORT):
        raise Refusal("badXmlContent", "protocolType")
    for slot, each in given.items():
        terminal.push.set_host(slot, each, terminal.events.records)


def _slot(terminal: Terminal, path: str) -> int:
    number = path.rpartition("/")[2]
    if not number.isdecimal() or not 1 <= int(number) <= len(terminal.push.hosts):
        raise NotSupported
    return int(number)


def _root(name: str) -> Element:
    try:
        root = fromstring(request.get_data())  # noqa: S314 - it hears our own client
    except ParseError:
        raise Refusal("badXmlFormat") from None
    if root.tag.rpartition("}")[2] != name:
        raise Refusal("badXmlContent", root.tag.rpartition("}")[2])
    return root


def _read(terminal: Terminal, given: Element) -> Host:
    """The host in a slot's XML. :raises Refusal: where the model takes no such host."""
    traps = terminal.push.traps
    addressing, protocol = _text(given, "addressingFormatType") or "ipaddress", _text(given, "protocolType") or "HTTP"
    address = _text(given, "hostName" if addressing == "hostname" else "ipAddress")
    url, port, password = _text(given, "url"), _number(given, "portNo"), _text(given, "password")
    wrong = {
        "url": len(url) > MAX_URL,
        "protocolType": protocol not in ("HTTP", "EHome", *(["HTTPS"] if traps.takes_https else [])),
        "ipAddress": not (traps.takes_hostname if addressing == "hostname" else _is_address(address)),
        "portNo": port > MAX_PORT or (traps.needs_ehome and 0 < port < MIN_EHOME_PORT),
        "password": bool(password) and not PASSWORD.fullmatch(password),
    }
    for name, is_wrong in wrong.items():
        if is_wrong:
            raise Refusal("badXmlContent", name)
    subscribed = given.find("{*}SubscribeEvent")
    read = Host(
        url=url,
        protocol=protocol,
        format=_text(given, "parameterFormatType") or "XML",
        addressing=addressing,
        address=address,
        port=port,
        user=_text(given, "userName"),
        password=password,
        authentication=_text(given, "httpAuthenticationMethod") or "none",
        keeps=_text(given, "httpBroken") == "true",
        checks_answer=_text(given, "checkResponseEnabled") != "false",
        with_pictures=_text(given, "uploadImagesDataType") != "URL",
    )
    return read if subscribed is None else _subscribed(terminal, read, subscribed)


def _subscribed(terminal: Terminal, read: Host, given: Element) -> Host:
    events = given.findall("{*}EventList/{*}Event")
    lists = [
        (name, _text(event, name)) for event in events for name in MINOR_LISTS if event.find(f"{{*}}{name}") is not None
    ]
    wrong = next((name for name, listed in lists if listed and not MINORS.fullmatch(listed)), None)
    if wrong:
        raise Refusal("badXmlContent", wrong)
    if terminal.push.traps.needs_all_minors and events and {name for name, _ in lists} != set(MINOR_LISTS):
        missing = next(name for name in MINOR_LISTS if name not in dict(lists))
        raise Refusal("MessageParametersLack", missing)
    return replace(
        read,
        heartbeat=_number(given, "heartbeat") or read.heartbeat,
        event_mode=_text(given, "eventMode") or "all",
        minors=tuple(lists),
    )


def _shown(terminal: Terminal, slot: int, attributes: str = "") -> str:
    each = terminal.push.hosts[slot - 1]
    address = "hostName" if each.addressing == "hostname" else "ipAddress"
    fields = [
        ("id", slot),
        ("url", each.url),
        ("protocolType", each.protocol),
        ("parameterFormatType", "" if terminal.push.traps.tells_no_format else each.format),
        ("addressingFormatType", each.addressing),
        (address, each.address),
        ("portNo", each.port),
        *([("userName", each.user)] if each.user else []),
        ("httpAuthenticationMethod", each.authentication),
        *([("httpBroken", "true")] if each.keeps else []),
    ]
    events = _lines([("type", "AccessControllerEvent"), *each.minors]) if each.minors else ""
    events = f"<EventList>\n<Event>\n{events}</Event>\n</EventList>\n" if events else ""
    subscribed = _lines([("heartbeat", each.heartbeat), ("eventMode", each.event_mode)]) + events
    subscribed = f"<SubscribeEvent>\n{subscribed}</SubscribeEvent>\n" if not each.is_empty else ""
    start = f"<{HOST} {attributes}>" if attributes else f"<{HOST}>"
    return f"{start}\n{_lines(fields)}{subscribed}</{HOST}>\n"


def _lines(fields: Iterable[tuple[str, object]]) -> str:
    return "".join(f"<{name}>{escape(str(value))}</{name}>\n" for name, value in fields)


def _document(terminal: Terminal, text: str) -> Response:
    return xml_reply(declaration(terminal.profile.crlf) + text)


def _text(element: Element, name: str) -> str:
    return (element.findtext(f"{{*}}{name}") or "").strip()


def _number(element: Element, name: str) -> int:
    text = _text(element, name)
    if text and not text.isdecimal():
        raise Refusal("badXmlContent", name)
    return int(text or 0)


def _is_address(text: str) -> bool:
    try:
        IPv4Address(text)
    except ValueError:
        return False
    return True
