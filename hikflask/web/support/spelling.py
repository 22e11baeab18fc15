"""Says that a department was saved in another spelling than it was typed."""

from flask import flash
from flask_babel import gettext as _

from hikflask.invisible_characters import isolated


def say(typed: str, saved: str) -> None:
    """Put the sentence on the next page, unless the department is saved as it was typed."""
    if saved and typed != saved:
        flash(_("The department is saved as “%(name)s”.", name=isolated(saved)))
