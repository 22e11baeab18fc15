"""The errors with which a terminal refuses a request.

The codes come from the vendor's table, `recorded/error_codes.csv`. A few that only the vendor's guides or the
recordings name are added here.
"""

import csv
from dataclasses import dataclass
from functools import cache

from hikflask.simulator import recordings

STATUS_STRINGS = {
    1: "OK",
    2: "Device Busy",
    3: "Device Error",
    4: "Invalid Operation",
    5: "Invalid Format",
    6: "Invalid Content",
    7: "Reboot Required",
}


@dataclass(frozen=True)
class Code:
    """The numbers that go with one subStatusCode. `error_code` is None where it is not known; it is then left out."""

    status_code: int
    error_code: int | None = None


_ADDED = {
    "faceLowQulity": Code(4, 0x40006010),
    "fileUploadFailed": Code(4, 0x4000600A),
    "rebootRequired": Code(7),
    "lowScore": Code(3, 0x30006001),
    "timeOut": Code(3),
    "deviceFaceFull": Code(6, 0x60007001),
    "deviceUserFull": Code(6),
    "endtimeEarlierThanBegintime": Code(6),
    "faceDataLenShort": Code(6),
    "cardNoNotExist": Code(6),
    "deviceCardFull": Code(6),
    "cardFullPerUser": Code(6),
    "illegalCardNo": Code(6),
    "alreadyExistThisFace": Code(4),
    "faceDataModeling": Code(2),
    "deployExceedMax": Code(2),
    "remoteDoorFunctionDisable": Code(4),
}
"""Codes by subStatusCode that the vendor's table does not have."""


class Refusal(Exception):
    """The terminal refuses a request. `sub_status` is its subStatusCode, `message` its errorMsg.

    The message is given apart because it often names the field that was read last, not the cause.
    """

    def __init__(self, sub_status: str, message: str | None = None, http_status: int = 400) -> None:
        super().__init__(sub_status)
        self.sub_status = sub_status
        self.message = message or sub_status
        self.http_status = http_status


class NotSupported(Refusal):
    """The terminal has no such function: 404 on real terminals, 403 in the vendor's guide; the profile decides."""

    def __init__(self) -> None:
        super().__init__("notSupport", http_status=404)


def code_of(sub_status: str) -> Code:
    """The numbers for `sub_status`; an unknown one counts as invalid content."""
    return _table().get(sub_status, Code(6))


@cache
def _table() -> dict[str, Code]:
    rows = csv.DictReader(recordings.body("error_codes.csv").decode().splitlines())
    vendor = {row["subStatusCode"]: Code(int(row["statusCode"]), int(row["errorCode_dec"])) for row in rows}
    return {**_ADDED, **vendor}
