"""The state of an enrolment in one word."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hikflask.models import Enrolment, Terminal
from hikflask.models.enrolment import ABSENT, CONFIRMED, PENDING, PRESENT, REFUSED
from hikflask.services.state import summary
from tests.support.enrolment_state import state_by

NOW = datetime.now(UTC)
LATER = NOW + timedelta(hours=1)
NO_FACE = {"person": CONFIRMED, "photo_id": 1}
GREEN = {"person": CONFIRMED, "face": CONFIRMED}


@pytest.mark.parametrize(("columns", "word"), [
    (GREEN, "confirmed"),
    ({**GREEN, "terminal": Terminal(face_mode=None)}, "unchecked"),
    ({"step": "face"}, "working"),
    ({"next_attempt_at": NOW}, "working"),
    ({"next_attempt_at": NOW, "refusal_code": "away"}, "working"),
    ({"next_attempt_at": NOW, "terminal": Terminal(face_mode="url", backoff_until=LATER)}, "waiting"),
    ({"step": "person", "terminal": Terminal(face_mode="url", backoff_until=LATER)}, "working"),
    ({"next_attempt_at": LATER, "refusal_code": "away"}, "waiting"),
    ({"person": CONFIRMED}, "person_only"),
    ({**NO_FACE, "face": REFUSED, "refusal_code": "modelingFailed"}, "face_refused"),
    ({**NO_FACE, "face": REFUSED, "refusal_code": "files_not_taken"}, "no_photo_there"),
    ({**NO_FACE, "face": REFUSED, "refusal_code": "other_terminal"}, "no_photo_there"),
    ({**NO_FACE, "face": REFUSED, "refusal_code": "function_not_supported"}, "no_photo_there"),
    ({**NO_FACE, "face": REFUSED, "refusal_code": "superseded"}, "capture_again"),
    ({**NO_FACE, "face": REFUSED, "refusal_code": "file_gone"}, "capture_again"),
    ({**NO_FACE, "face": REFUSED, "refusal_code": "photo_forgotten"}, "capture_again"),
    ({**NO_FACE, "face": REFUSED, "refusal_code": "urlDownloadFail"}, "capture_again"),
    ({**NO_FACE, "face": REFUSED, "refusal_code": "deviceFaceFull"}, "person_only"),
    ({**NO_FACE, "refusal_code": "wrong_password"}, "not_sent"),
    ({**NO_FACE, "refusal_code": "terminal_retired"}, "not_sent"),
    ({**NO_FACE, "refusal_code": "wrong_password", "face_unverified": True}, "waiting"),
    ({**NO_FACE, "refusal_code": "nonsense"}, "person_only"),
    ({"refusal_code": "wrong_password"}, "not_sent"),
    ({"next_attempt_at": NOW, "terminal": Terminal(face_mode="url", refused_since=NOW)}, "waiting"),
    ({"refusal_code": "wrong_password", "sent_name": "Иван Иванов"}, "waiting"),
    ({"person": REFUSED, "refusal_code": "employeeNoAlreadyExist"}, "taken"),
    ({"person": REFUSED, "refusal_code": "lowprivilege"}, "refused"),
    ({"desired": ABSENT}, "leaving"),
    ({"desired": ABSENT, "person": CONFIRMED}, "removed"),
])  # fmt: skip
def test_word_of_a_detail(columns: dict[str, Any], word: str) -> None:
    given = {"desired": PRESENT, "person": PENDING, "face": PENDING, "step": "", "refusal_code": "", **columns}
    enrolment = Enrolment(**{"terminal": Terminal(face_mode="url"), **given}, state=state_by(given))

    assert summary.badge_of(enrolment, summary.detail_of(enrolment)) == word
