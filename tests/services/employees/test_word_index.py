"""The index of trigrams finds who has letters in name, number or department: the same people as reading every text."""

import random

import pytest
from sqlalchemy import delete, insert, text, update

from hikflask.extensions import db
from hikflask.models import Employee
from hikflask.services.employees import word_index
from hikflask.text_rules import folded

pytestmark = pytest.mark.usefixtures("context")

LETTERS = "аеёжийЫщ aeß'\"\\%_*:&|!()-«»^\u0301中\U0001f600\u00a0\x01"
NAMES = ["Иван Кузнецов", "Анна Кузнецова", "Straße 50%_\\", 'O\'Neil "Bo" :*', "Ё", "李 小龍", "е\u0308ж", "а" * 128]


def people(chance: random.Random) -> dict[int, str]:
    """Add people with odd names; return their folded texts by id."""
    drawn = ["".join(chance.choices(LETTERS, k=chance.randint(1, 12))) for _ in range(120)]
    rows = [
        {"id": number, "number": f"N{number}", "name": name, "search": folded(f"{name} N{number} ")}
        for number, name in enumerate([*NAMES, *drawn], 1)
    ]
    db.session.execute(insert(Employee), rows)
    return {int(str(row["id"])): str(row["search"]) for row in rows}


def found(*words: str) -> set[int]:
    return set(db.session.execute(word_index.ids(words)).scalars())


@pytest.mark.both_databases
def test_same_people_are_found_as_by_reading_every_text() -> None:
    chance = random.Random(1)  # noqa: S311 - the same people each time
    texts = people(chance)
    parts = [text for text in texts.values() if text]
    for _ in range(150):
        source = chance.choice(parts)
        first = chance.randrange(len(source))
        words = source[first : first + chance.randint(1, 9)].split() or ["нет"]
        words += ["".join(chance.choices(LETTERS.replace(" ", ""), k=2))] * (chance.random() < 0.2)
        words = [folded(word) for word in words]
        assert found(*words) == {one for one, text in texts.items() if all(word in text for word in words)}, words


@pytest.mark.parametrize(("looked", "further"), [(0, 0), (10, 20), (10, 1000), (1000, 1000)])
def test_texts_of_so_many_are_returned_however_they_are_found(
    monkeypatch: pytest.MonkeyPatch, looked: int, further: int
) -> None:
    monkeypatch.setattr(word_index, "SCANNED_FIRST", looked)
    monkeypatch.setattr(word_index, "SCANNED_FURTHER", further)
    rows = [{"id": n, "number": str(n), "name": "", "search": f"{'яна' if n % 3 else 'ян'} {n} "} for n in range(1, 91)]
    db.session.execute(insert(Employee), rows)

    assert [len(word_index.texts(["яна"], most)) for most in (1, 7, 59, 60, 61)] == [1, 7, 59, 60, 60]
    assert {one.split()[0] for one in word_index.texts(["яна"], 99)} == {"яна"}
    assert word_index.texts(["нетникого"], 5) == []


def test_whoever_begins_with_two_letters_is_left_out() -> None:
    texts = ["кузнецов иван 1 ", "иван кузнецов 2 ", "ку' нец 3 ", "' нец 4 ", '\\" нец 5 ', "я 6 нец "]
    rows = [{"id": n, "number": str(n), "name": "", "search": one} for n, one in enumerate(texts, 1)]
    db.session.execute(insert(Employee), rows)

    def without(*pairs: str, asked: str = "нец") -> set[int]:
        return set(db.session.execute(word_index.ids([asked], but_from=pairs)).scalars())

    assert without("ку") == {2, 4, 5, 6}
    assert without("ив", "' ", '\\"', "я ", "не") == {1, 3}
    assert without("ку", asked="нетникого") == set()


@pytest.mark.both_databases
def test_index_follows_every_change() -> None:
    texts = people(random.Random(2))  # noqa: S311 - the same people each time
    db.session.execute(update(Employee).where(Employee.id == 1).values(search="петр первый n1 "))
    db.session.execute(delete(Employee).where(Employee.id == 2))
    db.session.execute(update(Employee).values(is_active=False))

    assert found("кузнецов") == set()
    assert (found("первый"), found("пе"), found("n1 ")) == ({1}, {1}, {1} & set(texts))


def test_texts_are_no_part_of_the_index_and_what_is_deleted_is_gone_from_it() -> None:
    db.session.execute(insert(Employee), {"number": "1", "name": "", "search": "смоктуновский 1 "})
    db.session.execute(insert(Employee), {"number": "2", "name": "", "search": "иванов 2 "})
    db.session.commit()
    kept = set(db.session.execute(text("SELECT name FROM sqlite_master WHERE name LIKE 'employee_words%'")).scalars())

    db.session.execute(delete(Employee).where(Employee.number == "1"))
    db.session.commit()

    terms = set(db.session.execute(text("SELECT term FROM employee_terms")).scalars())
    blocks = b"".join(db.session.execute(text("SELECT block FROM employee_words_data")).scalars())
    assert "employee_words_content" not in kept
    assert terms == {"\x02ив", "ива", "ван", "ано", "нов", "ов ", "в 2", " 2 ", "2  ", "   "}
    assert not [one for one in ("смо", "кту", "вск", "ски") if one.encode() in blocks]


@pytest.mark.both_databases
def test_query_uses_the_index() -> None:
    people(random.Random(3))  # noqa: S311 - the same people each time
    asked = word_index.ids(["кузнецов"])
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text("SET LOCAL enable_seqscan = off"))
        same = "SELECT id FROM employee WHERE employee_words(search) @@ CAST('куз' AS tsquery)"
        assert "ix_employee_words" in "".join(db.session.execute(text(f"EXPLAIN {same}")).scalars())
    else:
        compiled = asked.compile(db.engine, compile_kwargs={"literal_binds": True})
        plan = str(db.session.execute(text(f"EXPLAIN QUERY PLAN {compiled}")).all())
        assert "VIRTUAL TABLE INDEX" in plan
    assert set(db.session.execute(asked).scalars()) == {1, 2}
