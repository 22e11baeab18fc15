"""Operators of the company's directory: a row at the first sign-in, refreshed at each, and never a local account."""

from typing import Any

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.models import AuditEntry, Operator
from hikflask.models.accounts import ADMIN, LDAP, LOCAL, OPERATOR, VIEWER
from hikflask.services.accounts import ldap_operators, operators, sessions, sign_in_limits
from hikflask.services.accounts.errors import LdapAway, LdapDecides, PasswordWrong, SignInRefused, TooOften
from hikflask.services.core.errors import ServiceError
from tests.support.ldap import BASE, PASSWORD, Directory
from tests.support.signed_in import OPERATOR_PASSWORD, add_operator

pytestmark = pytest.mark.usefixtures("context")
HERE = "10.0.0.1"


@pytest.fixture
def settings(company: Directory) -> dict[str, Any]:
    company.members("admins", "ivanov")
    company.members("operators", "анна")
    company.members("viewers", "ivanov")
    return company.settings()


def sign_in(name: str, password: str = PASSWORD) -> sessions.SignedIn:
    found = sessions.find(sessions.sign_in(name, password, HERE))
    assert found is not None
    return found


def refused(name: str, password: str = PASSWORD) -> None:
    with pytest.raises(SignInRefused, match=r"^sign_in_refused_or_away$"):
        sessions.sign_in(name, password, HERE)


def row(name: str) -> Operator:
    found = operators.by_name(name)
    assert found is not None
    return operators.get_one(found.id)


def actions() -> list[tuple[str, str, object]]:
    found = db.session.execute(db.select(AuditEntry).order_by(AuditEntry.id)).scalars()
    return [(one.action, one.subject, one.after) for one in found]


@pytest.mark.both_databases
def test_first_sign_in_adds_a_row_without_a_password_and_the_next_refreshes_its_role(company: Directory) -> None:
    first = sign_in("IVANOV")
    assert (first.name, first.role, first.is_local) == ("ivanov", ADMIN, False)
    added = row("ivanov")
    assert (added.directory, added.password_hash, added.checked_at is not None) == (LDAP, "", True)

    company.members("admins")
    again = sign_in("ivanov")

    assert (again.operator_id, again.role) == (first.operator_id, VIEWER)
    assert ("operator.created", "ivanov", {"role": ADMIN, "directory": LDAP}) in actions()
    assert ("operator.changed", "ivanov", {"role": VIEWER}) in actions()


def test_who_is_in_no_group_or_has_another_password_is_refused_as_everybody(company: Directory) -> None:
    refused("petrov")
    refused("ivanov", "another password")
    refused("missing")
    refused("ivanov", OPERATOR_PASSWORD)
    assert operators.by_name("petrov") is None

    sign_in("ivanov")
    company.members("admins")
    company.members("viewers")
    refused("ivanov")


def test_local_account_is_asked_here_alone_and_taken_over_by_nobody() -> None:
    add_operator("ivanov", VIEWER)
    # The directory knows this name, and an operator would be found by this spelling of it.
    add_operator("Анна", VIEWER)

    refused("ivanov")
    refused("анна")

    assert sign_in("ivanov", OPERATOR_PASSWORD).role == VIEWER
    assert [one.directory for one in operators.list_all()] == [LOCAL, LOCAL]


def test_account_of_the_directory_under_a_local_name_is_nobodys(app: Flask) -> None:
    add_operator("Ivanov", VIEWER)

    assert ldap_operators.admitted("ivanov", PASSWORD, lambda _dn: None) is None

    assert row("ivanov").role == VIEWER
    for spelling in ("ｉｖａｎｏｖ", "IVANOV ", "ⓘvanov"):
        refused(spelling)
        assert sign_in(spelling, OPERATOR_PASSWORD).role == VIEWER
    app.config["LDAP_URL"] = ""
    with pytest.raises(ServiceError, match=r"^operator_name_known$"):
        operators.create("Ｉｖａｎｏｖ", "совсем другая лодка", VIEWER)


@pytest.mark.usefixtures("quick_passwords")
def test_guesses_are_counted_for_the_entry_however_its_name_is_spelled(
    app: Flask, company: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in_limits, "TRIES_BY_PLACE", 6)
    spellings = ["ivanov", "IvanoV", "ｉｖａｎｏｖ", " ivanov  ", "iva\u00adnov", "ivánov", "ⓘvanov"]
    themselves = {"LDAP_BIND_DN": "", "LDAP_USER_DN": f"uid={{name}},ou=people,{BASE}"}
    for changed, names in ((themselves, spellings), (company.settings(), ["sidorov", "alias"] * 4)):
        app.config |= {name: value for name, value in changed.items() if name.startswith(("LDAP_BIND", "LDAP_USER"))}
        for name in names[:6]:
            refused(name, "a guess")

        with pytest.raises(TooOften):
            sessions.sign_in(names[6], PASSWORD, HERE)
    # A right password is counted for neither, and another person of the directory is not held up.
    for _ in range(7):
        sign_in("анна")


def test_local_accounts_get_in_while_the_directory_is_away_and_nobody_learns_which_they_are(app: Flask) -> None:
    sign_in("ivanov")
    add_operator("Ольга", ADMIN)
    app.config["LDAP_URL"] = "ldaps://127.0.0.1:1"

    assert sign_in("Ольга", OPERATOR_PASSWORD).is_local
    for name, password in (("Ольга", "wrong"), ("ivanov", PASSWORD), ("missing", "wrong")):
        refused(name, password)


def test_operator_who_may_not_sign_in_here_is_refused_whatever_the_directory_says() -> None:
    person = sign_in("ivanov")
    operators.change(person.operator_id, ADMIN, False)

    refused("ivanov")
    assert ldap_operators.admitted("ivanov", PASSWORD, lambda _dn: None) is None
    assert sessions.list_open(person.operator_id) == []


def test_operator_whose_directory_is_used_no_more_is_refused(app: Flask) -> None:
    person = sign_in("ivanov")
    app.config["LDAP_URL"] = ""

    with pytest.raises(PasswordWrong):
        sessions.confirm(person, PASSWORD)
    with pytest.raises(Exception, match="sign_in_refused"):
        sessions.sign_in("ivanov", PASSWORD, HERE)
    with pytest.raises(Exception, match="sign_in_refused"):
        sessions.sign_in("ivanov", "", HERE)


def test_nobody_of_the_directory_has_a_name_that_means_a_program_or_nobody(company: Directory) -> None:
    company.members("viewers", "nobody", "api bot", "petrov")

    for name in ("nobody", "api bot"):
        refused(name)

    assert sign_in("petrov").role == VIEWER
    assert [one.name for one in operators.list_all()] == ["petrov"]


def test_password_of_whom_the_directory_has_under_the_name_now_confirms_nothing(company: Directory) -> None:
    company.members("viewers", "sidorov", "анна")
    person = sign_in("анна")
    # Whoever had this name before.
    db.session.execute(db.update(Operator).values(name="alias", login="alias"))
    db.session.commit()

    with pytest.raises(PasswordWrong):
        sessions.confirm(person, PASSWORD)

    assert ldap_operators.admitted("alias", PASSWORD, lambda _dn: None) == row("sidorov")


def test_own_password_is_asked_of_the_directory_again(app: Flask) -> None:
    person = sign_in("ivanov")
    with pytest.raises(PasswordWrong):
        sessions.confirm(person, "another password")
    sessions.confirm(person, PASSWORD)

    app.config["LDAP_URL"] = "ldaps://127.0.0.1:1"
    with pytest.raises(LdapAway):
        sessions.confirm(person, PASSWORD)


def test_password_and_role_of_the_directory_are_not_changed_here_and_the_name_is_not_given_twice() -> None:
    person = sign_in("ivanov")
    with pytest.raises(LdapDecides):
        operators.set_password(person.operator_id, "совсем другая лодка")
    with pytest.raises(LdapDecides):
        operators.change(person.operator_id, OPERATOR, True)
    with pytest.raises(ServiceError, match=r"^operator_name_known$"):
        operators.create("Ivanov", "совсем другая лодка", VIEWER)


def test_last_local_administrator_stays_though_the_directory_has_one(app: Flask) -> None:
    olga = add_operator("Ольга", ADMIN)
    person = sign_in("ivanov")

    with pytest.raises(ServiceError, match=r"^last_administrator$"):
        operators.change(olga.id, VIEWER, True)
    operators.change(person.operator_id, ADMIN, False)
    assert app.config["LDAP_URL"]
