"""Which employees are meant, and in which order: the arguments of the list, of the API, and of work on many."""

from collections.abc import Iterable
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import Field, SelectChoice, SelectField, StringField, ValidationError

from hikflask.forms.base import Form
from hikflask.forms.fields import limited, row_id, stripped
from hikflask.services.employees.filters import SORTS, EmployeeFilter


@limited(enum=[""])
def _known(form: Form, field: Field) -> None:  # noqa: ARG001
    """Accept one of the choices, or nothing."""
    if field.data and field.data not in {one.value for one in field.choices}:
        raise ValidationError(_l("“%(field)s” must be one of the list.", field=field.label.text))


class EmployeeFilterForm(Form):
    """The filters of employees; an empty field filters nothing."""

    class Meta:
        """No CSRF token: the form changes nothing, and what is done with the filter, a POST, is checked by itself."""

        csrf = False

    q = StringField(_l("Search"), filters=[stripped])
    state = SelectField(
        _l("State"),
        [_known],
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
    terminal = SelectField(_l("Terminal"), filters=[stripped], validate_choice=False, choices=[])
    department = SelectField(_l("Department"), filters=[stripped], validate_choice=False, choices=[])
    consent = SelectField(
        _l("Consent"),
        [_known],
        validate_choice=False,
        choices=[SelectChoice("given", _l("Consent is recorded")), SelectChoice("missing", _l("No consent"))],
    )
    sort = SelectField(
        _l("Sorting"), [_known], validate_choice=False, choices=[SelectChoice(one, one) for one in SORTS]
    )

    def offer(self, terminals: Iterable[Any], departments: Iterable[str]) -> None:
        """Fill the selectors with terminals (anything with id and name) and departments."""
        self.terminal.choices = [SelectChoice(str(terminal.id), terminal.name) for terminal in terminals]
        self.department.choices = [SelectChoice(department, department) for department in departments]

    @limited(pattern=r"^[0-9]*$")
    def validate_terminal(self, field: Field) -> None:
        """Accept the id of a terminal, known or not, or nothing."""
        if field.data and not (field.data.isascii() and field.data.isdigit()):
            raise ValidationError(_l("“%(field)s” must be one of the list.", field=field.label.text))

    @property
    def filter(self) -> EmployeeFilter:
        """What the fields ask for, once validated; a field that is wrong filters nothing.

        So whoever changes employees by it must refuse the form when it does not validate.
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
    def texts(self) -> dict[str, Any]:
        """What is asked for and right, by field: for links and hidden fields."""
        return {field.name: self._right(field) for field in self if self._right(field)}

    @staticmethod
    def _right(field: Any) -> str:
        return "" if field.errors else field.data or ""
