"""What the trail says of a person can be read for as long as the person's key is there, and never afterwards."""

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from sqlalchemy import text

from hikflask.encryption.vault import Keyring
from hikflask.extensions import db
from hikflask.models import PersonKey
from hikflask.services import audit
from hikflask.services.audit.search import AuditFilter, count_entries, list_entries
from hikflask.services.captures.drafts import Draft
from hikflask.services.employees.erasure import erase_by_number, erase_employee, has_data_of
from hikflask.services.employees.lifecycle import delete_employee
from hikflask.services.employees.save import save_employee
from tests.support.trail import entries

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.both_databases]

IVAN = Draft("100222", "Иван Иванов", "Охрана")
OLGA = Draft("100333", "Ольга Ёлкина", "Склад")


def stored() -> list[tuple[object, ...]]:
    """The rows as they are in the database."""
    rows = [tuple(row) for row in db.session.execute(text("SELECT * FROM audit ORDER BY id"))]
    db.session.commit()
    return rows


def test_rows_of_the_trail_name_nobody_and_stay_as_they_are_when_somebody_is_erased() -> None:
    ivan = save_employee(IVAN).row
    save_employee(OLGA)
    before = stored()

    erase_employee(ivan.id)

    assert "100222" not in str(before)
    assert "Иван" not in str(before)
    assert stored()[: len(before)] == before
    created = entries("employee.created")
    assert [(one.is_readable, one.employee, one.after) for one in created] == [
        (False, "", None),
        (True, "100333", {"number": "100333", "full_name": "Ольга Ёлкина", "department": "Склад"}),
    ]
    assert list_entries(AuditFilter(employee="100222"), 10) == ([], 0)
    assert count_entries(AuditFilter(employee="100333")) == 1


def test_former_number_is_forgotten_with_its_owner_and_not_with_the_next_one() -> None:
    ivan = save_employee(IVAN).row.id
    save_employee(Draft("100444", "Иван Иванов"), employee_id=ivan)
    olga = save_employee(Draft("100222", "Ольга Ёлкина")).row.id
    audit.record_alone("capture.started", number="100222")

    erase_employee(ivan)

    assert [(one.action, one.employee_id) for one in list_entries(AuditFilter(employee="100222"), 10)[0]] == [
        ("capture.started", None),
        ("employee.created", olga),
    ]
    assert list_entries(AuditFilter(employee="100444"), 10) == ([], 0)
    erase_employee(olga)
    assert (list_entries(AuditFilter(employee="100222"), 10), db.session.query(PersonKey).count()) == (([], 0), 0)


def test_deleted_somebody_is_named_until_the_number_is_erased() -> None:
    ivan = save_employee(IVAN).row
    audit.destroy_keys(["100222"], None)

    assert [one.employee for one in entries("employee.created")] == ["100222"]
    delete_employee(ivan.id)
    assert [one.employee for one in entries("employee.deleted")] == ["100222"]
    erased = erase_by_number("100222")
    assert erased is not None
    assert erased.row.completed_at is not None
    assert [one.is_readable for one in entries("employee.created") + entries("employee.deleted")] == [False, False]
    assert not has_data_of("100222")


def test_entries_go_on_with_another_key_where_the_password_key_is_lost(app: Flask) -> None:
    audit.record_alone("capture.started", number="100222")
    app.extensions["vault"] = Keyring(Fernet.generate_key().decode(), None)

    audit.record_alone("capture.cancelled", number="100222")

    assert [(one.action, one.employee) for one in entries()] == [
        ("capture.started", ""),
        ("capture.cancelled", "100222"),
    ]
