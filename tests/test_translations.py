"""The Russian catalogue says everything that the sources say, and its compiled form is fresh."""

import io
import re
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "hikflask" / "translations" / "ru" / "LC_MESSAGES"
KEYWORDS = {"_": None, "_l": None, "N_": None, "gettext": None, "ngettext": (1, 2)}
NAMES = re.compile(r"%\(\w+\)s")


def catalogue() -> Catalog:
    with (FOLDER / "messages.po").open("rb") as file:
        return read_po(file, locale="ru")


def texts_in_sources() -> set[str | tuple[str, ...]]:
    with (ROOT / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    found = extract_from_dir(ROOT, methods, options, keywords=KEYWORDS)
    return {message for _, _, message, _, _ in found}


def texts(message: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    """A message's texts: one, or one for each form of a plural."""
    return (message,) if isinstance(message, str) else tuple(message)


def test_the_catalogue_has_what_the_sources_say_and_no_more() -> None:
    known = {message.id for message in catalogue() if message.id}
    assert known == texts_in_sources()


def test_everything_is_translated_and_nothing_is_guessed() -> None:
    messages = [message for message in catalogue() if message.id]
    assert [message.id for message in messages if not all(texts(message.string))] == []
    assert [message.id for message in messages if message.fuzzy] == []


def test_each_translation_uses_only_names_that_are_given() -> None:
    for message in catalogue():
        if message.id:
            given = {name for text in texts(message.id) for name in NAMES.findall(text)}
            assert {name for text in texts(message.string) for name in NAMES.findall(text)} <= given, message.id


def test_the_compiled_catalogue_is_fresh() -> None:
    compiled = io.BytesIO()
    write_mo(compiled, catalogue())
    compiled.seek(0)
    with (FOLDER / "messages.mo").open("rb") as file:
        kept = read_mo(file)
    fresh = read_mo(compiled)
    assert {texts(one.id): texts(one.string) for one in kept} == {texts(one.id): texts(one.string) for one in fresh}
