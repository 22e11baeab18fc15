"""What terminals recorded of a person names nobody after an erasure, also when their logs are read once more."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.isapi.events import EventRecord, event_record
from hikflask.models import Employee, Erasure, Event, Terminal
from hikflask.models.columns import database_now
from hikflask.services.captures.drafts import Draft
from hikflask.services.employees.erasure import erase_by_number, erase_employee, has_data_of
from hikflask.services.employees.lifecycle import delete_employee
from hikflask.services.employees.save import save_employee
from hikflask.services.passages.interpretation import interpret_again
from hikflask.services.passages.store import store
from hikflask.services.photos import storage
from hikflask.services.privacy import certificates, passage_traces
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import OLGA
from tests.support.erasures import IVAN, count, enrol, every_text, fresh, settle_all
from tests.support.events import AT, add_events, event_row
from tests.support.retention import DAY, age

pytestmark = pytest.mark.usefixtures("context", "worker_alive")
PICTURE = "passage_0123456789abcdefghijkl.jpg"


def events() -> list[Event]:
    statement = db.select(Event).order_by(Event.id)
    return list(db.session.execute(statement, execution_options={"populate_existing": True}).scalars())


def now_in(hours: float) -> object:
    return db.session.execute(db.select(database_now(hours * 3600))).scalar_one()


@pytest.mark.both_databases
def test_records_of_an_erased_person_stay_without_number_name_and_picture(terminal: Terminal) -> None:
    ivan, olga = save_employee(IVAN).row, save_employee(OLGA).row
    (storage.folder() / PICTURE).write_bytes(b"picture")
    own = event_row(terminal, employee=ivan, name=ivan.name, picture=PICTURE, serial_no=7)
    # Before he was added here, the terminal knew him already.
    earlier = event_row(terminal, number=ivan.number, name="Ivan", at=AT - timedelta(days=1), serial_no=6)
    add_events(earlier, own, event_row(terminal, employee=olga, name=olga.name), event_row(terminal, serial_no=9))
    db.session.execute(db.update(Event).values(attendance="checkIn", is_duress=True))
    db.session.commit()

    erasure = erase_employee(ivan.id).row

    assert (fresh(erasure).passages, fresh(erasure).completed_at is not None) == (2, True)
    assert not (storage.folder() / PICTURE).exists()
    first, second, others, nobodys = events()
    for row in (first, second):
        assert (row.number, row.name, row.employee_id, row.picture, row.attendance) == ("", "", None, None, "")
        assert not row.is_duress
    assert second.record == {"major": 5, "minor": 75, "time": AT.isoformat(timespec="seconds"), "serialNo": 7}
    assert (second.occurred_at, second.kind, second.serial_no) == (AT, "passed", 7)
    assert (others.number, others.name, others.employee_id) == (OLGA.number, olga.name, olga.id)
    assert (nobodys.serial_no, nobodys.attendance) == (9, "checkIn")
    assert "Иван" not in every_text()


def test_records_of_somebody_who_was_deleted_here_are_erased_by_the_number(terminal: Terminal) -> None:
    ivan = save_employee(IVAN).row
    add_events(event_row(terminal, employee=ivan, name=ivan.name))
    delete_employee(ivan.id)
    assert has_data_of(IVAN.number)

    changed = erase_by_number(IVAN.number)

    assert changed is not None
    assert fresh(changed.row).passages == 1
    assert not has_data_of(IVAN.number)
    assert "Иван" not in every_text()


@pytest.mark.both_databases
def test_record_that_came_while_an_erasure_waited_is_forgotten_before_it_is_complete(
    simulator: Simulated, terminal: Terminal
) -> None:
    ivan = enrol(simulator, terminal)
    erasure = erase_employee(ivan.id).row
    add_events(event_row(terminal, number=IVAN.number, name="Иван Иванов"))

    settle_all()
    certificates.complete(erasure.id)

    assert fresh(erasure).completed_at is not None
    assert [row.number for row in events()] == [""]
    assert "Иван" not in every_text()


@pytest.mark.both_databases
def test_records_under_a_former_name_alone_name_nobody_while_an_erasure_goes_on(
    simulator: Simulated, terminal: Terminal
) -> None:
    ivan = enrol(simulator, terminal)
    save_employee(Draft(IVAN.number, "Иван Сидоров"), employee_id=ivan.id)
    # This one was on its way as the erasure began.
    add_events(event_row(terminal, serial_no=8))
    erasure = erase_employee(ivan.id).row
    db.session.execute(db.update(Event).values(name="Иван Иванов", record={"name": "Иван Иванов"}))
    db.session.commit()
    at = datetime.now(UTC).replace(microsecond=0)
    read = event_record(record(9, at).raw | {"minor": 75, "employeeNoString": "8", "name": "ИВАН ИВАНОВ"})
    assert read is not None

    store(terminal.id, "DS-1", [read], 0, is_new=True)
    assert [row.name for row in events()] == ["Иван Иванов", ""]
    settle_all()
    certificates.complete(erasure.id)

    assert fresh(erasure).completed_at is not None
    assert [(row.number, row.name) for row in events()] == [("", ""), ("", "")]
    assert "Иван" not in every_text()
    assert fresh(erasure).other_names == []


def test_erased_number_is_known_until_whoever_gets_it_next(simulator: Simulated, terminal: Terminal) -> None:
    ivan = enrol(simulator, terminal)
    assert passage_traces.erased_until([IVAN.number, OLGA.number]) == {}
    erasure = erase_employee(ivan.id).row
    assert passage_traces.erased_until([IVAN.number, OLGA.number]) == {IVAN.number: passage_traces.NO_END}

    settle_all()
    certificates.complete(erasure.id)
    ended = fresh(erasure).completed_at
    assert passage_traces.erased_until([IVAN.number]) == {IVAN.number: ended}

    olga = save_employee(OLGA).row
    again = save_employee(IVAN).row
    assert again.id not in {ivan.id, olga.id}
    assert passage_traces.erased_until([IVAN.number]) == {IVAN.number: again.created_at}


def record(serial_no: int, at: datetime, person: Employee | None = None) -> EventRecord:
    about = {"employeeNoString": person.number, "name": person.name} if person else {}
    row = {"major": 5, "minor": 75 if person else 76, "time": at.isoformat(timespec="seconds"), "serialNo": serial_no}
    read = event_record(row | about)
    assert read is not None
    return read


@pytest.mark.both_databases
def test_log_that_is_read_again_after_an_erasure_brings_nobody_back(terminal: Terminal) -> None:
    ivan, olga = save_employee(IVAN).row, save_employee(OLGA).row
    now = datetime.now(UTC).replace(microsecond=0)
    log = [
        record(serial_no, now - timedelta(hours=9 - serial_no), person)
        for serial_no, person in enumerate([ivan, ivan, olga, None, ivan], 1)
    ]
    # The first one was still to be read backwards.
    store(terminal.id, "DS-1", log[1:], 0, is_new=True)
    erasure = erase_employee(ivan.id).row
    assert fresh(erasure).completed_at is not None

    store(terminal.id, "DS-1", log, 0, is_new=False)

    assert [(row.serial_no, row.number) for row in sorted(events(), key=lambda row: row.serial_no)] == [
        *((1, ""), (2, ""), (3, OLGA.number), (4, ""), (5, ""))
    ]
    assert "Иван" not in every_text()

    # Once the certificate has forgotten the number, too, and after all was interpreted again.
    age(Erasure, "completed_at", 31 * DAY)
    certificates.forget_names()
    assert passage_traces.erased_until([IVAN.number]) == {}
    interpret_again()
    assert store(terminal.id, "DS-1", log, 0, is_new=False) == []

    assert [row.kind for row in sorted(events(), key=lambda row: row.serial_no)] == [
        *("passed", "passed", "passed", "unknown_person", "passed")
    ]
    assert "Иван" not in every_text()


def test_number_that_an_older_employee_got_is_theirs_since_the_erasure(terminal: Terminal, app: Flask) -> None:  # noqa: ARG001
    olga, ivan = save_employee(OLGA).row, save_employee(IVAN).row
    erasure = erase_employee(ivan.id).row
    db.session.execute(db.update(Employee).where(Employee.id == olga.id).values(number=IVAN.number))
    db.session.execute(db.update(Erasure).values(requested_at=now_in(1)))
    db.session.commit()

    assert passage_traces.erased_until([IVAN.number]) == {IVAN.number: fresh(erasure).requested_at}
    assert count(Erasure) == 1


@pytest.mark.both_databases
def test_records_are_found_by_the_number_in_another_form_and_by_the_name_where_there_is_none(
    terminal: Terminal,
) -> None:
    """Some firmware shows 00A7 as A7 or as 00a7; and some records have a name alone."""
    ivan = save_employee(Draft("00A7", "Иван Иванов")).row
    other = save_employee(Draft("0A7", "Ольга Ёлкина")).row
    namesake = save_employee(Draft("77", "Иван Иванов")).row
    add_events(
        event_row(terminal, number="A7", name="Hans"),
        event_row(terminal, number="00a7"),
        event_row(terminal, number="", name="ИВАН  ИВАНОВ"),
        event_row(terminal, number="999", name="Иван Иванов"),
        event_row(terminal, number="0A7", name="Ольга Ёлкина"),
        event_row(terminal, number="77", name="Иван Иванов"),
        event_row(terminal, number="", name="Ольга Ёлкина"),
    )

    assert fresh(erase_employee(ivan.id).row).passages == 4

    assert [(row.number, row.name) for row in events()] == [
        *(("", ""), ("", ""), ("", ""), ("", "")),
        *((other.number, other.name), (namesake.number, namesake.name), ("", other.name)),
    ]


@pytest.mark.both_databases
def test_log_that_is_read_later_brings_nobody_back_under_another_form_of_the_number_or_by_the_name_alone(
    terminal: Terminal,
) -> None:
    ivan = save_employee(Draft("007", "Иван Иванов")).row
    save_employee(Draft("07", "Ольга Ёлкина"))
    erase_employee(ivan.id)
    at = ivan.created_at - timedelta(hours=1)

    def row(serial_no: int, **about: str) -> EventRecord:
        read = event_record(record(serial_no, at).raw | {"minor": 75, **about})
        assert read is not None
        return read

    log = [
        row(1, employeeNoString="7", name="Hans"),
        row(2, name="иван иванов"),
        row(3, employeeNoString="8", name="Иван Иванов"),
        row(4, employeeNoString="07", name="Ольга Ёлкина"),
    ]
    store(terminal.id, "DS-1", log, 0, is_new=False)

    assert [(row.number, row.name) for row in events()] == [("", ""), ("", ""), ("", ""), ("07", "Ольга Ёлкина")]
    assert events()[2].record == record(3, at).raw | {"minor": 75}
