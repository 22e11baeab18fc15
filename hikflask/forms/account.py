"""Sign-in, confirmation of the password, a new password, and the first administrator."""

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import Field, PasswordField, StringField, ValidationError
from wtforms.validators import EqualTo, Optional

from hikflask.forms.base import Form
from hikflask.forms.fields import operator_name, stripped, too_long

MAX_TYPED_LENGTH = 512


def typed(form: FlaskForm, field: Field) -> None:  # noqa: ARG001
    """Check that something was typed, and no more: a visitor who is not signed in learns nothing of the rules."""
    if not field.data:
        raise ValidationError(_l("“%(field)s” must not be empty.", field=field.label.text))
    if len(field.data) > MAX_TYPED_LENGTH:
        raise too_long(field, MAX_TYPED_LENGTH)


# A new password with a typing error would lock its owner out.
SAME_AS_NEW_PASSWORD = EqualTo("new_password", _l("The two passwords are not the same."))


class SignInForm(Form):
    """Sign-in."""

    name = StringField(_l("User name"), [typed], [stripped])
    password = PasswordField(_l("Password"), [typed])


class ConfirmForm(Form):
    """Confirmation of the operator's own password."""

    password = PasswordField(_l("Your password"), [typed])


class CodeForm(Form):
    """The code of the second factor: six digits of the app, or a recovery code."""

    code = StringField(_l("Code from the app"), [typed], [stripped])


class FactorForm(CodeForm):
    """The first code of a new app, and one of the factor that it replaces."""

    # The service knows whether one is needed.
    present_code = StringField(_l("Code from your present app, or a recovery code"), [Optional(), typed], [stripped])


class NewPasswordForm(Form):
    """A new password, typed twice, and the current one."""

    password = PasswordField(_l("Present password"), [typed])
    new_password = PasswordField(_l("New password"), [typed])
    repeated = PasswordField(_l("New password once more"), [typed, SAME_AS_NEW_PASSWORD])

    def validate_new_password(self, field: Field) -> None:
        """Refuse the current password: one that an administrator gave must not stay."""
        if field.data and field.data == self.password.data:
            raise ValidationError(_l("The new password must be another one than the present one."))


class FirstRunForm(Form):
    """The first administrator, with the setup code from the server's log."""

    code = StringField(_l("Code from the log"), [typed], [stripped])
    name = StringField(_l("User name"), [operator_name], [stripped])
    new_password = PasswordField(_l("New password"), [typed])
    repeated = PasswordField(_l("New password once more"), [typed, SAME_AS_NEW_PASSWORD])
