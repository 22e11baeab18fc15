"""Looks again at the operators of the directory who are signed in: who left its groups loses all sessions."""

from flask import current_app
from sqlalchemy import ColumnElement, or_, select, update

from hikflask.extensions import db
from hikflask.models import Operator, OperatorSession
from hikflask.models.columns import database_now
from hikflask.models.operator import LDAP
from hikflask.services import audit
from hikflask.services.accounts import directory, directory_operators, operators, sessions
from hikflask.services.accounts.errors import DirectoryAway
from hikflask.services.core.db import changed_rows, transaction


def check_signed_in() -> int:
    """Look at those whose last look is longer ago than LDAP_CHECK_INTERVAL; return how many lost their sessions.

    While the directory does not answer, sessions last as long as all others: nobody else is looked at then, and the
    next pass begins with another. Of several workers one looks.
    """
    ended = 0
    if not directory.can_look_up():
        return ended
    due = list(db.session.execute(select(Operator.id).where(*_is_due()).order_by(Operator.id)).scalars())
    for operator_id in due:
        try:
            ended += _is_claimed(operator_id) and _is_ended(operator_id)
        except DirectoryAway:
            break
    return ended


def _is_due() -> tuple[ColumnElement[bool], ...]:
    old = database_now(-current_app.config["LDAP_CHECK_INTERVAL"])
    in_use = select(OperatorSession.id).where(OperatorSession.operator_id == Operator.id).exists()
    return Operator.directory == LDAP, in_use, or_(Operator.checked_at.is_(None), Operator.checked_at < old)


def _is_claimed(operator_id: int) -> bool:
    claim = update(Operator).where(Operator.id == operator_id, *_is_due()).values(checked_at=database_now())
    with transaction(alone=True):
        return changed_rows(claim) == 1


def _is_ended(operator_id: int) -> bool:
    operator = operators.row(operator_id)
    found = directory.look_up(operator.name)
    with transaction():
        stays = directory_operators.refresh(operator, found)
        if not stays:
            sessions.end_all(operator_id)
            audit.note("operator.left_directory", subject=operator.name)
    return not stays
