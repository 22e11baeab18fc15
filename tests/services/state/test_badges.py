"""The state of an enrolment in one word."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hikflask.models import Enrolment, Terminal
from hikflask.models.enrolment import ABSENT, CONFIRMED, PENDING, PRESENT, REFUSED
from hikflask.services.state import badges
from tests.support.enrolment_state import state_by
from tests.support.refusals import refusal

NOW = datetime.now(UTC)
LATER, LONG_AGO = NOW + timedelta(hours=1), NOW - timedelta(minutes=5)
NO_FACE = {"person": CONFIRMED, "photo_id": 1}
GREEN = {"person": CONFIRMED, "face": CONFIRMED}


@pytest.mark.parametrize(("columns", "word"), [
    (GREEN, "confirmed"),
    ({**GREEN, "terminal": Terminal(face_mode=None)}, "unchecked"),
    ({"step": "face"}, "working"),
    ({"next_attempt_at": NOW}, "working"),
    ({"next_attempt_at": NOW, "refusal": refusal("away")}, "working"),
    ({"next_attempt_at": NOW, "terminal": Terminal(face_mode="url", backoff_until=LATER)}, "waiting"),
    ({"step": "person", "terminal": Terminal(face_mode="url", backoff_until=LATER)}, "working"),
    ({"next_attempt_at": LATER, "refusal": refusal("away")}, "waiting"),
    ({"next_attempt_at": LONG_AGO, "tried_at": LONG_AGO, "refusal": refusal("away")}, "waiting"),
    ({"next_attempt_at": LONG_AGO, "tried_at": LONG_AGO}, "waiting"),
    ({"next_attempt_at": LONG_AGO}, "working"),
    ({"person": CONFIRMED}, "person_only"),
    ({**NO_FACE, "face": REFUSED, "refusal": refusal("modelingfailed")}, "face_refused"),
    ({**NO_FACE, "face": REFUSED, "refusal": refusal("lowscore")}, "face_refused"),
    ({**NO_FACE, "face": REFUSED, "refusal": refusal("modelingfailed", old_face=True)}, "old_face_there"),
    ({**NO_FACE, "face": REFUSED, "refusal": refusal("files_not_taken")}, "no_photo_there"),
    ({**NO_FACE, "face": REFUSED, "refusal": refusal("other_terminal")}, "no_photo_there"),
    ({**NO_FACE, "face": REFUSED, "refusal": refusal("function_not_supported")}, "no_photo_there"),
    ({**NO_FACE, "face": REFUSED, "refusal": refusal("superseded")}, "capture_again"),
    ({**NO_FACE, "face": REFUSED, "refusal": refusal("file_gone")}, "capture_again"),
    ({**NO_FACE, "face": REFUSED, "refusal": refusal("photo_forgotten")}, "capture_again"),
    ({**NO_FACE, "face": REFUSED, "refusal": refusal("urldownloadfail")}, "capture_again"),
    ({**NO_FACE, "face": REFUSED, "refusal": refusal("alreadyexistthisface")}, "face_refused"),
    ({**NO_FACE, "face": REFUSED, "refusal": refusal("terminal:faceisodd")}, "face_refused"),
    ({**NO_FACE, "face": REFUSED, "refusal": refusal("http_400")}, "face_refused"),
    ({**NO_FACE, "face": REFUSED, "refusal": refusal("devicefacefull")}, "person_only"),
    ({**NO_FACE, "face": REFUSED, "refusal": refusal("left_alone")}, "person_only"),
    ({**NO_FACE, "face": REFUSED, "refusal": refusal("changed_at_terminal")}, "person_only"),
    ({**NO_FACE, "face": REFUSED, "refusal": refusal("nonsense")}, "person_only"),
    ({**NO_FACE, "face": REFUSED, "refusal": refusal("lowprivilege")}, "person_only"),
    ({**NO_FACE, "face": REFUSED, "refusal": refusal("notactivated")}, "person_only"),
    ({**NO_FACE, "refusal": refusal("wrong_password")}, "not_sent"),
    ({**NO_FACE, "refusal": refusal("terminal_retired")}, "not_sent"),
    ({**NO_FACE, "refusal": refusal("wrong_password"), "face_unverified": True}, "waiting"),
    ({**NO_FACE, "refusal": refusal("nonsense")}, "person_only"),
    ({"refusal": refusal("wrong_password")}, "not_sent"),
    ({"next_attempt_at": NOW, "terminal": Terminal(face_mode="url", refused_since=NOW)}, "waiting"),
    ({"refusal": refusal("wrong_password"), "sent_name": "Иван Иванов"}, "waiting"),
    ({"person": REFUSED, "refusal": refusal("employeenoalreadyexist")}, "taken"),
    ({"person": REFUSED, "refusal": refusal("lowprivilege")}, "refused"),
    ({"desired": ABSENT}, "leaving"),
    ({"desired": ABSENT, "person": CONFIRMED}, "removed"),
])  # fmt: skip
def test_word_of_a_detail(columns: dict[str, Any], word: str) -> None:
    given = {"desired": PRESENT, "person": PENDING, "face": PENDING, "step": "", "refusal": None, **columns}
    enrolment = Enrolment(**{"terminal": Terminal(face_mode="url"), **given}, state=state_by(given))

    assert badges.badge_of(enrolment, badges.detail_of(enrolment)) == word


def test_nothing_is_done_while_the_time_of_another_proof_has_not_come() -> None:
    proven = {"desired": PRESENT, "step": "", "refusal": None, "terminal": Terminal(face_mode="url"), **GREEN}
    due, later = (Enrolment(**proven, next_attempt_at=moment, state=CONFIRMED) for moment in (NOW, LATER))

    assert (badges.is_working(due), badges.is_working(later)) == (True, False)
