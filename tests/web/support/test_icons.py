"""Icons: each that a page asks for is in the set, and no character stands where an icon should."""

import re
from pathlib import Path
from xml.etree import ElementTree

PACKAGE = Path(__file__).parents[3] / "hikflask"
TEMPLATES = {path: path.read_text() for path in sorted((PACKAGE / "templates").rglob("*.html"))}
SYMBOL = "{http://www.w3.org/2000/svg}symbol"
# ✅ stands in a sentence of its own: "✅ Photo captured!"
CHARACTERS = re.compile("[✓✔◷◐⚠✕✗⊘○●☰←→↻▾▸\U0001f300-\U0001faff]")


def icons() -> set[str]:
    """The names in the one set."""
    (sprite,) = (PACKAGE / "static/vendor").glob("lucide-*.svg")
    assert sprite.with_suffix(".LICENSE").exists()
    assert f"vendor/{sprite.name}" in TEMPLATES[PACKAGE / "templates/_icons.html"]
    return {one.attrib["id"] for one in ElementTree.parse(sprite).getroot().iter(SYMBOL)}


def test_each_icon_that_is_asked_for_is_in_the_set() -> None:
    asked = {
        (path.name, name)
        for path, text in TEMPLATES.items()
        for call in re.findall(r"\b(?:icon|cause)\(([^)]*)\)", text)
        for name in re.findall(r'(?:^|else )"([a-z-]+)"', call)
    }
    assert {name for _, name in asked} >= {"employees", "terminal", "check"}
    assert [one for one in sorted(asked) if one[1] not in icons()] == []


def test_no_character_stands_for_an_icon() -> None:
    # Inside an expression a sentence may have its own sign, such as the arrow from the old value to the new one.
    outside = {path.name: re.sub(r"\{[{#].*?[}#]\}", "", text, flags=re.S) for path, text in TEMPLATES.items()}
    found = [(name, CHARACTERS.findall(text)) for name, text in outside.items() if CHARACTERS.search(text)]
    assert found == [("audit.html", ["→"])]
