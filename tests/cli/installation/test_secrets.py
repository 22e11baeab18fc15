"""`secrets rotate`: a new key in the file, or what to do where the key is given by the environment."""

import os
import re
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from cryptography.fernet import Fernet
from flask import Flask

from hikflask import create_app
from hikflask.encryption import key_file
from hikflask.extensions import vault
from hikflask.services.terminals import registry
from hikflask.services.terminals.registry import Access
from tests.support.apps import close

PASSWORD = "Abc12345"


def run(app: Flask, *options: str) -> Result:
    return app.test_cli_runner().invoke(args=["secrets", "rotate", *options])


def add(app: Flask) -> None:
    with app.app_context():
        registry.add(Access("Вход", "http://a.test", "admin", PASSWORD))


def password(app: Flask) -> str:
    with app.app_context():
        return vault.decrypt(registry.list_all()[0].password_encrypted)


def test_rotation_says_what_was_done_and_what_remains(app: Flask, tmp_path: Path) -> None:
    add(app)

    result = run(app)

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("Secrets encrypted with the newest key: 1. The older keys stay in ")
    assert "`flask --app wsgi secrets rotate --drop-old`" in result.stdout
    assert not [key for key in key_file.split((tmp_path / "password_key").read_text()) if key in result.output]
    assert password(app) == PASSWORD


def test_check_says_whether_the_keys_open_what_is_stored(app: Flask, tmp_path: Path) -> None:
    add(app)
    check = ["secrets", "check"]
    good = app.test_cli_runner().invoke(args=check)
    assert (good.exit_code, good.output) == (0, "The keys open what is stored encrypted.\n")

    (tmp_path / "password_key").write_text(Fernet.generate_key().decode())
    bad = app.test_cli_runner().invoke(args=check)
    assert (bad.exit_code, bad.stdout) == (1, "")
    assert bad.stderr.startswith("Error: The password key does not open what is stored for “Вход”: ")


def test_old_key_is_dropped_by_a_command_of_its_own(app: Flask, tmp_path: Path) -> None:
    add(app)
    run(app)

    early = run(app, "--drop-old")
    past = time.time() - 121
    os.utime(tmp_path / "password_key", (past, past))
    late = run(app, "--drop-old")

    assert (early.exit_code, early.stderr.startswith("Error: The key was changed a moment ago")) == (1, True)
    assert (late.exit_code, "holds the newest key alone" in late.stdout) == (0, True)
    assert len(key_file.split((tmp_path / "password_key").read_text())) == 1
    assert password(app) == PASSWORD


@pytest.mark.usefixtures("app")
def test_key_file_that_cannot_be_replaced_is_said(app: Flask, tmp_path: Path) -> None:
    add(app)
    (tmp_path / "password_key.new").mkdir()

    result = run(app)

    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {tmp_path}/password_key cannot be changed: ")
    assert password(app) == PASSWORD


class TestWhereTheKeyIsGiven:
    """The environment holds the key; only a person can put another one there."""

    old = Fernet.generate_key().decode()

    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        """Settings as the environment gives them."""
        return {"PASSWORD_KEY": self.old}

    def with_keys(self, app: Flask, *keys: str, between: str = ",") -> Flask:
        given = {"INSTANCE_PATH": app.instance_path, "TESTING": True, "PASSWORD_KEY": between.join(keys)}
        return create_app(given)

    @pytest.mark.parametrize("between", [",", " ", ", ", "\n"])
    def test_steps_are_printed_and_lead_to_the_new_key(self, app: Flask, tmp_path: Path, between: str) -> None:
        add(app)

        steps = run(app).stdout
        found = re.search(r"HIKFLASK_PASSWORD_KEY=(\S{44}),…", steps)
        assert found
        new = found[1]
        both = self.with_keys(app, new, self.old, between=between)
        assert password(both) == PASSWORD
        done = run(both)
        alone = self.with_keys(app, new)

        assert (done.exit_code, "with the newest key: 1." in done.stdout) == (0, True)
        assert password(alone) == PASSWORD
        assert self.old not in steps + done.output
        assert not (tmp_path / "password_key").exists()
        close(both)
        close(alone)

    def test_nothing_is_dropped(self, app: Flask) -> None:
        result = run(app, "--drop-old")

        assert result.exit_code == 1
        assert "The keys come from HIKFLASK_PASSWORD_KEY: change them there." in result.stderr
