"""The filters of passages; an empty field is ignored."""

from collections.abc import Iterable
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import Field, HiddenField, SelectChoice, SelectField, StringField

from hikflask.forms.audit import day
from hikflask.forms.base import QueryForm
from hikflask.forms.fields import DayField, choice_or_nothing, id_or_nothing, stripped


class PassagesForm(QueryForm):
    """The filters; `person` is an employee's id, which links to the list name."""

    q = StringField(_l("Search"), filters=[stripped])
    person = HiddenField(filters=[stripped], validators=[id_or_nothing])
    terminal = SelectField(_l("Terminal"), [id_or_nothing], filters=[stripped], validate_choice=False, choices=[])
    kind = SelectField(_l("What happened"), [choice_or_nothing], validate_choice=False)
    day = DayField(_l("Day"), [day])
    department = SelectField(_l("Department"), filters=[stripped], validate_choice=False, choices=[])

    def __init__(self, formdata: Any, kinds: list[tuple[str, str]]) -> None:
        super().__init__(formdata)
        self.kind.choices = [SelectChoice(value, label) for value, label in kinds]

    def offer(self, terminals: Iterable[Any], departments: Iterable[str]) -> None:
        """Fill the selectors with terminals (anything with id and name) and departments."""
        self.terminal.choices = [SelectChoice(str(terminal.id), terminal.name) for terminal in terminals]
        self.department.choices = [SelectChoice(department, department) for department in departments]

    def right(self, field: Field) -> Any:
        """Return what a field has, or "" when it is empty or wrong."""
        return "" if field.errors else field.data or ""

    @property
    def narrowing(self) -> int:
        """How many of the filters are set that stand beside the search."""
        return sum(bool(self.right(field)) for field in (self.terminal, self.kind, self.day, self.department))

    @property
    def texts(self) -> dict[str, Any]:
        """The texts of the fields that are not empty and not wrong, by field: for links and hidden fields."""
        return {field.name: str(self.right(field)) for field in self if self.right(field)}
