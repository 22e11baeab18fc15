"""The words for settings."""

from hikflask.config import SETTINGS
from hikflask.labels import settings as labels


def test_each_setting_has_words_and_those_that_are_changed_here_a_name() -> None:
    decided = {name for name, setting in SETTINGS.items() if setting.decided}
    grouped = {name for _, rows in labels.SECTIONS.values() for name in rows}

    assert set(labels.WORDS_OF) == set(SETTINGS)
    assert {name for name, words in labels.WORDS_OF.items() if words.label} == decided == grouped
