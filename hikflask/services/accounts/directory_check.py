"""Looks again at the operators of the directory who are signed in: who left its groups loses all sessions."""

from flask import current_app
from sqlalchemy import or_, select, update

from hikflask.extensions import db
from hikflask.models import Operator, OperatorSession
from hikflask.models.columns import database_now
from hikflask.models.operator import LDAP
from hikflask.services import audit
from hikflask.services.accounts import directory, directory_operators, operators, sessions
from hikflask.services.accounts.errors import DirectoryAway

# One pass takes no more: it shares its thread with the sweep.
BATCH = 20


def check_signed_in() -> int:
    """Look at those whose last look is longer ago than LDAP_CHECK_INTERVAL; return how many lost their sessions.

    While the directory does not answer, sessions last as long as all others. Of several workers one looks.
    """
    if not directory.can_look_up():
        return 0
    return sum(_ended(operator_id) for operator_id in _claimed())


def _claimed() -> list[int]:
    old = database_now(-current_app.config["LDAP_CHECK_INTERVAL"])
    in_use = select(OperatorSession.id).where(OperatorSession.operator_id == Operator.id).exists()
    due = (Operator.directory == LDAP, in_use, or_(Operator.checked_at.is_(None), Operator.checked_at < old))
    some = select(Operator.id).where(*due).order_by(Operator.id).limit(BATCH)
    claim = update(Operator).where(Operator.id.in_(some), *due).values(checked_at=database_now())
    ids = db.session.execute(claim.returning(Operator.id), execution_options={"synchronize_session": False})
    found = sorted(ids.scalars())
    db.session.commit()
    return found


def _ended(operator_id: int) -> bool:
    operator = operators.row(operator_id)
    try:
        found = directory.look_up(operator.name)
    except DirectoryAway:
        return False
    stays = directory_operators.refresh(operator, found)
    if not stays:
        sessions.end_all(operator_id)
        audit.note("operator.left_directory", subject=operator.name)
    db.session.commit()
    return not stays
