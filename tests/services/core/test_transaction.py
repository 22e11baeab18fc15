"""One owner of each transaction: what it does at its end, who joins, and what is refused."""

import sys
from collections.abc import Callable
from contextlib import suppress

import pytest
from flask import Flask
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import IntegrityError

from hikflask.extensions import db
from hikflask.models import Department
from hikflask.owned_session import TransactionMisuse
from hikflask.services.core.db import after_commit, end_read, insert_at_end, transaction, transactional, write_first
from hikflask.services.core.errors import LostRace
from tests.support import owned
from tests.support.between import Between
from tests.support.statements import counted_statements

pytestmark = pytest.mark.usefixtures("context")
ADD = insert(Department)


def names() -> list[str]:
    return list(db.session.execute(select(Department.name).order_by(Department.name)).scalars())


def stored(app: Flask) -> list[str]:
    with app.app_context():
        return names()


def test_the_owner_commits_what_all_within_have_written(app: Flask) -> None:
    with transaction():
        db.session.add(Department(name="A"))
        with transaction():
            db.session.add(Department(name="B"))
        assert stored(app) == []

    assert stored(app) == ["A", "B"]


def test_an_error_takes_back_what_all_within_have_written(app: Flask) -> None:
    @transactional
    def whole() -> None:
        with transaction():
            db.session.add(Department(name="A"))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        whole()
    assert stored(app) == []


def test_nothing_is_committed_after_a_part_failed(app: Flask) -> None:
    @transactional
    def whole() -> None:
        db.session.add(Department(name="A"))
        with suppress(ZeroDivisionError), transaction():
            raise ZeroDivisionError

    with pytest.raises(TransactionMisuse, match="a part of this transaction has failed"):
        whole()
    assert stored(app) == []


def test_what_cannot_be_a_part_refuses_to_be_one() -> None:
    with pytest.raises(TransactionMisuse, match="in a transaction of its own"), transaction(), transaction(alone=True):
        pass


def test_program_refuses_what_tests_may_do() -> None:
    ends, writes = "only its owner ends a transaction", "nobody owns the transaction of this write"
    for refuses, why in zip(owned.REFUSES, (ends, ends, writes), strict=True):
        with pytest.raises(TransactionMisuse, match=f"^{why}$"):
            refuses(db.session())


def test_statement_of_text_that_writes_has_an_owner(app: Flask) -> None:
    with pytest.raises(TransactionMisuse, match="something was written that nobody has committed"), app.app_context():
        db.session.execute(text("\n  update department SET name = 'A'"))
    with transaction() as work:
        db.session.execute(text("SELECT 'UPDATE'"))
        assert not work.has_written
        db.session.execute(text("DELETE FROM department"))
        assert work.has_written


def test_hooks_follow_the_commit_of_the_owner(app: Flask) -> None:
    seen: list[list[str]] = []
    with transaction():
        with transaction():
            db.session.add(Department(name="A"))
            after_commit(lambda: seen.append(stored(app)))
        assert seen == []

    assert seen == [["A"]]


def test_hooks_are_dropped_with_what_they_follow() -> None:
    called: list[int] = []

    @transactional
    def whole() -> None:
        after_commit(lambda: called.append(1))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        whole()
    with transaction():
        pass

    assert called == []


def test_a_lost_race_is_tried_once_more_by_the_owner_as_a_whole(app: Flask) -> None:
    tries: list[int] = []

    @transactional
    def part() -> None:
        tries.append(1)
        db.session.add(Department(name=f"B{len(tries)}"))
        if len(tries) == 1:
            raise LostRace

    @transactional
    def whole() -> str:
        db.session.add(Department(name="A"))
        part()
        return "done"

    assert whole() == "done"
    assert stored(app) == ["A", "B2"]


def test_a_race_that_is_lost_twice_is_an_error(app: Flask) -> None:
    tries: list[int] = []

    @transactional
    def same() -> None:
        tries.append(1)
        db.session.add(Department(name="A"))
        db.session.add(Department(name="A"))

    with pytest.raises(IntegrityError):
        same()
    assert (len(tries), stored(app)) == (2, [])


def test_what_follows_a_commit_makes_nobody_do_it_again(app: Flask) -> None:
    def lose() -> None:
        raise LostRace

    @transactional
    def whole() -> None:
        db.session.add(Department(name="A"))
        after_commit(lose)

    with pytest.raises(LostRace):
        whole()
    assert stored(app) == ["A"]


def test_nobody_waits_within_a_transaction() -> None:
    with pytest.raises(TransactionMisuse, match="nothing is waited for within a transaction"), transaction():
        end_read()


def test_whoever_waits_ends_what_was_read() -> None:
    names()
    assert db.session().in_transaction()
    end_read()

    assert not db.session().in_transaction()


def test_rows_for_the_end_are_inserted_by_one_statement_before_the_commit(app: Flask) -> None:
    with counted_statements() as statements, transaction():
        for name in ("A", "B"):
            insert_at_end(ADD, {"name": name, "folded": name})
        assert names() == []

    assert [statement for statement in statements if statement.startswith("INSERT")] == statements[1:]
    assert (len(statements), stored(app)) == (2, ["A", "B"])


def test_rows_for_the_end_go_with_the_transaction(app: Flask) -> None:
    with suppress(ZeroDivisionError), transaction():
        insert_at_end(ADD, {"name": "A", "folded": "A"})
        raise ZeroDivisionError

    assert stored(app) == []


def test_threads_wait_for_the_one_that_writes_to_sqlite_before_they_ask_it(app: Flask, between: Between) -> None:
    def add() -> None:
        with transaction():
            db.session.add(Department(name="B"))

    other = between(sys.modules[__name__], "names", add)
    with transaction():
        write_first()
        with counted_statements() as statements:
            names()
        assert (other.blocked, len(statements)) == (True, 1)
    other.finish()

    assert stored(app) == ["B"]


@pytest.mark.parametrize(
    "lock",
    [
        lambda locked: db.session.execute(locked).all(),
        lambda locked: db.session.scalars(locked).all(),
        db.session.scalar,
        lambda _: db.session.get(Department, 1, populate_existing=True, with_for_update=True),
        lambda _: db.session.refresh(db.session.get_one(Department, 1), with_for_update={"key_share": True}),
    ],
    ids=["execute", "scalars", "scalar", "get", "refresh"],
)
def test_whoever_locks_a_row_is_the_one_that_writes_where_a_database_locks_no_rows(
    app: Flask, between: Between, lock: Callable[[object], object]
) -> None:
    with transaction():
        db.session.add(Department(name="A"))

    def rename() -> None:
        with transaction():
            db.session.execute(update(Department).values(name="B"))

    other = between(sys.modules[__name__], "names", rename)
    with transaction():
        lock(select(Department.id).with_for_update(key_share=True))
        before = names()
        assert (before, other.blocked, names()) == (["A"], True, ["A"])
    other.finish()

    assert (other.error, stored(app)) == (None, ["B"])


def test_whoever_only_reads_does_not_become_a_writer_by_a_lock() -> None:
    with counted_statements() as statements:
        db.session.execute(select(Department.id).with_for_update()).all()

    assert len(statements) == 1


def test_first_write_of_a_transaction_is_made_once() -> None:
    with counted_statements() as statements, transaction():
        write_first()
        write_first()

    assert len(statements) == 1
