"""Numbers of many who leave at once, as they are pasted."""

import re

from flask_babel import lazy_gettext as _l
from wtforms import Field, TextAreaField, ValidationError

from hikflask.forms.base import Form

MOST = 1000
BETWEEN = re.compile(r"[\s,;]+")


class NumbersForm(Form):
    """One number a line; commas and spaces between them do as well."""

    numbers = TextAreaField(_l("Employee IDs, one a line"))

    @property
    def listed(self) -> list[str]:
        """The numbers as pasted, each once."""
        return list(dict.fromkeys(word for word in BETWEEN.split(self.numbers.data or "") if word))

    def validate_numbers(self, field: Field) -> None:
        """At least one number, and not more than a person can look through."""
        if not self.listed:
            raise ValidationError(_l("“%(field)s” must not be empty.", field=field.label.text))
        if len(self.listed) > MOST:
            raise ValidationError(_l("At most %(most)s numbers at once.", most=MOST))
