"""The command line: tokens are created and shown once, revoked, and listed."""

import re
from datetime import UTC, datetime

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.models import ApiToken
from hikflask.services.accounts import api_tokens
from tests.cli.test_operators import run


@pytest.mark.parametrize(("options", "role"), [((), "operator"), (("--role", "viewer"), "viewer")])
def test_token_stands_alone_on_the_last_line_and_works(app: Flask, options: tuple[str, ...], role: str) -> None:
    result = run(app, "token", "create", "Кадры", *options)

    assert result.exit_code == 0
    secret = result.stdout.splitlines()[-1]
    answer = app.test_client().get("/api/users/", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 200
    with app.app_context():
        (row,) = api_tokens.list_all()
        assert (row.name, row.role, row.created_by) == ("Кадры", role, "command line")
        assert round((row.expires_at - row.created_at).total_seconds() / 86400) == 365


def test_token_is_revoked(app: Flask) -> None:
    secret = run(app, "token", "create", "Кадры").stdout.splitlines()[-1]

    assert run(app, "token", "revoke", "Кадры").exit_code == 0

    answer = app.test_client().get("/api/users/", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 401
    assert "There is no token “Другой”." in run(app, "token", "revoke", "Другой").stderr


def test_token_name_is_taken_once(app: Flask) -> None:
    run(app, "token", "create", "Кадры")

    again = run(app, "token", "create", "Кадры")

    assert (again.exit_code, again.stdout) == (1, "")
    assert "Another token has this name." in again.stderr


def test_tokens_are_listed_with_state_and_last_use_but_never_shown(app: Flask) -> None:
    used, stale, revoked = (
        run(app, "token", "create", name, "--role", "viewer").stdout.splitlines()[-1] for name in "abc"
    )
    app.test_client().get("/api/users/", headers={"Authorization": f"Bearer {used}"})
    run(app, "token", "revoke", "c")
    with app.app_context():
        past = datetime(2026, 1, 1, 12, 30, tzinfo=UTC)
        db.session.execute(db.update(ApiToken).where(ApiToken.name == "b").values(expires_at=past))
        db.session.commit()

    result = run(app, "token", "list")

    head, *lines = (re.split(r" {2,}", line) for line in result.stdout.splitlines())
    assert head == ["NAME", "ROLE", "STATE", "VALID UNTIL", "LAST USE", "MADE BY"]
    assert [line[:3] for line in lines] == [
        ["a", "viewer", "valid"],
        ["b", "viewer", "expired"],
        ["c", "viewer", "revoked"],
    ]
    assert lines[1][3:] == ["2026-01-01 12:30 UTC", "never", "command line"]
    assert lines[0][4].endswith(" UTC")
    assert not [secret for secret in (used, stale, revoked) if secret in result.output]
    with app.app_context():
        assert not [one for one in api_tokens.list_all() if one.token_sha256 in result.output]
