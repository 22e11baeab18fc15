"""Terminal passwords are encrypted at rest, and a wrong key says what to set."""

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from sqlalchemy import String

from hikflask.encryption.vault import VaultError
from hikflask.extensions import db, vault
from hikflask.models import Terminal
from hikflask.services.terminals import registry
from hikflask.services.terminals.registry import Access

pytestmark = pytest.mark.usefixtures("context")
PASSWORD = "Пароль №1 🔑"
OTHERS_TOKEN = Fernet(Fernet.generate_key()).encrypt(b"Abc12345").decode()


def stored(terminal_id: int) -> str:
    statement = db.select(Terminal.password_encrypted).where(Terminal.id == terminal_id)
    return str(db.session.execute(statement).scalar_one())


def test_text_comes_back_as_it_went_in() -> None:
    assert vault.decrypt(vault.encrypt(PASSWORD)) == PASSWORD


def test_same_text_is_never_the_same_token() -> None:
    first, second = vault.encrypt(PASSWORD), vault.encrypt(PASSWORD)

    assert first != second
    assert first.isascii()
    assert PASSWORD not in first


def test_longest_password_fits_into_its_column() -> None:
    longest = Access("Вход", "http://a.test", "admin", "Ё" * 128)

    added = registry.add(longest)

    assert vault.decrypt(stored(added.id)) == "Ё" * 128
    column = Terminal.__table__.c.password_encrypted.type
    assert isinstance(column, String)
    assert column.length is not None
    assert len(stored(added.id)) <= column.length


def test_row_holds_the_token_and_its_repr_does_not(app: Flask) -> None:
    added = registry.add(Access("Вход", "http://a.test", "admin", "Abc12345"))

    assert "Abc12345" not in stored(added.id)
    assert stored(added.id) not in repr(added)
    assert Fernet(app.config["PASSWORD_KEY"].encode()).decrypt(stored(added.id).encode()) == b"Abc12345"


@pytest.mark.parametrize("token", ["", "x", "Ключ", pytest.param(OTHERS_TOKEN, id="another key's")])
def test_token_of_another_key_says_what_to_set(token: str) -> None:
    with pytest.raises(VaultError, match="HIKFLASK_PASSWORD_KEY"):
        vault.decrypt(token)


def test_changed_password_replaces_the_token() -> None:
    added = registry.add(Access("Вход", "http://a.test", "admin", "Abc12345"))
    before = stored(added.id)

    registry.change(added.id, Access("Вход", "http://a.test", "admin", "Other123"), "test")

    assert stored(added.id) != before
    assert vault.decrypt(stored(added.id)) == "Other123"


def test_change_without_a_password_keeps_the_token() -> None:
    added = registry.add(Access("Вход", "http://a.test", "admin", "Abc12345"))
    before = stored(added.id)

    registry.change(added.id, Access("Выход", "http://a.test", "admin"), "test")

    assert stored(added.id) == before
