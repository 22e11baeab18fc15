"""Operators: created, changed, kept out; and there is always an administrator."""

import threading

import pytest
from flask import Flask
from werkzeug.security import generate_password_hash

from hikflask.extensions import db
from hikflask.models import AuditEntry, Operator
from hikflask.models.accounts import ADMIN, OPERATOR, VIEWER
from hikflask.services.accounts import operators, passwords, sessions
from hikflask.services.accounts.errors import OperatorsExist, PasswordWrong, SignInRefused, TooOften
from hikflask.services.core.errors import ServiceError
from tests.support.signed_in import OPERATOR_PASSWORD, add_operator, open_session

pytestmark = pytest.mark.usefixtures("context")
GOOD = "четыре слова без связи"


def audited(action: str) -> list[str]:
    """Whom entries of this action are about."""
    return list(db.session.execute(db.select(AuditEntry.subject).where(AuditEntry.action == action)).scalars())


@pytest.mark.both_databases
@pytest.mark.parametrize("name", ["Анна", "АННА", "анна"])
def test_name_is_taken_however_it_is_written(name: str) -> None:
    operators.create("Анна", GOOD, VIEWER)

    with pytest.raises(ServiceError, match=r"^operator_name_known$"):
        operators.create(name, GOOD, VIEWER)


@pytest.mark.parametrize("name", ["Worker", "API HR"])
def test_name_that_the_trail_could_not_tell_from_another_is_refused(name: str) -> None:
    with pytest.raises(ServiceError, match=r"^name_reserved$"):
        operators.create(name, GOOD, VIEWER)

    assert not operators.exist()


def test_weak_password_is_refused_also_when_it_is_the_own_name() -> None:
    with pytest.raises(ServiceError, match=r"^password_common$"):
        operators.create("Мария", "МарияМария2024", VIEWER)

    assert not operators.exist()


@pytest.mark.both_databases
def test_two_first_administrators_at_once_are_one(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    start, added, refused = threading.Barrier(2), [], []

    def hash_together(password: str, method: str) -> str:
        found = generate_password_hash(password, method)
        start.wait(20)
        return found

    monkeypatch.setattr(passwords, "generate_password_hash", hash_together)

    def create(name: str) -> None:
        with app.app_context():
            try:
                added.append(operators.create_first(name, GOOD).name)
            except OperatorsExist:
                refused.append(name)
            db.session.remove()

    threads = [threading.Thread(target=create, args=(name,)) for name in ("Анна", "Ольга")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert (len(added), len(refused)) == (1, 1)
    assert [one.name for one in operators.list_all()] == added
    noted = db.session.execute(db.select(AuditEntry.subject).where(AuditEntry.action == "operator.created")).scalars()
    assert list(noted) == added


def test_new_password_forgets_the_tries_that_were_counted() -> None:
    anna = add_operator("Анна", OPERATOR)
    for _ in range(11):
        with pytest.raises((SignInRefused, TooOften)):
            sessions.sign_in("Анна", "wrong", "10.0.0.1")

    operators.set_password(anna.id, GOOD)

    assert sessions.sign_in("Анна", GOOD, "10.0.0.1")


@pytest.mark.parametrize(("role", "is_active"), [(OPERATOR, True), (VIEWER, True), (ADMIN, False)])
def test_last_administrator_stays(role: str, is_active: bool) -> None:
    anna = add_operator("Анна", ADMIN)
    add_operator("Ольга", ADMIN, is_active=False)

    with pytest.raises(ServiceError, match=r"^last_administrator$"):
        operators.change(anna.id, role, is_active)

    assert operators.get_one(anna.id).role == ADMIN


def test_one_of_two_may_go() -> None:
    anna, olga = add_operator("Анна", ADMIN), add_operator("Ольга", ADMIN)

    operators.change(anna.id, VIEWER, True)

    with pytest.raises(ServiceError, match=r"^last_administrator$"):
        operators.change(olga.id, ADMIN, False)


@pytest.mark.both_databases
def test_two_administrators_who_remove_each_other_at_once_leave_one(app: Flask) -> None:
    ids = [add_operator(name, ADMIN).id for name in ("Анна", "Ольга")]
    start, refused = threading.Barrier(2), []

    def remove(operator_id: int) -> None:
        with app.app_context():
            start.wait()
            try:
                operators.change(operator_id, VIEWER, True)
            except ServiceError:
                refused.append(operator_id)
            db.session.remove()

    threads = [threading.Thread(target=remove, args=(operator_id,)) for operator_id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert len(refused) == 1
    assert [one.role for one in operators.list_all()].count(ADMIN) == 1


@pytest.mark.both_databases
def test_who_is_kept_out_is_signed_out_at_once() -> None:
    add_operator("Ольга", ADMIN)
    anna = add_operator("Анна", OPERATOR)
    key = open_session(anna)
    assert sessions.find(key) is not None

    operators.change(anna.id, OPERATOR, False)

    assert sessions.find(key) is None
    with pytest.raises(SignInRefused):
        sessions.sign_in("Анна", OPERATOR_PASSWORD, "10.0.0.1")
    operators.change(anna.id, OPERATOR, True)
    assert sessions.find(key) is None


@pytest.mark.both_databases
def test_password_that_an_administrator_gives_stays_when_its_owner_changes_it_at_once() -> None:
    anna = add_operator()
    mine = sessions.find(open_session(anna))
    assert mine is not None
    sessions.refuse_wrong_password(mine, OPERATOR_PASSWORD)
    operators.set_password(anna.id, GOOD, temporary=True)

    with pytest.raises(PasswordWrong):
        operators.set_password(anna.id, "another four words here", keep_session=mine.session_id)

    assert passwords.fits(GOOD, operators.get_one(anna.id).password_hash)
    assert operators.get_one(anna.id).must_change_password
    assert audited("operator.password_changed") == []


def test_changed_password_is_in_the_trail_whoever_changed_it() -> None:
    anna = add_operator()
    mine = sessions.find(open_session(anna))
    assert mine is not None
    operators.set_password(anna.id, GOOD, keep_session=mine.session_id)
    operators.set_password(anna.id, "another four words here", temporary=True)

    assert [audited(f"operator.{what}") for what in ("password_changed", "password_reset")] == [["Анна"], ["Анна"]]


def test_change_notes_what_changed_and_who_did_it() -> None:
    add_operator("Ольга", ADMIN)
    anna = add_operator("Анна", OPERATOR)

    operators.change(anna.id, VIEWER, True)

    entry = db.session.execute(db.select(AuditEntry).where(AuditEntry.action == "operator.changed")).scalar_one()
    assert (entry.subject, entry.before, entry.after) == ("Анна", {"role": "operator"}, {"role": "viewer"})


@pytest.mark.both_databases
def test_operator_without_role_is_refused_by_the_database() -> None:
    with pytest.raises(Exception, match="ck_operator_role"):
        add_operator("Анна", "root")
    db.session.rollback()
    assert db.session.execute(db.select(Operator)).first() is None
