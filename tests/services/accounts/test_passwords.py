"""What a good password is, and how it is kept."""

import unicodedata

import pytest
from sqlalchemy import String, cast

from hikflask.extensions import db
from hikflask.models import AuditEntry
from hikflask.models.operator import ADMIN
from hikflask.services.accounts import operators, passwords
from hikflask.services.accounts.errors import (
    PasswordCommon,
    PasswordLong,
    PasswordShort,
)

GOOD = "четыре слова без связи"


@pytest.mark.usefixtures("context")
def test_password_is_kept_as_an_scrypt_hash_and_nowhere_else() -> None:
    operators.create("Анна", GOOD, ADMIN)

    row = operators.by_name("АННА")
    assert row is not None
    assert row.password_hash.startswith("scrypt:32768:8:3$")
    assert GOOD not in repr(row)
    assert "scrypt" not in repr(row)
    assert not db.session.execute(db.select(AuditEntry).where(cast(AuditEntry.after, String).contains(GOOD))).all()


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
        ("пароль123456", PasswordCommon),
        ("МарияМария2024", PasswordCommon),  # the operator's own name
        ("1q2w3e4r" * 5 + "лодка под синим мостом", PasswordCommon),  # nobody waits for more of it to be judged
    ],
)
def test_password_that_is_tried_first_is_refused(password: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        passwords.refuse_weak(password, "Мария")


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
@pytest.mark.usefixtures("context")
def test_good_password_is_taken(password: str) -> None:
    passwords.refuse_weak(password, "Мария")

    assert passwords.fits(password, passwords.hashed(password))


@pytest.mark.usefixtures("context")
def test_nothing_is_cut_off_a_long_password() -> None:
    password = (f"{GOOD}, лодка под синим мостом, " * 4)[: passwords.LONGEST]
    assert len(password) == 128
    passwords.refuse_weak(password)
    kept = passwords.hashed(password)

    for other in (password[:-1], f"{password[:-1]}?", f"{password}?", password[:72], password[:20]):
        assert not passwords.fits(other, kept)
    assert passwords.fits(password, kept)


def test_password_that_is_given_is_random_and_long_enough_and_good() -> None:
    given = {operators.temporary_password() for _ in range(50)}

    assert len(given) == 50
    assert {len(password) for password in given} == {16}
    for place in range(16):
        assert len({password[place] for password in given}) > 8  # of 64; a letter that stays is no random one
    for password in given:
        passwords.refuse_weak(password)


@pytest.mark.usefixtures("context")
def test_same_letters_composed_another_way_are_the_same_password() -> None:
    one, other = (unicodedata.normalize(form, "чайник под ёлкой й") for form in ("NFC", "NFD"))
    assert one != other
    assert passwords.fits(other, passwords.hashed(one))
    assert passwords.fits(one, passwords.hashed(other))
