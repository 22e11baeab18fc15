"""The state of an enrolment in one word."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hikflask.models import Enrolment, Terminal
from hikflask.models.enrolment import ABSENT, CONFIRMED, PENDING, PRESENT, REFUSED
from hikflask.services.state import summary

NOW = datetime.now(UTC)
LATER = NOW + timedelta(hours=1)
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
    ({"person": CONFIRMED, "face": REFUSED, "photo_id": 1}, "face_refused"),
    ({"person": REFUSED, "refusal_code": "employeeNoAlreadyExist"}, "taken"),
    ({"person": REFUSED, "refusal_code": "lowprivilege"}, "refused"),
    ({"desired": ABSENT}, "removal"),
    ({"desired": ABSENT, "person": CONFIRMED}, "gone"),
])  # fmt: skip
def test_word_of_a_state(columns: dict[str, Any], word: str) -> None:
    given = {"desired": PRESENT, "person": PENDING, "face": PENDING, "step": "", "refusal_code": ""}
    enrolment = Enrolment(**{"terminal": Terminal(face_mode="url"), **given, **columns})

    assert summary.badge_of(enrolment, summary.state_of(enrolment)) == word
