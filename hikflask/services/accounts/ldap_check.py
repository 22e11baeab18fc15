"""Checks again in LDAP the operators who are signed in: an operator who has left its groups loses all sessions."""

from flask import current_app
from sqlalchemy import or_, select

from hikflask.extensions import db
from hikflask.models import Operator, OperatorSession
from hikflask.models.accounts import LDAP
from hikflask.models.columns import database_now
from hikflask.services import audit
from hikflask.services.accounts import ldap_operators, operators, sessions
from hikflask.services.accounts.errors import LdapAway
from hikflask.services.core.db import claim_rows, transaction


def check_signed_in() -> int:
    """Check the operators whose last check is longer ago than LDAP_CHECK_INTERVAL; return how many lost their sessions.

    While the directory does not answer, sessions last as long as all others: nobody else is checked then, and the next
    pass begins with another operator. Of several workers one checks.
    """
    if not ldap_operators.can_look_up():
        return 0
    from hikflask.services.accounts import ldap

    ended = 0
    old = database_now(-current_app.config["LDAP_CHECK_INTERVAL"])
    in_use = select(OperatorSession.id).where(OperatorSession.operator_id == Operator.id).exists()
    is_due = (Operator.directory == LDAP, in_use, or_(Operator.checked_at.is_(None), Operator.checked_at < old))
    due = select(Operator.id).where(*is_due).order_by(Operator.id)
    for operator_id in db.session.execute(due).scalars().all():
        try:
            if claim_rows(due.where(Operator.id == operator_id), {"checked_at": database_now()}):
                operator = operators.get_one(operator_id)
                person = ldap.look_up(operator.name)
                with transaction():
                    if not ldap_operators.refresh(operator, person):
                        sessions.end_all(operator_id)
                        audit.record("operator.left_directory", subject=operator.name)
                        ended += 1
        except LdapAway:
            break
    return ended
