"""The lock of an employee's row, and whether the database answers."""

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.models import Employee
from hikflask.services.core import db as db_module
from hikflask.services.core.db import (
    along_indexes,
    count_rows_up_to,
    database_answers,
    lock_employee,
    locked_employee,
    locked_with_number,
    transaction,
    transactional,
)
from hikflask.services.core.errors import NotFound
from tests.support.between import Between


def add_employee() -> int:
    employee = Employee(number="7", name="Иванов Иван")
    db.session.add(employee)
    db.session.commit()
    return employee.id


def test_an_employee_is_returned_as_the_database_has_it_at_the_lock(app: Flask) -> None:
    with app.app_context():
        employee_id = add_employee()
        known = db.session.get_one(Employee, employee_id)
        with db.engine.begin() as other:
            other.execute(db.update(Employee).values(name="Петров Пётр"))

        assert locked_employee(employee_id) is known
        assert known.name == "Петров Пётр"
        db.session.rollback()


def test_a_deleted_employee_cannot_be_locked(app: Flask) -> None:
    with app.app_context():
        with transaction():
            assert not lock_employee(7)
        with pytest.raises(NotFound, match=r"^employee_unknown$"), transaction():
            locked_employee(7)


def test_the_database_answers_as_long_as_it_can_be_asked(app: Flask) -> None:
    with app.app_context():
        assert database_answers()


@pytest.mark.both_databases
def test_count_ends_at_the_first_row_too_many(app: Flask) -> None:
    with app.app_context():
        db.session.add_all(Employee(number=str(number), name="Ли") for number in range(3))
        db.session.commit()
        everybody = db.select(Employee.id)

        assert [count_rows_up_to(everybody, most) for most in (1, 2, 3)] == [2, 3, 3]


def test_index_is_followed_within_the_block_alone(app: Flask) -> None:
    with app.app_context():
        on_postgresql = db.engine.dialect.name == "postgresql"
        asked = db.text("SHOW enable_bitmapscan" if on_postgresql else "SELECT 'on'")
        with along_indexes():
            within = db.session.execute(asked).scalar_one()

        assert within == ("off" if on_postgresql else "on")
        assert db.session.execute(asked).scalar_one() == "on"


@pytest.mark.both_databases
def test_whose_a_number_is_is_decided_by_one_at_a_time(app: Flask, context: None, between: Between) -> None:  # noqa: ARG001
    other = between(db_module, "lock_numbers", transactional(lambda: db_module.lock_numbers("7", "5")))

    with transaction():
        db_module.lock_numbers("5")
        assert other.blocked

    other.finish()
    assert other.error is None


@pytest.mark.usefixtures("database", "context")
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_who_got_another_number_before_it_was_locked_is_locked_by_the_new_one(between: Between) -> None:
    employee_id = add_employee()

    @transactional
    def change() -> None:
        locked_employee(employee_id).number = "8"

    @transactional
    def lock() -> str:
        return locked_with_number(employee_id).number

    other = between(db_module, "lock_numbers", change, before=True)

    assert lock() == "8"
    other.finish()
    assert not other.blocked


@pytest.mark.both_databases
def test_employees_are_kept_however_many_are_asked_for(app: Flask) -> None:
    with app.app_context():
        employee_id = add_employee()

        assert db_module.kept_employees([None, *range(1, 300_000)]) == {employee_id}
        db.session.rollback()
