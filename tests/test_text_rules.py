"""What a text of one line may be, in a form and in a table."""

import pytest

from hikflask.text_rules import CONTROL_CHARACTERS, EMPTY, FAR_TOO_LONG, TOO_LONG, fault, stripped


def test_text_is_composed_and_without_spaces_around_it() -> None:
    assert stripped(" \u00a0Андреи\u0306\t") == "Андрей"
    assert stripped("a\n") == "a\n"
    far = "и\u0306" * FAR_TOO_LONG
    assert stripped(far) == far


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("Иван Иванов", ""),
        ("", EMPTY),
        ("\u200b", EMPTY),
        ("а" * 11, ""),
        ("а" * 12, TOO_LONG),
        ("Иван\nИванов", CONTROL_CHARACTERS),
        ("Ива\u202eнов", ""),
    ],
)
def test_fault_of_a_text(text: str, wrong: str) -> None:
    assert fault(text, 11) == wrong


def test_what_need_not_be_there_may_be_empty_and_marks_may_be_refused() -> None:
    assert fault("", 11, required=False) == ""
    assert fault("Ива\u202eнов", 11, marks=False) == CONTROL_CHARACTERS
