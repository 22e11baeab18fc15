"""The state of a terminal in a word, the worst that is wrong with it first."""

from datetime import UTC, datetime
from typing import Any

from flask import Flask
from flask_babel import force_locale

from hikflask.labels.terminals import lease_sentence, state_of
from hikflask.models import Terminal
from hikflask.services.terminals.lost_people import LostPeople

NOW = datetime(2026, 11, 30, tzinfo=UTC)
WELL: dict[str, Any] = {"is_active": True, "reachable": True, "face_mode": "url", "last_error_code": ""}
ROOM = {"people": 10, "people_capacity": 10}


def test_state_is_a_word_and_a_tone(app: Flask) -> None:
    with app.app_context(), force_locale("en"):
        cases: list[tuple[dict[str, Any], tuple[str, str]]] = [
            ({}, ("good", "reachable")),
            ({"retired_at": NOW, "is_active": False, "reachable": False}, ("none", "out of service for good")),
            ({"is_active": False, "reachable": False}, ("none", "not in use")),
            ({"refused_since": NOW, "refused_code": "locked"}, ("bad", "locked")),
            ({"refused_since": NOW, "refused_code": "wrong_password", "reachable": False}, ("bad", "password refused")),
            ({"last_error_code": "certificate_changed"}, ("bad", "not allowed")),
            ({"restored_from": NOW}, ("warn", "awaits comparison")),
            ({"awaits_restore": True}, ("bad", "replaced")),
            ({"reachable": False}, ("bad", "does not answer")),
            ({"face_mode": None}, ("warn", "not checked yet")),
            ({"reachable": None}, ("warn", "not checked yet")),
            ({**ROOM, "people": 9}, ("warn", "nearly full")),
            (ROOM, ("bad", "full")),
            ({"clock_offset": 60}, ("warn", "wrong clock")),
        ]
        for facts, state in cases:
            assert state_of(Terminal(**{**WELL, **facts})) == state

        assert state_of(Terminal(**WELL), LostPeople(5, NOW, 0, 5, 0)) == ("bad", "emptied")


def test_conversation_that_has_just_ended_names_nobody(app: Flask) -> None:
    """The row is read after the one that said that somebody talks to the terminal."""
    with app.app_context():
        for language, of_anna, of_nobody in [
            ("ru", "Терминал занят (Анна).", "Терминал занят."),
            ("en", "Анна talks to it.", "The terminal is in use."),
        ]:
            with force_locale(language):
                said = [lease_sentence(Terminal(lease_holder=who, lease_purpose="")) for who in ("Анна", "")]
                assert said == [of_anna, of_nobody]
                assert lease_sentence(Terminal(lease_holder="", lease_purpose="capture")) == of_nobody
