"""Finds employees by letters within name, number or department, through the database's index of trigrams.

Migration 0017 makes the index: on SQLite the table `employee_words` of FTS5, on PostgreSQL a function of that name with
a GIN index. Two spaces follow the indexed text, so each letter of it begins a trigram, and a word of one or two letters
is found by the trigrams that begin with it. On SQLite a phrase of trigrams is the word itself. On PostgreSQL a text may
have all trigrams of a word without the word, so the texts are compared, too. A mark stands before each text, so that
texts that begin with two given letters can be left out: they are together in the order of names.
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
# How many texts are scanned without the index: at first, and when the first scan found enough to expect all.
SCANNED_FIRST, SCANNED_FURTHER = 10_000, 40_000
_WORDS = table("employee_words", column("rowid"), column("employee_words"))
_TERMS = text("SELECT term FROM employee_terms WHERE term >= :first AND term < :last")


def ids(words: Sequence[str], *, but_from: Sequence[str] = ()) -> Select[int]:
    """Return the statement for the ids of the employees whose folded text has each of these folded words in it.

    A word may have spaces in it; there is at least one word.

    :param but_from: without those whose text begins with one of these pairs of letters.
    """
    if db.engine.dialect.name == "postgresql":
        parts = [*map(_as_tsquery, words), *(f"!{_lexeme(BEGINNING + pair)}" for pair in but_from)]
        query = literal(" & ".join(parts), String).op("::")(text("tsquery"))
        indexed = func.employee_words(Employee.search).op("@@")(query)
        return select(Employee.id).where(indexed, *(contains_text(Employee.search, word) for word in words))
    rows = select(_WORDS.c.rowid)
    matches = [_as_match(word) for word in words]
    if not all(matches):
        return rows.where(false())
    match = f"({' AND '.join(matches)})"
    if but_from:
        match += f" NOT ({' OR '.join(_phrase(BEGINNING + pair) for pair in but_from)})"
    return rows.where(_WORDS.c.employee_words.op("MATCH")(bindparam(None, match, String)))


def texts(words: Sequence[str], most: int) -> list[str]:
    """Return the folded texts of at most so many employees with each of these words, in no particular order."""
    if db.engine.dialect.name == "postgresql":
        # Its index gathers all employees with a word before the first is known, so common words are found by a scan.
        hits = _scan(words, most, SCANNED_FIRST)
        if len(hits) * SCANNED_FURTHER >= most * SCANNED_FIRST > len(hits) * SCANNED_FIRST:
            hits = _scan(words, most, SCANNED_FURTHER)
        if len(hits) == most:
            return hits
        by_index = ids(words).with_only_columns(Employee.search)
    else:
        by_index = select(Employee.search).where(Employee.id.in_(ids(words).limit(most)))
    return list(db.session.execute(by_index.limit(most)).scalars())


def _scan(words: Sequence[str], most: int, among: int) -> list[str]:
    some = select(Employee.search).limit(among).subquery()
    hits = select(some.c.search).where(*(contains_text(some.c.search, word) for word in words)).limit(most)
    return list(db.session.execute(hits).scalars())


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
    """Return the FTS5 query for a word, or "" when no text has it."""
    if len(word) >= LETTERS:
        return _phrase(word)
    terms = db.session.execute(_TERMS, {"first": word, "last": word + LAST}).scalars().all()
    return f"({' OR '.join(map(_phrase, terms))})" if terms else ""


def _phrase(letters: str) -> str:
    escaped = letters.replace('"', '""')
    return f'"{escaped}"'
