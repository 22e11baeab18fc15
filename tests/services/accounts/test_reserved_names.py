"""Names that read like those of programs in the audit trail are refused."""

import pytest

from hikflask.services.accounts import reserved_names

LIKE_ANOTHER = [
    "worker",
    "Command Line",
    "command\u2003 line",
    "NOBODY",
    "ＮＯＢＯＤＹ",
    "NОВОDУ",  # four of these are Cyrillic
    "background",
    "background\ufe0f",
    "worker\u3164",
    "Фоновый Обработчик",
    "командная строка",
    "Неизвестно  кто",
]
LIKE_A_TOKENS = ["API отдел кадров", "API\u00a0HR", "АРІ HR", "aPl HR", "ΑΡΙ HR", "ＡＰＩ　HR", "AP1 HR"]


@pytest.mark.parametrize("name", LIKE_ANOTHER)
def test_name_that_reads_like_a_program_s_is_reserved(name: str) -> None:
    assert reserved_names.is_reserved(name)


@pytest.mark.parametrize("name", LIKE_A_TOKENS)
def test_name_that_reads_like_a_token_s_is_found(name: str) -> None:
    assert reserved_names.reads_like_token(name)
    assert not reserved_names.is_reserved(name)


@pytest.mark.parametrize("name", ["Анна", "Апиков А. П.", "April O'Neil", "Кто-то", "Rob Worker", "Aplin", "О'Нил"])
def test_name_of_a_person_is_free(name: str) -> None:
    assert not reserved_names.is_reserved(name)
    assert not reserved_names.reads_like_token(name)
