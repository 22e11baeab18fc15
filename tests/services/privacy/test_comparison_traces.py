"""What comparisons hold of a person is found by the number, and erased."""

import io
import json
from typing import Any
from zipfile import ZipFile

import pytest

from hikflask.extensions import db
from hikflask.models import Difference, Drift, LeftAlone, PersonThere, Terminal
from hikflask.models.comparison import NAME, ONLY_THERE
from hikflask.services.captures.drafts import Draft
from hikflask.services.comparisons import ignored
from hikflask.services.employees.erasure import erase_employee, has_data_of
from hikflask.services.employees.personal_data_export import export_employee
from hikflask.services.employees.save import save_employee
from hikflask.services.privacy import comparison_traces
from hikflask.simulator import Terminal as Simulated
from tests.support.comparisons import compare, strangers

pytestmark = pytest.mark.usefixtures("context")


def test_rows_of_a_number_are_found_and_erased(simulator: Simulated, terminal: Terminal) -> None:
    strangers(simulator, ["900", "901"])
    ignored.ignore(compare(terminal).id, ONLY_THERE, "900")
    db.session.add(Drift(terminal_id=terminal.id, kind=NAME, number="900"))
    db.session.commit()
    tables = [PersonThere, Difference, LeftAlone, Drift]

    found = comparison_traces.of_numbers(["900"])

    assert [(name, type(row)) for name, row in found] == [("Вход", table) for table in tables]
    comparison_traces.forget(["900"])
    db.session.commit()
    assert comparison_traces.of_number("900") == []
    assert [db.session.query(table).count() for table in tables] == [1, 1, 0, 0]


def test_erasure_takes_them_along(simulator: Simulated, terminal: Terminal) -> None:
    person = save_employee(Draft("900", "Гость 900")).row
    strangers(simulator, ["900", "901"])
    compare(terminal)
    assert [one["kind"] for one in exported(person.id) if "kind" in one] == ["only_there"]

    erase_employee(person.id)

    assert comparison_traces.of_number("900") == []
    assert db.session.query(PersonThere).count() == 1
    assert not has_data_of("900")
    assert has_data_of("901")


def exported(employee_id: int) -> list[dict[str, Any]]:
    """What the export of a person's data has of comparisons."""
    with ZipFile(io.BytesIO(export_employee(employee_id))) as archive:
        found: list[dict[str, Any]] = json.loads(archive.read("data.json"))["comparisons"]
    return found
