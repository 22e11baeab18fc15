"""What a change wrote is undone by facts: exactly what it knew, and only while nobody worked on since."""

import pytest

from hikflask.extensions import db
from hikflask.models import Employee
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.db import transaction
from hikflask.services.core.errors import PhotoForgotten, ServiceError
from hikflask.services.employees import undo
from hikflask.services.employees.save import save_employee
from tests.support.captures import IVAN

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def ivan() -> Employee:
    return save_employee(IVAN).row


def test_only_what_the_change_knew_is_looked_at_and_given_back(ivan: Employee) -> None:
    written, before = {"name": ivan.name, "enrolments": []}, {"name": "Пётр", "enrolments": []}
    save_employee(Draft(department="Склад"), employee_id=ivan.id, fields={"department"})

    undo.require_same(ivan, written)
    with transaction():
        undo.restore(ivan, before, written)

    assert (ivan.name, ivan.department) == ("Пётр", "Склад")
    undo.require_same(ivan, before)
    for other in (written, {**before, "enrolments": [[1, None, False]]}, {**undo.facts(ivan), "is_active": False}):
        with pytest.raises(ServiceError, match=r"^changed_since$"):
            undo.require_same(ivan, other)


def test_photo_that_is_not_kept_any_more_cannot_be_given_back(ivan: Employee) -> None:
    facts = undo.facts(ivan)

    with pytest.raises(PhotoForgotten), transaction():
        undo.restore(ivan, {**facts, "photo": 99}, facts)

    assert db.session.get_one(Employee, ivan.id, populate_existing=True).photo_id is None
