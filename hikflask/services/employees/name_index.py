"""Finds employees by letters within name, number or department, through the database's index of trigrams.

Migration 0017 makes the index: on SQLite the table `employee_words` of FTS5, on PostgreSQL a function of that name with
a GIN index. Two spaces follow the indexed text, so each letter of it begins a trigram, and a word of one or two letters
is found by the trigrams that begin with it. On SQLite a phrase of trigrams is the word itself. On PostgreSQL whoever
has all trigrams of a word need not have the word, so the texts are compared, too. A mark stands before each text, so
those can be left out who begin with two letters: they are together in the order of names.
"""

from collections.abc import Sequence

from sqlalchemy import Select, String, bindparam, column, false, func, literal, select, table, text

from hikflask.extensions import db
from hikflask.models import Employee
from hikflask.models.columns import contains_text

LETTERS = 3
# The last letter that there can be.
LAST = "\U0010ffff"
# Before each indexed text; no name has this character.
BEGINNING = "\x02"
# So many texts are read without the index; and so many when that finds a part of what is wanted, as it will find all.
LOOKED_THROUGH, LOOKED_FURTHER = 10_000, 40_000
_WORDS = table("employee_words", column("rowid"), column("employee_words"))
_TERMS = text("SELECT term FROM employee_terms WHERE term >= :first AND term < :last")


def ids(words: Sequence[str], *, but_from: Sequence[str] = ()) -> Select[int]:
    """Return the statement for the ids of the employees whose folded text has each of these folded words in it.

    A word may have spaces in it; there is at least one word.

    :param but_from: without those whose text begins with one of these pairs of letters.
    """
    if db.engine.dialect.name == "postgresql":
        parts = [*map(_as_tsquery, words), *(f"!{_lexeme(BEGINNING + pair)}" for pair in but_from)]
        asked = literal(" & ".join(parts), String).op("::")(text("tsquery"))
        indexed = func.employee_words(Employee.search).op("@@")(asked)
        return select(Employee.id).where(indexed, *(contains_text(Employee.search, word) for word in words))
    found = select(_WORDS.c.rowid)
    asked_for = [_as_match(word) for word in words]
    if not all(asked_for):
        return found.where(false())
    match = f"({' AND '.join(asked_for)})"
    if but_from:
        match += f" NOT ({' OR '.join(_phrase(BEGINNING + pair) for pair in but_from)})"
    return found.where(_WORDS.c.employee_words.op("MATCH")(bindparam(None, match, String)))


def texts(words: Sequence[str], most: int) -> list[str]:
    """Return the folded texts of at most so many employees who have each of these words, whoever is found first."""
    if db.engine.dialect.name == "postgresql":
        # Its index gathers all who have a word before the first is known. Whoever has a common one is found without.
        found = _looked_through(words, most, LOOKED_THROUGH)
        if len(found) * LOOKED_FURTHER >= most * LOOKED_THROUGH > len(found) * LOOKED_THROUGH:
            found = _looked_through(words, most, LOOKED_FURTHER)
        if len(found) == most:
            return found
        by_index = ids(words).with_only_columns(Employee.search)
    else:
        by_index = select(Employee.search).where(Employee.id.in_(ids(words).limit(most)))
    return list(db.session.execute(by_index.limit(most)).scalars())


def _looked_through(words: Sequence[str], most: int, among: int) -> list[str]:
    some = select(Employee.search).limit(among).subquery()
    found = select(some.c.search).where(*(contains_text(some.c.search, word) for word in words)).limit(most)
    return list(db.session.execute(found).scalars())


def _as_tsquery(word: str) -> str:
    if len(word) < LETTERS:
        return f"{_lexeme(word)}:*"
    trigrams = [word[first : first + LETTERS] for first in range(len(word) - LETTERS + 1)]
    # These tell enough: the texts are compared, too.
    few = dict.fromkeys([trigrams[0], trigrams[len(trigrams) // 2], trigrams[-1]])
    return " & ".join(map(_lexeme, few))


def _lexeme(letters: str) -> str:
    escaped = letters.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def _as_match(word: str) -> str:
    """Return the word as FTS5 is asked for it, or "" when nobody has it."""
    if len(word) >= LETTERS:
        return _phrase(word)
    terms = db.session.execute(_TERMS, {"first": word, "last": word + LAST}).scalars().all()
    return f"({' OR '.join(map(_phrase, terms))})" if terms else ""


def _phrase(letters: str) -> str:
    escaped = letters.replace('"', '""')
    return f'"{escaped}"'
