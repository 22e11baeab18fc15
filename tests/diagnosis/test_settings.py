"""What is said of misspelt settings."""

import os
import re
from pathlib import Path

import pytest

from hikflask import create_app
from hikflask.config import ConfigError
from hikflask.diagnosis import settings, wrong
from tests.processes.processes import ROOT
from tests.support.accounts import as_nobody

NAME = re.compile(r"\bHIKFLASK_[A-Z_]+\b")
READERS = ("deploy/gunicorn.conf.py", "deploy/run.sh", "deploy/hikflask-command", "deploy/hikflask.env", "wsgi.py")


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("HIKFLASK_")]:
        monkeypatch.delenv(name)


def test_misspelt_setting_of_the_environment_is_told_with_what_was_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HIKFLASK_MAIL_SERVR", "HIKFLSK_HOSTS", "hikflask_worker", "HIKFLASK_COLOUR", "HIKFLASK_BIND"):
        monkeypatch.setenv(name, "x")
    nothing = "is no setting, so it changes nothing:"

    assert list(settings.check(tmp_path)) == [
        wrong(f"HIKFLASK_COLOUR {nothing} docs/en/settings.md lists all settings."),
        wrong(f"HIKFLASK_MAIL_SERVR {nothing} did you mean HIKFLASK_MAIL_SERVER?"),
        wrong(f"HIKFLSK_HOSTS {nothing} did you mean HIKFLASK_HOSTS?"),
        wrong(f"hikflask_worker {nothing} did you mean HIKFLASK_WORKER?"),
    ]


def test_misspelt_setting_of_the_file_is_told_and_names_of_flask_are_not(tmp_path: Path) -> None:
    file = tmp_path / "config.py"
    file.write_text(
        "MAIL_SERVR = HIKFLASK_HOSTS = 'x'\nMAIL_SERVER = 'y'\nSESSION_COOKIE_PATH = '/'\nWTF_I18N_ENABLED = True\n"
    )
    nothing = f"in {file} is no setting, so it changes nothing:"

    assert list(settings.check(tmp_path)) == [
        wrong(f"HIKFLASK_HOSTS {nothing} did you mean HOSTS?"),
        wrong(f"MAIL_SERVR {nothing} did you mean MAIL_SERVER?"),
    ]


def test_file_of_the_service_that_everybody_can_read_is_told(tmp_path: Path) -> None:
    file = tmp_path / "hikflask.env"
    assert list(settings.check(tmp_path, file)) == []
    file.write_text("HIKFLASK_MAIL_PASSWORD=x\n")

    file.chmod(0o644)
    assert list(settings.check(tmp_path, file)) == [
        wrong(f"Others can read {file}, with the passwords in it: run `chmod o= {file}`.")
    ]
    file.chmod(0o640)
    assert list(settings.check(tmp_path, file)) == []


def test_file_that_cannot_be_run_is_left_to_who_makes_the_app(tmp_path: Path) -> None:
    (tmp_path / "config.py").write_text("HOSTS = (\n")

    assert list(settings.check(tmp_path)) == []


def test_every_name_that_is_read_anywhere_is_known() -> None:
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in READERS]
    texts += [path.read_text(encoding="utf-8") for path in (ROOT / "deploy").glob("*.service")]

    assert {name for text in texts for name in NAME.findall(text)} - settings.NAMES == set()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is somebody else")
def test_certificate_of_the_directory_that_the_account_may_not_see_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, closed: Path
) -> None:
    monkeypatch.setenv("HIKFLASK_LDAP_CA", f"{closed}/ca.pem")

    with as_nobody():
        found = list(settings.check(tmp_path))
        with pytest.raises(ConfigError, match=r"^HIKFLASK_LDAP_CA cannot be used: set it to a file with "):
            create_app({"INSTANCE_PATH": "/nowhere"})

    assert found == [
        wrong(
            f"HIKFLASK_LDAP_CA cannot be used: nobody cannot see {closed}/ca.pem, as {closed} belongs to root and is "
            f"closed to others: run `chmod o+x {closed}` as root, or move what is in it."
        )
    ]
