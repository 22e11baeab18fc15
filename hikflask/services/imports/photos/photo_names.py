"""Finds whose a picture of an archive is when it is named by a full name, such as “Smith John.jpg”, and not by ID."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import PurePosixPath

from sqlalchemy import select

from hikflask.extensions import db
from hikflask.models import Employee
from hikflask.models.refusal import Refusal
from hikflask.services.core.db import end_read
from hikflask.services.import_files.photo_archive import SUFFIXES, Contents
from hikflask.text_rules import folded

BATCH = 5000


def named_by_name(contents: Contents, people: Iterable[tuple[str, str]]) -> Contents:
    """Return the contents with the pictures found that are named by the full name of one of these people.

    :param people: number and name of each; somebody who is there twice counts once.
    """
    numbers: dict[str, list[str]] = {key: [] for name in contents.others if (key := _key_of_file(name))}
    for number, name in people:
        known = numbers.get(_key(name))
        if known is not None and number not in known:
            known.append(number)
    pictures = {number: list(names) for number, names in contents.pictures.items()}
    namesakes, others = dict(contents.namesakes), []
    for name in contents.others:
        match numbers.get(_key_of_file(name), []):
            case []:
                others.append(name)
            case [number]:
                pictures.setdefault(number, []).append(name)
            case [number, *_]:
                namesakes[name] = number
    return replace(contents, pictures=pictures, others=others, namesakes=namesakes)


def employees() -> Iterator[tuple[str, str]]:
    """Yield number and name of every employee."""
    rows = db.session.execute(select(Employee.number, Employee.name).execution_options(yield_per=BATCH))
    yield from ((row.number, row.name) for row in rows)
    end_read()


def refusals(contents: Contents) -> dict[str, Refusal]:
    """Return why files of an archive come to nobody, by their names."""
    unnamed = {name: Refusal(code="photo_not_named", params={}) for name in contents.others}
    twice = {name: Refusal(code="photo_of_namesakes", params={"n": n}) for name, n in contents.namesakes.items()}
    return unnamed | twice


def _key(name: str) -> str:
    """Return a name as it is compared: upper and lower case are the same, and so are spaces and underscores."""
    return " ".join(folded(name).replace("_", " ").split())


def _key_of_file(name: str) -> str:
    path = PurePosixPath(name.replace("\\", "/"))
    return _key(path.stem) if path.suffix.lower() in SUFFIXES else ""
