"""The company's directory, a real server: who somebody is, in which role, and what is asked in no case."""

import socket
import time
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from hikflask.services.accounts import directory
from hikflask.services.accounts.directory import Found
from hikflask.services.accounts.errors import DirectoryAway
from hikflask.simulator.certificate import make_certificate
from tests.support.ldap import BASE, PASSWORD, Directory

STRANGE = "o*l)g(a\\"
AS_THEMSELVES = {"LDAP_BIND_DN": "", "LDAP_BIND_PASSWORD": "", "LDAP_USER_DN": f"uid={{name}},ou=people,{BASE}"}

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture(scope="module", autouse=True)
def groups(company: Directory) -> None:
    company.members("admins", "ivanov")
    company.members("operators", "ivanov", STRANGE, "анна")


@pytest.fixture
def settings(company: Directory) -> dict[str, Any]:
    return company.settings()


def test_password_is_judged_by_a_bind_and_the_role_by_groups(app: Flask, company: Directory) -> None:
    for changed in (
        {},
        {"LDAP_URL": company.plain},
        AS_THEMSELVES,
        {**AS_THEMSELVES, "LDAP_URL": company.url},
    ):
        app.config |= changed

        assert directory.check("ivanov", PASSWORD) == Found("ivanov", "admin"), changed
        assert directory.check("IVANOV", PASSWORD) == Found("ivanov", "admin"), changed
        assert directory.check("анна", PASSWORD) == Found("анна", "operator"), changed
        assert directory.check("nobody", PASSWORD) == Found("nobody", None), changed
        assert directory.check("ivanov", "another password") is None, changed
        assert directory.check("missing", PASSWORD) is None, changed


def test_what_is_typed_as_a_name_is_neither_filter_nor_address(app: Flask) -> None:
    for changed in ({}, AS_THEMSELVES):
        app.config |= changed

        assert directory.check(STRANGE, PASSWORD) == Found(STRANGE, "operator")
        for name in ("*", "iv*", "ivanov)(uid=*", "*)(|(uid=*", "ivanov,ou=people", "\\", "\0", ""):
            assert directory.check(name, PASSWORD) is None, name


def test_nothing_is_asked_without_a_password(app: Flask) -> None:
    # Nobody is at this address: the answer comes without a question.
    app.config["LDAP_URL"] = "ldaps://127.0.0.1:1"

    assert directory.check("ivanov", "") is None


def test_name_that_several_have_is_nobodys(app: Flask) -> None:
    app.config |= {"LDAP_NAME": "objectClass", "LDAP_FILTER": "(objectClass=*)"}

    assert directory.look_up("inetOrgPerson") is None


def test_somebody_is_looked_up_without_a_password(app: Flask) -> None:
    assert directory.can_look_up()
    assert directory.look_up("ivanov") == Found("ivanov", "admin")
    assert directory.look_up("missing") is None
    app.config |= AS_THEMSELVES
    assert not directory.can_look_up()


def test_password_goes_to_nobody_whose_certificate_is_not_known(
    app: Flask, company: Directory, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = tmp_path / "other.pem"
    other.write_bytes(make_certificate("127.0.0.1").pem)
    for ca in (str(other), ""):
        for url in (company.url, company.plain, company.url.replace("127.0.0.1", "localhost")):
            app.config |= {"LDAP_CA": ca, "LDAP_URL": url}
            with pytest.raises(DirectoryAway):
                directory.check("ivanov", PASSWORD)
    # A certificate that is known, for another host.
    app.config |= {"LDAP_CA": company.ca, "LDAP_URL": company.url.replace("127.0.0.1", "localhost")}
    with pytest.raises(DirectoryAway):
        directory.check("ivanov", PASSWORD)
    assert "The directory at ldaps://localhost:" in caplog.text
    assert PASSWORD not in caplog.text
    assert "ivanov" not in caplog.text


def test_directory_that_does_not_answer_is_waited_for_no_longer_than_set(app: Flask) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for scheme in ("ldaps", "ldap"):
            app.config |= {"LDAP_URL": f"{scheme}://127.0.0.1:{silent.getsockname()[1]}", "LDAP_TIMEOUT": 0.3}
            began = time.monotonic()
            with pytest.raises(DirectoryAway):
                directory.check("ivanov", PASSWORD)
            assert time.monotonic() - began < 5
    with pytest.raises(DirectoryAway):
        directory.check("ivanov", PASSWORD)


def test_own_account_that_is_refused_and_a_base_that_is_missing_are_faults_of_the_settings(app: Flask) -> None:
    app.config["LDAP_BIND_PASSWORD"] = "wrong"
    with pytest.raises(DirectoryAway):
        directory.check("ivanov", PASSWORD)
