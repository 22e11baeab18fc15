"""Operators, as an administrator adds and changes them; and the field for a role."""

from typing import Any, ClassVar

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectField, StringField
from wtforms.fields.choices import SelectChoice

from hikflask.forms.base import Form
from hikflask.forms.fields import not_in_list, operator_name, stripped
from hikflask.forms.versions import VersionedForm
from hikflask.labels.operators import ROLES

DEFAULT_ROLE = "operator"


class RoleField(SelectField):  # type: ignore[misc]
    """One of the roles, by name."""

    def __init__(self, label: Any = None, **options: Any) -> None:
        choices = [SelectChoice(role, text) for role, text in ROLES.items()]
        super().__init__(label, choices=choices, default=DEFAULT_ROLE, **options)

    def pre_validate(self, form: FlaskForm) -> None:  # noqa: ARG002
        """Refuse what is no role; the sentence names the field."""
        if self.data not in ROLES:
            raise not_in_list(self)


class OperatorForm(Form):
    """A new operator."""

    name = StringField(_l("Operator's name"), [operator_name], [stripped])
    role = RoleField(_l("Role"))


class OperatorChangeForm(VersionedForm):
    """What can be changed of an operator."""

    stored: ClassVar = ("role", "is_active")
    role = RoleField(_l("Role"))
    is_active = BooleanField(_l("May sign in"))
