"""The employee number of an erasure, and what stands on a printed certificate."""

from flask_babel import lazy_gettext as _l
from wtforms import StringField
from wtforms.validators import Regexp

from hikflask.forms.base import Form
from hikflask.forms.employees import number
from hikflask.forms.fields import one_line, stripped


class NumberForm(Form):
    """The number of an employee who may be deleted already."""

    number = StringField(_l("Employee ID"), [number], [stripped])


class CertificateForm(Form):
    """What stands on a printed certificate: it may name nobody but by the number."""

    certificate = StringField(
        _l("Certificate No."),
        [Regexp(r"[0-9]{1,9}\Z", message=_l("Enter the digits that the certificate shows."))],
        [stripped],
    )
    number = StringField(_l("Employee ID"), [number], [stripped])
    name = StringField(_l("Full name"), [one_line(128, required=False)], [stripped])
