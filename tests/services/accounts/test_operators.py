"""Operators and their sessions: who is added, changed, kept out; and that somebody is always left to administer."""

import threading
import unicodedata
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import event

from hikflask.extensions import db
from hikflask.models import AuditEntry, Operator, OperatorSession
from hikflask.models.columns import database_now
from hikflask.models.operator import ADMIN, OPERATOR, VIEWER
from hikflask.services.accounts import api_tokens, operators, passwords, sessions, setup
from hikflask.services.accounts.errors import (
    CodeWrong,
    LastAdministrator,
    NameReserved,
    OperatorNameKnown,
    OperatorsExist,
    PasswordCommon,
    PasswordLong,
    PasswordShort,
    PasswordWrong,
    SignInRefused,
    TooOften,
)
from tests.support.signed_in import OPERATOR_PASSWORD, add_operator, open_session

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.both_databases]
GOOD = "четыре слова без связи"


def test_password_is_kept_as_an_scrypt_hash_and_nowhere_else() -> None:
    operators.create("Анна", GOOD, ADMIN)

    row = operators.named("АННА")
    assert row is not None
    assert row.password_hash.startswith("scrypt:32768:8:3$")
    assert GOOD not in repr(row)
    assert "scrypt" not in repr(row)
    assert not db.session.execute(db.select(AuditEntry).where(AuditEntry.after.contains(GOOD))).all()


@pytest.mark.parametrize("name", ["Анна", "АННА", "анна"])
def test_name_is_taken_however_it_is_written(name: str) -> None:
    operators.create("Анна", GOOD, VIEWER)

    with pytest.raises(OperatorNameKnown):
        operators.create(name, GOOD, VIEWER)


@pytest.mark.parametrize(
    ("password", "error"),
    [
        ("", PasswordShort),
        ("одиннадцать", PasswordShort),
        ("a" * 129, PasswordLong),
        ("aaaaaaaaaaaa", PasswordCommon),
        ("password1234", PasswordCommon),
        ("qwertyuiopas", PasswordCommon),
        ("йцукенгшщзхъ", PasswordCommon),
        ("администратор", PasswordCommon),
        ("hikvision123", PasswordCommon),
        ("gfhjkmgfhjkm", PasswordCommon),
        ("123456789012", PasswordCommon),
        ("Password2024!", PasswordCommon),
        ("P@ssw0rd2024!", PasswordCommon),
        ("Hikvision2024!", PasswordCommon),
        ("hikflask2026!", PasswordCommon),
        ("Summer2025!!", PasswordCommon),
        ("!!2025Terminal", PasswordCommon),
        ("Москва2024!!!", PasswordCommon),
        ("Vjcrdf2024!!!", PasswordCommon),  # Москва on Latin keys
        ("ПАРОЛЬ№2026!!", PasswordCommon),
        ("2026-Март-2026", PasswordCommon),
        ("Мария2024!!!!", PasswordCommon),  # the operator's own name
        ("1q2w3e4r" * 5 + "лодка под синим мостом", PasswordCommon),  # nobody waits for more of it to be judged
    ],
)
def test_password_that_is_tried_first_is_refused(password: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        operators.create("Мария", password, VIEWER)

    assert not operators.exist()


@pytest.mark.parametrize(
    "password",
    [
        GOOD,
        "лодка под синим мостом",
        "correct horse battery staple",
        "Москва и лодка 2024!",
        "Summer boat 2025!!",
        "71930-ab-58264",
        "Tr0ub4dor&3 x9",
        "0bCq-7Rk_w2LpZ",
        "🚪 ключ 🔑 чай 🫖 👩🏽‍🚀",
        "  пробелы спереди и сзади  ",
        "李花 на подоконнике é",
        "'; DROP TABLE operator; --\\",
    ],
)
def test_good_password_is_taken(password: str) -> None:
    operators.create("Мария", password, VIEWER)

    assert sessions.find(sessions.sign_in("мария", password, "10.0.0.1")) is not None


def test_nothing_is_cut_off_a_long_password() -> None:
    password = (f"{GOOD}, лодка под синим мостом, " * 4)[: passwords.LONGEST]
    assert len(password) == 128
    operators.create("Мария", password, VIEWER)

    for other in (password[:-1], f"{password[:-1]}?", f"{password}?", password[:72], password[:20]):
        with pytest.raises(SignInRefused):
            sessions.sign_in("Мария", other, "10.0.0.1")
    assert sessions.sign_in("Мария", password, "10.0.0.1")


def test_password_that_is_given_is_random_and_long_enough_and_good() -> None:
    given = {operators.temporary_password() for _ in range(50)}

    assert len(given) == 50
    assert {len(password) for password in given} == {16}
    for place in range(16):
        assert len({password[place] for password in given}) > 8  # of 64; a letter that stays is no random one
    for password in given:
        passwords.refuse_weak(password)


def test_same_letters_composed_another_way_are_the_same_password() -> None:
    one, other = (unicodedata.normalize(form, "чайник под ёлкой й") for form in ("NFC", "NFD"))
    assert one != other
    operators.create("Мария", one, VIEWER)
    operators.create("Ольга", other, VIEWER)

    for name, password in (("Мария", other), ("Ольга", one)):
        assert sessions.sign_in(name, password, "10.0.0.1")


LIKE_ANOTHER = [
    "worker",
    "Command Line",
    "command\u2003 line",
    "NOBODY",
    "ＮＯＢＯＤＹ",
    "NОВОDУ",  # four of these are Cyrillic
    "background",
    "background\ufe0f",
    "worker\u3164",
    "Фоновый Обработчик",
    "командная строка",
    "Неизвестно  кто",
]
LIKE_A_TOKENS = ["API отдел кадров", "API\u00a0HR", "АРІ HR", "aPl HR", "ΑΡΙ HR", "ＡＰＩ　HR", "AP1 HR"]


@pytest.mark.parametrize("name", LIKE_ANOTHER + LIKE_A_TOKENS)
def test_name_that_the_trail_could_not_tell_from_another_is_refused(name: str) -> None:
    with pytest.raises(NameReserved):
        operators.create(name, GOOD, VIEWER)

    assert not operators.exist()


@pytest.mark.parametrize("name", LIKE_ANOTHER)
def test_token_is_not_called_so_either(name: str) -> None:
    ends = db.session.execute(db.select(database_now(3600.0))).scalar_one()

    with pytest.raises(NameReserved):
        api_tokens.create(name, VIEWER, ends)

    assert api_tokens.everyone() == []


@pytest.mark.parametrize("name", ["Анна", "Апиков А. П.", "April O'Neil", "Кто-то", "Rob Worker", "Aplin", "О'Нил"])
def test_name_of_a_person_is_taken(name: str) -> None:
    assert operators.create(name, GOOD, VIEWER).name == name


def test_two_first_administrators_at_once_are_one(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    start, added, refused = threading.Barrier(2), [], []
    plain = operators._lock_table

    def together() -> None:
        start.wait()
        plain()

    monkeypatch.setattr(operators, "_lock_table", together)

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
    assert [one.name for one in operators.everyone()] == added
    noted = db.session.execute(db.select(AuditEntry.subject).where(AuditEntry.action == "operator.created")).scalars()
    assert list(noted) == added


def meanwhile(monkeypatch: pytest.MonkeyPatch, deed: Callable[[], object]) -> None:
    """Let something be done while the next password is checked."""
    plain = passwords.check_password_hash

    def check(known: str, password: str) -> bool:
        monkeypatch.setattr(passwords, "check_password_hash", plain)
        found = plain(known, password)
        deed()
        return found

    monkeypatch.setattr(passwords, "check_password_hash", check)


@pytest.mark.parametrize("change", ["password", "kept out"])
def test_who_signs_in_while_the_password_is_replaced_has_no_session(
    monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    anna = add_operator("Анна", OPERATOR)
    changes: dict[str, Callable[[], object]] = {
        "password": lambda: operators.set_password(anna.id, GOOD, temporary=True),
        "kept out": lambda: operators.change(anna.id, OPERATOR, False),
    }
    meanwhile(monkeypatch, changes[change])
    with pytest.raises(SignInRefused):
        sessions.sign_in("Анна", OPERATOR_PASSWORD, "10.0.0.1")

    assert db.session.execute(db.select(OperatorSession)).first() is None
    refused = db.session.execute(db.select(AuditEntry).where(AuditEntry.action == "sign_in.refused")).scalars().all()
    assert [entry.subject for entry in refused] == ["Анна"]


def test_new_password_forgets_the_tries_that_were_counted() -> None:
    anna = add_operator("Анна", OPERATOR)
    for _ in range(11):
        with pytest.raises((SignInRefused, TooOften)):
            sessions.sign_in("Анна", "wrong", "10.0.0.1")

    operators.set_password(anna.id, GOOD)

    assert sessions.sign_in("Анна", GOOD, "10.0.0.1")


@pytest.mark.usefixtures("quick_passwords")
def test_good_sign_ins_from_one_office_never_close_it() -> None:
    names = [add_operator(name, OPERATOR).name for name in ("Анна", "Мария", "Ольга")]

    for number in range(sessions.TRIES_BY_ADDRESS + 1):
        assert sessions.sign_in(names[number % 3], OPERATOR_PASSWORD, "10.0.0.1")


def audited(action: str) -> list[str]:
    """Whom entries of this action are about."""
    return list(db.session.execute(db.select(AuditEntry.subject).where(AuditEntry.action == action)).scalars())


def test_oldest_session_ends_when_one_too_many_is_opened(app: Flask) -> None:
    app.config["SESSIONS_PER_OPERATOR"] = 3
    anna, olga = add_operator("Анна", OPERATOR), add_operator("Ольга", OPERATOR)
    others, first = open_session(olga), sessions.sign_in("Анна", OPERATOR_PASSWORD, "10.0.0.1")
    later = [sessions.sign_in("Анна", OPERATOR_PASSWORD, "10.0.0.1") for _ in range(2)]
    assert (len(sessions.of(anna.id)), audited("sign_out.oldest")) == (3, [])

    later.append(sessions.sign_in("Анна", OPERATOR_PASSWORD, "10.0.0.1"))

    assert sessions.find(first) is None
    assert all(sessions.find(key) for key in [*later, others])
    assert (len(sessions.of(anna.id)), audited("sign_out.oldest")) == (3, ["Анна"])


def test_session_past_its_limits_takes_no_room(app: Flask) -> None:
    app.config["SESSIONS_PER_OPERATOR"] = 2
    anna = add_operator("Анна", OPERATOR)
    alive, over = open_session(anna), open_session(anna)
    ended = db.update(OperatorSession).where(OperatorSession.key_sha256 == sessions._hash(over))
    db.session.execute(ended.values(seen_at=database_now(-7300.0)))
    db.session.commit()

    sessions.sign_in("Анна", OPERATOR_PASSWORD, "10.0.0.1")

    assert sessions.find(alive) is not None
    assert audited("sign_out.oldest") == []


def test_first_administrator_comes_once() -> None:
    setup.create_administrator(setup.code(), "Анна", GOOD, "10.0.0.1")

    with pytest.raises(OperatorsExist):
        setup.create_administrator(setup.code(), "Ольга", GOOD, "10.0.0.1")


def test_one_machine_gets_no_more_tries_at_the_code_by_taking_other_addresses() -> None:
    for number in range(setup.TRIES):
        with pytest.raises(CodeWrong):
            setup.create_administrator("AAAA", "Анна", GOOD, f"2001:db8::{number + 1:x}")

    with pytest.raises(TooOften):
        setup.create_administrator(setup.code(), "Анна", GOOD, "2001:db8::ffff:ffff:ffff:ffff")
    assert setup.create_administrator(setup.code(), "Анна", GOOD, "2001:db8:0:1::1").name == "Анна"


@pytest.mark.parametrize(("role", "is_active"), [(OPERATOR, True), (VIEWER, True), (ADMIN, False)])
def test_last_administrator_stays(role: str, is_active: bool) -> None:
    anna = add_operator("Анна", ADMIN)
    add_operator("Ольга", ADMIN, is_active=False)

    with pytest.raises(LastAdministrator):
        operators.change(anna.id, role, is_active)

    assert operators.row(anna.id).role == ADMIN


def test_one_of_two_may_go() -> None:
    anna, olga = add_operator("Анна", ADMIN), add_operator("Ольга", ADMIN)

    operators.change(anna.id, VIEWER, True)

    with pytest.raises(LastAdministrator):
        operators.change(olga.id, ADMIN, False)


def test_two_administrators_who_remove_each_other_at_once_leave_one(app: Flask) -> None:
    ids = [add_operator(name, ADMIN).id for name in ("Анна", "Ольга")]
    start, refused = threading.Barrier(2), []

    def remove(operator_id: int) -> None:
        with app.app_context():
            start.wait()
            try:
                operators.change(operator_id, VIEWER, True)
            except LastAdministrator:
                refused.append(operator_id)
            db.session.remove()

    threads = [threading.Thread(target=remove, args=(operator_id,)) for operator_id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert len(refused) == 1
    assert [one.role for one in operators.everyone()].count(ADMIN) == 1


def test_who_is_kept_out_is_signed_out_at_once() -> None:
    add_operator("Ольга", ADMIN)
    anna = add_operator("Анна", OPERATOR)
    key = open_session(anna)
    assert sessions.find(key) is not None

    operators.change(anna.id, OPERATOR, False)

    assert sessions.find(key) is None
    with pytest.raises(SignInRefused):
        sessions.sign_in("Анна", OPERATOR_PASSWORD, "10.0.0.1")


def test_new_password_ends_all_sessions_but_the_own() -> None:
    anna = add_operator()
    mine, other = open_session(anna), open_session(anna)
    found = sessions.find(mine)
    assert found is not None

    operators.set_password(anna.id, GOOD, keep_session=found.session_id)

    assert sessions.find(mine) is not None
    assert sessions.find(other) is None


@pytest.mark.parametrize("whose", ["own", "administrator's"])
def test_new_password_ends_what_the_one_before_confirmed(whose: str) -> None:
    anna = add_operator()
    keys = [open_session(anna), open_session(anna)]
    mine = sessions.find(keys[0])
    assert mine is not None
    assert mine.confirmed

    operators.set_password(anna.id, GOOD, keep_session=mine.session_id if whose == "own" else None)

    left = [found.confirmed for key in keys if (found := sessions.find(key))]
    assert left == ([False] if whose == "own" else [])


def test_password_that_is_replaced_while_it_is_checked_confirms_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    anna = add_operator()
    mine = sessions.find(open_session(anna, confirmed=False))
    assert mine is not None
    meanwhile(monkeypatch, lambda: operators.set_password(anna.id, GOOD, keep_session=mine.session_id))

    with pytest.raises(PasswordWrong):
        sessions.confirm(mine, OPERATOR_PASSWORD)

    confirmed = db.session.execute(db.select(OperatorSession.confirmed_at)).scalars().all()
    assert confirmed == [None]


def test_password_that_an_administrator_gives_stays_when_its_owner_changes_it_at_once() -> None:
    anna = add_operator()
    mine = sessions.find(open_session(anna))
    assert mine is not None
    sessions.refuse_wrong_password(mine, OPERATOR_PASSWORD)
    operators.set_password(anna.id, GOOD, temporary=True)

    with pytest.raises(PasswordWrong):
        operators.set_password(anna.id, "another four words here", keep_session=mine.session_id)

    assert passwords.fits(GOOD, operators.row(anna.id).password_hash)
    assert operators.row(anna.id).must_change_password
    assert audited("operator.password_changed") == []


def test_password_is_confirmed_for_one_session_alone() -> None:
    anna = add_operator()
    here, there = (open_session(anna, confirmed=False) for _ in range(2))
    mine = sessions.find(here)
    assert mine is not None

    sessions.confirm(mine, OPERATOR_PASSWORD)

    assert [found.confirmed for key in (here, there) if (found := sessions.find(key))] == [True, False]


def test_change_notes_what_changed_and_who_did_it() -> None:
    add_operator("Ольга", ADMIN)
    anna = add_operator("Анна", OPERATOR)

    operators.change(anna.id, VIEWER, True)

    entry = db.session.execute(db.select(AuditEntry).where(AuditEntry.action == "operator.changed")).scalar_one()
    assert (entry.subject, entry.before, entry.after) == ("Анна", '{"role": "operator"}', '{"role": "viewer"}')


def test_tries_that_come_at_once_are_all_counted(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "TRIES_BY_PLACE", 5)
    add_operator("Анна", OPERATOR)
    db.session.commit()
    said: list[str] = []

    def attempt() -> None:
        with app.app_context():
            try:
                sessions.sign_in("Анна", "wrong", "10.0.0.1")
            except (SignInRefused, TooOften) as error:
                said.append(error.code)
            db.session.remove()

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(said) == ["sign_in_refused"] * 5 + ["too_often"] * 3


@pytest.mark.usefixtures("quick_passwords")
def test_window_that_is_over_counts_anew() -> None:
    add_operator("Анна", OPERATOR)
    for _ in range(11):
        with pytest.raises((SignInRefused, TooOften)):
            sessions.sign_in("Анна", "wrong", "10.0.0.1")
    db.session.execute(db.text("UPDATE throttle SET since = :at"), {"at": "2020-01-01 00:00:00"})
    db.session.commit()

    assert sessions.sign_in("Анна", OPERATOR_PASSWORD, "10.0.0.1")


def test_password_is_computed_once_for_a_known_and_for_an_unknown_name(monkeypatch: pytest.MonkeyPatch) -> None:
    add_operator("Анна", OPERATOR, password_hash=passwords.hashed("лодка под синим мостом"))
    passwords.fits("", None)
    counted: list[str] = []
    plain = passwords.check_password_hash

    def count(known: str, password: str) -> bool:
        counted.append(known.partition("$")[0])
        return plain(known, password)

    monkeypatch.setattr(passwords, "check_password_hash", count)
    for name in ("Анна", "Никто"):
        with pytest.raises(SignInRefused):
            sessions.sign_in(name, "wrong", "10.0.0.1")

    assert counted == ["scrypt:32768:8:3"] * 2


def test_page_that_is_looked_at_waits_for_no_writer() -> None:
    key = open_session(add_operator())
    found = sessions.find(key)
    assert found is not None
    writes: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *about: writes.append(about[2].split()[0]))

    sessions.touch(found.session_id)

    assert set(writes) == {"SELECT"}


@pytest.mark.parametrize(("idle", "age"), [(7200.0, 61.0), (40.0, 11.0)])
def test_deed_moves_the_idle_limit(app: Flask, idle: float, age: float) -> None:
    app.config["SESSION_IDLE"] = idle
    key = open_session(add_operator())
    found = sessions.find(key)
    assert found is not None
    db.session.execute(db.update(OperatorSession).values(seen_at=database_now(-age)))
    db.session.commit()

    sessions.touch(found.session_id)

    fresh = db.select(OperatorSession.id).where(OperatorSession.seen_at > database_now(-5.0))
    assert db.session.execute(fresh).first()


def test_sessions_past_their_limits_are_forgotten() -> None:
    anna = add_operator()
    kept, idle = open_session(anna), open_session(anna)
    db.session.execute(
        db.update(OperatorSession)
        .where(OperatorSession.key_sha256 == sessions._hash(idle))
        .values(seen_at=database_now(-7300.0))
    )

    sessions.forget_ended()
    db.session.commit()

    rows = db.session.execute(db.select(OperatorSession.key_sha256)).scalars().all()
    assert rows == [sessions._hash(kept)]


def test_operator_without_role_is_refused_by_the_database() -> None:
    with pytest.raises(Exception, match="ck_operator_role"):
        add_operator("Анна", "root")
    db.session.rollback()
    assert db.session.execute(db.select(Operator)).first() is None
