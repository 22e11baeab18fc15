"""IDs as the table has them, and as they are read by the rules for the whole table."""

import pytest

from hikflask.services.imports.table import id_rules
from hikflask.services.imports.table.options import Options


@pytest.mark.parametrize(
    ("text", "options", "number"),
    [
        ("12", Options(), "12"),
        ("T-00012", Options(strip_prefix="T-"), "00012"),
        ("t- 12", Options(strip_prefix="T-"), "12"),
        ("12", Options(strip_prefix="T-", pad_to=5), "00012"),
        ("T-12", Options(strip_prefix="T-", pad_to=5), "00012"),
        ("1234567", Options(pad_to=5), "1234567"),
        ("A12", Options(pad_to=5), "A12"),
        ("", Options(pad_to=5), ""),
        ("А12", Options(), "А12"),
        ("А12х", Options(letters="replace"), "A12x"),
        ("Ю12", Options(letters="replace"), "Ю12"),
        ("Т-12", Options(letters="replace", strip_prefix="T-"), "12"),
        ("T-12", Options(letters="replace", strip_prefix="Т-"), "12"),
        ("Т-12", Options(strip_prefix="T-"), "Т-12"),
    ],
)
def test_id_is_made_by_the_rules(text: str, options: Options, number: str) -> None:
    assert id_rules.applied(text, options) == number
