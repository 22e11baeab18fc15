"""What a terminal is and what it can do.

What the vendor allows: GET on /ISAPI/System/deviceInfo and on the capabilities of UserInfo and FDLib (ISAPI guide,
"Device information", "Capabilities"). deviceInfo is XML even with format=json.
"""

from dataclasses import dataclass

from hikflask.isapi.answer import Requester
from hikflask.isapi.codec import Json, checked, counted, json_object, member, text, xml
from hikflask.isapi.errors import NotSupported

INFO = "/ISAPI/System/deviceInfo"
PERSON_CAPABILITIES = "/ISAPI/AccessControl/UserInfo/capabilities?format=json"
FACE_CAPABILITIES = "/ISAPI/Intelligent/FDLib/capabilities?format=json"


@dataclass(frozen=True)
class DeviceInfo:
    """The terminal's own account of itself."""

    name: str
    model: str
    serial: str
    firmware: str


@dataclass(frozen=True)
class PersonLimits:
    """The longest name in bytes of UTF-8 and the largest number of people; None where the terminal tells none."""

    name_bytes: int | None = None
    people: int | None = None


def info(client: Requester) -> DeviceInfo:
    """Return name, model, serial number and firmware. Raises TerminalError."""
    root = xml(checked(client.request("GET", INFO)), "DeviceInfo")
    return DeviceInfo(
        name=text(root, "deviceName"),
        model=text(root, "model"),
        serial=text(root, "serialNumber"),
        firmware=text(root, "firmwareVersion"),
    )


def person_limits(client: Requester) -> PersonLimits:
    """Return the limits for people; none where the terminal has no such list. Raises TerminalError."""
    try:
        answer = checked(client.request("GET", PERSON_CAPABILITIES))
    except NotSupported:
        return PersonLimits()
    user = member(answer, "UserInfo")
    return PersonLimits(name_bytes=_largest(user, "name"), people=counted(user.get("maxRecordNum")))


def _largest(limits: Json, name: str) -> int | None:
    limit = limits.get(name)
    return counted(limit.get("@max")) if isinstance(limit, dict) else None


def face_capacity(client: Requester) -> int | None:
    """Return how many faces fit into one library, or None where the terminal does not say. Raises TerminalError."""
    try:
        answer = checked(client.request("GET", FACE_CAPABILITIES))
    except NotSupported:
        return None
    return counted(json_object(answer).get("FDRecordDataMaxNum"))
