"""A terminal's password is in no page, log, repr, traceback or backup, at the most talkative level."""

import logging
import shutil
import traceback
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.encryption.vault import VaultError
from hikflask.extensions import db, vault
from hikflask.forms.terminals import TerminalForm
from hikflask.isapi.errors import LoginRefused
from hikflask.models import Terminal
from hikflask.services.terminals import checks, connection, registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator import Terminal as Simulated
from tests.conftest import HOST

# Letters that stay the same in UTF-8, JSON, HTML and a URL, so that a search finds them in each.
OLD, NEW = "Qx7vKept1", "Zw9mKept2"


@pytest.fixture
def settings() -> dict[str, Any]:
    """Every statement of the database is logged, with its parameters and rows."""
    return {"SQLALCHEMY_ECHO": "debug"}


def typed(password: str, **more: str) -> dict[str, str]:
    known = {"name": "Вход", "url": f"http://{HOST}", "username": "admin", "is_active": "y"}
    return {**known, "password": password, **more}


def test_pages_and_log_do_not_hold_it(
    client: FlaskClient, simulator: Simulated, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    simulator.login.password = OLD
    answers = [
        client.post("/terminals/", data=typed(OLD, name="")),
        client.post("/terminals/", data=typed(OLD), follow_redirects=True),
        client.post("/terminals/", data=typed(NEW), follow_redirects=True),
        client.get("/terminals/1/edit"),
        client.post("/terminals/1", data=typed(NEW, url="nonsense")),
        client.post("/terminals/1", data=typed(NEW), follow_redirects=True),
        client.post("/api/devices/", json=typed(NEW, name="x" * 65)),
        client.post("/api/devices/", data=f'{{"password": "{NEW}"', content_type="application/json"),
        client.get("/api/devices/1/status"),
        client.get("/terminals/"),
        client.get("/employees/"),
    ]

    said = "".join(answer.text + str(answer.headers) for answer in answers) + caplog.text + "".join(capfd.readouterr())

    assert [answer.status_code for answer in answers] == [422, 200, 409, 200, 422, 200, 422, 422, 200, 200, 200]
    assert simulator.wrong_passwords == 1
    assert "INSERT INTO terminal" in said
    assert [secret for secret in (OLD, NEW) if secret in said] == []


@pytest.mark.usefixtures("context", "simulator")
def test_no_object_shows_it(app: Flask) -> None:
    access = Access("Вход", f"http://{HOST}", "admin", OLD)
    terminal = registry.add(access)
    client = connection.new_client(terminal)
    with app.test_request_context(method="POST", data=typed(OLD)):
        form = TerminalForm(meta={"csrf": False})
        shown = [repr(form), repr(form.password), str(form.password()), repr(list(form))]
    with connection.converse(terminal.id, "test", "check") as conversation:
        shown.append(repr(conversation))
    shown += [repr(one) for one in (access, terminal, client, *vars(client).values(), vault, vault.keyring)]

    key = Path(app.config["PASSWORD_KEY_FILE"]).read_text().strip()

    assert [text for text in shown if OLD in text or terminal.password_encrypted in text or key in text] == []


@pytest.mark.usefixtures("context")
def test_no_traceback_holds_it(simulator: Simulated) -> None:
    terminal = registry.add(Access("Вход", f"http://{HOST}", "admin", OLD))
    simulator.login.password = NEW
    with pytest.raises(LoginRefused) as refused:
        checks.check(terminal.id, "test")
    token = vault.encrypt(OLD)
    with pytest.raises(VaultError) as closed:
        vault.decrypt(token[:-4])

    said = "".join("".join(traceback.format_exception(one.value)) for one in (refused, closed))

    assert [secret for secret in (OLD, NEW, token) if secret in said] == []


@pytest.mark.parametrize("rotated", [False, True])
def test_backup_without_the_key_does_not_hold_it(
    app: Flask, client: FlaskClient, simulator: Simulated, tmp_path_factory: pytest.TempPathFactory, rotated: bool
) -> None:
    simulator.login.password = OLD
    client.post("/terminals/", data=typed(OLD))
    client.post("/terminals/1", data=typed(NEW))
    key = Path(app.config["PASSWORD_KEY_FILE"]).read_text().split()[0]
    if rotated:
        assert app.test_cli_runner().invoke(args=["secrets", "rotate"]).exit_code == 0

    backup = tmp_path_factory.mktemp("backup") / "instance"
    shutil.copytree(app.instance_path, backup, ignore=shutil.ignore_patterns("password_key*"))

    files = {path: path.read_bytes() for path in backup.rglob("*") if path.is_file()}
    assert {"hikflask.sqlite3", "queue.sqlite3", "secret_key"} <= {path.name for path in files}
    for secret in (OLD, NEW, key):
        for encoded in (secret.encode(), secret.encode("utf-16-le"), secret.encode().hex().encode()):
            assert [path.name for path, content in files.items() if encoded in content] == []
    with app.app_context():
        assert vault.decrypt(db.session.get_one(Terminal, 1).password_encrypted) == NEW
