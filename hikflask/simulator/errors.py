"""What a terminal says when it does not do what it was asked.

The codes are the vendor's table; a few that only its guides or recordings name are added here.
A code whose number is not known is answered without `errorCode`, as some firmware does.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from hikflask.simulator.recordings import error_rows

STATUS_STRINGS = MappingProxyType(
    {
        1: "OK",
        2: "Device Busy",
        3: "Device Error",
        4: "Invalid Operation",
        5: "Invalid Format",
        6: "Invalid Content",
        7: "Reboot Required",
    }
)

# subStatusCode -> (statusCode, errorCode)
_BESIDE_THE_TABLE: MappingProxyType[str, tuple[int, int | None]] = MappingProxyType(
    {
        "faceLowQulity": (4, 0x40006010),
        "fileUploadFailed": (4, 0x4000600A),
        "lowScore": (3, 0x30006001),
        "deviceFaceFull": (6, 0x60007001),
        "deviceUserFull": (6, None),
        "endtimeEarlierThanBegintime": (6, None),
        "faceDataLenShort": (6, None),
        "cardNoNotExist": (6, None),
        "alreadyExistThisFace": (4, None),
        "faceDataModeling": (2, None),
    }
)


@dataclass(frozen=True)
class Code:
    """The numbers that go with one subStatusCode."""

    status_code: int
    error_code: int | None


class Refusal(Exception):
    """The terminal refuses; `sub_status` is its subStatusCode, `message` its errorMsg.

    The error message often names the last node parsed, not the cause, so it is given apart.
    """

    def __init__(self, sub_status: str, message: str | None = None, http_status: int = 400) -> None:
        super().__init__(sub_status)
        self.sub_status = sub_status
        self.message = message or sub_status
        self.http_status = http_status

    @property
    def code(self) -> Code:
        return code_of(self.sub_status)


class NotSupported(Refusal):
    """No such function: 404 on real terminals, 403 in the vendor's guide (see the profile)."""

    def __init__(self) -> None:
        super().__init__("notSupport", http_status=404)


def code_of(sub_status: str) -> Code:
    """The numbers for `sub_status`; an unknown one counts as invalid content."""
    row = error_rows().get(sub_status)
    if row is not None:
        return Code(row.status_code, row.error_code)
    return Code(*_BESIDE_THE_TABLE.get(sub_status, (6, None)))
