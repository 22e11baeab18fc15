"""Reads what a terminal is and what it can do.

What the vendor allows: GET on /ISAPI/System/deviceInfo and on the capabilities of UserInfo and FDLib (ISAPI guide,
"Device information", "Capabilities"). deviceInfo is XML, on some terminals JSON (one client).
"""

from dataclasses import dataclass

from hikflask.isapi.answer import Requester
from hikflask.isapi.codec import checked, counted, fields, json_object, member

INFO = "/ISAPI/System/deviceInfo"
PERSON_CAPABILITIES = "/ISAPI/AccessControl/UserInfo/capabilities?format=json"
FACE_CAPABILITIES = "/ISAPI/Intelligent/FDLib/capabilities?format=json"
# In the order of DeviceInfo's fields.
INFO_NAMES = ("deviceName", "model", "serialNumber", "firmwareVersion")


@dataclass(frozen=True)
class DeviceInfo:
    """The terminal's answer to deviceInfo."""

    name: str
    model: str
    serial: str
    firmware: str


@dataclass(frozen=True)
class FaceLibrary:
    """The capacity for faces (None when not sent), and the listed functions in lower case, such as post and setup."""

    capacity: int | None = None
    functions: frozenset[str] = frozenset()


@dataclass(frozen=True)
class PersonLimits:
    """The longest name in bytes of UTF-8, and the largest number of people. None when the terminal does not tell."""

    name_bytes: int | None = None
    people: int | None = None


def info(client: Requester) -> DeviceInfo:
    """Return name, model, serial number and firmware. :raises TerminalError:"""
    return DeviceInfo(*fields(checked(client.request("GET", INFO)), "DeviceInfo", INFO_NAMES).values())


def person_limits(client: Requester) -> PersonLimits:
    """Return the limits for people. :raises TerminalError:"""
    user = member(checked(client.request("GET", PERSON_CAPABILITIES)), "UserInfo")
    name = user.get("name")
    name_bytes = counted(name.get("@max")) if isinstance(name, dict) else None
    return PersonLimits(name_bytes=name_bytes, people=counted(user.get("maxRecordNum")))


def face_library(client: Requester) -> FaceLibrary:
    """Return the capacity of one face library and the functions in supportFDFunction. :raises TerminalError:"""
    library = json_object(checked(client.request("GET", FACE_CAPABILITIES)))
    functions = library.get("supportFDFunction")
    listed = {name.strip().lower() for name in functions.split(",")} if isinstance(functions, str) else set()
    return FaceLibrary(capacity=counted(library.get("FDRecordDataMaxNum")), functions=frozenset(listed - {""}))
