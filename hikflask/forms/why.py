"""Who, when and where of the question why a door did not open."""

from collections.abc import Iterable
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import SelectChoice, SelectField, StringField

from hikflask.forms.base import QueryForm
from hikflask.forms.fields import id_or_nothing, stripped


class WhyForm(QueryForm):
    """An employee's ID, or words to find one; a moment, now when it is empty; and a terminal, any when it is empty."""

    employee = StringField(_l("Employee"), filters=[stripped])
    at = StringField(_l("When"), filters=[stripped])
    terminal = SelectField(_l("Terminal"), [id_or_nothing], filters=[stripped], validate_choice=False, choices=[])

    def offer(self, terminals: Iterable[Any]) -> None:
        """Fill the selector with terminals (anything with id and name)."""
        self.terminal.choices = [SelectChoice(str(terminal.id), terminal.name) for terminal in terminals]
