"""The words for settings."""

from hikflask.config import SETTINGS
from hikflask.labels import settings as labels


def test_each_setting_that_is_changed_here_has_words_and_what_is_allowed() -> None:
    decided = {name for name, setting in SETTINGS.items() if setting.decided}
    grouped = {name for _, names in labels.SECTIONS.values() for name in names}

    assert set(labels.LABELS) == decided == grouped
    assert {SETTINGS[name].allowed for name in decided} == set(labels.ALLOWED)
