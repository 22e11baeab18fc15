"""The command line: webhooks are listed without their secrets, and deleted; also where a lost key stops the service."""

from pathlib import Path

import pytest
from flask import Flask

from hikflask import create_app
from hikflask.config import ConfigError
from hikflask.extensions import db
from hikflask.models import AuditEntry
from hikflask.services.webhooks import registry
from hikflask.startup_checks import prepare
from tests.cli.test_operators import run
from tests.support.apps import close

URL = "https://127.0.0.1:9/hook"


def test_webhooks_are_listed_and_deleted(app: Flask) -> None:
    with app.app_context():
        _, secret = registry.add(URL, frozenset({"enrolled", "removed"}))
        registry.add(f"{URL}/2", frozenset({"refused"}))
        registry.switch(2, is_active=False)

    listed = run(app, "webhook", "list")
    deleted = run(app, "webhook", "delete", "1")
    again = run(app, "webhook", "delete", "1")

    assert [line.split() for line in listed.stdout.splitlines()] == [
        ["ID", "STATE", "EVENTS", "ADDRESS"],
        ["1", "active", "enrolled,", "removed", URL],
        ["2", "switched", "off", "refused", f"{URL}/2"],
    ]
    assert secret not in listed.output
    assert (deleted.exit_code, deleted.stdout) == (0, "Webhook 1 is deleted.\n")
    assert (again.exit_code, again.stderr) == (1, "Error: There is no such webhook any more.\n")
    with app.app_context():
        assert [one.id for one in registry.list_all()] == [2]
        noted = db.session.execute(db.select(AuditEntry).where(AuditEntry.action == "webhook.deleted")).scalar_one()
        assert (noted.actor, noted.subject) == ("command line", URL)


def test_service_starts_after_a_lost_key_once_the_webhooks_it_names_are_deleted(app: Flask, tmp_path: Path) -> None:
    with app.app_context():
        registry.add(URL, frozenset({"enrolled"}))
    for name in ("password_key", "secret_key"):
        (tmp_path / name).unlink()
    keyless = create_app({"INSTANCE_PATH": str(tmp_path), "TESTING": True})
    with pytest.raises(ConfigError) as refused:
        prepare(keyless)
    assert f"“{URL}”" in str(refused.value)
    assert "delete webhooks with `flask --app wsgi webhook delete ID`" in str(refused.value)

    assert run(keyless, "webhook", "delete", "1").exit_code == 0

    prepare(keyless)
    assert run(keyless, "secrets", "rotate").exit_code == 0
    close(keyless)
