"""The pasted numbers of many employees who leave at once."""

import re

from flask_babel import lazy_gettext as _l
from wtforms import Field, TextAreaField, ValidationError

from hikflask.forms.base import Form

MAX_NUMBERS = 1000
SEPARATORS = re.compile(r"[\s,;]+")


class NumbersForm(Form):
    """Numbers separated by line breaks, commas, semicolons or spaces."""

    numbers = TextAreaField(_l("Employee IDs, one a line"))

    @property
    def listed(self) -> list[str]:
        """The numbers in the order in which they were pasted, each once."""
        return list(dict.fromkeys(word for word in SEPARATORS.split(self.numbers.data or "") if word))

    def validate_numbers(self, field: Field) -> None:
        """Accept at least one number, and no more than a person can look through in the preview."""
        if not self.listed:
            raise ValidationError(_l("“%(field)s” must not be empty.", field=field.label.text))
        if len(self.listed) > MAX_NUMBERS:
            raise ValidationError(_l("At most %(most)s IDs at once.", most=MAX_NUMBERS))
