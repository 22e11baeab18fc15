"""The filter and the order of employees: the arguments of the list, of the API, and of jobs."""

from collections.abc import Iterable
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import SelectChoice, SelectField, StringField

from hikflask.forms.base import QueryForm
from hikflask.forms.fields import choice_or_nothing, id_or_nothing, row_id, stripped
from hikflask.services.employees.filters import SORTS, EmployeeFilter

ORDERS = {
    "name": _l("By name, A to Z"),
    "-name": _l("By name, Z to A"),
    "number": _l("By ID"),
    "department": _l("By department"),
    "created_at": _l("Oldest first"),
    "-created_at": _l("Newest first"),
}


class EmployeeFilterForm(QueryForm):
    """The filters of employees; an empty field is ignored."""

    q = StringField(_l("Search"), filters=[stripped])
    state = SelectField(
        _l("State"),
        [choice_or_nothing],
        validate_choice=False,
        choices=[
            SelectChoice("on_terminals", _l("On the terminals")),
            SelectChoice("no_face", _l("No face")),
            SelectChoice("waiting", _l("Waiting for the terminal")),
            SelectChoice("refused", _l("Not enrolled: needs attention")),
            SelectChoice("leaving", _l("May still open doors")),
            SelectChoice("left", _l("Inactive")),
        ],
    )
    terminal = SelectField(_l("Terminal"), [id_or_nothing], filters=[stripped], validate_choice=False, choices=[])
    department = SelectField(_l("Department"), filters=[stripped], validate_choice=False, choices=[])
    consent = SelectField(
        _l("Consent"),
        [choice_or_nothing],
        validate_choice=False,
        choices=[SelectChoice("given", _l("Consent is recorded")), SelectChoice("missing", _l("No consent"))],
    )
    sort = SelectField(
        _l("Sorting"),
        [choice_or_nothing],
        validate_choice=False,
        choices=[SelectChoice(sort, ORDERS[sort]) for sort in SORTS],
    )

    def offer(self, terminals: Iterable[Any], departments: Iterable[str]) -> None:
        """Fill the selectors with terminals (anything with id and name) and departments."""
        self.terminal.choices = [SelectChoice(str(terminal.id), terminal.name) for terminal in terminals]
        self.department.choices = [SelectChoice(department, department) for department in departments]

    @property
    def filter(self) -> EmployeeFilter:
        """The filter that the validated fields describe; an invalid field is ignored.

        So refuse a form that does not validate before changing the employees that its filter selects.
        """
        terminal = self._right(self.terminal)
        return EmployeeFilter(
            q=self._right(self.q),
            state=self._right(self.state),
            department=self._right(self.department),
            terminal=(row_id(terminal) or 0) if terminal else None,
            consent=self._right(self.consent),
            sort=self._right(self.sort) or EmployeeFilter.sort,
        )

    @property
    def narrowing(self) -> int:
        """How many of the filters are set that are chosen from a list."""
        return sum(bool(self._right(field)) for field in (self.state, self.terminal, self.department, self.consent))

    @property
    def texts(self) -> dict[str, Any]:
        """The texts of the fields that are not empty and not wrong, by field: for links and hidden fields."""
        return {field.name: self._right(field) for field in self if self._right(field)}

    @staticmethod
    def _right(field: Any) -> str:
        return "" if field.errors else field.data or ""
