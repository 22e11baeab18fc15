"""Who left the groups of the directory loses all sessions at the next look; while it is away, sessions stay."""

from typing import Any

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.models import AuditEntry, Operator, OperatorSession
from hikflask.models.accounts import ADMIN, OPERATOR
from hikflask.models.columns import database_now
from hikflask.services.accounts import ldap_check, sessions
from tests.support.ldap import PASSWORD, Directory
from tests.support.signed_in import add_operator, open_session

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def settings(company: Directory) -> dict[str, Any]:
    company.members("admins", "ivanov", "petrov")
    company.members("operators")
    company.members("viewers")
    return company.settings()


def let_time_pass() -> None:
    db.session.execute(db.update(Operator).values(checked_at=database_now(-301.0)))
    db.session.commit()


@pytest.mark.both_databases
def test_who_left_the_groups_loses_all_sessions_and_others_get_their_present_role(company: Directory) -> None:
    ivanov, petrov = (sessions.sign_in(name, PASSWORD, "10.0.0.1") for name in ("ivanov", "petrov"))
    local = open_session(add_operator("Ольга"))
    company.members("admins")
    company.members("operators", "petrov")
    assert ldap_check.check_signed_in() == 0
    assert sessions.find(ivanov)

    let_time_pass()
    ended = ldap_check.check_signed_in()

    assert ended == 1
    assert sessions.find(ivanov) is None
    found = sessions.find(petrov)
    assert found is not None
    assert found.role == OPERATOR
    assert sessions.find(local)
    left = db.session.execute(db.select(AuditEntry).where(AuditEntry.action == "operator.left_directory")).scalars()
    assert [(one.actor, one.subject) for one in left] == [("worker", "ivanov")]
    assert ldap_check.check_signed_in() == 0


@pytest.mark.both_databases
def test_sessions_stay_while_the_directory_is_away_and_nobody_is_asked_about_who_is_not_signed_in(app: Flask) -> None:
    key = sessions.sign_in("ivanov", PASSWORD, "10.0.0.1")
    let_time_pass()
    url, app.config["LDAP_URL"] = app.config["LDAP_URL"], "ldaps://127.0.0.1:1"
    assert ldap_check.check_signed_in() == 0
    person = sessions.find(key)
    assert person is not None
    assert person.role == ADMIN

    app.config["LDAP_URL"] = url
    db.session.execute(db.delete(OperatorSession))
    let_time_pass()
    ldap_check.check_signed_in()

    seen = db.session.execute(db.select(Operator.checked_at < database_now(-300.0))).scalar_one()
    assert seen


def test_directory_that_is_away_is_asked_once_in_a_pass_and_about_somebody_else_in_the_next(app: Flask) -> None:
    for name in ("ivanov", "petrov"):
        sessions.sign_in(name, PASSWORD, "10.0.0.1")
    let_time_pass()
    app.config["LDAP_URL"] = "ldaps://127.0.0.1:1"

    left = []
    for _ in range(2):
        ldap_check.check_signed_in()
        due = db.select(Operator.name).where(Operator.checked_at < database_now(-300.0))
        left.append(db.session.execute(due).scalars().all())

    assert left == [["petrov"], []]
