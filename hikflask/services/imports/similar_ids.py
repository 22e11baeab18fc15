"""Finds the ID here that may be meant by one that nobody has: without zeros or a prefix, or with other letters."""

import re
from collections import Counter
from collections.abc import Collection
from string import ascii_letters

from sqlalchemy import select

from hikflask.extensions import db
from hikflask.models import Employee
from hikflask.text_rules import TO_LATIN

# From so many employees, those who were added last, is taken how IDs are written here, and so many ways are tried.
SAMPLE, MAX_FORMS = 500, 8
DIGITS = str.maketrans("OoОоIlІ", "0000111")
LATIN = str.maketrans(TO_LATIN)
NOT_OF_ID = re.compile(r"[\W_]+")
# A prefix of letters, and how many digits follow it.
Form = tuple[str, int]


def read_forms() -> list[Form]:
    """Return the forms that most IDs here have."""
    latest = select(Employee.number).order_by(Employee.id.desc()).limit(SAMPLE)
    forms = Counter(_form(number) for number in db.session.execute(latest).scalars())
    return [form for form, _ in forms.most_common(MAX_FORMS)]


def _form(number: str) -> Form:
    digits = number.lstrip(ascii_letters)
    return number.removesuffix(digits), len(digits)


def find_similar(unknown: Collection[str], forms: Collection[Form]) -> dict[str, tuple[str, str]]:
    """Return for each of these IDs the one here that may be meant, with its employee's name; none where several may."""
    candidates = {number: _candidates(number, forms) for number in unknown}
    tried = {candidate for each in candidates.values() for candidate in each}
    people = select(Employee.number, Employee.name).where(Employee.number.in_(tried))
    names = {number: name for number, name in db.session.execute(people)} if tried else {}
    found = {number: [each for each in tried if each in names] for number, tried in candidates.items()}
    return {number: (here[0], names[here[0]]) for number, here in found.items() if len(here) == 1}


def _candidates(number: str, forms: Collection[Form]) -> set[str]:
    """Return what an ID would be in each form, with its letters as Latin ones, or as the digits that they look like."""
    latin = NOT_OF_ID.sub("", number.translate(LATIN))
    candidates = {latin}
    for text in (latin, NOT_OF_ID.sub("", number.translate(DIGITS))):
        digits = text.lstrip(ascii_letters).lstrip("0")
        if digits.isascii() and digits.isdigit():
            candidates |= {digits, *(f"{prefix}{digits.zfill(length)}" for prefix, length in forms)}
    return candidates - {number}
