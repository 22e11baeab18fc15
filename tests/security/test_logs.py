"""What the app logs stays on its line and holds nothing that was typed into a database's statement."""

import logging
import re
import subprocess
import sys
from functools import wraps
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.routing import IntegerConverter

from hikflask.extensions import db
from tests.support.signed_in import OPERATOR_NAME, OPERATOR_PASSWORD, client_of

CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
HOSTILE = "a\r\n2026-01-01 CRITICAL forged \x1b[31mred\x1b[0m \x9b \u2028line \u202etxet"
FORM, ACTION = re.compile(r"<form[^>]*>"), re.compile(r' action="([^"]*)"')
IN_PATHS = "a%0d%0aFORGED%20%1b%5b31m%c2%9b%e2%80%a8%e2%80%ae"


@pytest.fixture
def broken(app: Flask) -> None:
    """Every photo fails."""

    @wraps(app.view_functions["uploads.show"])
    def fail(**_: Any) -> str:
        raise RuntimeError("broken")

    app.view_functions["uploads.show"] = fail


@pytest.mark.usefixtures("broken")
def test_log_of_a_failure_names_the_rule_and_not_the_address(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    answer = client.get("/uploads/100222_secret.jpg")

    assert answer.status_code == 500
    (failure,) = [record for record in caplog.records if record.exc_info]
    assert failure.getMessage() == "Exception on /uploads/<name> [GET]"
    assert "100222_secret" not in caplog.text


def test_nothing_that_is_sent_breaks_a_line_of_the_log(
    app: Flask, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    headers = {"User-Agent": HOSTILE.replace("\r\n", "").encode().decode("latin-1"), "Accept-Language": "\x1b[31m"}
    form = {"name": HOSTILE, "password": HOSTILE, "next": HOSTILE, "kept": HOSTILE, "kept_path": HOSTILE}
    for browser in (client, app.test_client()):
        browser.post("/sign-in", data=form, headers=headers)
        browser.get(f"/{IN_PATHS}", headers=headers)
        browser.get(f"/api/{IN_PATHS}", headers={**headers, "Authorization": "Bearer \x1b[31m"})
        browser.post("/employees/", data={"hikvision_id": HOSTILE, "full_name": HOSTILE}, headers=headers)
        browser.post("/api/users/", json={"hikvision_id": HOSTILE, "full_name": HOSTILE})
        browser.post("/api/devices/", json={"name": HOSTILE, "url": HOSTILE, "username": HOSTILE, "password": HOSTILE})

    assert not any(CONTROL.search(record.getMessage()) for record in caplog.records)


# As gunicorn and the worker run it: loggers of ours, of the server and of libraries, each with the words of a terminal.
EACH_LOGGER = """
import logging, sys
from gunicorn.config import Config
from gunicorn.glogging import Logger
from hikflask import create_app

Logger(Config())
app = create_app({"INSTANCE_PATH": sys.argv[1], "WORKER": "external"})
for name in sys.argv[3:]:
    try:
        raise RuntimeError(sys.argv[2])
    except RuntimeError:
        logging.getLogger(name).exception("failed: %s", sys.argv[2])
    logging.getLogger(name).warning("said: %s", sys.argv[2])
"""
LOGGERS = (
    "hikflask",
    "hikflask.background.worker",
    "hikflask.background.tasks",
    "hikflask.isapi.client",
    "huey.consumer",
    "gunicorn.error",
    "sqlalchemy.pool",
)


def test_record_is_one_line_with_its_traceback_whoever_writes_it(tmp_path: Path) -> None:
    words = [str(tmp_path), HOSTILE, *LOGGERS]

    done = subprocess.run(
        [sys.executable, "-c", EACH_LOGGER, *words], capture_output=True, text=True, check=True, timeout=60
    )

    lines = done.stderr.removesuffix("\n").split("\n")
    assert len(lines) == 2 * len(LOGGERS)
    assert not any(CONTROL.search(line) for line in lines)
    assert all("Traceback (most recent call last):\\n" in line for line in lines[::2])
    assert all(line.count("\\r\\n2026-01-01 CRITICAL forged \\x1b[31mred") == 2 for line in lines[::2])
    assert all(line.count("said: a\\r\\n2026-01-01 CRITICAL forged") == 1 for line in lines[1::2])


@pytest.mark.parametrize("field", ["full_name", "department"])
def test_name_of_several_lines_is_never_stored(client: FlaskClient, field: str) -> None:
    for text in ("a\nb", "a\rb", "a\x1b[31mb", "a\x00b", "a\x85b", "a\u2028b"):
        answer = client.post("/api/users/", json={"hikvision_id": "1", "full_name": "Иван", field: text})

        assert (answer.status_code, set(answer.get_json()["fields"])) == (422, {field})


@pytest.mark.usefixtures("context")
def test_error_of_the_database_shows_no_value() -> None:
    values = {"hash": "scrypt:a-hash", "name": "Секретов"}
    statement = db.text("INSERT INTO operator (name, password_hash) VALUES (:name, :hash)")

    with pytest.raises(SQLAlchemyError) as caught:
        db.session.execute(statement, values)

    assert "scrypt:a-hash" not in str(caught.value)
    assert "Секретов" not in str(caught.value)


def test_password_that_is_typed_is_in_no_log(app: Flask, client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    browser = app.test_client()
    browser.post("/sign-in", data={"name": OPERATOR_NAME, "password": "wrong-one-typed"})
    browser.post("/sign-in", data={"name": OPERATOR_NAME, "password": OPERATOR_PASSWORD})
    client.post("/confirm", data={"password": "wrong-one-typed"})
    client_of(app, confirmed=False).post("/operators/", data={"own_password": "wrong-one-typed"})
    client.get("/api/users/", headers={"Authorization": "Bearer wrong-one-typed"})

    assert "wrong-one-typed" not in caplog.text
    assert OPERATOR_PASSWORD not in caplog.text
    assert str(client.token) not in caplog.text  # type: ignore[attr-defined]


@pytest.mark.usefixtures("terminal")
def test_of_what_is_typed_a_search_alone_goes_into_the_address(app: Flask, client: FlaskClient) -> None:
    client.post("/employees/", data={"hikvision_id": "100222", "full_name": "Иван Иванов", "without_face": "1"})
    rules = [rule.rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    paths = {re.sub(r"<int:\w+>", "1", rule) for rule in rules if not rule.startswith("/api")}
    pages = [client.get(path).text for path in sorted(paths) if "<" not in path]
    forms = [form for page in [*pages, app.test_client().get("/sign-in").text] for form in FORM.findall(page)]

    assert len(forms) > 50
    shown = {ACTION.findall(form)[0] for form in forms if 'method="post"' not in form}
    # Of departments, only which ones are ticked.
    assert shown == {"/employees/", "/audit/", "/erasures/number", "/departments/merge"}


def test_no_address_has_anything_of_a_person_in_its_path(app: Flask) -> None:
    """nginx logs paths, the trail keeps them, and no erasure reaches either; nginx leaves out photos and pushes."""
    texts = {
        rule.rule: [name for name, converter in rule._converters.items() if not isinstance(converter, IntegerConverter)]
        for rule in app.url_map.iter_rules()
    }

    assert {rule: names for rule, names in texts.items() if names} == {
        "/static/<path:filename>": ["filename"],
        "/help/<language>/": ["language"],
        "/help/<language>/<path:path>": ["language", "path"],
        "/administration/settings/<name>": ["name"],
        "/administration/settings/<name>/default": ["name"],
        "/photo-drafts/<what>": ["what"],
        "/photo-drafts/<token>": ["token"],
        "/uploads/<name>": ["name"],
        "/events/push/<secret>": ["secret"],
    }
