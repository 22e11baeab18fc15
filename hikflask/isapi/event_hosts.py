"""Where a terminal pushes its events to: the slots of httpHosts.

What the vendor allows: GET /ISAPI/Event/notification/httpHosts, PUT on one slot, ids 1 to 10, in XML whatever is asked
for (ISAPI guide, "Event notification in listening mode"). A list that is put as a whole is confirmed and lands in
another slot as 0.0.0.0, and DELETE clears all slots, so only single slots are written. An event without its four lists
of minors, even empty ones, is refused, and a host by its name, too (several clients each).
"""

import ipaddress
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from hikflask.isapi.answer import Requester
from hikflask.isapi.codec import checked, confirmed, counted, local_name, text, xml
from hikflask.isapi.errors import Nonsense, Refused

PATH = "/ISAPI/Event/notification/httpHosts"
SUBSCRIBABLE = "/ISAPI/Event/notification/subscribeEventCap"
XML_TYPE = "application/xml"
ROOTS = ("HttpHostNotificationList", "HttpHostNotification")
# More than any terminal has.
MAX_HOSTS = 16
MAX_URL_LENGTH, MAX_TEXT_LENGTH = 128, 255
NOWHERE = {"", "0.0.0.0", "::", "0:0:0:0:0:0:0:0"}  # noqa: S104 - what an empty slot shows
PROTOCOLS = {"HTTP", "HTTPS"}
# The events at the door that ring the bell. Not all: each sign-in of ours is an event, too, and would ring it again.
BELL = (1, 2, 6, 7, 8, 9, 38, 39, 49, 54, 57, 60, 75, 76, 77, 80, 101, 104, 113, 153, 156, 181)
DEFAULT_BELL = (1, 9, 38, 39, 75, 76)
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
NAMESPACE = 'version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema"'
SET = (
    f"{HEAD}<HttpHostNotification {NAMESPACE}><id>{{slot}}</id><url>{{url}}</url>"
    "<protocolType>{protocol}</protocolType><parameterFormatType>JSON</parameterFormatType>"
    "<addressingFormatType>ipaddress</addressingFormatType><ipAddress>{address}</ipAddress><portNo>{port}</portNo>"
    "<httpAuthenticationMethod>none</httpAuthenticationMethod><SubscribeEvent><heartbeat>30</heartbeat>"
    "<eventMode>list</eventMode><EventList><Event><type>AccessControllerEvent</type><minorAlarm></minorAlarm>"
    "<minorException></minorException><minorOperation></minorOperation><minorEvent>{minors}</minorEvent>"
    "<pictureURLType>binary</pictureURLType></Event></EventList></SubscribeEvent></HttpHostNotification>"
)
CLEAR = (
    f"{HEAD}<HttpHostNotification {NAMESPACE}><id>{{slot}}</id><url></url><protocolType>{{protocol}}</protocolType>"
    "<addressingFormatType>ipaddress</addressingFormatType><ipAddress>0.0.0.0</ipAddress><portNo>{port}</portNo>"
    "</HttpHostNotification>"
)
# How an empty slot is written; on some firmware the first slot is one for EHome, and refuses anything else.
EMPTY = {"protocol": "HTTP", "port": 0}
EMPTY_EHOME = {"protocol": "EHome", "port": 15300}


@dataclass(frozen=True)
class Host:
    """One slot, as the terminal shows it: an address or a name, the port, the path, and HTTP, HTTPS or EHome."""

    slot: int
    address: str
    port: int
    url: str
    protocol: str

    @property
    def is_empty(self) -> bool:
        """True when nothing is sent anywhere by this slot."""
        return self.address in NOWHERE


def hosts(client: Requester) -> list[Host]:
    """Return all slots, empty ones too, up to MAX_HOSTS.

    :raises TerminalError: :raises Nonsense: when it is no list of slots.
    """
    root = xml(checked(client.request("GET", PATH)), *ROOTS)
    elements = [element for element in root.iter() if local_name(element) == "HttpHostNotification"]
    return [_host(element, index) for index, element in enumerate(elements[:MAX_HOSTS], 1)]


def _host(element: Element, index: int) -> Host:
    by_name = text(element, "addressingFormatType").lower() == "hostname"
    names = ("hostName", "ipAddress", "ipv6Address") if by_name else ("ipAddress", "ipv6Address", "hostName")
    url = text(element, "url")[:MAX_TEXT_LENGTH]
    addresses = [text(element, name)[:MAX_TEXT_LENGTH] for name in names]
    # A whole URL in the place of the path is an address as well.
    address = next((address for address in [*addresses, _host_in(url)] if address not in NOWHERE), addresses[0])
    return Host(
        slot=counted(text(element, "id")) or index,
        address=address,
        port=counted(text(element, "portNo")) or 0,
        url=url,
        protocol=text(element, "protocolType")[:MAX_TEXT_LENGTH],
    )


def _host_in(url: str) -> str:
    """Return the host of a URL that stands where a path should be, or an empty text."""
    if not url or (url.startswith("/") and not url.startswith("//")):
        return ""
    try:
        host = urlsplit(url if "//" in url else f"//{url}").hostname or ""
    except ValueError:
        return url
    return host if "." in host else ""


def set_host(client: Requester, slot: int, *, address: str, port: int, url: str, protocol: str = "HTTP") -> None:
    """Let a slot push what happens at the door to an address, as JSON, and no other event.

    This proves nothing: some terminals confirm it and keep nothing of it. Call `hosts` afterwards.

    Args: address is an IPv4 address, because terminals know no names; url is the path, at most 128 characters.
    :raises NotSupported: :raises TerminalError: :raises ValueError: for what no terminal takes.
    """
    ipaddress.IPv4Address(address)
    if not 0 < port < 2**16 or not url.startswith("/") or len(url) > MAX_URL_LENGTH or protocol not in PROTOCOLS:
        raise ValueError("a port, a path of at most 128 characters, and HTTP or HTTPS")
    words = {"url": escape(url), "protocol": protocol, "address": address, "port": port}
    minors = ",".join(f"{minor:#x}" for minor in _bell(client))
    _put(client, slot, SET.format(slot=slot, **words, minors=minors))


def _bell(client: Requester) -> Collection[int]:
    """Return the minors to subscribe to: those of the bell that the terminal knows, as far as it tells."""
    try:
        root = xml(checked(client.request("GET", SUBSCRIBABLE)))
    except (Refused, Nonsense) as error:
        if error.retryable:
            raise
        return DEFAULT_BELL
    known = {_number(word) for word in text(root, "minorEvent").split(",")}
    return [minor for minor in BELL if minor in known] or DEFAULT_BELL


def _number(word: str) -> int | None:
    try:
        return int(word, 0)
    except ValueError:
        return None


def clear_host(client: Requester, slot: int) -> None:
    """Let a slot push nowhere. This proves nothing: call `hosts` afterwards. :raises TerminalError:"""
    try:
        _put(client, slot, CLEAR.format(slot=slot, **EMPTY))
    except Refused as error:
        if type(error) is not Refused:
            raise
        _put(client, slot, CLEAR.format(slot=slot, **EMPTY_EHOME))


def _put(client: Requester, slot: int, body: str) -> None:
    if slot < 1:
        raise ValueError("slots begin with 1")
    confirmed(client.request("PUT", f"{PATH}/{slot}", data=body.encode(), content_type=XML_TYPE))
