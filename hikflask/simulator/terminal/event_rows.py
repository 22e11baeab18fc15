"""What the terminal tells about a record: the row of a search, and the same under other names in what it sends."""

from hikflask.simulator.event_traps import EventTraps
from hikflask.simulator.terminal.event_log import EVENT, Record, Row

LOCK_MOVES = range(21, 33)
"""Minors of major 5 that lock, button and door contact leave: nobody proved who they are."""
FILLERS: Row = {
    "netUser": "",
    "remoteHostAddr": "0.0.0.0",  # noqa: S104 - a filler of the record
    "cardNo": "",
    "cardType": 0,
    "name": "",
    "reportChannel": 0,
    "cardReaderKind": 0,
    "cardReaderNo": 0,
    "doorNo": 0,
    "verifyNo": 0,
    "alarmInNo": 0,
    "alarmOutNo": 0,
    "caseSensorNo": 0,
    "RS485No": 0,
    "multiCardGroupNo": 0,
    "deviceNo": 0,
    "employeeNoString": "",
    "InternetAccess": 0,
    "type": 0,
    "MACAddr": "",
    "swipeCardType": 0,
    "serialNo": 0,
    "userType": "normal",
    "currentVerifyMode": "faceOrFpOrCardOrPw",
    "attendanceStatus": "undefined",
    "statusValue": 0,
}
"""A record without anything, in the order of a K1A340FWX, which sends all fields always."""
TEXTS = ("cardNo", "name", "employeeNoString", "attendanceStatus")


def row_of(record: Record, traps: EventTraps, host: str, *, with_picture: bool = True) -> Row:
    """A record as in a search result, with the fields of its kind and what the traps make of those that are empty."""
    row: Row = {"major": record.major, "minor": record.minor, "time": record.time}
    if record.major == EVENT:
        lock: Row = {"doorNo": 1, "currentVerifyMode": "invalid", "mask": "unknown"}
        row |= lock if record.minor in LOCK_MOVES else _person_fields(record, traps)
    elif record.number:
        row["employeeNoString"] = record.number
    row["serialNo"] = record.serial_no
    if with_picture and record.picture_path:
        row |= {"picturesNumber": 1, "pictureURL": f"http://{traps.picture_host or host}{record.picture_path}"}
        # Where the face is in faces.passage().
        row["FaceRect"] = {"height": 0.493, "width": 0.188, "x": 0.406, "y": 0.285}
    row |= record.fields
    if traps.empty_fields == "zeros":
        head = {name: row[name] for name in ("major", "minor", "time")}
        return {**head, **FILLERS, **row}
    if traps.empty_fields == "null":
        return {**row, **{name: "null" for name in TEXTS if name not in row}}
    return row


def _person_fields(record: Record, traps: EventTraps) -> Row:
    fields: Row = {"cardType": 1, "cardReaderNo": 1, "doorNo": 1}
    if record.name and not traps.hides_names:
        fields["name"] = record.name
    if record.number:
        fields |= {"employeeNoString": record.number, "userType": "normal"}
    return fields | {"currentVerifyMode": "cardOrFaceOrFp", "mask": "no" if record.picture_path else "unknown"}
