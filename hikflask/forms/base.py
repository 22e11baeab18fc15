"""The bases of all forms: a field for files reads files alone, and any other field texts alone."""

from collections.abc import Iterable
from typing import Any, ClassVar

from flask_wtf import FlaskForm
from wtforms import Field, FileField, HiddenField, SelectChoice


class Form(FlaskForm):  # type: ignore[misc]
    """A form whose fields ignore values of the wrong kind: a file where a text is expected, and the reverse."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        """How WTForms reads what was sent."""

        def wrap_formdata(self, form: FlaskForm, formdata: Any) -> Any:
            """Return what was sent, without values of the wrong kind."""
            sent = super().wrap_formdata(form, formdata)
            return sent and SentValues(sent, {field.name for field in form if isinstance(field, FileField)})

    @property
    def focused(self) -> str:
        """The id of the field that has the focus when the page opens: the first with an error, else the first."""
        fields = [field for field in self if not isinstance(field, HiddenField)]
        return str(next((field.id for field in fields if field.errors), fields[0].id))


class QueryForm(Form):
    """A form in the query of an address. It changes nothing, so it has no CSRF token; a POST is checked by itself."""

    class Meta:
        """How WTForms reads what was sent."""

        csrf = False


class FilterForm(QueryForm):
    """The filters of a list; an empty field is ignored. `narrows` are those that stand beside the search."""

    narrows: ClassVar[tuple[str, ...]] = ()

    def offer(self, *, terminals: Iterable[Any] = (), departments: Iterable[str] = ()) -> None:
        """Fill the selectors that the form has with terminals (anything with id and name) and departments."""
        offered = {
            "terminal": [SelectChoice(str(terminal.id), terminal.name) for terminal in terminals],
            "department": [SelectChoice(department, department) for department in departments],
        }
        for name, choices in offered.items():
            if name in self:
                self[name].choices = choices

    def right(self, field: Field) -> Any:
        """Return what a field has, or "" when it is empty or wrong."""
        return "" if field.errors else field.data or ""

    @property
    def narrowing(self) -> int:
        """How many of the filters are set that stand beside the search."""
        return sum(bool(self.right(self[name])) for name in self.narrows)

    @property
    def texts(self) -> dict[str, Any]:
        """The texts of the fields that are not empty and not wrong, by field: for links and hidden fields."""
        return {field.name: str(self.right(field)) for field in self if self.right(field)}


class SentValues:
    """The values by field, in the interface that WTForms reads."""

    def __init__(self, values: Any, for_files: set[str]) -> None:
        self._values = values
        self._for_files = for_files

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def getlist(self, name: str) -> list[Any]:
        """Return all values of a field that are of its kind."""
        values = self._values.getlist(name)
        return values if name in self._for_files else [value for value in values if isinstance(value, str)]
