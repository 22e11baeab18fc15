"""What all forms have in common: how they read what was sent."""

from typing import Any

from flask_wtf import FlaskForm
from wtforms import FileField


class Form(FlaskForm):  # type: ignore[misc]
    """A form whose fields take what they are for: that of a file takes files alone, all others texts alone."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        """How what was sent becomes the form's data."""

        def wrap_formdata(self, form: FlaskForm, formdata: Any) -> Any:
            """Return what was sent, without the files that came where a text is wanted."""
            sent = super().wrap_formdata(form, formdata)
            return sent and Sent(sent, {field.name for field in form if isinstance(field, FileField)})


class Sent:
    """The values by field, as WTForms reads them."""

    def __init__(self, values: Any, for_files: set[str]) -> None:
        self._values = values
        self._for_files = for_files

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def getlist(self, name: str) -> list[Any]:
        """Return all values of a field that it can take."""
        values = self._values.getlist(name)
        return values if name in self._for_files else [value for value in values if isinstance(value, str)]
