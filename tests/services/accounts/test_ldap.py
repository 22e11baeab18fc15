"""The company's directory, a real server: who somebody is, in which role, and what is asked in no case."""

import socket
import time
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from hikflask.services.accounts import ldap, ldap_operators
from hikflask.services.accounts.errors import LdapAway
from hikflask.services.accounts.ldap import LdapPerson
from hikflask.simulator.certificate import make_certificate
from tests.support.active_directory import GROUP, Person, active_directory
from tests.support.ldap import BASE, OTHER_PASSWORD, OWN, OWN_PASSWORD, PASSWORD, Directory
from tests.support.silent_server import silent_server

STRANGE = "o*l)g(a\\"
AS_THEMSELVES = {"LDAP_BIND_DN": "", "LDAP_BIND_PASSWORD": "", "LDAP_USER_DN": f"uid={{name}},ou=people,{BASE}"}

ITSELF = {"LDAP_BIND_DN": OWN, "LDAP_BIND_PASSWORD": OWN_PASSWORD}

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture(scope="module", autouse=True)
def groups(company: Directory) -> None:
    company.members("admins", "ivanov")
    company.members("operators", "ivanov", STRANGE, "анна")
    company.members("viewers")


@pytest.fixture
def settings(company: Directory) -> dict[str, Any]:
    return company.settings()


def check(name: str, password: str) -> LdapPerson | None:
    return ldap.check(name, password, lambda _dn: None)


def test_password_is_judged_by_a_bind_and_the_role_by_groups(app: Flask, company: Directory) -> None:
    for changed in (
        {},
        {"LDAP_URL": company.plain},
        AS_THEMSELVES,
        {**AS_THEMSELVES, "LDAP_URL": company.url},
    ):
        app.config |= changed

        assert check("ivanov", PASSWORD) == LdapPerson("ivanov", "admin"), changed
        assert check("IVANOV", PASSWORD) == LdapPerson("ivanov", "admin"), changed
        assert check("анна", PASSWORD) == LdapPerson("анна", "operator"), changed
        assert check("nobody", PASSWORD) == LdapPerson("nobody", None), changed
        assert check("ivanov", "another password") is None, changed
        assert check("missing", PASSWORD) is None, changed


def test_directory_that_never_ends_its_answer_is_given_up_in_time(app: Flask) -> None:
    began = time.monotonic()
    with silent_server(b"\x30\x84\x7f\xff\xff\xff") as directory:  # A message of two gigabytes.
        app.config |= {"LDAP_URL": f"ldap://127.0.0.1:{directory.port}", "LDAP_TIMEOUT": 0.05}
        with pytest.raises(LdapAway):
            ldap.look_up("ivanov")

    assert time.monotonic() - began < 10


def test_what_is_typed_as_a_name_is_neither_filter_nor_address(app: Flask) -> None:
    for changed in ({}, AS_THEMSELVES):
        app.config |= changed

        assert check(STRANGE, PASSWORD) == LdapPerson(STRANGE, "operator")
        for name in ("*", "iv*", "ivanov)(uid=*", "*)(|(uid=*", "ivanov,ou=people", "\\", "\0", ""):
            assert check(name, PASSWORD) is None, name


def test_nothing_is_asked_without_a_password(app: Flask) -> None:
    # Nobody is at this address: the answer comes without a question.
    app.config["LDAP_URL"] = "ldaps://127.0.0.1:1"

    assert check("ivanov", "") is None


def test_name_that_several_have_is_nobodys(app: Flask) -> None:
    for changed in ({}, AS_THEMSELVES, {**AS_THEMSELVES, "LDAP_USER_DN": f"uid={{name}},ou=a,ou=people,{BASE}"}):
        app.config |= changed

        for name in ("twin", "many"):
            assert check(name, OTHER_PASSWORD) is None, (name, changed)
    app.config |= ITSELF
    assert [ldap.look_up(name) for name in ("twin", "many")] == [None, None]


def test_entry_with_several_names_goes_by_the_one_in_its_address(app: Flask) -> None:
    assert [check(name, PASSWORD) for name in ("sidorov", "alias", "ALIAS")] == [LdapPerson("sidorov", None)] * 3
    app.config["LDAP_NAME"] = "mail"
    assert check("a@corp.example", PASSWORD) is None


def test_without_an_own_account_who_signs_in_gets_no_role_of_a_namesake(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    app.config |= {**AS_THEMSELVES, "LDAP_USER_DN": f"uid={{name}},ou=contractors,{BASE}"}

    assert check("ivanov", OTHER_PASSWORD) is None

    assert "The directory has somebody else under a name than the one who signs in with it: refused." in caplog.text
    app.config["LDAP_BASE"] = f"ou=contractors,{BASE}"
    assert check("ivanov", OTHER_PASSWORD) == LdapPerson("ivanov", None)


def test_active_directory_says_who_signed_in_by_a_principal_name(app: Flask, tmp_path: Path) -> None:
    people = [
        Person("boss", "boss@corp.example", "own", (GROUP,)),
        Person("chief", "c.hief@corp.example", "own", (GROUP,)),
        # Each signs in by what is another's name: of an account here, and of one in another domain.
        Person("clerk", "chief@corp.example", "other"),
        Person("boss", "boss@corp.example", "other", domain="BRANCH"),
    ]
    with active_directory(tmp_path, people) as settings:
        app.config |= settings

        assert check("boss", "own") == LdapPerson("boss", "admin")
        assert check("BOSS", "own") == LdapPerson("boss", "admin")
        assert [check(name, "other") for name in ("boss", "chief")] == [None, None]
        assert check("boss", "wrong") is None


def test_somebody_is_looked_up_without_a_password(app: Flask) -> None:
    assert ldap_operators.can_look_up()
    assert ldap.look_up("ivanov") == LdapPerson("ivanov", "admin")
    assert ldap.look_up("missing") is None
    app.config |= AS_THEMSELVES
    assert not ldap_operators.can_look_up()


def test_password_goes_to_nobody_whose_certificate_is_not_known(
    app: Flask, company: Directory, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = tmp_path / "other.pem"
    other.write_bytes(make_certificate("127.0.0.1").pem)
    for ca in (str(other), ""):
        for url in (company.url, company.plain, company.url.replace("127.0.0.1", "localhost")):
            app.config |= {"LDAP_CA": ca, "LDAP_URL": url}
            with pytest.raises(LdapAway):
                check("ivanov", PASSWORD)
    # A certificate that is known, for another host.
    app.config |= {"LDAP_CA": company.ca, "LDAP_URL": company.url.replace("127.0.0.1", "localhost")}
    with pytest.raises(LdapAway):
        check("ivanov", PASSWORD)
    assert "The directory at ldaps://localhost:" in caplog.text
    assert PASSWORD not in caplog.text
    assert "ivanov" not in caplog.text


def test_directory_that_does_not_answer_is_waited_for_no_longer_than_set(app: Flask) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for scheme in ("ldaps", "ldap"):
            app.config |= {"LDAP_URL": f"{scheme}://127.0.0.1:{silent.getsockname()[1]}", "LDAP_TIMEOUT": 0.3}
            began = time.monotonic()
            with pytest.raises(LdapAway):
                check("ivanov", PASSWORD)
            assert time.monotonic() - began < 5
    with pytest.raises(LdapAway):
        check("ivanov", PASSWORD)


def test_own_account_that_is_refused_and_a_base_that_is_missing_are_faults_of_the_settings(app: Flask) -> None:
    app.config["LDAP_BIND_PASSWORD"] = "wrong"
    with pytest.raises(LdapAway):
        check("ivanov", PASSWORD)
