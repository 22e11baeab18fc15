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
        # As programs write a number, and a text.
        ("12.0", Options(), "12"),
        ("12,00", Options(pad_to=4), "0012"),
        ("00012.0", Options(), "00012"),
        ("1 017", Options(), "1017"),
        ("1\u00a0017\u202f222,0", Options(), "1017222"),
        ("T-1 017", Options(strip_prefix="T-"), "1017"),
        ('"00012"', Options(), "00012"),
        ('"HR-EMP-00001"', Options(strip_prefix="HR-EMP-"), "00001"),
        # No numbers.
        ("12.5", Options(), "12.5"),
        ("12,000", Options(), "12,000"),
        ("12 34", Options(), "12 34"),
        ("12.", Options(), "12."),
    ],
)
def test_id_is_made_by_the_rules(text: str, options: Options, number: str) -> None:
    assert id_rules.applied(text, options) == number
