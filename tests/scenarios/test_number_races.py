"""A number that is given to somebody in the moment in which somebody else gives it up: one after the other decides."""

import io

import pytest

from hikflask.extensions import db
from hikflask.models import Terminal
from hikflask.services.captures import queries as captures
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.errors import ServiceError
from hikflask.services.employees import search
from hikflask.services.employees.lifecycle import delete_employee
from hikflask.services.employees.save import FaceSource, save_employee
from hikflask.services.employees.sync import sync_employee
from hikflask.services.enrolments import desired, queries
from hikflask.simulator import Terminal as Simulated
from tests.support.between import Between
from tests.support.captures import OTHER_FACE, capture_face
from tests.support.enrolments import enrol

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]

PETER = Draft("100222", "Пётр Чехов", "Охрана")


@pytest.mark.parametrize("earlier_number", ["", "100999"], ids=["newcomer", "renumbered"])
def test_removal_of_who_is_deleted_meanwhile_stays_a_removal(
    simulator: Simulated, terminal: Terminal, between: Between, earlier_number: str
) -> None:
    ivan_id = enrol(simulator, terminal).employee_id
    assert ivan_id
    peter_id = save_employee(Draft(earlier_number, PETER.name)).row.id if earlier_number else None
    deletion = between(desired, "refuse_leaving", lambda: delete_employee(ivan_id))

    with pytest.raises(ServiceError, match=r"^number_known$"):
        save_employee(PETER, FaceSource(upload=io.BytesIO(OTHER_FACE), terminal_id=terminal.id), employee_id=peter_id)
    deletion.finish()

    assert deletion.error is None
    (removal,) = queries.of_number("100222")
    assert removal.is_leaving
    assert removal.employee_id is None
    db.session.commit()
    with pytest.raises(ServiceError, match=r"^number_leaving$"):
        save_employee(PETER, employee_id=peter_id)


def test_sync_takes_no_face_of_who_has_the_number_since(
    simulator: Simulated, terminal: Terminal, between: Between
) -> None:
    ivan_id = save_employee(Draft("100222", "Иван Иванов")).row.id

    def give_number_to_olga() -> None:
        save_employee(Draft("100999", "Иван Иванов"), employee_id=ivan_id)
        save_employee(Draft("100222", "Ольга Ёлкина"))
        capture_face(simulator, terminal, Draft("100222"), OTHER_FACE)

    other = between(captures, "latest_unsaved", give_number_to_olga, before=True)

    wanted = sync_employee(ivan_id, terminal.id, "Анна").row
    other.finish()

    assert other.blocked
    assert wanted.photo_id is None
    ivan = search.get(ivan_id)
    assert ivan is not None
    assert ivan.photo is None
