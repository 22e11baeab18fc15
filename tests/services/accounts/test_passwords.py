"""What a good password is, and how it is kept."""

import unicodedata

import pytest
from sqlalchemy import String, cast

from hikflask.extensions import db
from hikflask.models import AuditEntry
from hikflask.models.accounts import ADMIN
from hikflask.services.accounts import operators, passwords
from hikflask.services.core.errors import ServiceError

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
    ("password", "code"),
    [
        ("", "password_short"),
        ("одиннадцать", "password_short"),
        ("a" * 129, "password_long"),
        ("aaaaaaaaaaaa", "password_common"),
        ("password1234", "password_common"),
        ("qwertyuiopas", "password_common"),
        ("йцукенгшщзхъ", "password_common"),
        ("администратор", "password_common"),
        ("hikvision123", "password_common"),
        ("gfhjkmgfhjkm", "password_common"),
        ("123456789012", "password_common"),
        ("Password2024!", "password_common"),
        ("P@ssw0rd2024!", "password_common"),
        ("Hikvision2024!", "password_common"),
        ("hikflask2026!", "password_common"),
        ("пароль123456", "password_common"),
        ("МарияМария2024", "password_common"),  # the operator's own name
        ("1q2w3e4r" * 5 + "лодка под синим мостом", "password_common"),  # nobody waits for more of it to be judged
    ],
)
def test_password_that_is_tried_first_is_refused(password: str, code: str) -> None:
    with pytest.raises(ServiceError, match=f"^{code}$"):
        passwords.refuse_weak(password, "Мария")


@pytest.mark.usefixtures("context")
def test_good_password_is_taken() -> None:
    for password in [
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
    ]:
        passwords.refuse_weak(password, "Мария")

        assert passwords.fits(password, passwords.hashed(password))


@pytest.mark.usefixtures("context")
def test_nothing_is_cut_off_a_long_password() -> None:
    password = (f"{GOOD}, лодка под синим мостом, " * 4)[: passwords.MAX_LENGTH]
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
