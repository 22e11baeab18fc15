"""A field of an employee stands wherever the employee does, or is left out there for a reason."""

from pathlib import Path

from hikflask import config
from hikflask.employee_fields import DRAFT_COLUMNS, FORM_NAMES
from hikflask.forms.employees import EmployeeForm, EmployeePageForm
from hikflask.labels.audit import FIELDS as AUDITED
from hikflask.models import Capture, Employee
from hikflask.services.captures.drafts import Draft
from hikflask.services.imports.table import columns

# Only a page has it: it is seldom needed, and a program or a table should not give one by mistake.
ON_PAGES_ALONE = {"terminal_name"}
SCRIPT = Path(config.__file__).parent / "static/employee-form.js"


def test_each_field_has_its_columns_its_place_in_forms_and_its_words() -> None:
    assert set(FORM_NAMES) <= set(Employee.__table__.columns.keys()) & set(Draft.__dataclass_fields__) & set(AUDITED)
    assert set(DRAFT_COLUMNS.values()) <= set(Capture.__table__.columns.keys())
    assert [name for name in FORM_NAMES.values() if not hasattr(EmployeePageForm, name)] == []
    assert [name for name in FORM_NAMES.values() if f'"{name}"' not in SCRIPT.read_text(encoding="utf-8")] == []


def test_programs_and_tables_have_each_field_that_is_not_on_pages_alone() -> None:
    assert {name for name, field in FORM_NAMES.items() if not hasattr(EmployeeForm, field)} == ON_PAGES_ALONE
    assert set(FORM_NAMES) - set(columns.FIELDS) == ON_PAGES_ALONE
