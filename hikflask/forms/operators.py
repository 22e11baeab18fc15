"""Operators, as an administrator adds and changes them; and the field for a role."""

from typing import Any, ClassVar

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, SelectField, StringField
from wtforms.fields.choices import SelectChoice

from hikflask.forms.base import Form
from hikflask.forms.fields import choice, operator_name, stripped
from hikflask.forms.versions import VersionedForm
from hikflask.labels.operators import ROLES

DEFAULT_ROLE = "operator"


def role_field(label: Any) -> SelectField:
    """Return a field for one of the roles, by name."""
    choices = [SelectChoice(role, text) for role, text in ROLES.items()]
    return SelectField(label, [choice], choices=choices, default=DEFAULT_ROLE, validate_choice=False)


class OperatorForm(Form):
    """A new operator."""

    name = StringField(_l("Operator's name"), [operator_name], [stripped])
    role = role_field(_l("Role"))


class OperatorChangeForm(VersionedForm):
    """What can be changed of an operator."""

    stored: ClassVar = ("role", "is_active")
    role = role_field(_l("Role"))
    is_active = BooleanField(_l("May sign in"))
