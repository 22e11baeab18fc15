"""The schemas of what calls answer, by name, each made from an example; the functions that make the answers are beside
the calls. Each answer in the tests is held against them (tests/support/fitting_answers.py)."""

import re
from typing import Any

from hikflask.api.openapi.described import FLAG, WHOLE, Schema, component, list_of
from hikflask.models import event
from hikflask.models.comparison import KINDS
from hikflask.models.enrolment import CONFIRMED, LEAVING, PENDING, REFUSED, STATES
from hikflask.models.job import DONE, FAILED, RUNNING, STOPPED, WAITING

TEXT: Schema = {"type": "string"}
# UTC, without its sign; events have it.
TIME: Schema = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$"}
ZULU: Schema = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$"}
DAY: Schema = {"type": "string", "format": "date"}
ID: Schema = {"type": "integer", "minimum": 1}
COUNT: Schema = {"type": "integer", "minimum": 0}
NUMBERS = list_of(TEXT)


def or_null(schema: Schema) -> Schema:
    """Return the schema of something that may be null."""
    return {**schema, "type": [schema["type"], "null"]}


def one_of_or_null(*words: str) -> Schema:
    """Return the schema of one of these words, or null."""
    return {"type": ["string", "null"], "enum": [*words, None]}


def _object(example: dict[str, Any], optional: dict[str, Schema] | None = None, **fields: Schema) -> Schema:
    """Return the schema of an object with the fields of the example, and with the optional ones, which may be absent.

    :param fields: the fields whose values may be others than the example shows: null, one of a few, a list.
    """
    required = [name for name in example if name not in (optional or {})]
    properties = {name: fields.get(name) or _shown_by(name, example[name]) for name in required}
    return {
        "type": "object",
        "properties": properties | (optional or {}),
        "required": required,
        "additionalProperties": False,
        "examples": [example],
    }


def _shown_by(name: str, value: str | int) -> Schema:
    if isinstance(value, bool):
        return FLAG
    if isinstance(value, int):
        return ID if name == "id" or name.endswith("_id") else COUNT
    if re.match(TIME["pattern"], value):
        return TIME
    return DAY if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value) else TEXT


USER_EXAMPLE = {
    "id": 1,
    "hikvision_id": "100222",
    "full_name": "Иван Иванов",
    "department": "Охрана",
    "is_active": True,
    "photo_path": "/uploads/100222_8d2f0c5b.jpg",
    "synced_to_device": True,
    "valid_from": None,
    "valid_to": "2030-12-31",
    "created_at": "2026-03-01T09:30:00",
}
USER = {"photo_path": or_null(TEXT), "valid_from": or_null(DAY), "valid_to": or_null(DAY)}
STATE = {"type": "string", "enum": [PENDING, CONFIRMED, REFUSED]}
EFFECTS = {
    "other_person": 1,
    "lose_terminals": 0,
    "validity_lifted": 0,
    "validity_extended": 0,
    "leaving": 0,
    "unknown_ids": 0,
    "look_alikes": 0,
    "known_elsewhere": 0,
    "stays_inactive": 0,
    "photo_replaced": 0,
    "names_shortened": 0,
    "digits_in_names": 0,
}
LISTED_ROW = {
    "row": 3,
    "hikvision_id": "100222",
    "effects": {"other_person": "Иван Иванов"},
    "fields": {"department": "This is a formula. Put its value there."},
}
IMPORT_EXAMPLE = {
    "batch": 7,
    "new": 2,
    "changed": 1,
    "unchanged": 0,
    "wrong": 1,
    "effects": EFFECTS,
    "rows": [LISTED_ROW],
}
READ_AS = {
    "columns": {"hikvision_id": "Employee ID", "full_name": "Name"},
    "sheet": "Sheet1",
    "hidden_rows": 0,
    "pictures": 0,
}
LOST_FACES = {"device_id": 1, "name": "Main entrance", "people": 2, "leaving": 0, "first": ["100222", "100333"]}
ABSENT = {"people": 2, "first": ["100222", "100333"]}
LOSING = {"device_id": 1, "name": "Main entrance", "lose": 60, "people": 120}
NOTE = {
    "number": "900",
    "code": "comes_in_inactive",
    "message": "The validity is over: comes in as inactive, and is removed from the terminal.",
    "valid_from": None,
    "valid_to": "2025-12-31",
}
OF_NOTE = {"valid_from": or_null(DAY), "valid_to": or_null(DAY)}
SENTENCES: Schema = {"type": "object", "additionalProperties": TEXT}
TEXTS: Schema = {"type": "array", "items": TEXT}
NOT_READ: dict[str, Schema] = {
    "unused": {"type": "object", "additionalProperties": TEXTS},
    "left_out": _object({"rows": 2, "first": ["12", "15"]}, first=TEXTS),
}
TABLE_READ = _object(READ_AS, NOT_READ, columns=SENTENCES, sheet=or_null(TEXT))
# The former name; the devices; the last day before; the ID here that may be meant, or ""; the texts as they would be
# without such letters and signs; the ID here that has the same name; the name here of who is inactive; the ID here
# whose photo it is, where it is somebody's; the former name.
OF_ROW: Schema = {
    "type": "object",
    "properties": {
        "other_person": TEXT,
        "lose_terminals": TEXTS,
        "validity_lifted": DAY,
        "validity_extended": DAY,
        "leaving": {"const": True},
        "unknown_ids": TEXT,
        "look_alikes": SENTENCES,
        "known_elsewhere": TEXT,
        "stays_inactive": TEXT,
        "photo_replaced": {"anyOf": [TEXT, {"const": True}]},
        "names_shortened": TEXT,
        "digits_in_names": {"const": True},
    },
    "additionalProperties": False,
}

EVENT = {
    "id": 4711,
    "device_id": 1,
    "device_serial": "DS-K1T341AMF20230101V030230ENK12345678",
    "serial_no": 1204,
    "time": "2026-03-01T06:30:00Z",
    "device_time": "2026-03-01T09:30:02+03:00",
    "code": "5/75",
    "kind": event.PASSED,
    "hikvision_id": "100222",
    "user_id": 1,
    "name": "Иван Иванов",
    "picture": None,
    "received_at": "2026-03-01T06:30:07Z",
    "attendance": event.CHECK_IN,
}
LOSE_ACCESS = _object({"people": 60, "devices": [LOSING]}, devices=list_of(_object(LOSING)))
SCHEMAS: dict[str, Schema] = {
    "User": _object(USER_EXAMPLE, **USER),
    "UserWithPhoto": _object(
        {**USER_EXAMPLE, "warning": "The photo is too dark. The face needs more light."}, {"warning": TEXT}, **USER
    ),
    "Consent": _object(
        {
            "given_on": "2026-03-01",
            "basis": "consent",
            "note": "Folder 12",
            "recorded_by": "API hr-system",
            "recorded_at": "2026-03-01T09:30:00",
        },
    ),
    "Card": _object(
        {
            "id": 1,
            "number": "00123456",
            "created_at": "2026-03-01T09:30:00",
            "devices": [{"device_id": 1, "state": "confirmed"}],
        },
        {"warning": TEXT},
        devices=list_of(
            _object(
                {"device_id": 1, "state": "confirmed"},
                state={"type": "string", "enum": [PENDING, CONFIRMED, REFUSED, LEAVING]},
            )
        ),
    ),
    "CardCaptured": _object({"success": True, "card_number": "00123456"}, success={"const": True}),
    "Synced": _object(
        {
            "statusCode": 1,
            "statusString": "OK",
            "subStatusCode": "ok",
            "person": "confirmed",
            "face": "confirmed",
            "verified": True,
        },
        {"warning": TEXT},
        statusCode={"const": 1},
        statusString={"const": "OK"},
        subStatusCode={"const": "ok"},
        person=STATE,
        face=STATE,
    ),
    "Captured": _object(
        {
            "success": True,
            "photo_path": "/uploads/100222_8d2f0c5b.jpg",
            "message": "Face captured successfully",
            "face_data_url": "http://192.168.1.64/LOCALS/pic/enrlFace/0/0000000001.jpg@WEB000000000001",
        },
        success={"const": True},
        face_data_url=or_null(TEXT),
    ),
    "Device": _object(
        {
            "id": 1,
            "name": "Main entrance",
            "url": "http://192.168.1.64",
            "username": "admin",
            "fingerprint": None,
            "is_active": True,
            "direction": "in",
            "model": "DS-K1T341AMF",
            "firmware": "V3.2.30",
            "last_sync": "2026-03-01T09:30:00",
        },
        fingerprint=or_null(TEXT),
        direction={"enum": ["", "in", "out"]},
        last_sync=or_null(TIME),
    ),
    "DeviceStatus": _object(
        {
            "reachable": True,
            "login": True,
            "busy": False,
            "people": 120,
            "faces": 118,
            "capacity": 1500,
            "lost": 0,
            "checked_at": "2026-03-01T09:30:00",
            "door_lock": "locked",
            "door_mode": "normal",
            "door_contact": None,
        },
        door_lock=one_of_or_null("locked", "unlocked", "fault"),
        door_mode=one_of_or_null("normal", "free", "disabled", "sleeping"),
        # Null for a contact that may not be wired: that the door is shut is never told.
        door_contact=one_of_or_null("open", "fault"),
        reachable=or_null(FLAG),
        login=or_null(FLAG),
        people=or_null(COUNT),
        faces=or_null(COUNT),
        capacity=or_null(COUNT),
        checked_at=or_null(TIME),
    ),
    "DoorOpened": _object({"opened": True}, opened={"const": True}),
    "DoorNotKnown": _object({"opened": None}, opened={"type": "null"}),
    "Differences": _object(
        {"same": 118, **{kind: [] for kind in KINDS}, "only_there": ["100333"]},
        {"warning": TEXT},
        **{kind: NUMBERS for kind in KINDS},
    ),
    "Enrolment": _object(
        {
            "id": 1,
            "hikvision_id": "100222",
            "user_id": 1,
            "device_id": 1,
            "state": "refused",
            "person": "confirmed",
            "face": "refused",
            "verified": False,
            "error": "poorFaceQuality",
            "changed_at": "2026-03-01T09:30:00",
        },
        user_id=or_null(ID),
        state={"type": "string", "enum": list(STATES)},
        person=STATE,
        face=STATE,
        error=or_null(TEXT),
    ),
    "Events": _object(
        {"events": [EVENT], "next": "4711-20260301T063007125000"},
        events=list_of(
            _object(
                EVENT,
                device_id=or_null(ID),
                time=ZULU,
                kind={"type": "string", "enum": list(event.KINDS)},
                hikvision_id=or_null(TEXT),
                user_id=or_null(ID),
                name=or_null(TEXT),
                picture=or_null(TEXT),
                received_at=ZULU,
                attendance={"enum": [*event.PRESSED_IN, *event.PRESSED_OUT, None]},
            )
        ),
    ),
    # `reason`: why events may be missing, null where all of them are here.
    "Coverage": _object(
        {
            "device_id": 1,
            "from": "2026-03-01T06:30:00Z",
            "to": "2026-03-01T09:00:00Z",
            "complete": False,
            "reason": event.OFF,
        },
        **{"from": ZULU, "to": ZULU},
        reason={"type": ["string", "null"], "enum": [*event.GAPS, None]},
    ),
    "Group": _object(
        {"id": 1, "name": "Office", "device_ids": [1, 2], "departments": ["Охрана"]},
        {"job": {**ID, "description": "The job that brings people to terminals."}},
        device_ids=list_of(ID),
        departments=list_of(TEXT),
    ),
    "JobBegun": _object({"job": 12}, job=ID),
    "ImportBegun": _object({"job": 12}, {"table": TABLE_READ}, job=ID),
    # `notes`: what is to be said of the days of those who are taken over, where there is something.
    # `faces`: the SHA-256 of each face there that is another one than here, and was not named.
    "PlanBegun": _object(
        {"job": 12, "notes": [NOTE]}, {"notes": list_of(_object(NOTE, **OF_NOTE)), "faces": SENTENCES}, job=ID
    ),
    # Who was taken over from a device: `people` can be undone, `changed` not.
    "TakenOver": _object({"people": 11, "changed": 1}),
    "Job": _object(
        {"state": "done", "done": 3, "total": 3, "failed": [{"number": "100222", "error": "deviceUserFull"}]},
        {"import": {"anyOf": [component("Import"), component("ImportFailed")]}},
        state={"type": "string", "enum": [WAITING, RUNNING, DONE, FAILED, STOPPED]},
        failed=list_of(_object({"number": "100222", "error": "deviceUserFull"})),
    ),
    # Where there is somebody: `leavers` are deactivated, `lose_access` tells at which devices, and `unconfirmed` are
    # left out without `confirm_names`. `absent` are active here and not in the table. With the part `pad_to` IDs get
    # the zeros back that a spreadsheet took. `table` says how a table was read. `effects`: how many rows have each; a
    # row has its own.
    "Import": _object(
        IMPORT_EXAMPLE,
        {
            "leavers": COUNT,
            "unconfirmed": COUNT,
            "lose_access": LOSE_ACCESS,
            "pad_to": COUNT,
            "absent": _object(ABSENT, first=list_of(TEXT)),
            "table": TABLE_READ,
        },
        batch=or_null(ID),
        effects=_object(EFFECTS),
        rows=list_of(
            _object(
                LISTED_ROW,
                {"photo": TEXT, "warnings": SENTENCES},
                row=or_null(WHOLE),
                fields=SENTENCES,
                effects=OF_ROW,
            )
        ),
    ),
    # `rows` can be undone, `changed` not, since somebody changed their users; `lost_faces` must be captured again.
    "Undoable": _object(
        {"rows": 3, "changed": 1},
        {
            "lose_access": LOSE_ACCESS,
            "lost_faces": list_of(_object(LOST_FACES, first=list_of(TEXT))),
        },
    ),
    "ImportFailed": _object({"error": "table_damaged", "message": "The file is damaged."}, {"count": COUNT}),
    # Of any call. `success`: of start-face-capture; `count` and `plan`: of `unsafe_plan`; `statusCode`, `subStatusCode`
    # and `errorMsg`: the terminal's own words.
    "Refusal": _object(
        {
            "error": "invalid_input",
            "message": "full_name: “Full name” must not be empty.",
            "fields": {"full_name": "“Full name” must not be empty."},
        },
        {
            "fields": SENTENCES,
            "success": {"const": False},
            "statusCode": or_null(WHOLE),
            "subStatusCode": TEXT,
            "errorMsg": TEXT,
            "count": COUNT,
            "plan": TEXT,
            "device_id": ID,
            "hikvision_id": TEXT,
        },
    ),
}
