"""The forms that let somebody in: sign-in, the password once more, the first administrator, another password."""

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import Field, PasswordField, StringField, ValidationError

from hikflask.forms.base import Form
from hikflask.forms.fields import operator_name, stripped, too_long

LONGEST_TYPED = 512


def typed(form: FlaskForm, field: Field) -> None:  # noqa: ARG001
    """Check that something was typed; what it must be is not said to somebody who is not known."""
    if not field.data:
        raise ValidationError(_l("“%(field)s” must not be empty.", field=field.label.text))
    if len(field.data) > LONGEST_TYPED:
        raise too_long(field, LONGEST_TYPED)


class SignInForm(Form):
    """Who is there."""

    name = StringField(_l("Your name"), [typed], [stripped])
    password = PasswordField(_l("Password"), [typed])


class ConfirmForm(Form):
    """The operator's own password, asked for again."""

    password = PasswordField(_l("Your password"), [typed])


class NewPasswordForm(Form):
    """Another password, typed twice, and the present one."""

    password = PasswordField(_l("Present password"), [typed])
    new_password = PasswordField(_l("New password"), [typed])
    repeated = PasswordField(_l("New password once more"), [typed])

    def validate_new_password(self, field: Field) -> None:
        """A password that an administrator gave must not stay."""
        if field.data and field.data == self.password.data:
            raise ValidationError(_l("The new password must be another one than the present one."))

    def validate_repeated(self, field: Field) -> None:
        """A password with a typing error would keep its owner out."""
        if field.data != self.new_password.data:
            raise ValidationError(_l("The two passwords are not the same."))


class FirstRunForm(Form):
    """The first administrator, with the code that the log shows."""

    code = StringField(_l("Code from the log"), [typed], [stripped])
    name = StringField(_l("Your name"), [operator_name], [stripped])
    new_password = PasswordField(_l("New password"), [typed])
    repeated = PasswordField(_l("New password once more"), [typed])

    def validate_repeated(self, field: Field) -> None:
        """A password with a typing error would keep its owner out."""
        if field.data != self.new_password.data:
            raise ValidationError(_l("The two passwords are not the same."))
