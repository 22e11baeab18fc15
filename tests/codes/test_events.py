"""What the codes of terminals mean: the facts of real terminals, and no spread mistake."""

import json

from hikflask.codes.events import CRITICAL, INFO, NOTICE, TYPES, WARNING, type_of
from hikflask.models.event import (
    ALARM,
    DOOR,
    EXIT_BUTTON,
    EXPIRED,
    KINDS,
    LIVENESS,
    NO_PERMISSION,
    OPERATION,
    OTHER,
    OUTSIDE_HOURS,
    PASSED,
    REFUSED,
    TROUBLE,
    UNKNOWN_PERSON,
)
from tests.isapi.helpers import recorded

# The table of the facts: codes by kind.
AT_THE_DOOR = {
    PASSED: [75, 1, 2, 38, 54, 57, 60, 63, 66, 77, 101, 153, 156, 181],
    UNKNOWN_PERSON: [76, 9, 39, 49, 80, 152],
    NO_PERMISSION: [6],
    OUTSIDE_HOURS: [7],
    EXPIRED: [8],
    LIVENESS: [104],
    REFUSED: [
        *(3, 10, 78, 79, 113, 117, 118, 148, 150, 151, 154, 155, 203, 212),
        *(55, 56, 58, 59, 61, 62, 64, 65, 67, 68),
    ],
    DOOR: [21, 22, 25, 26],
    EXIT_BUTTON: [23, 24],
    ALARM: [27, 28],
    TROUBLE: [142, 213],
    OTHER: [37],
}
JOURNAL = {
    ALARM: [(1, 1030), (1, 1034), (1, 1035), (1, 1036), (1, 1043)],
    TROUBLE: [(2, 39), (2, 1024), (2, 1025), (2, 1031), (2, 1064)],
    OPERATION: [
        *((3, minor) for minor in (1024, 1025, 1026, 1027, 112, 113, 123, 1030, 1031, 1034, 1071, 1072, 9728, 9729)),
        *((4, minor) for minor in (1074, 1075, 1076, 1077)),
    ],
}
TEXTS = {
    (5, 1): "Passed by card",
    (5, 8): "Access has expired",
    (5, 21): "Lock opened",
    (5, 22): "Lock closed",
    (5, 23): "Exit button pressed",
    (5, 27): "Door forced open",
    (5, 38): "Passed by fingerprint",
    (5, 39): "Fingerprint not recognised",
    (2, 39): "Network lost",
    (5, 75): "Passed by face",
    (5, 104): "Not a living face: perhaps a photo",
    (5, 113): "Person on the blocklist",
    (3, 113): "Sign-out over the network",
    (2, 1024): "Terminal was switched on",
    (3, 1024): "Door opened remotely",
    (3, 1072): "People exported at the terminal (USB)",
    (5, 155): "This way of identification is not allowed",
}


def test_the_kinds_are_those_of_the_facts() -> None:
    facts = {(5, minor): kind for kind, minors in AT_THE_DOOR.items() for minor in minors}
    facts |= {code: kind for kind, codes in JOURNAL.items() for code in codes}

    assert {code: type_of(*code).kind for code in facts} == facts


def test_the_texts_say_what_the_pair_means_and_not_what_is_copied_around() -> None:
    assert {code: type_of(*code).text for code in TEXTS} == TEXTS


def test_every_code_that_a_recorded_terminal_lists_is_known() -> None:
    condition = json.loads(recorded("events/11_acsevent_caps_k1a340fwx.json"))["AcsEvent"]["AcsEventCond"]
    lists = {1: "minorAlarm", 2: "minorException", 3: "minorOperation", 5: "minorEvent"}
    listed = {(major, int(minor)) for major, name in lists.items() for minor in condition[name]["@opt"].split(",")}

    assert listed - set(TYPES) == set()


def test_an_unknown_code_is_other() -> None:
    assert (type_of(5, 9999).kind, type_of(5, 9999).severity) == (OTHER, INFO)
    assert type_of(0, 75) is type_of(9, 75)


def test_a_record_without_a_code_is_other_and_cannot_be_read() -> None:
    assert (type_of(0, 0).kind, type_of(0, 0).text) == (OTHER, "Record that cannot be read")


def test_the_table_is_well_formed() -> None:
    for (major, minor), meaning in TYPES.items():
        assert major in range(1, 6)
        assert 0 < minor < 2**16
        assert meaning.kind in KINDS
        assert meaning.severity in {INFO, NOTICE, WARNING, CRITICAL}
        assert "%" not in meaning.text
        assert not meaning.text.endswith(".")
        if meaning.kind == PASSED:
            assert meaning.severity == INFO
        if meaning.kind in {UNKNOWN_PERSON, NO_PERMISSION, OUTSIDE_HOURS, EXPIRED, LIVENESS, REFUSED}:
            assert meaning.severity != INFO


def test_what_the_owner_must_hear_of_is_an_alarm_and_a_restart_worth_a_look() -> None:
    for code in [(1, 1030), (1, 1034), (1, 1035), (3, 1071), (3, 1072), (3, 9728), (3, 9729), (5, 27), (5, 113)]:
        assert type_of(*code).severity == CRITICAL
    for code in [(2, 1024), (3, 123), (3, 1024), (5, 28), (5, 104)]:
        assert type_of(*code).severity == WARNING
    assert type_of(5, 76).severity == NOTICE
