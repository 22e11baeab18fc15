"""A group of terminals and who belongs to it; a department's name, and which departments are merged into which one."""

from typing import ClassVar

from flask_babel import lazy_gettext as _l
from wtforms import Field, HiddenField, StringField, ValidationError

from hikflask import text_rules
from hikflask.employee_fields import MAX_NAME_LENGTH
from hikflask.forms.base import Form, QueryForm
from hikflask.forms.fields import one_line, row_id, row_ids, stripped
from hikflask.forms.versions import VersionedForm

MAX_GROUP_LENGTH = 64


class GroupForm(Form):
    """The name, which pages and API share."""

    name = StringField(_l("Name"), [one_line(MAX_GROUP_LENGTH)], [stripped], description=_l("for example, Office"))


class DepartmentNameForm(Form):
    """A department that belongs to the group, by any spelling of its name; the API checks each."""

    departments = StringField(_l("Department"), [one_line(MAX_NAME_LENGTH)], [stripped])


class GroupPageForm(VersionedForm, GroupForm):
    """The form of the page: ticked terminals and departments by their ids, one more department by its name.

    `added` are IDs of employees, apart by spaces or commas, and `chosen` those of employees who were found and chosen;
    `removed` are those of the list that are ticked, by the ids of their rows. `find` is a name or ID to search for, and
    `searched` the one whose result the page shows. `shown` is the digest of what the page showed that changes, and
    `confirm` how many lose a terminal, as typed.
    """

    stored: ClassVar = ("name", "terminals", "departments")
    ticks: ClassVar = frozenset(("terminals", "departments"))
    terminals = StringField(_l("Terminals"))
    departments = StringField(_l("Departments"))
    department = StringField(_l("Add a department"), [one_line(MAX_NAME_LENGTH, required=False)], [stripped])
    added = StringField(_l("Add employees by ID"), [one_line(2000, required=False)], [stripped])
    chosen = StringField()
    find = StringField(_l("Find an employee"), filters=[stripped], description=_l("Name, ID or department"))
    searched = HiddenField()
    removed = StringField()
    shown = HiddenField()
    confirm = StringField(_l("How many employees lose access"), filters=[stripped])

    # The field of the button that was pressed, which has the focus then; "" for none.
    pressed: str | None = None

    @property
    def focused(self) -> str:
        """The id of the field that has the focus."""
        return super().focused if self.pressed is None else self.pressed

    @property
    def is_search(self) -> bool:
        """True when something is searched for whose result the page does not show, as by Enter without JavaScript."""
        return bool(self.find.data) and self.find.data != self.searched.data

    @property
    def numbers(self) -> list[str]:
        """The typed and the chosen IDs, each once."""
        typed = (self.added.data or "").replace(",", " ").replace(";", " ").split()
        return list(dict.fromkeys([*typed, *self.chosen_numbers]))

    @property
    def chosen_numbers(self) -> list[str]:
        """The chosen IDs, each once."""
        return list(dict.fromkeys(self.chosen.raw_data or []))

    def validate_added(self, field: Field) -> None:  # noqa: ARG002
        """Accept employee IDs."""
        if not all(text_rules.is_employee_number(number) for number in self.numbers):
            raise ValidationError(_l("Enter IDs with spaces between them: Latin letters and digits, up to 32 each."))


class DepartmentForm(Form):
    """The name of a new department, or another name for one."""

    name = StringField(_l("Name"), [one_line(MAX_NAME_LENGTH)], [stripped])


class MergeForm(QueryForm):
    """The departments that are merged, and the one that stays, by their ids.

    `shown` is the digest of the question; `confirm` is how many lose a terminal, as typed.
    """

    department = StringField()
    into = StringField(filters=[row_id])
    shown = HiddenField()
    confirm = StringField(_l("How many employees lose access"), filters=[stripped])

    @property
    def department_ids(self) -> list[int]:
        """The ids of the departments to merge, each once."""
        return row_ids(self.department.raw_data)
