"""Which characters nobody sees, and what keeps a text from turning the words beside it round."""

import unicodedata

import pytest

from hikflask import invisible_characters
from hikflask.invisible_characters import CONTROLS, TURNING

DIRECTION = [*"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"]


@pytest.mark.parametrize("letter", [*DIRECTION, "\u200b", "\u00ad", "\n", "\0", "\u2028", "\ud800"])
def test_what_nobody_sees_is_invisible(letter: str) -> None:
    assert invisible_characters.is_invisible(letter)


@pytest.mark.parametrize("letter", [*DIRECTION, "я", "ع", " ", "\u00a0", "🜁", "\u0301"])
def test_mark_and_letter_break_no_line(letter: str) -> None:
    assert not invisible_characters.is_breaking(letter)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Иван Ив́анов № 5, «А»", "Иван Ив́анов № 5, «А»"),
        ("", ""),
        ("עברית", "\u2068עברית\u2069"),
        ("العربية 5", "\u2068العربية 5\u2069"),
        ("gpj\u202egnp.exe", "\u2068gpjgnp.exe\u2069"),
        ("a\u2069\u202eb\u2067", "\u2068ab\u2069"),
        ("a\u200fb", "\u2068a\u200fb\u2069"),
    ],
)
def test_text_that_could_turn_others_round_is_isolated_and_cannot_end_it(text: str, shown: str) -> None:
    assert invisible_characters.isolated(text) == shown


def test_nothing_turns_before_the_first_that_could() -> None:
    before = map(chr, range(ord(invisible_characters.FIRST_TURNING)))

    assert [one for one in before if ord(one) in CONTROLS or unicodedata.bidirectional(one) in TURNING] == []


@pytest.mark.parametrize(("text", "blank"), [("", True), (" \u200b\u00a0\n", True), ("\u202e", True), ("№", False)])
def test_text_that_shows_nothing_is_blank(text: str, blank: bool) -> None:
    assert invisible_characters.is_blank(text) is blank
