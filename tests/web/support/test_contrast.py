"""Colours: text, rings of focus and borders of fields can be told from what is behind them, in light and dark."""

import re
from pathlib import Path

import pytest

CSS = (Path(__file__).parents[3] / "hikflask/static/app.css").read_text()
DARK = "@media screen and (prefers-color-scheme: dark)"
GROUNDS = ["paper", "card", "accent-soft", "good-soft", "warn-soft", "bad-soft"]
# What is read, on what: WCAG 2.2, 1.4.3.
TEXTS = [
    *[("ink", ground) for ground in GROUNDS],
    *[("ink-soft", ground) for ground in ("paper", "card", "accent-soft")],
    *[("accent", ground) for ground in ("paper", "card", "accent-soft")],
    *[(state, ground) for state in ("good", "warn", "bad") for ground in ("paper", "card", f"{state}-soft")],
    ("accent-strong", "accent-soft"),
    ("on-accent", "accent"),
    ("card", "bad"),
    ("on-accent", "accent-strong"),
]
# What is seen without being read, on what: WCAG 2.2, 1.4.11.
SHAPES = [
    *[("accent", ground) for ground in GROUNDS],
    *[("line-strong", ground) for ground in ("paper", "card")],
    *[("bad", ground) for ground in ("paper", "card", "bad-soft")],
]


def variables(look: str) -> dict[str, str]:
    """The colours of a look: those of the light one, and over them the dark ones."""
    light, _, rest = CSS.partition(DARK)
    found = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6});", light))
    if look == "dark":
        changed = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6});", rest.partition("\n}")[0]))
        assert changed.keys() == found.keys()
        return changed
    return found


def luminance(colour: str) -> float:
    """The relative luminance of a colour: WCAG 2.2, "relative luminance"."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * one for one in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, from 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000", "#fff") == pytest.approx(21)
    assert contrast("#777777", "#fff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("look", ["light", "dark"])
def test_colours_can_be_told_apart(look: str) -> None:
    colours = variables(look)
    wanted = [(*pair, 4.5) for pair in TEXTS] + [(*pair, 3) for pair in SHAPES]
    measured = [
        (one, ground, round(contrast(colours[one], colours[ground]), 2), least) for one, ground, least in wanted
    ]
    assert [(one, ground, found) for one, ground, found, least in measured if found < least] == []


def test_fields_and_rings_are_drawn_in_these_colours() -> None:
    for field in (r"\.form-control,\n\.form-select", r"\.form-check-input"):
        assert re.search(rf"\n{field} \{{\n(  .*\n)+  border: 1px solid var\(--line-strong\);", CSS)
    assert re.search(r"\.form-control::placeholder \{ color: var\(--ink-soft\); opacity: 1; \}", CSS)
    assert re.search(r"\n:focus-visible \{\n  outline: 3px solid var\(--accent\);", CSS)
