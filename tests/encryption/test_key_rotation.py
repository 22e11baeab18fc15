"""A change of the key leaves every stored password readable, wherever it is interrupted and whoever saves meanwhile."""

import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet, InvalidToken
from flask import Flask
from sqlalchemy import event

from hikflask import config, create_app
from hikflask.encryption import key_file, key_rotation
from hikflask.encryption.vault import VaultError
from hikflask.extensions import db, vault
from hikflask.models import Erasure, Operator, PersonKey, Terminal, Webhook
from hikflask.services import audit
from hikflask.services.terminals import registry
from hikflask.services.terminals.registry import Access
from hikflask.services.webhooks import registry as webhooks
from tests.support.apps import close
from tests.support.signed_in import add_operator
from tests.support.trail import entries

PASSWORDS = {"Вход": "Abc12345", "Выход": "Пароль №2", "Склад": "Third123"}

both_databases = pytest.mark.both_databases


def settings_of(app: Flask) -> dict[str, Any]:
    return {**{name: app.config[name] for name in ("INSTANCE_PATH", "DATABASE_URL")}, "TESTING": True}


def start_again(app: Flask) -> Flask:
    """Let an app read its settings and its keys, as another process does at its start."""
    config.load(app.config, app.instance_path, settings_of(app))
    vault.init_app(app)
    return app


def access(name: str, password: str) -> Access:
    return Access(name, "http://a.test", "admin", password)


@pytest.fixture
def stored(app: Flask) -> Flask:
    """The app with three terminals."""
    with app.app_context():
        for name, password in PASSWORDS.items():
            registry.add(access(name, password))
    return app


@pytest.fixture
def other(stored: Flask) -> Iterator[Flask]:
    """Another process's app on the same folder."""
    app = create_app(settings_of(stored))
    yield app
    close(app)


def readable(app: Flask) -> dict[str, str]:
    with app.app_context():
        return {row.name: vault.decrypt(row.password_encrypted) for row in registry.list_all()}


def tokens(app: Flask) -> list[str]:
    with app.app_context():
        return [row.password_encrypted for row in registry.list_all()]


def keys(folder: Path) -> list[str]:
    return key_file.split((folder / "password_key").read_text())


def save_token(app: Flask, token: str) -> None:
    """Save a password of the first terminal that was encrypted before."""
    with app.app_context():
        db.session.execute(db.update(Terminal).where(Terminal.name == "Вход").values(password_encrypted=token))
        db.session.commit()


def opened_by(key: str, token: str) -> bool:
    try:
        Fernet(key.encode()).decrypt(token.encode())
    except InvalidToken:
        return False
    return True


def let_time_pass(folder: Path) -> None:
    past = time.time() - 3600
    os.utime(folder / "password_key", (past, past))


def rotate(app: Flask) -> int:
    with app.app_context():
        return key_rotation.rotate()


def drop_old(app: Flask) -> int:
    with app.app_context():
        return key_rotation.drop_old()


@both_databases
def test_rotation_encrypts_everything_with_a_new_key_that_stands_first(stored: Flask, tmp_path: Path) -> None:
    (before,) = keys(tmp_path)

    assert rotate(stored) == 3

    new, old = keys(tmp_path)
    assert old == before
    assert all(opened_by(new, token) and not opened_by(old, token) for token in tokens(stored))
    assert readable(stored) == PASSWORDS
    assert stat.S_IMODE((tmp_path / "password_key").stat().st_mode) == 0o600


@both_databases
def test_rotation_encrypts_second_factors_too_and_names_whose_cannot_be_opened(stored: Flask, tmp_path: Path) -> None:
    with stored.app_context():
        add_operator("Анна", totp_encrypted=vault.encrypt("JBSWY3DPEHPK3PXP"))
        add_operator("Ольга")

    assert rotate(stored) == 4
    let_time_pass(tmp_path)
    drop_old(stored)

    with stored.app_context():
        (token,) = db.session.execute(db.select(Operator.totp_encrypted).where(Operator.name == "Анна")).scalars()
        assert vault.decrypt(token) == "JBSWY3DPEHPK3PXP"
        assert key_rotation.unreadable() == []
        db.session.execute(db.update(Operator).where(Operator.name == "Анна").values(totp_encrypted="lost"))
        db.session.commit()
        assert key_rotation.unreadable() == ["Анна"]


@both_databases
def test_rotation_encrypts_the_secrets_of_webhooks_too(stored: Flask, tmp_path: Path) -> None:
    with stored.app_context():
        webhook, secret = webhooks.add("http://127.0.0.1:9/hook", frozenset({"enrolled"}))
        before = webhook.secret_encrypted

    assert rotate(stored) == 4
    let_time_pass(tmp_path)
    drop_old(stored)

    with stored.app_context():
        (token,) = db.session.execute(db.select(Webhook.secret_encrypted)).scalars()
        assert token != before
        assert vault.decrypt(token) == secret
        db.session.execute(db.update(Webhook).values(secret_encrypted="lost"))
        db.session.commit()
        assert key_rotation.unreadable() == ["http://127.0.0.1:9/hook"]


def test_rotation_is_noticed_by_a_process_that_runs(stored: Flask, other: Flask, tmp_path: Path) -> None:
    assert readable(stored) == PASSWORDS

    rotate(other)

    assert readable(stored) == PASSWORDS
    with stored.app_context():
        added = registry.add(access("Новый", "Fourth12"))
    assert opened_by(keys(tmp_path)[0], added.password_encrypted)


def test_new_key_is_found_where_the_file_looks_unchanged(stored: Flask, tmp_path: Path) -> None:
    """Common storage may show a file's state late; a token that no known key opens is reason enough to read it."""
    file = tmp_path / "password_key"
    assert readable(stored) == PASSWORDS
    seen, new = file.stat(), Fernet.generate_key().decode()
    file.write_text(f"{new}\n")
    os.utime(file, ns=(seen.st_atime_ns, seen.st_mtime_ns))

    with stored.app_context():
        assert vault.decrypt(Fernet(new.encode()).encrypt(b"Changed1").decode()) == "Changed1"


def test_password_saved_with_the_old_key_stays_readable(stored: Flask, other: Flask, tmp_path: Path) -> None:
    """A save that took the key just before the rotation commits just after it."""
    with stored.app_context():
        late = vault.encrypt("Changed1")
    rotate(other)
    save_token(stored, late)

    assert readable(stored) == {**PASSWORDS, "Вход": "Changed1"}
    let_time_pass(tmp_path)
    assert drop_old(other) == 1
    assert len(keys(tmp_path)) == 1
    assert readable(stored) == {**PASSWORDS, "Вход": "Changed1"}


@both_databases
def test_password_saved_in_the_middle_of_a_rotation_is_kept(stored: Flask, other: Flask) -> None:
    with stored.app_context():
        waiting = [vault.encrypt("Changed1")]

    def save_first(*arguments: Any) -> None:
        if waiting and arguments[2].startswith("UPDATE terminal"):
            save_token(stored, waiting.pop())

    with other.app_context():
        event.listen(db.engine, "before_cursor_execute", save_first)
    rotate(other)

    assert readable(other) == {**PASSWORDS, "Вход": "Changed1"}
    with other.app_context():
        assert all(vault.keyring.is_newest(token) for token in tokens(other))


def test_old_keys_are_dropped_when_nobody_can_use_them(stored: Flask, tmp_path: Path) -> None:
    rotate(stored)
    rotate(stored)
    let_time_pass(tmp_path)

    assert drop_old(stored) == 0

    assert len(keys(tmp_path)) == 1
    assert readable(stored) == PASSWORDS


def test_old_keys_are_not_dropped_in_the_first_minutes(stored: Flask, tmp_path: Path) -> None:
    rotate(stored)

    with pytest.raises(VaultError, match=r"wait 12[01] seconds"):
        drop_old(stored)

    assert len(keys(tmp_path)) == 2


def test_two_rotations_at_once_do_not_lose_a_key(stored: Flask, other: Flask, tmp_path: Path) -> None:
    with other.app_context(), vault.keyring.held(), pytest.raises(VaultError, match="run this again"):
        rotate(stored)

    assert len(keys(tmp_path)) == 1
    assert rotate(stored) == 3


def test_nothing_changes_when_a_password_cannot_be_opened(stored: Flask, tmp_path: Path) -> None:
    alien = Fernet(Fernet.generate_key()).encrypt(b"x").decode()
    save_token(stored, alien)
    before = (keys(tmp_path), tokens(stored))

    with pytest.raises(VaultError, match="HIKFLASK_PASSWORD_KEY"):
        rotate(stored)

    assert (keys(tmp_path), tokens(stored)) == before


def test_damaged_file_does_not_disturb_a_process_that_runs(
    stored: Flask, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert readable(stored) == PASSWORDS
    (tmp_path / "password_key").write_text("spoilt")

    assert readable(stored) == PASSWORDS
    assert "password_key cannot be read" in caplog.text
    assert "spoilt" not in caplog.text


KILLED = 9
STEPS = ("open", "fsync", "replace", "unlink")


def killed(parent: Flask, command: Callable[[], int], steps: int) -> bool:
    """Run a command in a process that is killed before its step of this number; False when it had fewer."""
    child = os.fork()
    if child == 0:
        try:
            run_until_killed(start_again(parent), command, steps)
            os._exit(0)
        finally:
            os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in {0, KILLED}
    return code == KILLED


def run_until_killed(app: Flask, command: Callable[[], int], steps: int) -> None:
    left = [steps]

    def count(*_: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            os._exit(KILLED)

    with app.app_context():
        for name in STEPS:
            setattr(os, name, counted(getattr(os, name), count))
        event.listen(db.engine, "before_cursor_execute", count)
        event.listen(db.engine, "commit", count)
        command()


def counted(function: Callable[..., Any], count: Callable[[], None]) -> Callable[..., Any]:
    def call(*arguments: Any, **options: Any) -> Any:
        count()
        return function(*arguments, **options)

    return call


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("command", [key_rotation.rotate, key_rotation.drop_old])
@pytest.mark.long
def test_killed_at_any_step_it_leaves_everything_readable(
    stored: Flask, tmp_path: Path, command: Callable[[], int]
) -> None:
    steps = 0
    while True:
        with stored.app_context():
            late = vault.encrypt(PASSWORDS["Вход"])
        rotate(stored)
        save_token(stored, late)
        let_time_pass(tmp_path)
        close(stored)
        if not killed(stored, command, steps):
            break
        assert readable(stored) == PASSWORDS, steps
        assert readable(start_again(stored)) == PASSWORDS, steps
        steps += 1

    assert steps > 8
    assert readable(stored) == PASSWORDS
    assert {path.name for path in tmp_path.glob("password_key*")} == {"password_key", "password_key.lock"}


@both_databases
def test_keys_of_people_are_carried_over_and_a_lost_one_stops_nothing(stored: Flask) -> None:
    with stored.app_context():
        audit.record_alone("capture.started", number="100222")
        lost = {"pseudonym": "lost", "number": "100333", "key_encrypted": "lost"}
        certificate = Erasure(number="", name="", requested_by="Анна", check_key_encrypted=vault.encrypt("a key"))
        db.session.add_all([PersonKey(**lost), certificate])
        db.session.commit()

        key_rotation.rotate()
        vault.keyring.drop_old()

        assert [one.employee for one in entries("capture.started")] == ["100222"]
        assert vault.decrypt(db.session.query(Erasure.check_key_encrypted).scalar()) == "a key"
        assert db.session.query(PersonKey).filter_by(pseudonym="lost").one().key_encrypted == "lost"
